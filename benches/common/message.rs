//! The messages of the load: the same text from the floor and from the server, about 400 bytes a frame.

use jiff::Timestamp;

/// The incident that all of them belong to.
pub(crate) const SUBJECT: &str = "load-00000";

/// Bytes of `data`; the envelope around it has about 160.
const DATA_BYTES: usize = 240;

/// What every event of a stream begins with. Reading it by its bytes keeps the load client cheap: with a JSON
/// parser it would be the bottleneck.
const HEAD: &[u8] = br#"{"specversion":"1.0","id":""#;

/// The `data` of a message: an `agent_action`.
pub(crate) fn data() -> String {
    let head = r#"{"offset_s":0,"synthetic":true,"phase":"load","agent":"bench","action":"hypothesis_updated","status":"completed","summary":""#;
    let fill = DATA_BYTES.saturating_sub(head.len() + 2);
    format!(r#"{head}{:x<fill$}"}}"#, "")
}

/// A whole event, as the server would write it.
pub(crate) fn event(index: u64, time: Timestamp) -> String {
    let data = data();
    format!(
        r#"{{"specversion":"1.0","id":"{index}","source":"/streams/0000000000000000","type":"agent_action","subject":"{SUBJECT}","time":"{time:.6}","index":{index},"data":{data}}}"#
    )
}

/// What a client is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// An event of the stream, with its position.
    Event(u64),
    /// Something about the stream.
    Control,
    /// Something that this reader was not made for.
    Unknown,
}

/// Tells events from control messages.
pub(crate) fn read(text: &[u8]) -> Told {
    let Some(rest) = text.strip_prefix(HEAD) else { return Told::Unknown };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let id = rest[..digits].iter().fold(0, |id: u64, digit| id * 10 + u64::from(digit - b'0'));
    let rest = &rest[digits..];
    if rest.starts_with(br#"","source":"/streams/"#) {
        Told::Event(id)
    } else if rest.starts_with(br#"","source":"/servers/"#) {
        Told::Control
    } else {
        Told::Unknown
    }
}

/// When an event was appended, in microseconds since 1970.
pub(crate) fn sent_at(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once(r#""time":""#)?;
    let (time, _) = rest.split_once('"')?;
    time.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}
