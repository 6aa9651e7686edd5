//! The table of problems: every reason for which a request to publish is refused.

// A problem is added in the table below and in docs/problems.md, which a test holds to the table.
macro_rules! kinds {
    ($($kind:ident $name:literal $status:literal $title:literal $advice:literal;)+) => {
        /// Why a request to publish, or one of its events, is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the table has a title for each")]
        pub enum Kind { $($kind,)+ }

        impl Kind {
            /// Every kind of problem, in order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Its name: the last part of the problem's `type`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)+ }
            }

            /// What is wrong, in a few words that never change.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }

            /// What the publisher can do.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$kind => $advice,)+ }
            }

            /// The `type` of the problem document, which never changes.
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$kind => concat!("/problems/", $name),)+ }
            }

            /// The kind with this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    NotJson "not-json" 400 "The body is not JSON"
        "Send UTF-8 JSON: one CloudEvent, an array of them, or one on each line, as the content type says.";
    NumberTooLarge "number-too-large" 400 "A number is too large to be read"
        "Send numbers up to about 1.8e308, or as texts; `detail` says where the number ends.";
    BadEnvelope "bad-envelope" 400 "The event is not a CloudEvent of this contract"
        "Mend the attribute that `pointer` names.";
    SourceNotAllowed "source-not-allowed" 403 "The token may not publish under this source"
        "Use a source that the token file allows for this token, or allow this one there. Sources below `/receivers/` are the receivers' own.";
    IdReused "id-reused" 409 "The id was used for another event"
        "Give each event an id of its own. A repeat must be the same event: type, subject, time and data.";
    IndexMoved "index-moved" 409 "The incident has got other events meanwhile"
        "Read the events after `afterindex`, decide again, and send with the new index.";
    IncidentClosed "incident-closed" 409 "The incident has ended"
        "Start a new incident under another subject; `caused_by` in a summary can name the old one.";
    IncidentIsPlayed "incident-is-played" 409 "The incident is a drill that this server plays"
        "Publish under a subject of your own. A drill takes actions only, in a request of their own, without marks, beliefs and forecasts.";
    TooLarge "too-large" 413 "The request or one of its events is too large"
        "Send at most 256 events and 1 MiB, before compression, in a request, and at most 64 KiB in an event.";
    MediaType "media-type" 415 "The content type is none of those that can be published"
        "Send application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson.";
    ContentEncoding "content-encoding" 415 "The content encoding is not known, or the body does not have it"
        "Send the body as it is, or compressed once, with Content-Encoding: gzip.";
    Schema "schema" 422 "The data does not match the schema of its type"
        "GET /schema.json has the schema; `pointer` says where the data differs.";
    Lifecycle "lifecycle" 422 "The event does not fit the course of its incident"
        "An incident starts once and first, reaches each mark once, and goes through its phases forward.";
    Value "value" 422 "A value contradicts the others"
        "Mend the value that `pointer` names; `detail` says what it contradicts.";
    FieldOfServer "field-of-server" 422 "Only the server sets this field"
        "Leave the field out.";
    SyntheticNotPublishable "synthetic-not-publishable" 422 "Simulated events cannot be published"
        "Write a scenario and let this server play it; leave `synthetic` out of what is real.";
    TimeInFuture "time-in-future" 422 "The time lies in the future"
        "Set the clock that is wrong: the publisher's, or the server's, which `detail` shows. Five minutes are allowed.";
    Rate "rate" 429 "The token has published too many events a second"
        "Wait as long as Retry-After says, then send the same events under the same ids.";
    TooManyIncidents "too-many-incidents" 503 "The server has reached its limit of open incidents"
        "Resolve incidents that are over, then send the same events under the same ids.";
    Busy "busy" 503 "More events wait than the server can hold"
        "Wait as long as Retry-After says, then send the same events under the same ids.";
    PlayedElsewhere "played-elsewhere" 503 "Another server plays the drill"
        "Send the same events under the same ids to the server whose /readyz says that it plays, or again after Retry-After.";
    JournalPaused "journal-paused" 503 "The journal cannot be written at the moment"
        "Wait as long as Retry-After says, then send the same events under the same ids. The server's log says why.";
    ShuttingDown "shutting-down" 503 "The server is stopping"
        "Wait as long as Retry-After says, then send the same events under the same ids.";
}

impl Kind {
    /// Seconds after which the same request may succeed; `None` if it never does.
    pub const fn retry_after(self) -> Option<u64> {
        match self {
            Self::Rate | Self::Busy | Self::PlayedElsewhere => Some(1),
            Self::JournalPaused | Self::ShuttingDown => Some(5),
            Self::TooManyIncidents => Some(10),
            _ => None,
        }
    }
}
