//! Faults of connections: those of the main one, and those that only others show.

use incident::check::{Closing, Purpose};
use serde_json::json;

use super::{Fault, caught, fault};
use crate::validate::sound::{Other, Stream, sound};

impl Stream {
    /// The server ends the connection in the middle.
    fn closes(&mut self, closing: Closing) -> Option<()> {
        let end = self.sample(12)?;
        self.frames.truncate(end);
        let last = self.frames[end - 1].1;
        self.closing = Some((last + 0.1, closing));
        self.ended = Some(last + 0.1);
        Some(())
    }

    /// What a client gets that resumes after a position, when the server says that it has nothing before `from`.
    pub fn expired(&self, after: u64, from: u64, oldest: u64) -> Other {
        let mut other = self.resume(from - 1);
        other.purpose = Purpose::Resume(after);
        let mut greeting = self.frames[0].0.clone();
        greeting["data"]["oldest"] = oldest.into();
        greeting["data"]["head"] = 1_000.into();
        greeting["data"]["follows"] =
            json!({ "kind": "reset", "reason": "expired", "from": from, "to": 1_000 });
        other.greeting = Some(greeting.to_string());
        other
    }
}

pub const FAULTS: &[Fault] = &[
    fault(
        "close 1011 with a reason",
        "connection",
        "with code 1011 and the reason \"the journal cannot be read\"",
        "",
        |s| s.closes(Closing::Frame(Some(1011), "the journal cannot be read".to_owned())),
    )
    .live(),
    fault("close 1012", "connection", "with code 1012", "", |s| {
        s.closes(Closing::Frame(Some(1012), String::new()))
    })
    .live(),
    fault("close 1000 in the middle", "connection", "with code 1000", "", |s| {
        s.closes(Closing::Frame(Some(1000), String::new()))
    })
    .live(),
    fault("close without a code", "connection", "without a code", "", |s| {
        s.closes(Closing::Frame(None, String::new()))
    })
    .live(),
    fault("closed in the middle of a replay", "connection", "with code 1011", "", |s| {
        s.stored(40)?;
        let end = s.events()[20];
        s.cut(end, 0.1);
        s.closing = Some((s.ended?, Closing::Frame(Some(1011), String::new())));
        Some(())
    })
    .live()
    .later(),
    fault("a reset", "connection", "without a close frame: \"Connection reset by peer\"", "", |s| {
        s.closes(Closing::Lost("Connection reset by peer".to_owned()))
    })
    .live(),
    fault("an end without a close frame", "connection", "the connection was lost after", "", |s| {
        s.closes(Closing::Lost(String::new()))
    })
    .live(),
    fault("a masked frame", "connection", "broke the WebSocket protocol after", "", |s| {
        s.closes(Closing::Protocol("a masked frame".to_owned()))
    })
    .live(),
    fault("closed right after the greeting", "connection", "after 0.5 s with code 1011", "", |s| {
        s.frames.truncate(1);
        s.closing = Some((0.5, Closing::Frame(Some(1011), String::new())));
        s.ended = Some(0.5);
        Some(())
    })
    .live(),
    fault("a binary message", "connection", "a binary message of 50 bytes arrived; expected text", "", |s| {
        let place = s.sample(7)?;
        let at = s.frames[place].1;
        s.frames.insert(place, (50.into(), at));
        Some(())
    })
    .live(),
    fault("an event in a binary message", "connection", "a binary message of 300 bytes arrived", "", |s| {
        let place = s.sample(7)?;
        s.frames[place].0 = 300.into();
        Some(())
    })
    .live(),
    fault(
        "the resolution in a binary message",
        "connection",
        "a binary message of 300 bytes arrived",
        "",
        |s| {
            let place = s.resolution();
            s.frames[place].0 = 300.into();
            Some(())
        },
    )
    .live(),
    fault(
        "a resume loses its first event",
        "resume",
        "after the cut at position 12, the server sent position 14",
        "",
        |s| {
            let mut other = s.resume(12);
            other.frames.remove(0);
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a resume loses an event in the middle",
        "resume",
        "the server sent position 19 as number 6; expected 18",
        "",
        |s| {
            let mut other = s.resume(12);
            other.frames.remove(5);
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault("a resume loses its last event", "resume", "1 event is missing", "", |s| {
        let mut other = s.resume(12);
        other.frames.pop();
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("a resume loses its last three events", "resume", "3 events are missing", "", |s| {
        let mut other = s.resume(12);
        let all = other.frames.len();
        other.frames.truncate(all - 3);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("a resume brings nothing", "resume", "events are missing", "", |s| {
        let mut other = s.resume(12);
        other.frames.clear();
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("a resume changes an event", "resume", "sent position 18 with another content", "", |s| {
        let mut other = s.resume(12);
        other.frames[5] = other.frames[5].replace("\"synthetic\":", "\"synthetic\": ");
        s.others.push(other);
        Some(())
    })
    .live(),
    fault(
        "a resume begins one event too early",
        "resume",
        "the server sent position 13 as number 1; expected 14",
        "",
        |s| {
            let mut other = s.resume(13);
            other.frames = s.resume(12).frames;
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a resume repeats an event",
        "resume",
        "the server sent position 18 as number 7; expected 19",
        "",
        |s| {
            let mut other = s.resume(12);
            let again = other.frames[5].clone();
            other.frames.insert(6, again);
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a resume swaps two events",
        "resume",
        "the server sent position 19 as number 6; expected 18",
        "",
        |s| {
            let mut other = s.resume(12);
            other.frames.swap(5, 6);
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault("a resume is refused", "resume", "refused to resume, with the HTTP status 410", "", |s| {
        let mut other = s.resume(12);
        other.refused = Some(410);
        other.frames.clear();
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("a resume brings an event that was never sent", "resume", "99999", "", |s| {
        let mut other = s.resume(12);
        let more = other.frames[0].replace("\"id\":\"13\"", "\"id\":\"99999\"");
        other.frames.push(more);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("another client misses an event", "fan-out", "client 1 did not get position", "", |s| {
        let mut other = s.twin();
        other.frames.remove(s.sample(7)?);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault(
        "another client gets another event",
        "fan-out",
        "client 1 got another event at position",
        "",
        |s| {
            let mut other = s.twin();
            let place = s.sample(7)?;
            other.frames[place] = other.frames[place].replace("\"synthetic\":", "\"synthetic\": ");
            s.others.push(other);
            Some(())
        },
    )
    .live(),
];

#[test]
fn connections() {
    caught(FAULTS);
}

#[test]
fn what_expired_before_a_resume_need_not_come() {
    let mut stream = sound();
    let other = stream.expired(12, 25, 25);
    stream.others.push(other);
    assert_eq!(stream.failures(), []);
    stream.others[0].frames.remove(3);
    assert_eq!(stream.failures()[0].0, "resume");
}
