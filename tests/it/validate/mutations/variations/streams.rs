//! Other beginnings, several streams, connections and incidents.

use incident::check::MustResolve;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Variation, pass};
use crate::validate::mutations::set;
use crate::validate::sound::STREAM;

pub(super) const VARIATIONS: &[Variation] = &[
    Variation { name: "as it is", make: |_| Some(()), observed: true, recorded: true, unchecked: &[] },
    Variation {
        name: "a recording without a greeting",
        make: |s| {
            s.frames.remove(0);
            Some(())
        },
        observed: false,
        recorded: true,
        unchecked: &[("greeting", "a recording has no connection")],
    },
    Variation {
        name: "a recording of events alone",
        make: |s| {
            s.frames.retain(|(frame, _)| frame["subject"].is_string());
            Some(())
        },
        observed: false,
        recorded: true,
        unchecked: &[
            ("greeting", "a recording has no connection"),
            ("heartbeat", "arrival times are only checked with"),
        ],
    },
    Variation {
        name: "a recording that begins in the middle",
        make: |s| {
            s.frames.drain(..30);
            Some(())
        },
        observed: false,
        recorded: true,
        unchecked: &[
            ("tally", "no incident was received as a whole"),
            ("greeting", "a recording has no connection"),
        ],
    },
    Variation {
        name: "a recording that begins with the resolution",
        make: |s| {
            let end = s.resolution();
            s.frames.drain(..end);
            Some(())
        },
        observed: false,
        recorded: true,
        unchecked: &[("tally", "no incident was received as a whole")],
    },
    Variation {
        name: "joined in the middle, after a reset",
        make: |s| s.joined(json!({ "kind": "reset", "reason": "expired", "from": 21, "to": 20 })),
        observed: true,
        recorded: true,
        unchecked: &[("tally", "no incident was received as a whole")],
    },
    Variation {
        name: "joined in the middle, after a position",
        make: |s| s.joined(json!({ "kind": "resumed", "from": 21, "to": 20 })),
        observed: true,
        recorded: true,
        unchecked: &[("tally", "no incident was received as a whole")],
    },
    Variation {
        name: "the start is replayed",
        make: |s| s.stored(20),
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "everything is replayed",
        make: |s| {
            let count = s.events().len();
            s.stored(count)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "positions begin at a million",
        make: |s| {
            s.shift_positions(0, 999_999);
            let greeting = s.greeting();
            greeting["follows"] = json!({ "kind": "started", "from": 1_000_000, "to": 999_999 });
            greeting["oldest"] = 1_000_000.into();
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a paused server",
        make: |s| {
            let beat = s.beat()?;
            set(beat, "state", "paused")?;
            set(beat, "reason", "the disk is full")
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "heartbeats that are late within the limit",
        make: |s| {
            s.frames.retain(|(frame, at)| frame["type"] != "heartbeat" || *at > 10.0);
            Some(())
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
    Variation {
        name: "a shorter silence than the limit",
        make: |s| {
            s.is_drill()?;
            s.limits.set("silence.longest=10m").ok()
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
    Variation {
        name: "an action that says how late it is",
        make: |s| {
            s.is_drill()?;
            s.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
            s.limits.set("heartbeat.intervals=100").ok()?;
            let place = s.events().windows(2).find_map(|two| {
                let [one, next] = *two else { return None };
                let action = s.frames[one].0["type"] == "agent_action";
                (action && s.frames[next].1 - s.frames[one].1 > 0.5).then_some(one)
            })?;
            s.frames[place].1 += 0.45;
            s.data(place)["late_s"] = 0.45.into();
            s.frames.sort_by(|(_, one), (_, other)| one.total_cmp(other));
            Some(())
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
    Variation {
        name: "a newer contract with unknown events",
        make: |s| {
            s.greeting()["contract"] = "1.7".into();
            set(s.event()?, "type", "weather")
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a newer contract",
        make: |s| {
            s.greeting()["contract"] = "1.12".into();
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "an incident that is still open",
        make: |s| {
            let end = s.sample(12)?;
            s.frames.truncate(end);
            s.must_resolve = MustResolve::None;
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[("tally", "no incident was received as a whole")],
    },
    Variation {
        name: "a cancelled incident",
        make: |s| s.cancelled(15),
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "two incidents, one after the other",
        make: |s| {
            let count = s.events().len();
            s.and_another(count);
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "two incidents at the same time",
        make: |s| s.interleaved(),
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "the clock is set back by an hour between two incidents",
        make: |s| {
            s.is_drill()?;
            let count = s.events().len();
            s.and_another(count);
            let end = s.resolution();
            let time = |frame: &Value| frame["time"].as_str()?.parse::<Timestamp>().ok();
            for (frame, _) in &mut s.frames[end + 1..] {
                let earlier = time(frame)? - SignedDuration::from_hours(1);
                frame["time"] = earlier.to_string().into();
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a recording of two streams, with a reset between",
        make: |s| {
            let mut other = s.frames.clone();
            for (frame, _) in &mut other {
                *frame = serde_json::from_str(&frame.to_string().replace(STREAM, "OTHER")).ok()?;
                if frame["subject"].is_string() {
                    frame["subject"] = "another-bbbbb".into();
                }
            }
            other[0].0["data"]["follows"] =
                json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 0 });
            s.frames.extend(other);
            Some(())
        },
        observed: false,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a recording of two connections",
        make: |s| {
            let place = s.sample(9)?;
            let mut again = s.frames[0].clone();
            let head = s.frames[..place].iter().filter(|(frame, _)| frame["subject"].is_string()).count();
            again.0["data"]["head"] = head.into();
            again.0["data"]["follows"] = json!({ "kind": "resumed", "from": head + 1, "to": head });
            s.frames.insert(place, again);
            Some(())
        },
        observed: false,
        recorded: true,
        unchecked: &[],
    },
];

#[test]
fn other_beginnings_and_streams() {
    pass(VARIATIONS);
}
