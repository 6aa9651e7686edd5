//! Faults in times: those in events, and those at which they arrive.

use incident::check::MustResolve;
use incident::contract::MessageType;
use jiff::{SignedDuration, Timestamp};

use super::{Fault, caught, fault, set};
use crate::validate::sound::{EPOCH, Stream};

impl Stream {
    /// Expectations are those of this scenario.
    fn is_database(&self) -> Option<()> {
        self.subject().starts_with("database-outage").then_some(())
    }

    /// The place of the event before the `n`th sample.
    fn before(&self, n: usize) -> Option<usize> {
        let place = self.sample(n)?;
        self.events().into_iter().rev().find(|before| *before < place)
    }

    /// The time of a sample is before that of the event ahead of it.
    fn tick_back(&mut self, seconds: f64) -> Option<()> {
        let (before, place) = (self.before(7)?, self.sample(7)?);
        let time: Timestamp = self.frames[before].0["time"].as_str()?.parse().ok()?;
        let time = time - SignedDuration::from_secs_f64(seconds);
        self.frames[place].0["time"] = time.to_string().into();
        Some(())
    }

    /// An event at another second is early or late too.
    #[expect(clippy::unnecessary_wraps, reason = "what makes a fault ends with it")]
    fn still_clock(&mut self) -> Option<()> {
        self.arrivals = false;
        Some(())
    }
}

