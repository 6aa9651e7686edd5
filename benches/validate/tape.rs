//! A recording of any length: the same incident again and again, each time under another name.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use incident::contract::{EventWriter, IncidentEvent, Message, Source, StreamId};
use incident::scenario::Scenario;
use jiff::{SignedDuration, Timestamp};

const SCENARIO: &str = include_str!("../../scenarios/database-outage.toml");

/// Writes a recording of at least `events` events, of whole incidents. Returns its size in bytes.
pub(crate) fn write(file: &Path, events: u64) -> anyhow::Result<u64> {
    let scenario = Scenario::parse("database-outage.toml", SCENARIO)?;
    let plan = scenario.compile(42)?;
    let source = Source::Stream(StreamId::generate(1_700_000_000_000, 7));
    let epoch: Timestamp = "2026-11-22T10:00:00Z".parse()?;
    let messages: Vec<Message> =
        plan.events().iter().map(incident::plan::PlannedEvent::message).collect::<Result<_, _>>()?;
    let messages: Vec<_> = messages.iter().map(|message| (message.kind(), message.data())).collect();
    let mut out = BufWriter::new(File::create(file)?);
    let mut text = Vec::new();
    let mut position = 0;
    let incidents = events.div_ceil(messages.len() as u64);
    for incident in 1..=incidents {
        let subject = format!("database-outage-{incident:05}");
        for ((kind, data), index) in messages.iter().zip(1..) {
            position += 1;
            text.clear();
            let writer = EventWriter {
                source: &source,
                id: position,
                kind: *kind,
                of: Some(IncidentEvent { subject: &subject, index }),
                time: epoch + SignedDuration::from_millis(position.cast_signed() * 10),
                data,
            };
            writer.write(&mut text);
            text.push(b'\n');
            out.write_all(&text)?;
        }
    }
    out.flush()?;
    Ok(out.get_ref().metadata()?.len())
}
