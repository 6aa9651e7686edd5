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

/// The highest `index`: a `CloudEvents` integer has 32 bits and a sign.
pub const MAX_INDEX: u64 = i32::MAX as u64;

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
    /// The event's place in its incident, from 1 to [`MAX_INDEX`], gapless; absent on control messages. The journal
    /// assigns it.
    #[serde(default)]
    pub index: Option<u64>,
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

/// The second of an incident at which an event happened: the planned one, or in a real incident, which has no plan, the
/// wall-clock time since `began`, the incident's `impact_started_at`. Whole milliseconds; negative before `began`.
/// `None` if neither is known.
pub fn offset_of(message: &Message, time: Timestamp, began: Option<Timestamp>) -> Option<f64> {
    let since = |began: Timestamp| (time.as_millisecond() - began.as_millisecond()) as f64 / 1e3;
    message.offset_s().or_else(|| began.map(since))
}

/// An event as the server writes it. The text is a pure function of these fields.
#[derive(Debug, Clone, Copy)]
pub struct EventWriter<'a> {
    /// Who speaks.
    pub source: &'a Source,
    /// The position, or the number of a control message.
    pub id: u64,
    /// The type.
    pub kind: MessageType,
    /// Which incident's event it is; `None` for control messages.
    pub of: Option<Of<'a>>,
    /// When it was appended, or sent.
    pub time: Timestamp,
    /// The payload.
    pub data: &'a RawValue,
}

/// An incident and a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of<'a> {
    /// The incident's id.
    pub subject: &'a str,
    /// The event's place in the incident, from 1.
    pub index: u64,
}

impl EventWriter<'_> {
    /// The JSON text.
    ///
    /// # Panics
    /// Never: the text is UTF-8.
    pub fn encode(&self) -> String {
        let mut text = Vec::with_capacity(self.data.get().len() + 256);
        self.write(&mut text);
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// Appends the JSON text to a buffer. Written by hand: a replay of a million events spends most of its time here.
    pub fn write(&self, text: &mut Vec<u8>) {
        let Self { source, id, kind, of, time, data } = self;
        add(text, format_args!("{{\"specversion\":\"{SPEC_VERSION}\",\"id\":\"{id}\",\"source\":"));
        match source {
            Source::Stream(stream) => add(text, format_args!("\"/streams/{stream}\"")),
            // A server's name may hold any character.
            Source::Server(_) => add_string(text, &source.to_string()),
        }
        add(text, format_args!(",\"type\":\"{}\"", kind.as_str()));
        if let Some(Of { subject, .. }) = of {
            text.extend_from_slice(b",\"subject\":");
            add_string(text, subject);
        }
        add(text, format_args!(",\"time\":\"{time:.6}\""));
        if let Some(Of { index, .. }) = of {
            add(text, format_args!(",\"index\":{index}"));
        }
        text.extend_from_slice(b",\"data\":");
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
