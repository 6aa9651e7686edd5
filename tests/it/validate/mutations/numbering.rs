//! Faults in positions and indexes.

use incident::check::MustResolve;

use super::{Fault, caught, fault, set};
use crate::validate::sound::Stream;

impl Stream {
    /// Only the order counts: what arrives elsewhere arrives early or late too.
    #[expect(clippy::unnecessary_wraps, reason = "what makes a fault ends with it")]
    fn still(&mut self) -> Option<()> {
        self.arrivals = false;
        Some(())
    }
}

pub const FAULTS: &[Fault] = &[
    fault("two neighbours change places", "order", "positions rise", "", |s| {
        let events = s.events();
        let place = s.sample(4)?;
        let next = *events.iter().find(|next| **next > place)?;
        s.frames.swap(place, next);
        s.still()
    }),
    fault("an event comes ten events too late", "order", "positions rise", "", |s| {
        let (from, to) = (s.sample(4)?, s.sample(14)?);
        let event = s.frames.remove(from);
        s.frames.insert(to, event);
        s.still()
    }),
    fault("an event comes ten events too early", "order", "positions rise", "", |s| {
        let (from, to) = (s.sample(14)?, s.sample(4)?);
        let event = s.frames.remove(from);
        s.frames.insert(to, event);
        s.still()
    }),
    fault("an event comes at the very end", "order", "positions rise", "", |s| {
        let from = s.sample(4)?;
        let event = s.frames.remove(from);
        s.frames.push(event);
        s.still()
    }),
    fault("three events come backwards", "order", "positions rise", "", |s| {
        let events = s.events();
        let place = events.iter().position(|place| s.frames[*place].0["type"] == "system_metrics")?;
        s.frames.swap(events[place + 2], events[place + 4]);
        s.still()
    })
    .many(),
    fault("the resolution comes before the last samples", "order", "positions rise", "", |s| {
        let end = s.resolution();
        let events = s.events();
        let event = s.frames.remove(end);
        s.frames.insert(events[events.len() - 4], event);
        s.still()
    }),
    fault("the start comes after three events", "order", "positions rise", "", |s| {
        let events = s.events();
        let event = s.frames.remove(events[0]);
        s.frames.insert(events[3], event);
        s.still()
    }),
    fault("the indexes of two neighbours change places", "order", "index", "/index", |s| {
        let events = s.events();
        let place = events.iter().position(|place| Some(*place) == s.sample(5))?;
        let (one, other) = (events[place], events[place + 1]);
        let index = s.frames[one].0["index"].take();
        let next = std::mem::replace(&mut s.frames[other].0["index"], index);
        s.frames[one].0["index"] = next;
        Some(())
    }),
    fault(
        "an event has the position of an earlier one",
        "order",
        "which came before; expected",
        "/id",
        |s| {
            let place = s.sample(9)?;
            let other = s.sample(2)?;
            s.frames[place].0["id"] = s.frames[other].0["id"].clone();
            Some(())
        },
    ),
    fault(
        "the resolution has the position of an earlier one",
        "order",
        "which came before; expected",
        "/id",
        |s| {
            let place = s.resolution();
            let other = s.sample(2)?;
            s.frames[place].0["id"] = s.frames[other].0["id"].clone();
            Some(())
        },
    ),
    fault("one index is too high", "order", "the index of", "/index", |s| {
        let event = s.event()?;
        let index = event["index"].as_u64()?;
        set(event, "index", index + 5)
    }),
    fault("one index is one too high", "order", "the index of", "/index", |s| {
        let event = s.event()?;
        let index = event["index"].as_u64()?;
        set(event, "index", index + 1)
    }),
    fault("one index is a thousand too high", "order", "the index of", "/index", |s| {
        let event = s.event()?;
        let index = event["index"].as_u64()?;
        set(event, "index", index + 1_000)
    }),
    fault("the start has index 2", "order", "incident_started is 2; expected 1", "/index", |s| {
        let place = s.events()[0];
        s.frames[place].0["index"] = 2.into();
        Some(())
    }),
    fault("the indexes begin at 0 + 2", "order", "incident_started is 2; expected 1", "/index", |s| {
        let place = s.events()[0];
        s.shift_indexes(place, 1);
        Some(())
    })
    .later(),
    fault("the index of the resolution is too high", "gap", "are missing", "/index", |s| {
        let place = s.resolution();
        let index = s.frames[place].0["index"].as_u64()?;
        s.frames[place].0["index"] = (index + 4).into();
        Some(())
    }),
    fault("an event is left out", "gap", "is missing", "", |s| {
        let place = s.sample(8)?;
        s.frames.remove(place);
        Some(())
    }),
    fault("three events are left out", "gap", "are missing", "", |s| {
        let (from, to) = (s.sample(8)?, s.sample(11)?);
        for place in (from..to).rev() {
            if s.frames[place].0["subject"].is_string() {
                s.frames.remove(place);
            }
        }
        Some(())
    }),
    fault("two events are left out in two places", "gap", "is missing", "", |s| {
        let (one, other) = (s.sample(5)?, s.sample(9)?);
        s.frames.remove(other);
        s.frames.remove(one);
        Some(())
    })
    .many(),
    fault("the start is left out", "gap", "position 1 is missing", "", |s| {
        let place = s.events()[0];
        s.frames.remove(place);
        Some(())
    }),
    fault("positions jump", "gap", "are missing", "", |s| {
        let place = s.sample(8)?;
        s.shift_positions(place, 3);
        Some(())
    }),
    fault("positions jump by a million", "gap", "are missing", "", |s| {
        let place = s.sample(8)?;
        s.shift_positions(place, 1_000_000);
        Some(())
    }),
    fault("indexes jump", "gap", "index", "/index", |s| {
        let place = s.sample(8)?;
        s.shift_indexes(place, 1);
        Some(())
    })
    .later(),
    fault("the stream begins later than announced", "gap", "positions 1 to 3 are missing", "", |s| {
        s.shift_positions(0, 3);
        s.greeting()["follows"]["to"] = 3.into();
        Some(())
    })
    .later(),
    fault("a replay stops short", "gap", "are missing", "", |s| {
        s.stored(40)?;
        let end = s.events()[20];
        s.cut(end, 0.0);
        s.must_resolve = MustResolve::None;
        s.still()
    })
    .later(),
    fault("an announced replay does not come", "gap", "positions 1 to 40 are missing", "", |s| {
        s.stored(40)?;
        s.cut(1, 0.0);
        s.must_resolve = MustResolve::None;
        s.still()
    })
    .later(),
    fault("an event of the replay is left out", "gap", "is missing", "", |s| {
        s.stored(40)?;
        s.frames.remove(12);
        Some(())
    })
    .later(),
    fault("an event comes twice", "duplicate", "arrived twice", "", |s| {
        let place = s.sample(8)?;
        let again = s.frames[place].clone();
        s.frames.insert(place + 1, again);
        Some(())
    }),
    fault("an event comes three times", "duplicate", "arrived twice", "", |s| {
        let place = s.sample(8)?;
        let again = s.frames[place].clone();
        s.frames.insert(place + 1, again.clone());
        s.frames.insert(place + 1, again);
        Some(())
    })
    .many(),
    fault("an event comes again ten events later", "duplicate", "arrived twice", "", |s| {
        let (place, later) = (s.sample(8)?, s.sample(18)?);
        let mut again = s.frames[place].clone();
        again.1 = s.frames[later].1;
        s.frames.insert(later + 1, again);
        Some(())
    }),
    fault("the start comes again later", "duplicate", "position 1 arrived twice", "", |s| {
        let (place, later) = (s.events()[0], s.sample(18)?);
        let mut again = s.frames[place].clone();
        again.1 = s.frames[later].1;
        s.frames.insert(later + 1, again);
        Some(())
    }),
    fault("the resolution comes twice", "duplicate", "arrived twice", "", |s| {
        let again = s.frames.last()?.clone();
        s.frames.push(again);
        Some(())
    }),
    fault("an event comes again after the resolution", "duplicate", "arrived twice", "", |s| {
        let place = s.sample(8)?;
        let mut again = s.frames[place].clone();
        again.1 = s.frames.last()?.1;
        s.frames.push(again);
        Some(())
    }),
    fault("an event is stored twice", "duplicate", "arrived twice", "/index", |s| {
        let place = s.sample(8)?;
        let again = s.frames[place].clone();
        s.frames.insert(place + 1, again);
        s.shift_positions(place + 1, 1);
        Some(())
    })
    .later(),
    fault("one index is the one before", "duplicate", "arrived twice", "/index", |s| {
        let event = s.event()?;
        let index = event["index"].as_u64()?;
        set(event, "index", index - 1)
    }),
    fault("one index begins again at 1", "duplicate", "index 1 of", "/index", |s| {
        set(s.event()?, "index", 1)
    }),
    fault("the positions of a replay begin again", "duplicate", "arrived twice", "", |s| {
        s.stored(30)?;
        let again: Vec<_> = s.frames[1..11].to_vec();
        let at = s.frames[30].1;
        for (n, (frame, _)) in again.into_iter().enumerate() {
            s.frames.insert(31 + n, (frame, at));
        }
        Some(())
    })
    .many()
    .later(),
];

#[test]
fn positions_and_indexes() {
    caught(FAULTS);
}
