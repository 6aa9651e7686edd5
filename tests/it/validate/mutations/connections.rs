//! Faults of connections: those of the main one, and those that only others show.

use incident::check::{Closing, Expectation, Purpose};
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
    fn expired(&self, after: u64, from: u64, oldest: u64) -> Other {
        let mut other = self.resume(from - 1);
        other.purpose = Purpose::Resume(after);
        let mut greeting = self.frames[0].0.clone();
        greeting["data"]["oldest"] = oldest.into();
        greeting["data"]["head"] = 1_000.into();
        greeting["data"]["follows"] =
            json!({ "kind": "reset", "reason": "expired", "from": from, "to": 1_000 });
        other.frames.insert(0, greeting.to_string());
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
            let mut other = s.resume(12);
            other.purpose = Purpose::Resume(13);
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
    fault("another client gets nothing after a while", "fan-out", "got nothing from position", "", |s| {
        let mut other = s.twin();
        let half = other.frames.len() / 2;
        other.frames.truncate(half);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("another client gets nothing", "fan-out", "got nothing from position 1 on", "", |s| {
        let mut other = s.twin();
        other.frames.truncate(1);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault(
        "another client is refused",
        "fan-out",
        "client 1 was refused, with the HTTP status 403",
        "",
        |s| {
            let mut other = s.twin();
            other.refused = Some(403);
            other.frames.clear();
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault("the second of three clients misses events", "fan-out", "client 2 did not get", "", |s| {
        let good = s.twin();
        let mut other = s.twin();
        let (from, to) = (s.sample(7)?, s.sample(9)?);
        other.frames.drain(from..to);
        s.others.extend([good, other]);
        Some(())
    })
    .live(),
    fault(
        "a negative position is accepted",
        "positions",
        "the position \"S/-1\" was accepted; expected the HTTP status 400",
        "",
        |s| {
            let mut other = s.wrong_position("S/-1", Expectation::BadRequest);
            other.refused = None;
            other.frames.push(s.frames[0].0.to_string());
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a position without a stream is not found",
        "positions",
        "refused with the HTTP status 404; expected 400",
        "",
        |s| {
            let mut other = s.wrong_position("17", Expectation::BadRequest);
            other.refused = Some(404);
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault("a position ahead gets no reset", "positions", "got no reset; expected a reset, ahead", "", |s| {
        let mut other = s.wrong_position("S/99999", Expectation::Reset("ahead".to_owned()));
        other.frames[0] = s.frames[0].0.to_string();
        s.others.push(other);
        Some(())
    })
    .live(),
    fault(
        "a position ahead gets another reason",
        "positions",
        "got expired; expected a reset, ahead",
        "",
        |s| {
            let mut other = s.wrong_position("S/99999", Expectation::Reset("ahead".to_owned()));
            other.frames[0] = other.frames[0].replace("ahead", "expired");
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a position of another stream is refused",
        "positions",
        "refused with the HTTP status 400; expected a reset, other-stream",
        "",
        |s| {
            let mut other = s.wrong_position("T/1", Expectation::Reset("other-stream".to_owned()));
            other.refused = Some(400);
            other.frames.clear();
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a position of another stream gets no greeting",
        "positions",
        "got no stream_opened; expected a reset, other-stream",
        "",
        |s| {
            let mut other = s.wrong_position("T/1", Expectation::Reset("other-stream".to_owned()));
            other.frames.clear();
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault("another client gets no message", "fan-out", "client 1 got nothing at all", "", |s| {
        let mut other = s.twin();
        other.frames.clear();
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("another client gets an event twice", "fan-out", " twice", "", |s| {
        let mut other = s.twin();
        let place = *s.events().get(5)?;
        let again = other.frames[place].clone();
        other.frames.insert(place, again);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault("another client gets two events swapped", "fan-out", "client 1 got position ", "", |s| {
        let mut other = s.twin();
        let events = s.events();
        other.frames.swap(*events.get(5)?, *events.get(9)?);
        s.others.push(other);
        Some(())
    })
    .live(),
    fault(
        "another client lacks the beginning that was announced",
        "fan-out",
        "client 1 did not get 10 events from position ",
        "",
        |s| {
            let mut other = s.twin();
            let events = s.events();
            events.get(20)?;
            for place in events[..10].iter().rev() {
                other.frames.remove(*place);
            }
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "another client gets an event that was never sent",
        "fan-out",
        "client 1 got position 900000, which the main connection did not get",
        "",
        |s| {
            let mut other = s.twin();
            let place = *s.events().get(5)?;
            let mut more = s.frames[place].0.clone();
            more["id"] = "900000".into();
            other.frames.insert(place, more.to_string());
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "another client cannot connect",
        "fan-out",
        "client 1 could not connect: Connection reset",
        "",
        |s| {
            let mut other = s.twin();
            other.purpose = other.purpose.failed("Connection reset".to_owned());
            other.frames.clear();
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a resume cannot connect",
        "resume",
        "after the cut at position 12, the connection failed: Connection reset",
        "",
        |s| {
            let mut other = s.resume(12);
            other.purpose = other.purpose.failed("Connection reset".to_owned());
            other.frames.clear();
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a wrong position is not answered",
        "positions",
        "the connection for the position \"17\" failed: it hangs",
        "",
        |s| {
            let mut other = s.wrong_position("17", Expectation::BadRequest);
            other.purpose = other.purpose.failed("it hangs".to_owned());
            other.refused = None;
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault(
        "a resume is said to have expired when it has not",
        "resume",
        "the server sent position 25 as number 1; expected 13",
        "",
        |s| {
            let other = s.expired(12, 25, 1);
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
