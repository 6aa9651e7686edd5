//! Incidents that are not like ours.

use incident::contract::MessageType;
use serde_json::json;

use super::{Variation, pass};
use crate::validate::mutations::set;

pub(super) const VARIATIONS: &[Variation] = &[
    Variation {
        name: "an incident without a forecast or hypotheses",
        make: |s| {
            for place in s.all(MessageType::AgentAction) {
                let action = s.data(place).as_object_mut()?;
                for field in ["forecast", "hypotheses", "confidence"] {
                    action.remove(field);
                }
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[("confidence", "no action has a confidence")],
    },
    Variation {
        name: "an incident without costs",
        make: |s| {
            for place in s.events() {
                s.data(place).as_object_mut()?.remove("cost");
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[("cost", "no two messages have a cost")],
    },
    Variation {
        name: "events without a phase",
        make: |s| {
            for place in s.events() {
                s.data(place).as_object_mut()?.remove("phase");
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "an agent that does nothing is announced",
        make: |s| {
            s.is_drill()?;
            s.started()?.get_mut("agents")?.as_array_mut()?.push(json!({ "id": "idle", "role": "Waits" }));
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a sample without metrics",
        make: |s| set(s.middle()?, "metrics", json!({})),
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a real incident has no planned seconds",
        make: |s| s.is_drill().is_none().then_some(()),
        observed: true,
        recorded: false,
        unchecked: &[
            ("pacing", "fewer than two live events with a planned second"),
            ("phases", "no event is in an announced phase"),
            ("declared", "only a drill that a scenario plays"),
        ],
    },
    Variation {
        name: "a real incident is mitigated before its cause is known",
        make: |s| {
            s.is_drill().is_none().then_some(())?;
            s.action("hypotheses")?;
            let marked: Vec<usize> = s
                .all(MessageType::AgentAction)
                .into_iter()
                .filter(|place| s.frames[*place].0["data"]["marks"].is_array())
                .collect();
            s.data(marked[1])["marks"] = json!(["mitigated"]);
            s.data(marked[2])["marks"] = json!(["diagnosed"]);
            let durations = s.end()?["durations"].as_object_mut()?;
            set(durations, "mitigate_s", 13.0)?;
            set(durations, "diagnose_s", 26.0)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a real incident is noticed before its impact",
        make: |s| {
            s.is_drill().is_none().then_some(())?;
            set(s.started()?, "impact_started_at", "2026-11-22T10:00:20.000000Z")?;
            set(
                s.end()?,
                "durations",
                json!({ "detect_s": 0.0, "diagnose_s": 1.0, "mitigate_s": 14.0, "resolve_s": 32.0 }),
            )
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a resume goes on with what comes meanwhile",
        make: |s| {
            let mut other = s.resume(12);
            let last = s.frames.last()?.0["id"].as_str()?.parse::<u64>().ok()?;
            for n in 1..4 {
                let mut more = s.frames.last()?.0.clone();
                more["id"] = (last + n).to_string().into();
                other.frames.push(more.to_string());
            }
            s.others.push(other);
            Some(())
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
    Variation {
        name: "another client comes later and leaves earlier",
        make: |s| {
            let mut other = s.twin();
            let places = other.frames.len();
            other.frames.drain(1..places / 2);
            // Its greeting says so.
            let first = s.frames[places / 2..].iter().find_map(|(frame, _)| {
                let id =
                    frame["source"].as_str()?.starts_with("/streams/").then(|| frame["id"].as_str())??;
                id.parse::<u64>().ok()
            })?;
            let mut greeting = s.frames[0].0.clone();
            greeting["data"]["head"] = (first - 1).into();
            greeting["data"]["follows"]["from"] = first.into();
            greeting["data"]["follows"]["to"] = (first - 1).into();
            other.frames[0] = greeting.to_string();
            s.others.push(other);
            Some(())
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
];

#[test]
fn other_incidents() {
    pass(VARIATIONS);
}
