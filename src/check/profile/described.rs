//! What a profile says.

use std::time::Duration;

use super::field_place::FieldPlace;
use super::resume::Resume;

/// How a stream of another program is read and subscribed to. `None` and empty lists mean that nothing is known, so that
/// what depends on it is not checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// The name of a shipped profile, or the file.
    pub name: String,
    /// Whether every message is JSON. Otherwise only the fields of event streams can be read.
    pub is_json: bool,
    /// The standard that every message follows, if any.
    pub envelope: Option<Envelope>,
    /// Where the type is.
    pub kind: Option<FieldPlace>,
    /// Where the id is.
    pub id: Option<FieldPlace>,
    /// Whether an id never comes twice within a key.
    pub is_unique: bool,
    /// Where the sequence number is.
    pub sequence: Option<FieldPlace>,
    /// Whether sequence numbers follow one another without gaps.
    pub is_gapless: bool,
    /// The sequence number with which each key begins on a new connection.
    pub first: Option<u64>,
    /// What sequence numbers, ids and times belong to; without it, to the whole stream.
    pub key: Option<FieldPlace>,
    /// What begins and ends; without it, the key.
    pub subject: Option<FieldPlace>,
    /// Where the time is.
    pub time: Option<FieldPlace>,
    /// How the time is written.
    pub time_format: TimeFormat,
    /// Whether the time of a key never falls.
    pub is_rising: bool,
    /// The names of the fields that a message may lack.
    pub optional: Vec<String>,
    /// Types that begin a subject: once, before everything else of it.
    pub begins: Vec<String>,
    /// Types that end a subject: once, with nothing after them.
    pub ends: Vec<String>,
    /// Types of control messages, which are no events.
    pub ignore: Vec<String>,
    /// The longest silence on a connection that the server promises.
    pub silence: Option<Duration>,
    /// Whether a new connection also gets events from before it was opened.
    pub replays: bool,
    /// JSON pointers to fields that differ between clients.
    pub varies: Vec<String>,
    /// What a client says to get the stream.
    pub subscribing: Subscribing,
    /// How a client asks for what it missed.
    pub resume: Option<Resume>,
}

/// What a client says to get the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscribing {
    /// Texts that are sent after connecting.
    pub send: Vec<String>,
    /// Headers of the request: name and value. A value `@FILE` stands for the text of that file.
    pub headers: Vec<(String, String)>,
    /// Subprotocols that are offered.
    pub subprotocols: Vec<String>,
    /// What is added to the query of the URL.
    pub query: Option<String>,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// A text as in RFC 3339: `2026-11-22T10:00:00Z`.
    #[default]
    Rfc3339,
    /// Seconds since 1970, with or without a fraction.
    UnixS,
    /// Milliseconds since 1970.
    UnixMs,
}

impl TimeFormat {
    /// All formats, by their names in a profile.
    pub(super) const ALL: [(&str, Self); 3] =
        [("rfc3339", Self::Rfc3339), ("unix_s", Self::UnixS), ("unix_ms", Self::UnixMs)];
}

/// A standard that messages follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// `CloudEvents` 1.0 in structured JSON.
    CloudEvents,
}

impl Profile {
    /// Whether a message must have the field of this name.
    pub(in crate::check) fn requires(&self, field: &str) -> bool {
        !self.optional.iter().any(|optional| optional == field)
    }

    /// Every field with its name and place.
    pub(in crate::check) fn fields(&self) -> [(&'static str, Option<&FieldPlace>); 6] {
        [
            ("type", self.kind.as_ref()),
            ("id", self.id.as_ref()),
            ("sequence", self.sequence.as_ref()),
            ("key", self.key.as_ref()),
            ("subject", self.subject.as_ref()),
            ("time", self.time.as_ref()),
        ]
    }

    /// Whether it names any field.
    pub(in crate::check) fn names_fields(&self) -> bool {
        self.fields().iter().any(|(_, place)| place.is_some())
    }

    /// Whether it reads fields that only an event stream has.
    pub fn needs_event_stream(&self) -> bool {
        self.fields()
            .iter()
            .any(|(_, place)| matches!(place, Some(FieldPlace::EventId | FieldPlace::EventName)))
    }

    /// Whether it names types of which one ends what the other began.
    pub fn has_lifecycle(&self) -> bool {
        !self.begins.is_empty() || !self.ends.is_empty()
    }
}
