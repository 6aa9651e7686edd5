//! Further connections keep the rules of the first one: greeting, envelope, payloads, protocol, and how they end.

use incident::check::Closing;
use serde_json::Value;

use super::{Fault, caught, fault};
use crate::validate::sound::{Other, Stream, sound};

impl Stream {
    /// Another client, whose `n`th event is changed.
    fn changed_twin(&self, n: usize, change: impl FnOnce(&mut Value)) -> Option<Other> {
        let mut other = self.twin();
        let place = *self.events().get(n)?;
        let mut frame = self.frames[place].0.clone();
        change(&mut frame);
        other.frames[place] = frame.to_string();
        Some(other)
    }

    /// A client that resumes, whose greeting is changed.
    fn greeted(&self, after: u64, change: impl FnOnce(&mut Value)) -> Option<Other> {
        let mut other = self.resume(after);
        let mut greeting = serde_json::from_str(other.greeting.as_ref()?).ok()?;
        change(&mut greeting);
        other.greeting = Some(greeting.to_string());
        Some(other)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what makes a fault ends with it")]
    pub fn with(&mut self, other: Other) -> Option<()> {
        self.others.push(other);
        Some(())
    }
}

pub fn with_code(code: u16, reason: &str) -> Closing {
    Closing::Frame(Some(code), reason.to_owned())
}

pub const FAULTS: &[Fault] = &[
    fault("another client is not greeted", "greeting", "client 1: the first message is", "", |s| {
        let mut other = s.twin();
        other.frames.remove(0);
        s.with(other)
    })
    .live(),
    fault("another client is greeted twice", "greeting", "client 1: stream_opened came twice", "", |s| {
        let mut other = s.twin();
        let again = other.frames[0].clone();
        other.frames.insert(1, again);
        s.with(other)
    })
    .live(),
    fault(
        "another client's greeting does not agree with itself",
        "greeting",
        "client 1: events up to 7 follow",
        "/data/follows",
        |s| {
            let mut other = s.twin();
            let mut greeting = s.frames[0].0.clone();
            greeting["data"]["follows"]["to"] = 7.into();
            other.frames[0] = greeting.to_string();
            s.with(other)
        },
    )
    .live(),
    fault(
        "another client is greeted with another stream",
        "greeting",
        "client 1: stream_opened is of stream \"OTHER\"; the first connection's is of",
        "/data/stream",
        |s| {
            let mut other = s.twin();
            let mut greeting = s.frames[0].0.clone();
            greeting["data"]["stream"] = "OTHER".into();
            other.frames[0] = greeting.to_string();
            s.with(other)
        },
    )
    .live(),
    fault(
        "another client gets an event of another stream",
        "greeting",
        "client 1: an event of stream \"OTHER\" arrived",
        "/source",
        |s| {
            let other = s.changed_twin(7, |event| event["source"] = "/streams/OTHER".into())?;
            s.with(other)
        },
    )
    .live(),
    fault(
        "another client gets a heartbeat of another stream",
        "heartbeat",
        "client 1: the heartbeat is of stream \"OTHER\"",
        "/data/stream",
        |s| {
            let mut other = s.twin();
            let place = s.all(incident::contract::MessageType::Heartbeat)[0];
            let mut beat = s.frames[place].0.clone();
            beat["data"]["stream"] = "OTHER".into();
            other.frames[place] = beat.to_string();
            s.with(other)
        },
    )
    .live(),
    fault(
        "another client gets an event without an index",
        "envelope",
        "client 1: the attribute index is missing",
        "/index",
        |s| {
            let other = s.changed_twin(7, |event| drop(event.as_object_mut().unwrap().remove("index")))?;
            s.with(other)
        },
    )
    .live(),
    fault("another client gets what is not JSON", "envelope", "client 1: not JSON", "", |s| {
        let mut other = s.twin();
        other.frames[s.events()[7]] = String::from("{nonsense");
        s.with(other)
    })
    .live(),
    fault("another client gets a payload that is none", "schema", "client 1: ", "/data/synthetic", |s| {
        let other = s.changed_twin(7, |event| event["data"]["synthetic"] = 7.into())?;
        s.with(other)
    })
    .live(),
    fault("another client gets a binary message", "connection", "client 1: a binary message of", "", |s| {
        // A number is a binary message.
        let mut other = s.twin();
        other.frames[s.events()[7]] = String::from("300");
        s.with(other)
    })
    .live(),
    fault(
        "another client is closed with 1011",
        "connection",
        "with code 1011 and the reason \"no journal\"",
        "",
        |s| {
            let mut other = s.twin();
            other.frames.truncate(40);
            other.closing = Some((-2.0, with_code(1011, "no journal")));
            s.with(other)
        },
    )
    .live(),
    fault("another client gets a masked frame", "connection", "client 1: the server broke the", "", |s| {
        let mut other = s.twin();
        other.frames.truncate(40);
        other.closing = Some((-2.0, Closing::Protocol("a masked frame".to_owned())));
        s.with(other)
    })
    .live(),
    fault(
        "a resume is closed after the handshake",
        "connection",
        "after the cut at position 12: the server ended the connection after",
        "",
        |s| {
            let mut other = s.resume(12);
            other.greeting = None;
            other.frames.clear();
            other.closing = Some((0.1, with_code(1011, "no journal")));
            s.with(other)
        },
    )
    .live(),
    fault(
        "a resume is closed in the middle",
        "connection",
        "with code 1011 and the reason \"no journal\"",
        "",
        |s| {
            let mut other = s.resume(12);
            other.frames.truncate(5);
            other.closing = Some((0.1, with_code(1011, "no journal")));
            s.with(other)
        },
    )
    .live(),
    fault(
        "a resume is lost in the middle",
        "connection",
        "after the cut at position 12: the connection was lost after",
        "",
        |s| {
            let mut other = s.resume(12);
            other.frames.truncate(5);
            other.closing = Some((0.1, Closing::Lost("Connection reset by peer".to_owned())));
            s.with(other)
        },
    )
    .live(),
    fault(
        "a resume is not greeted",
        "greeting",
        "after the cut at position 12: the first message is",
        "",
        |s| {
            let mut other = s.resume(12);
            other.greeting = None;
            s.with(other)
        },
    )
    .live(),
    fault(
        "no resume is greeted",
        "greeting",
        "after the cut at position 12: the first message is",
        "",
        |s| {
            for _ in 0..3 {
                let mut other = s.resume(12);
                other.greeting = None;
                s.others.push(other);
            }
            Some(())
        },
    )
    .live(),
    fault(
        "a resume is greeted with another beginning",
        "resume",
        "after the cut at position 12, stream_opened says that the events from 14 follow; expected from 13",
        "",
        |s| {
            let other = s.greeted(12, |greeting| greeting["data"]["follows"]["from"] = 14.into())?;
            s.with(other)
        },
    )
    .live(),
    fault(
        "a resume gets a reset",
        "resume",
        "after the cut at position 12, the server did not resume: it sent a reset, ahead",
        "",
        |s| {
            let other = s.greeted(12, |greeting| {
                greeting["data"]["follows"]["kind"] = "reset".into();
                greeting["data"]["follows"]["reason"] = "ahead".into();
            })?;
            s.with(other)
        },
    )
    .live(),
    fault(
        "a resume is greeted with another stream",
        "greeting",
        "after the cut at position 12: stream_opened is of stream \"OTHER\"",
        "/data/stream",
        |s| {
            let other = s.greeted(12, |greeting| greeting["data"]["stream"] = "OTHER".into())?;
            s.with(other)
        },
    )
    .live(),
    fault(
        "a resume brings an event with a time that is none",
        "envelope",
        "after the cut at position 12: time is \"soon\"",
        "/time",
        |s| {
            let mut other = s.resume(12);
            let mut event: Value = serde_json::from_str(&other.frames[5]).ok()?;
            event["time"] = "soon".into();
            other.frames[5] = event.to_string();
            s.with(other)
        },
    )
    .live(),
];

#[test]
fn further_connections_keep_the_rules_of_the_first_one() {
    caught(FAULTS);
}

#[test]
fn a_fault_of_all_connections_is_told_once() {
    let mut stream = sound();
    stream.greeting()["contract"] = "one".into();
    let (twin, resumed) = (stream.twin(), stream.resume(12));
    stream.others.extend([twin, resumed]);
    let judged = stream.judgement();
    let failed = crate::validate::sound::failed(judged);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].1.len(), 1, "{failed:?}");
}
