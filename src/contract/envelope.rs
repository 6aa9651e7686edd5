//! The `CloudEvents` 1.0 envelope in structured mode: the form of every text frame.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::{Message, MessageType};
use super::position::{Position, StreamId};
use super::wire_time;

/// The only version of `CloudEvents` in use.
pub const SPEC_VERSION: &str = "1.0";

/// The largest event as JSON text, in bytes. `CloudEvents` requires intermediaries to forward events of this size.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// The highest `index`: a `CloudEvents` integer is a signed 32-bit number.
pub const MAX_INDEX: u64 = i32::MAX as u64;

/// No clock of a machine was right before 2020, in microseconds since 1970: a machine without a battery begins in 1970.
pub const CLOCKS_BEGIN_US: i64 = 1_577_836_800_000_000;

/// Whether a clock that shows this time can be right.
pub fn can_be_now(time: Timestamp) -> bool {
    time.as_microsecond() >= CLOCKS_BEGIN_US
}

/// The wall clock now, in whole microseconds: the resolution of times on the wire.
pub fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The sender of a message: a stream (numbered events) or a server (control messages).
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

/// An event as a client reads it. Unknown attributes are ignored, as `CloudEvents` requires.
#[derive(Debug, Clone, Deserialize)]
pub struct Envelope {
    /// `"1.0"`.
    pub specversion: String,
    /// Unique within `source`. For an event of a stream it is the event's position.
    pub id: String,
    /// See [`Source`].
    pub source: String,
    /// See [`MessageType`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The incident's id; absent on control messages.
    #[serde(default)]
    pub subject: Option<String>,
    /// When the event was appended: wall clock, UTC, microseconds.
    #[serde(deserialize_with = "wire_time::deserialize")]
    pub time: Timestamp,
    /// Number of the event in its incident, from 1 to [`MAX_INDEX`], without gaps; absent on control messages. The
    /// journal assigns it.
    #[serde(default)]
    pub index: Option<u64>,
    /// The payload, verbatim.
    pub data: Box<RawValue>,
}

impl Envelope {
    /// The event's position; `None` for a control message.
    pub fn position(&self) -> Option<Position> {
        match self.source.parse() {
            Ok(Source::Stream(stream)) => format!("{stream}/{}", self.id).parse().ok(),
            _ => None,
        }
    }

    /// The payload, read as the type that `kind` names. The error names the field that does not fit.
    pub fn message(&self) -> Result<Message, serde_json::Error> {
        Message::parse(&self.kind, &self.data)
    }

    /// Id of the incident that the event belongs to; empty on control messages.
    pub fn incident(&self) -> &str {
        self.subject.as_deref().unwrap_or_default()
    }
}

/// When an event happened: when its publisher observed it, or else when it was stored. A publisher's clock may be ahead, and
/// nothing happens after it is stored, unless the clock of the server is one that cannot be right.
pub fn happened_at(message: &Message, stored: Timestamp) -> Timestamp {
    message.observed_at().map_or(
        stored,
        |observed| {
            if can_be_now(stored) { observed.min(stored) } else { observed }
        },
    )
}

/// The second of an incident at which an event happened. In a simulated incident it is the planned second. A real
/// incident has no plan: there it is the wall-clock time since `began`, the incident's `impact_started_at`, in whole
/// milliseconds and negative before `began`. `None` if neither is known.
pub fn offset_of(message: &Message, time: Timestamp, began: Option<Timestamp>) -> Option<f64> {
    let since = |began: Timestamp| (time.as_millisecond() - began.as_millisecond()) as f64 / 1e3;
    message.offset_s().or_else(|| began.map(since))
}

/// Writes an event as JSON text. The text is a pure function of these fields.
#[derive(Debug, Clone, Copy)]
pub struct EventWriter<'a> {
    /// The sender.
    pub source: &'a Source,
    /// The event's position, or the number of a control message.
    pub id: u64,
    /// The message type.
    pub kind: MessageType,
    /// The incident and the event's index in it; `None` for control messages.
    pub of: Option<IncidentEvent<'a>>,
    /// When the event was appended, or the control message was sent.
    pub time: Timestamp,
    /// The payload.
    pub data: &'a RawValue,
}

/// An incident and an index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentEvent<'a> {
    /// The incident's id.
    pub subject: &'a str,
    /// Number of the event in its incident, from 1.
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

    /// Appends the JSON text to a buffer. This code writes the text without serde, because a client that reads a
    /// million stored events waits for little else.
    pub fn write(&self, text: &mut Vec<u8>) {
        let Self { source, id, kind, of, time, data } = self;
        add(text, format_args!("{{\"specversion\":\"{SPEC_VERSION}\",\"id\":\"{id}\",\"source\":"));
        match source {
            Source::Stream(stream) => add(text, format_args!("\"/streams/{stream}\"")),
            // A server's name may hold any character.
            Source::Server(_) => add_string(text, &source.to_string()),
        }
        add(text, format_args!(",\"type\":\"{}\"", kind.as_str()));
        if let Some(IncidentEvent { subject, .. }) = of {
            text.extend_from_slice(b",\"subject\":");
            add_string(text, subject);
        }
        add(text, format_args!(",\"time\":\"{time:.6}\""));
        if let Some(IncidentEvent { index, .. }) = of {
            add(text, format_args!(",\"index\":{index}"));
        }
        text.extend_from_slice(b",\"data\":");
        text.extend_from_slice(data.get().as_bytes());
        text.push(b'}');
    }
}

/// Adds a formatted piece. Writing to a buffer in memory cannot fail.
fn add(text: &mut Vec<u8>, piece: fmt::Arguments<'_>) {
    let _ = text.write_fmt(piece);
}

fn add_string(text: &mut Vec<u8>, value: &str) {
    let _ = serde_json::to_writer(text, value);
}