pub const FAULTS: &[Fault] = &[
    fault("the time falls by a second", "clock", "the time goes back from", "/time", |s| s.tick_back(1.0)),
    fault("the time falls by a microsecond", "clock", "the time goes back from", "/time", |s| {
        let (before, place) = (s.before(7)?, s.sample(7)?);
        let time: Timestamp = s.frames[before].0["time"].as_str()?.parse().ok()?;
        s.frames[place].0["time"] = (time - SignedDuration::from_micros(1)).to_string().into();
        Some(())
    }),
    fault("the time falls to before the incident", "clock", "the time goes back from", "/time", |s| {
        set(s.event()?, "time", "2026-11-22T09:59:59.000000Z")
    }),
    fault(
        "the time falls by an hour within the incident",
        "clock",
        "the time goes back from",
        "/time",
        |s| set(s.event()?, "time", "2026-11-22T09:00:00.000000Z"),
    ),
    fault(
        "the clock is set back by an hour within the incident",
        "clock",
        "the time goes back from",
        "/time",
        |s| {
            let from = s.sample(7)?;
            for place in s.events().into_iter().filter(|place| *place >= from) {
                let time: Timestamp = s.frames[place].0["time"].as_str()?.parse().ok()?;
                s.frames[place].0["time"] = (time - SignedDuration::from_hours(1)).to_string().into();
            }
            Some(())
        },
    ),
    fault("one time is in the year 2099", "clock", "2099", "/time", |s| {
        set(s.event()?, "time", "2099-11-22T09:00:00.000000Z")
    }),
    fault("the resolution's time falls", "clock", "the time goes back from", "/time", |s| {
        let place = s.resolution();
        s.frames[place].0["time"] = EPOCH.into();
        Some(())
    }),
    fault("a second goes back", "clock", "offset_s goes back from", "/data/offset_s", |s| {
        s.is_drill()?;
        let before = s.before(7)?;
        let last = s.data(before)["offset_s"].as_f64()?;
        let at = s.sample(7)?;
        s.frames[at].1 -= 5.0;
        set(s.middle()?, "offset_s", last - 5.0)?;
        s.still_clock()
    }),
    fault("one second is far ahead", "clock", "but the event before is at", "/data/offset_s", |s| {
        s.is_drill()?;
        {
            let second = s.middle()?["offset_s"].as_f64()?;
            set(s.middle()?, "offset_s", second + 4_000.0)
        }?;
        s.still_clock()
    }),
    fault("the second of the start is ahead", "clock", "offset_s is 100000", "/data/offset_s", |s| {
        s.is_drill()?;
        set(s.started()?, "offset_s", 100_000.0)?;
        s.still_clock()
    }),
    fault(
        "the server's clock is behind",
        "clock",
        "behind the local clock; 2.000 s is allowed",
        "/time",
        |s| {
            s.limits.set("clock.skew=2s").ok()?;
            for (_, at) in &mut s.frames {
                *at += 10.0;
            }
            Some(())
        },
    )
    .live()
    .many(),
    fault("the server's clock is ahead", "clock", "ahead of the local clock", "/time", |s| {
        s.limits.set("clock.skew=2s").ok()?;
        for (_, at) in s.frames.iter_mut().skip(1) {
            *at -= 3.0;
        }
        Some(())
    })
    .live()
    .many(),
    fault("one event is late", "pacing", "the event arrived 0.600 s late; 0.250 s is allowed", "", |s| {
        s.is_drill()?;
        let place = s.sample(7)?;
        s.frames[place].1 += 0.6;
        Some(())
    })
    .live(),
    fault("the clock drifts", "pacing", "late", "", |s| {
        s.is_drill()?;
        for (_, at) in &mut s.frames {
            *at *= 1.01;
        }
        Some(())
    })
    .live()
    .many(),
    fault("ten events come in a burst", "pacing", "late", "", |s| {
        s.is_drill()?;
        let (from, to) = (s.sample(7)?, s.sample(17)?);
        let at = s.frames[to].1;
        for (frame, arrival) in &mut s.frames[from..to] {
            if frame["subject"].is_string() {
                *arrival = at;
            }
        }
        s.frames
            .retain(|(frame, arrival)| frame["type"] != "heartbeat" || *arrival < 1.0 + 9.0 || *arrival > at);
        s.limits.set("heartbeat.intervals=10").ok()
    })
    .live()
    .many(),
    fault("the resolution is late", "pacing", "the event arrived 2.000 s late", "", |s| {
        s.is_drill()?;
        s.frames.last_mut()?.1 += 2.0;
        Some(())
    })
    .live(),
    fault(
        "the median latency is above its limit",
        "latency",
        "50 of 100 live events took up to 0.080 s",
        "",
        |s| {
            s.limits.set("latency.p50=50ms").ok()?;
            for (_, at) in &mut s.frames {
                *at += 0.08;
            }
            Some(())
        },
    )
    .live(),
    fault(
        "the 95th percentile of the latency is above its limit",
        "latency",
        "95 of 100 live events took up to 0.080 s",
        "",
        |s| {
            s.limits.set("latency.p95=50ms").ok()?;
            let late = s.events().into_iter().step_by(5);
            for place in late {
                s.frames[place].1 += 0.08;
            }
            Some(())
        },
    )
    .live(),
    fault(
        "the 99th percentile of the latency is above its limit",
        "latency",
        "99 of 100 live events took up to 0.080 s",
        "",
        |s| {
            s.limits.set("latency.p99=50ms").ok()?;
            let late = s.events().into_iter().step_by(20);
            for place in late {
                s.frames[place].1 += 0.08;
            }
            Some(())
        },
    )
    .live(),
    fault(
        "the longest latency is above its limit",
        "latency",
        "all live events took up to 0.080 s",
        "",
        |s| {
            s.limits.set("latency.max=50ms").ok()?;
            let place = s.sample(7)?;
            s.frames[place].1 += 0.08;
            Some(())
        },
    )
    .live(),
    fault(
        "an event is silent for longer than [expect] allows",
        "silence",
        "no event of the incident arrived for",
        "",
        |s| {
            s.is_database()?;
            s.expect("max_silence = \"2s\"");
            let place = s.sample(50)?;
            s.frames[place].1 += 0.2;
            Some(())
        },
    )
    .live(),
    fault(
        "an event is early and leaves a silence",
        "silence",
        "no event of the incident arrived for",
        "",
        |s| {
            s.is_database()?;
            s.expect("max_silence = \"2s\"");
            let place = s.sample(50)?;
            s.frames[place].1 -= 0.2;
            Some(())
        },
    )
    .live(),
    fault(
        "nothing more comes of an open incident",
        "silence",
        "after the last event; 10.000 s is allowed",
        "",
        |s| {
            s.limits.set("silence.longest=10s").ok()?;
            let end = s.sample(12)?;
            s.cut(end, 11.0);
            s.must_resolve = MustResolve::None;
            Some(())
        },
    )
    .live(),
    fault("nothing more comes after a replay", "silence", "after the last event", "", |s| {
        s.limits.set("silence.longest=10s").ok()?;
        s.stored(20)?;
        s.cut(21, 11.0);
        s.must_resolve = MustResolve::None;
        Some(())
    })
    .live()
    .later(),
    fault("a pause is longer than the limit", "silence", "1.000 s is allowed", "", |s| {
        s.is_drill()?;
        s.limits.set("silence.longest=1s").ok()
    })
    .live()
    .many(),
    fault(
        "a heartbeat of another stream",
        "heartbeat",
        "the heartbeat is of stream \"OTHER\"; expected",
        "/data/stream",
        |s| set(s.beat()?, "stream", "OTHER"),
    ),
    fault(
        "a heartbeat ahead of everything",
        "heartbeat",
        "the heartbeat's head is 2, but the last event was 0",
        "/data/head",
        |s| set(s.beat()?, "head", 2),
    ),
    fault("a heartbeat two events ahead", "heartbeat", "but the last event was", "/data/head", |s| {
        let place = *s.all(MessageType::Heartbeat).get(5)?;
        let head = s.data(place)["head"].as_u64()?;
        s.data(place)["head"] = (head + 2).into();
        Some(())
    }),
    fault("a heartbeat one event behind", "heartbeat", "behind the last event", "/data/head", |s| {
        let place = *s.all(MessageType::Heartbeat).get(5)?;
        let head = s.data(place)["head"].as_u64()?;
        s.data(place)["head"] = (head - 1).into();
        Some(())
    }),
    fault("a heartbeat with head 0 in the middle", "heartbeat", "behind the last event", "/data/head", |s| {
        let place = *s.all(MessageType::Heartbeat).get(5)?;
        s.data(place)["head"] = 0.into();
        Some(())
    }),
    fault(
        "the last event is lost, as a heartbeat says",
        "heartbeat",
        "but the last event was",
        "/data/head",
        |s| {
            let mut beat = s.frames[*s.all(MessageType::Heartbeat).last()?].clone();
            let end = s.frames.pop()?;
            s.must_resolve = MustResolve::None;
            beat.0["data"]["head"] = end.0["id"].as_str()?.parse::<u64>().ok()?.into();
            beat.1 = end.1 + 1.0;
            s.frames.push(beat);
            Some(())
        },
    ),
    fault("no heartbeats before the incident", "heartbeat", "no message for", "", |s| {
        s.frames.retain(|(frame, at)| frame["type"] != "heartbeat" || *at > 10.0);
        for (_, at) in &mut s.frames[1..] {
            *at += 5.0;
        }
        Some(())
    })
    .live(),
    fault(
        "no heartbeats after the incident",
        "heartbeat",
        "a heartbeat is promised every 5000 ms",
        "",
        |s| {
            let end = s.frames.len();
            s.cut(end, 13.0);
            Some(())
        },
    )
    .live(),
    fault("heartbeats come half as often as promised", "heartbeat", "promised every 1000 ms", "", |s| {
        s.frames.drain(2..);
        s.greeting()["heartbeat_ms"] = 1_000.into();
        s.must_resolve = MustResolve::None;
        Some(())
    })
    .live()
    .later(),
];

#[test]
fn times_and_arrivals() {
    caught(FAULTS);
}
