//! The rule `connection`: it lasts until the validator ends it, and carries nothing but text.

use super::finding::{Finding, quoted};
use super::observation::{Closing, Observed};

/// The finding about a connection that ended before the validator wanted it to.
/// `comment` is the last line of an event stream, if it is a comment: a server of ours says there why it ends.
pub(super) fn ended_early(closing: &Closing, comment: Option<&str>, observed: &Observed) -> Finding {
    let said = comment.map(|comment| format!(", and says {}", quoted(comment.trim()))).unwrap_or_default();
    let when = observed.at.map(|at| format!(" after {:.1} s", at.as_secs_f64())).unwrap_or_default();
    let text = match closing {
        Closing::Frame(Some(code), reason) if reason.is_empty() => {
            format!("the server ended the connection{when} with code {code}")
        }
        Closing::Frame(Some(code), reason) => {
            format!(
                "the server ended the connection{when} with code {code} and the reason {}",
                quoted(reason)
            )
        }
        Closing::Frame(None, _) => format!("the server ended the connection{when} without a code"),
        Closing::Lost(what) => {
            format!("the connection was lost{when}, without a close frame: {}", quoted(what))
        }
        Closing::Protocol(what) => format!("the server broke the WebSocket protocol{when}: {}", quoted(what)),
        Closing::Malformed(what) => format!("the server sent no proper event stream{when}: {what}"),
        Closing::Finished { is_cut: false } => format!("the server ended the event stream{when}{said}"),
        Closing::Finished { is_cut: true } => {
            format!("the server ended the event stream{when} in the middle of an event")
        }
        Closing::Left => format!("the validator was interrupted{when}"),
    };
    let mut finding = Finding::new(text);
    finding.line = Some(observed.line);
    let is_stopping = match closing {
        Closing::Frame(Some(1001 | 1012 | 1013), _) => true,
        Closing::Finished { .. } => comment
            .is_some_and(|comment| ["1012", "1013"].into_iter().any(|code| comment.trim().starts_with(code))),
        _ => false,
    };
    if is_stopping {
        finding = finding.hint(
            "the server is stopping or cut off, so that the rest was not checked: check it again when it runs undisturbed",
        );
    }
    finding
}

pub(super) fn binary(bytes: usize, observed: &Observed) -> Finding {
    let mut finding = Finding::new(format!("a binary message of {bytes} bytes arrived; expected text"));
    finding.line = Some(observed.line);
    finding
}
