//! The faults, and with which arguments they are looked for.

use incident::contract::MessageType;

use super::{Live, live};
use crate::harness::masked;
use crate::validate::mutations::server::{Act, Answer, Script, acts, close, frame};

/// One client that is gentle: nothing but the main connection.
const ALONE: &[&str] = &["--for", "5s", "--clients", "1", "--gentle"];
const LONG: &[&str] = &["--for", "7s", "--clients", "1", "--gentle"];
const TWO: &[&str] = &["--for", "5s", "--gentle"];
const ALL: &[&str] = &["--for", "5s"];

/// The server goes on until here, and then does this.
fn after_a_while(script: &mut Script, acts: &[Act]) {
    script.main.truncate(60);
    script.main.extend_from_slice(acts);
}

/// It sends this instead of an event.
fn then(script: &mut Script, bytes: Vec<u8>) {
    after_a_while(script, &[Act::Send(0.0, bytes)]);
}

pub const FAULTS: &[Live] = &[
    live("close 1011", "connection", "with code 1011 and the reason \"no journal\"", ALONE, |script, _| {
        then(script, close(1011, "no journal"));
    }),
    live("close 1012", "connection", "with code 1012", ALONE, |script, _| then(script, close(1012, ""))),
    live("close 1000", "connection", "with code 1000", ALONE, |script, _| then(script, close(1000, ""))),
    live("close 4008", "connection", "with code 4008", ALONE, |script, _| then(script, close(4008, "S/17"))),
    live("close without a code", "connection", "without a code", ALONE, |script, _| {
        then(script, frame(0x88, b""));
    }),
    live("a close frame of one byte", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x88, b"x"));
    }),
    live("a reset", "connection", "the connection was lost after", ALONE, |script, _| {
        after_a_while(script, &[Act::Reset]);
    }),
    live("an end without a close frame", "connection", "without a close frame", ALONE, |script, _| {
        after_a_while(script, &[Act::End]);
    }),
    live("half a frame", "connection", "the connection was lost after", ALONE, |script, _| {
        after_a_while(script, &[Act::Send(0.0, vec![0x81, 100, b'{']), Act::End]);
    }),
    live("an end after the resolution", "connection", "without a close frame", ALONE, |script, _| {
        script.main.push(Act::End);
    }),
    live("an end right after the greeting", "connection", "without a close frame", ALONE, |script, _| {
        script.main.truncate(1);
        script.main.push(Act::End);
    }),
    live("text that is not UTF-8", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x81, b"\xff\xfe"));
    }),
    live("a masked frame", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, masked(0x81, b"{}"));
    }),
    live("a compressed frame", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0xc1, b"{}"));
    }),
    live("a frame of an unknown kind", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x83, b"{}"));
    }),
    live("a ping in two parts", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x09, b"x"));
    }),
    live("a ping that is too large", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x89, &[b'x'; 126]));
    }),
    live("the second part of nothing", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x80, b"x"));
    }),
    live("a message of 1.2 MB", "connection", "broke the WebSocket protocol", ALONE, |script, _| {
        then(script, frame(0x81, &vec![b'x'; 1_200_000]));
    }),
    live("a binary message", "connection", "a binary message of 5 bytes", ALONE, |script, _| {
        script.main.insert(60, Act::Send(0.0, frame(0x82, b"hello")));
    }),
    live("no greeting", "greeting", "expected stream_opened", ALONE, |script, _| drop(script.main.remove(0))),
    live("two greetings", "greeting", "came twice", ALONE, |script, _| {
        script.main.insert(1, script.main[0].clone());
    }),
    live("not JSON", "envelope", "not JSON", ALONE, |script, _| {
        script.main[60] = Act::Send(0.0, frame(0x81, b"{nonsense"));
    }),
    live("an event of 70 kB", "envelope", "at most 65536", ALONE, |script, stream| {
        let place = stream.events()[50];
        stream.frames[place].0["padding"] = "x".repeat(70_000).into();
        script.main = acts(stream);
    }),
    live("an action that is not as it should be", "schema", "confidence", ALONE, |script, stream| {
        let place = stream
            .events()
            .into_iter()
            .find(|place| stream.frames[*place].0["type"] == "agent_action")
            .unwrap();
        stream.data(place)["confidence"] = 1.5.into();
        script.main = acts(stream);
    }),
    live("an event is left out", "gap", "is missing", ALONE, |script, stream| {
        let place = stream.events()[50];
        script.main.remove(place);
    }),
    live("an event comes twice", "duplicate", "arrived twice", ALONE, |script, stream| {
        let place = stream.events()[50];
        script.main.insert(place, script.main[place].clone());
    }),
    live("two events change places", "order", "positions rise", ALONE, |script, stream| {
        let (one, other) = (stream.events()[50], stream.events()[51]);
        script.main.swap(one, other);
    }),
    live(
        "an event after the resolution",
        "lifecycle",
        "1 event after its resolution",
        ALONE,
        |script, stream| {
            let (mut more, at) = stream.frames[stream.events()[50]].clone();
            let (end, _) = stream.frames.last().unwrap().clone();
            let next = end["id"].as_str().unwrap().parse::<u64>().unwrap() + 1;
            more["id"] = next.to_string().into();
            more["index"] = next.into();
            more["time"] = end["time"].clone();
            stream.frames.push((more, at));
            script.main = acts(stream);
        },
    ),
    live(
        "an event is late",
        "pacing",
        " s late; 2.000 s is allowed",
        &["--for", "7s", "--clients", "1", "--gentle", "--limit", "heartbeat.intervals=9"],
        |script, stream| script.main.insert(stream.events()[50], Act::Wait(4.0)),
    ),
    live("silence", "heartbeat", "a heartbeat is promised every 1000 ms", LONG, |script, _| {
        script.main.truncate(60);
    }),
    live(
        "silence before the incident",
        "heartbeat",
        "a heartbeat is promised every 1000 ms",
        LONG,
        |script, _| {
            script.main.insert(1, Act::Wait(4.0));
        },
    ),
    live(
        "a heartbeat of events that never came",
        "heartbeat",
        "but the last event was",
        ALONE,
        |script, stream| {
            let mut beat = stream.frames[stream.all(MessageType::Heartbeat)[0]].0.clone();
            beat["data"]["head"] = (stream.events().len() + 2).into();
            script.main.push(Act::Send(0.0, frame(0x81, beat.to_string().as_bytes())));
        },
    ),
    live(
        "an incident that pauses",
        "silence",
        "no event of the incident arrived for",
        &[
            "--for",
            "7s",
            "--clients",
            "1",
            "--gentle",
            "--limit",
            "silence.longest=2s",
            "--limit",
            "pacing.late=9s",
            "--limit",
            "heartbeat.intervals=9",
        ],
        |script, stream| {
            let place = stream.events()[50];
            script.main.insert(place, Act::Wait(3.0));
        },
    ),
    live("another client misses an event", "fan-out", "did not get position", TWO, |script, stream| {
        let place = stream.events()[50];
        script.twin.remove(place);
    }),
    live(
        "another client gets another event",
        "fan-out",
        "got another event at position",
        TWO,
        |script, stream| {
            let place = stream.events()[50];
            let text = stream.frames[place].0.to_string().replacen("\"data\":", "\"data\": ", 1);
            script.twin[place] = Act::Send(0.0, frame(0x81, text.as_bytes()));
        },
    ),
    live(
        "another client is cut off",
        "connection",
        "client 1: the connection was lost after",
        TWO,
        |script, _| {
            script.twin.truncate(60);
            script.twin.push(Act::End);
        },
    ),
    live(
        "another client is closed with a reason",
        "connection",
        "with code 1011 and the reason \"no journal\"",
        TWO,
        |script, _| {
            script.twin.truncate(60);
            script.twin.push(Act::Send(0.0, close(1011, "no journal")));
        },
    ),
    live(
        "another client gets no greeting",
        "greeting",
        "client 1: the first message is",
        TWO,
        |script, _| {
            drop(script.twin.remove(0));
        },
    ),
    live("another client gets what is not JSON", "envelope", "client 1: not JSON", TWO, |script, stream| {
        script.twin[stream.events()[50]] = Act::Send(0.0, frame(0x81, b"{nonsense"));
    }),
    live(
        "resumes break after the handshake",
        "connection",
        "after the cut at position 0: the connection was lost after",
        ALL,
        |script, _| script.resumed = |_| Answer::Broken(Vec::new()),
    ),
    live(
        "resumes break in the middle",
        "connection",
        "after the cut at position 0: the connection was lost after",
        ALL,
        |script, _| {
            script.resumed = |mut events| {
                events.truncate(5);
                Answer::Broken(events)
            };
        },
    ),
    live(
        "a position ahead breaks after the handshake",
        "connection",
        ": the connection was lost after",
        ALL,
        |script, _| {
            script.wrong = |answer| match answer {
                Answer::Greeted(Some("ahead"), _) => Answer::Broken(Vec::new()),
                other => other,
            };
        },
    ),
    live("a resume loses its first event", "resume", "as number 1; expected", ALL, |script, _| {
        script.resumed = |mut events| {
            events.remove(0);
            Answer::Greeted(None, events)
        };
    }),
    live("a resume loses its last event", "resume", "1 event is missing", ALL, |script, _| {
        script.resumed = |mut events| {
            events.pop();
            Answer::Greeted(None, events)
        };
    }),
    live("a resume changes an event", "resume", "with another content", ALL, |script, _| {
        script.resumed = |mut events| {
            events[1] = events[1].replace("\"data\":", "\"data\": ");
            Answer::Greeted(None, events)
        };
    }),
    live("a resume is refused", "resume", "refused to resume, with the HTTP status 410", ALL, |script, _| {
        script.resumed = |_| Answer::Refused(410);
    }),
    live("wrong positions are accepted", "positions", "expected the HTTP status 400", ALL, |script, _| {
        script.wrong = |answer| match answer {
            Answer::Refused(_) => Answer::Greeted(Some("ahead"), Vec::new()),
            other => other,
        };
    }),
    live("a position ahead is refused", "positions", "expected a reset, ahead", ALL, |script, _| {
        script.wrong = |answer| match answer {
            Answer::Greeted(Some("ahead"), _) => Answer::Refused(404),
            other => other,
        };
    }),
    live("resumes are reset", "resume", "the connection failed: ", ALL, |script, _| {
        script.resumed = |_| Answer::Reset;
    }),
    live("wrong positions are reset", "positions", "failed: ", ALL, |script, _| {
        script.wrong = |_| Answer::Reset;
    }),
    live("another client is reset", "fan-out", "client 1 could not connect: ", TWO, |script, _| {
        script.twin = vec![Act::Reset];
    }),
];
