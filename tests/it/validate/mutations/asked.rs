//! Clients that ask for a wrong position or read nothing keep the rules of the first one, too; and a server that stops.

use incident::check::{Closing, Promise, Purpose};

use super::further::with_code;
use super::{Fault, caught, fault};
use crate::validate::sound::{Other, Stream, sound};

impl Stream {
    /// What a client has got that read nothing for a while.
    fn stalled(&self) -> Other {
        let mut other = self.twin();
        other.purpose = Purpose::Stalled;
        other.frames.truncate(30);
        other
    }

    /// What a server answers to a position that is ahead.
    fn asked_ahead(&self) -> Other {
        self.wrong_position("S/99999", Promise::Reset("ahead".to_owned()))
    }
}

pub const FAULTS: &[Fault] = &[
    fault(
        "a position ahead is closed after the handshake",
        "connection",
        "asked for the position \"S/99999\": the server ended the connection after",
        "",
        |s| {
            let mut other = s.asked_ahead();
            other.frames.clear();
            other.closing = Some((0.1, with_code(1008, "no such position")));
            s.with(other)
        },
    )
    .live(),
    fault(
        "a position ahead gets a heartbeat first",
        "greeting",
        "asked for the position \"S/99999\": the first message is \"heartbeat\"",
        "",
        |s| {
            let mut other = s.asked_ahead();
            let beat = s.all(incident::contract::MessageType::Heartbeat)[0];
            other.frames[0] = s.frames[beat].0.to_string();
            s.with(other)
        },
    )
    .live(),
    fault(
        "a position ahead gets what is not JSON",
        "envelope",
        "asked for the position \"S/99999\": not JSON",
        "",
        |s| {
            let mut other = s.asked_ahead();
            other.frames[0] = String::from("no such position");
            s.with(other)
        },
    )
    .live(),
    fault(
        "a client that reads nothing is refused",
        "fan-out",
        "client 1, which reads nothing, was refused, with the HTTP status 403",
        "",
        |s| {
            let mut other = s.stalled();
            other.refused = Some(403);
            other.frames.clear();
            s.with(other)
        },
    )
    .live(),
    fault(
        "a client that reads nothing is not greeted",
        "greeting",
        "client 1, which reads nothing: the first message is",
        "",
        |s| {
            let mut other = s.stalled();
            other.frames.remove(0);
            s.with(other)
        },
    )
    .live(),
    fault(
        "a client that reads nothing misses an event",
        "fan-out",
        "client 1, which reads nothing, did not get position 9",
        "",
        |s| {
            let mut other = s.stalled();
            other.frames.remove(s.events()[8]);
            s.with(other)
        },
    )
    .live(),
    fault(
        "a client that reads nothing gets a masked frame",
        "connection",
        "client 1, which reads nothing: the server broke the WebSocket protocol",
        "",
        |s| {
            let mut other = s.stalled();
            other.closing = Some((0.1, Closing::Protocol("a masked frame".to_owned())));
            s.with(other)
        },
    )
    .live(),
    fault("the server stops", "connection", "with code 1012", "", |s| {
        let end = s.sample(12)?;
        s.frames.truncate(end);
        let last = s.frames[end - 1].1;
        s.closing = Some((last + 0.1, with_code(1012, "the server is stopping")));
        s.ended = Some(last + 0.1);
        let mut other = s.twin();
        other.closing = Some((-0.05, with_code(1012, "the server is stopping")));
        s.with(other)
    })
    .live(),
];

#[test]
fn clients_that_ask_or_read_nothing_are_judged_too() {
    caught(FAULTS);
}

#[test]
fn a_client_that_reads_nothing_may_be_sent_away() {
    let mut stream = sound();
    for closing in [with_code(4008, "S/12"), Closing::Lost("Connection reset by peer".to_owned())] {
        let mut other = stream.stalled();
        other.closing = Some((0.1, closing));
        stream.others.push(other);
    }
    let mut unread = stream.stalled();
    unread.frames.clear();
    stream.others.push(unread);
    let twin = stream.twin();
    stream.others.push(twin);
    assert_eq!(stream.failures(), []);
    assert_eq!(stream.summary("fan-out"), "2 clients got the same events, beside one that read nothing");
}
