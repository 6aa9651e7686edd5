//! More faults of further connections: the second half of the table in `connections.rs`.

use incident::check::Promise;

use super::{Fault, caught, fault};

pub const FAULTS: &[Fault] = &[
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
            let mut other = s.wrong_position("S/-1", Promise::BadRequest);
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
            let mut other = s.wrong_position("17", Promise::BadRequest);
            other.refused = Some(404);
            s.others.push(other);
            Some(())
        },
    )
    .live(),
    fault("a position ahead gets no reset", "positions", "got no reset; expected a reset, ahead", "", |s| {
        let mut other = s.wrong_position("S/99999", Promise::Reset("ahead".to_owned()));
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
            let mut other = s.wrong_position("S/99999", Promise::Reset("ahead".to_owned()));
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
            let mut other = s.wrong_position("T/1", Promise::Reset("other-stream".to_owned()));
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
            let mut other = s.wrong_position("T/1", Promise::Reset("other-stream".to_owned()));
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
            let mut other = s.wrong_position("17", Promise::BadRequest);
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
fn further_connections() {
    caught(FAULTS);
}
