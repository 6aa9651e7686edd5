//! Recordings played again: as they were, when they were, and what is done about those that are not whole.

mod away;
mod command;
mod interrupted;
mod killed;
mod mistakes;
mod observed;
mod stage;
mod timing;

use incident::contract::{EventWriter, IncidentEvent, Source};
use incident::journal::{Place, Record};
use incident::recording::{Recording, RecordingError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A recording that is being written, as `watch --record` would.
#[derive(Clone)]
struct Tape {
    stream: &'static str,
    n: u64,
    text: String,
}

impl Tape {
    fn of(stream: &'static str) -> Self {
        Self { stream, n: 0, text: String::new() }
    }

    /// The next event, so many milliseconds after the first day of 2026 began.
    fn at(mut self, millis: i64, record: &Record) -> Self {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let time = epoch + SignedDuration::from_millis(millis);
        let source = Source::Stream(self.stream.parse().unwrap());
        self.n += 1;
        let Place::At(index) = record.place else { panic!("{record:?}") };
        let of = Some(IncidentEvent { subject: &record.subject, index });
        let frame =
            EventWriter { source: &source, id: self.n, kind: record.kind, of, time, data: &record.data };
        self.text += &(frame.encode() + "\n");
        self
    }

    /// A line as it is.
    fn line(mut self, line: &str) -> Self {
        self.text += &format!("{line}\n");
        self
    }

    fn read(&self) -> Result<Recording, RecordingError> {
        Recording::read(self.text.as_bytes(), "run.ndjson")
    }

    fn whole(&self) -> Recording {
        let recording = self.read().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(recording.warnings, [""; 0]);
        recording
    }
}

/// A record whose payload is another.
pub fn with(record: Record, change: impl FnOnce(&mut Value)) -> Record {
    let mut data: Value = serde_json::from_str(record.data.get()).unwrap();
    change(&mut data);
    Record { data: serde_json::value::to_raw_value(&data).unwrap(), ..record }
}
