//! How large an event may be: one function for everything that makes events, plays them or stores them.

use super::envelope::MAX_EVENT_BYTES;
use super::message::{MessageType, Role};

/// The longest name of a new incident, in bytes. A request's path can carry it, so every incident can be cancelled.
pub const MAX_SUBJECT_BYTES: usize = 1024;

/// Whether an incident has a name that a path of the HTTP interface can carry as it is.
pub fn is_addressable(subject: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !subject.is_empty() && subject.bytes().all(allowed) && !matches!(subject, "." | "..")
}

/// Bytes reserved for the attributes other than `data` and `subject`: the limit applies to the whole event as a client
/// reads it.
const ENVELOPE_BYTES: usize = 512;

/// Whether an event of this type and incident can have a payload of so many bytes. An incident's name is only checked with
/// its first event: what has begun must be able to end.
///
/// # Errors
/// What is too long, and its limit.
pub fn check_size(subject: &str, kind: MessageType, data_bytes: usize) -> Result<(), String> {
    if kind.role() == Role::Start && subject.len() > MAX_SUBJECT_BYTES {
        let bytes = subject.len();
        return Err(format!("the incident's id has {bytes} bytes; at most {MAX_SUBJECT_BYTES} are allowed"));
    }
    let bytes = data_bytes + escaped(subject) + ENVELOPE_BYTES;
    if bytes > MAX_EVENT_BYTES {
        let kind = kind.as_str();
        return Err(format!("the {kind} would have more than {MAX_EVENT_BYTES} bytes with its envelope"));
    }
    Ok(())
}

/// The bytes of a text in JSON, without its quotes.
fn escaped(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | 8..=10 | 12 | 13 => 2,
        0..=31 => 6,
        _ => 1,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_as_it_is_written_in_json() {
        for text in ["plain", "a \"quoted\" \\ name", "\n\t\r\u{8}\u{c}", "\u{1}\u{1f}\u{7f}", "naïve 🚒"]
        {
            let json = serde_json::to_string(text).expect("a text");
            assert_eq!(escaped(text), json.len() - 2, "{text:?}");
        }
    }

    #[test]
    fn an_old_incident_with_a_long_name_can_end() {
        let name = "x".repeat(MAX_SUBJECT_BYTES + 1);
        assert!(check_size(&name, MessageType::IncidentStarted, 100).is_err());
        assert!(check_size(&name, MessageType::IncidentResolved, 100).is_ok());
    }
}
