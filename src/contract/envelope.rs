//! The `CloudEvents` 1.0 envelope, structured mode: what every text frame is.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Message, MessageType, Position, StreamId};

/// The only version of `CloudEvents` that is spoken.
pub const SPEC_VERSION: &str = "1.0";

/// The largest event, as encoded JSON text. `CloudEvents` asks intermediaries to carry at least this much.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// The wall clock now, in whole microseconds: the wire's resolution.
pub fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Who speaks: a stream (numbered events) or a server (control messages).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `/streams/NAME`.
    Stream(StreamId),
    /// `/servers/NAME`.
    Server(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => write!(f, "/streams/{stream}"),
            Self::Server(name) => write!(f, "/servers/{name}"),
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(stream) = text.strip_prefix("/streams/") {
            return stream.parse().map(Self::Stream).map_err(|error| format!("{error}: {text:?}"));
        }
        match text.strip_prefix("/servers/") {
            Some(name) if !name.is_empty() => Ok(Self::Server(name.to_owned())),
            _ => Err(format!("a source is /streams/STREAM or /servers/NAME, not {text:?}")),
        }
    }
}

/// An event as a client reads it. Unknown attributes are ignored, as `CloudEvents` wants.
#[derive(Debug, Clone, Deserialize)]
pub struct Envelope {
    /// `"1.0"`.
    pub specversion: String,
    /// Unique within `source`: the position for a stream's events.
    pub id: String,
    /// See [`Source`].
    pub source: String,
    /// See [`MessageType`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The incident's id; absent on control messages.
    #[serde(default)]
    pub subject: Option<String>,
    /// Wall clock of the append, UTC, microseconds.
    pub time: Timestamp,
    /// The payload, verbatim.
    pub data: Box<RawValue>,
}

impl Envelope {
    /// The event's position, if it is one of a stream's.
    pub fn position(&self) -> Option<Position> {
        match self.source.parse() {
            Ok(Source::Stream(stream)) => format!("{stream}/{}", self.id).parse().ok(),
            _ => None,
        }
    }

    /// The payload as its type says. `Err` names the field that does not fit.
    pub fn message(&self) -> Result<Message, serde_json::Error> {
        Message::parse(&self.kind, &self.data)
    }

    /// The incident the event belongs to, empty on control messages.
    pub fn incident(&self) -> &str {
        self.subject.as_deref().unwrap_or_default()
    }
}

/// An event as the server writes it. A frame is a pure function of (source, id, record).
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    source: &'a Source,
    id: u64,
    kind: MessageType,
    subject: Option<&'a str>,
    time: Timestamp,
    data: &'a RawValue,
}

impl<'a> Frame<'a> {
    /// An event of a stream, or a control message when `subject` is `None`.
    pub fn new(
        source: &'a Source,
        id: u64,
        kind: MessageType,
        subject: Option<&'a str>,
        time: Timestamp,
        data: &'a RawValue,
    ) -> Self {
        Self { source, id, kind, subject, time, data }
    }

    /// The JSON text of the frame.
    ///
    /// # Panics
    /// Never: what is written is UTF-8.
    pub fn encode(&self) -> String {
        let mut text = Vec::with_capacity(self.data.get().len() + 256);
        self.write(&mut text);
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// Adds the JSON text to a buffer. By hand: a replay of a million events spends most of its time here.
    pub fn write(&self, text: &mut Vec<u8>) {
        let Self { source, id, kind, subject, time, data } = self;
        add(text, format_args!("{{\"specversion\":\"{SPEC_VERSION}\",\"id\":\"{id}\",\"source\":"));
        match source {
            Source::Stream(stream) => add(text, format_args!("\"/streams/{stream}\"")),
            // Whatever a server may be called.
            Source::Server(_) => add_string(text, &source.to_string()),
        }
        add(text, format_args!(",\"type\":\"{}\"", kind.as_str()));
        if let Some(subject) = subject {
            text.extend_from_slice(b",\"subject\":");
            add_string(text, subject);
        }
        add(text, format_args!(",\"time\":\"{time:.6}\",\"data\":"));
        text.extend_from_slice(data.get().as_bytes());
        text.push(b'}');
    }
}

/// Writing to a buffer in memory can't fail.
fn add(text: &mut Vec<u8>, piece: fmt::Arguments<'_>) {
    let _ = text.write_fmt(piece);
}

fn add_string(text: &mut Vec<u8>, value: &str) {
    let _ = serde_json::to_writer(text, value);
}

/// RFC 3339, UTC, always six decimals: sortable as text.
pub(super) fn micros(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// Serde for times on the wire, see [`micros`].
pub(super) mod wire_time {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&super::micros(*time))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(deserializer)
    }
}
