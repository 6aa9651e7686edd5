//! Faults in the totals of a resolution.

use incident::contract::MessageType;

use super::{Fault, caught, fault, remove, set};

pub const FAULTS: &[Fault] = &[
    fault("another detect_s", "tally", "detect_s is", "/data/durations/detect_s", |s| {
        let durations = s.end()?["durations"].as_object_mut()?;
        let seconds = durations.get("detect_s")?.as_f64()?;
        set(durations, "detect_s", seconds + 1.5)
    }),
    fault("detect_s is left out", "tally", "detect_s is missing, but", "/data/durations/detect_s", |s| {
        let durations = s.end()?["durations"].as_object_mut()?;
        remove(durations, "detect_s")
    }),
    fault("another diagnose_s", "tally", "diagnose_s is", "/data/durations/diagnose_s", |s| {
        let durations = s.end()?["durations"].as_object_mut()?;
        let seconds = durations.get("diagnose_s")?.as_f64()?;
        set(durations, "diagnose_s", seconds + 1.5)
    }),
    fault(
        "diagnose_s is left out",
        "tally",
        "diagnose_s is missing, but",
        "/data/durations/diagnose_s",
        |s| {
            let durations = s.end()?["durations"].as_object_mut()?;
            remove(durations, "diagnose_s")
        },
    ),
    fault("another mitigate_s", "tally", "mitigate_s is", "/data/durations/mitigate_s", |s| {
        let durations = s.end()?["durations"].as_object_mut()?;
        let seconds = durations.get("mitigate_s")?.as_f64()?;
        set(durations, "mitigate_s", seconds + 1.5)
    }),
    fault(
        "mitigate_s is left out",
        "tally",
        "mitigate_s is missing, but",
        "/data/durations/mitigate_s",
        |s| {
            let durations = s.end()?["durations"].as_object_mut()?;
            remove(durations, "mitigate_s")
        },
    ),
    fault("another resolve_s", "tally", "resolve_s is", "/data/durations/resolve_s", |s| {
        let durations = s.end()?["durations"].as_object_mut()?;
        let seconds = durations["resolve_s"].as_f64()?;
        set(durations, "resolve_s", seconds + 1.5)
    }),
    fault("a shorter resolve_s", "tally", "resolve_s is", "/data/durations/resolve_s", |s| {
        s.is_drill()?;
        let durations = s.end()?["durations"].as_object_mut()?;
        let seconds = durations["resolve_s"].as_f64()?;
        set(durations, "resolve_s", seconds - 0.5)
    }),
    fault("the resolution has another second", "tally", "resolve_s is", "/data/durations/resolve_s", |s| {
        s.is_drill()?;
        let second = s.end()?["offset_s"].as_f64()?;
        set(s.end()?, "offset_s", second + 600.0)
    }),
    fault(
        "the resolution has an earlier second",
        "tally",
        "resolve_s is",
        "/data/durations/resolve_s",
        |s| {
            s.is_drill()?;
            set(s.end()?, "offset_s", 1.0)
        },
    ),
    fault("the resolution of a drill has no cost", "tally", "the cost is missing", "/data/cost", |s| {
        s.is_drill()?;
        remove(s.end()?, "cost")
    }),
    fault(
        "the resolution of a drill has no users",
        "tally",
        "users_peak is missing",
        "/data/users_peak",
        |s| {
            s.is_drill()?;
            remove(s.end()?, "users_peak")
        },
    ),
    fault("one action more", "tally", "the resolution has", "/data/actions", |s| {
        let actions = s.end()?["actions"].as_object_mut()?;
        let total = actions["total"].as_u64()?;
        set(actions, "total", total + 1)
    }),
    fault("one action less", "tally", "the resolution has", "/data/actions", |s| {
        let actions = s.end()?["actions"].as_object_mut()?;
        let total = actions["total"].as_u64()?;
        set(actions, "total", total - 1)
    }),
    fault("one failure more", "tally", "of them failed; the events have", "/data/actions", |s| {
        let actions = s.end()?["actions"].as_object_mut()?;
        let failed = actions["failed"].as_u64()?;
        set(actions, "failed", failed + 1)
    }),
    fault(
        "fewer users than were seen",
        "tally",
        "users_peak is 1, but a sample has",
        "/data/users_peak",
        |s| {
            s.end()?.get("users_peak")?;
            set(s.end()?, "users_peak", 1)
        },
    ),
    fault("one sample has more users than the peak", "tally", "users_peak is", "/data/users_peak", |s| {
        let peak = s.end()?.get("users_peak")?.as_u64()?;
        set(s.middle()?, "users_affected", peak + 1)
    })
    .later(),
    fault(
        "a milestone that no event has",
        "tally",
        "according to the events it is missing",
        "/data/durations/*",
        |s| {
            s.is_drill()?;
            remove(s.action("marks")?, "marks")
        },
    )
    .later(),
    fault("an action that did not end is counted", "tally", "the resolution has", "/data/actions", |s| {
        let actions = s.all(MessageType::AgentAction);
        let place = actions
            .into_iter()
            .find(|place| {
                let data = &s.frames[*place].0["data"];
                data["step"].is_null() && data["status"] == "completed" && data["marks"].is_null()
            })
            .or_else(|| {
                let place = *s
                    .all(MessageType::AgentAction)
                    .iter()
                    .rfind(|place| s.frames[**place].0["data"]["status"] == "completed")?;
                s.data(place).as_object_mut()?.remove("step");
                Some(place)
            })?;
        s.data(place)["status"] = "in_progress".into();
        Some(())
    })
    .later(),
];

#[test]
fn totals() {
    caught(FAULTS);
}
