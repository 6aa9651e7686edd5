//! Faults in the greeting, and events that disagree with it.

use incident::check::MustResolve;
use incident::contract::MessageType;
use serde_json::json;

use super::{Fault, caught, fault, set};
use crate::validate::sound::{STREAM, Stream};

impl Stream {
    /// The first `count` events were stored before the connection, and follow at once.
    pub fn stored(&mut self, count: usize) -> Option<()> {
        let last = *self.events().get(count - 1)?;
        let mut place = 0;
        let at = self.frames[last].1;
        self.frames.retain(|(frame, _)| {
            place += 1;
            place - 1 > last || frame["type"] != "heartbeat"
        });
        for (_, arrival) in &mut self.frames[1..=count] {
            *arrival = at;
        }
        self.frames[0].1 = at;
        self.greeting()["head"] = count.into();
        self.greeting()["follows"] = json!({ "kind": "started", "from": 1, "to": count });
        Some(())
    }
}

pub const FAULTS: &[Fault] = &[
    fault("no greeting", "greeting", "the first message is \"heartbeat\"; expected stream_opened", "", |s| {
        s.frames.remove(0);
        Some(())
    })
    .live()
    .later(),
    fault("the greeting after a heartbeat", "greeting", "the first message is \"heartbeat\"", "", |s| {
        s.frames.swap(0, 1);
        s.frames[0].1 = 0.0;
        s.frames[1].1 = 5.0;
        Some(())
    })
    .live(),
    fault("the greeting after an event", "greeting", "the first message is \"incident_started\"", "", |s| {
        let place = s.events()[0];
        s.frames.drain(1..place);
        s.greeting()["follows"]["to"] = 1.into();
        s.greeting()["head"] = 1.into();
        s.frames.swap(0, 1);
        let at = s.frames[0].1;
        s.frames[1].1 = at;
        Some(())
    })
    .live()
    .later(),
    fault("the greeting twice", "greeting", "came twice", "", |s| {
        let again = s.frames[0].clone();
        s.frames.insert(1, again);
        Some(())
    })
    .live(),
    fault("a second greeting in the middle", "greeting", "came twice", "", |s| {
        let place = s.sample(9)?;
        let mut again = s.frames[0].clone();
        again.1 = s.frames[place].1;
        s.frames.insert(place, again);
        Some(())
    })
    .live(),
    fault("a contract that is no version", "greeting", "a version is MAJOR.MINOR", "/data/contract", |s| {
        let greeting = s.greeting();
        greeting["contract"] = "first".into();
        Some(())
    }),
    fault("a contract of three numbers", "greeting", "a version is MAJOR.MINOR", "/data/contract", |s| {
        let greeting = s.greeting();
        greeting["contract"] = "1.0.2".into();
        Some(())
    }),
    fault(
        "a contract of another major version",
        "greeting",
        "the contract is \"2.0\"; this program knows",
        "/data/contract",
        |s| {
            let greeting = s.greeting();
            greeting["contract"] = "2.0".into();
            Some(())
        },
    ),
    fault("a stream with a slash in its name", "greeting", "the stream is \"a/b\"", "/data/stream", |s| {
        s.greeting()["stream"] = "a/b".into();
        let head = s.frames[0].clone();
        s.frames = vec![head];
        s.must_resolve = MustResolve::None;
        Some(())
    }),
    fault("a stream without a name", "greeting", "the stream is", "/data/stream", |s| {
        s.greeting()["stream"] = "".into();
        let head = s.frames[0].clone();
        s.frames = vec![head];
        s.must_resolve = MustResolve::None;
        Some(())
    }),
    fault(
        "the oldest event is beyond the head",
        "greeting",
        "the oldest event is 2, beyond the head 0",
        "/data/oldest",
        |s| {
            let greeting = s.greeting();
            greeting["oldest"] = 2.into();
            Some(())
        },
    ),
    fault(
        "more follows than there is",
        "greeting",
        "events up to 1 follow; expected up to the head, which is 0",
        "/data/follows",
        |s| {
            let greeting = s.greeting();
            greeting["follows"]["to"] = 1.into();
            Some(())
        },
    ),
    fault(
        "less follows than there is",
        "greeting",
        "events up to 2 follow; expected up to the head, which is 3",
        "/data/follows",
        |s| {
            s.shift_positions(0, 3);
            s.greeting()["follows"] = json!({ "kind": "started", "from": 1, "to": 0 });
            s.greeting()["oldest"] = 4.into();
            s.greeting()["follows"]["from"] = 4.into();
            s.greeting()["follows"]["to"] = 2.into();
            Some(())
        },
    ),
    fault(
        "the events that follow are none",
        "greeting",
        "the events 3 to 0 follow, which are no events",
        "/data/follows",
        |s| {
            let greeting = s.greeting();
            greeting["follows"]["from"] = 3.into();
            Some(())
        },
    ),
    fault(
        "older events follow than are kept",
        "greeting",
        "events from 1 follow, but the oldest that is kept is 5",
        "/data/follows",
        |s| {
            s.stored(20)?;
            s.greeting()["oldest"] = 5.into();
            Some(())
        },
    ),
    fault(
        "an event of another stream",
        "greeting",
        "stream \"OTHER\" arrived; stream_opened announced",
        "/source",
        |s| set(s.event()?, "source", "/streams/OTHER"),
    ),
    fault("all events are of another stream", "greeting", "stream \"OTHER\" arrived", "/source", |s| {
        for place in s.events() {
            s.frames[place].0["source"] = "/streams/OTHER".into();
        }
        Some(())
    }),
    fault("the stream's name in small letters", "greeting", "stream_opened announced", "/source", |s| {
        set(s.event()?, "source", format!("/streams/{}", STREAM.to_lowercase()))
    }),
    fault(
        "the greeting names another stream",
        "greeting",
        "stream_opened announced \"OTHER\"",
        "/source",
        |s| {
            s.greeting()["stream"] = "OTHER".into();
            for place in s.all(MessageType::Heartbeat) {
                s.data(place)["stream"] = "OTHER".into();
            }
            Some(())
        },
    )
    .later(),
];

#[test]
fn greetings() {
    caught(FAULTS);
}
