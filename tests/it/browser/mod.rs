//! The page in a real Chromium. These tests need `chromium` or `chromium-headless-shell`, and `chromedriver`: `./tests/run` installs them;
//! plain `cargo test` leaves them out.

use incident::contract::{IncidentEvent, Source, StreamId};
use serde_json::Value;

use crate::harness::{Timeline, encode};

mod actions;
mod additions;
mod backlog;
pub mod bidi;
mod busy;
mod checks;
mod colors;
mod compare;
mod curves;
mod cuts;
pub mod driver;
mod events;
mod evil;
mod firefox;
mod greeted;
mod headline;
mod late;
mod links;
mod loading;
mod login;
mod many;
mod notices;
mod pictures;
mod prefix;
mod real;
mod screenshots;
mod scrub;
#[cfg(feature = "nats")]
mod servers;
mod settings;
mod states;
mod steps;
mod story;
mod strangers;
mod tls;
mod together;
mod truth;
mod twin;
mod unknown;
mod zoom;

/// The events of a plan as they are streamed, from 10:00 on.
fn story_of(timeline: &Timeline) -> Vec<Value> {
    let source = Source::Stream(StreamId::generate(0, 0));
    let start: jiff::Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let events = timeline.events.iter().zip(1..).map(|(event, n)| {
        let time = start + jiff::SignedDuration::from_micros(event.due.cast_signed());
        let of = IncidentEvent { subject: "it", index: n };
        serde_json::from_str(&encode(&source, n, Some(of), time, &event.message)).unwrap()
    });
    events.collect()
}
