//! Faults in phases, and names that were not announced.

use incident::contract::MessageType;
use serde_json::{Map, Value};

use super::{Fault, caught, fault, remove, set};
use crate::validate::sound::Stream;

impl Stream {
    /// An announced phase.
    fn phase(&mut self, n: usize) -> Option<&mut Map<String, Value>> {
        self.started()?.get_mut("phases")?.get_mut(n)?.as_object_mut()
    }
}

pub const FAULTS: &[Fault] = &[
    fault(
        "a phase that was not announced",
        "phases",
        "phase \"panic\" was not announced",
        "/data/phase",
        |s| {
            s.is_drill()?;
            set(s.middle()?, "phase", "panic")
        },
    ),
    fault(
        "the phase of an action was not announced",
        "phases",
        "phase \"panic\" was not announced",
        "/data/phase",
        |s| {
            s.is_drill()?;
            set(s.action("agent")?, "phase", "panic")
        },
    ),
    fault("an old phase comes again", "phases", "the phase goes back from", "/data/phase", |s| {
        s.is_drill()?;
        let first = s.phase(0)?["name"].clone();
        let place = s.all(MessageType::SystemMetrics).pop()?;
        s.data(place)["phase"] = first;
        Some(())
    }),
    fault("a phase comes before its second", "phases", "the phase lasts from", "/data/phase", |s| {
        s.is_drill()?;
        let last = s.started()?.get("phases")?.as_array()?.last()?["name"].clone();
        let place = s.sample(0)?;
        s.data(place)["phase"] = last;
        Some(())
    }),
    fault("a phase comes after its end", "phases", "the phase lasts from", "/data/phase", |s| {
        s.is_drill()?;
        let (first, end) = (s.phase(0)?["name"].clone(), s.phase(0)?["end_s"].as_f64()?);
        let place = s.all(MessageType::SystemMetrics).into_iter().find(|place| {
            s.frames[*place].0["data"]["offset_s"].as_f64() > Some(end)
                && s.frames[*place].0["data"]["phase"] != first
        })?;
        let earlier = s.frames[..place]
            .iter()
            .any(|(frame, _)| frame["data"]["phase"].is_string() && frame["data"]["phase"] != first);
        s.data(place)["phase"] = first;
        (!earlier).then_some(())
    }),
    fault("two phases have one name", "phases", "two phases are called", "/data/phases/1", |s| {
        s.is_drill()?;
        let name = s.phase(0)?["name"].clone();
        let other = s.phase(1)?["name"].clone();
        for place in s.events() {
            if s.data(place)["phase"] == other {
                s.data(place).as_object_mut()?.remove("phase");
            }
        }
        set(s.phase(1)?, "name", name)
    })
    .later(),
    fault("phases overlap", "phases", "before the phase ahead of it has ended", "/data/phases/1", |s| {
        s.is_drill()?;
        let start = s.phase(1)?["start_s"].as_f64()?;
        set(s.phase(1)?, "start_s", start - 1.0)
    }),
    fault("a gap between phases", "phases", "is a gap", "/data/phases/1", |s| {
        s.is_drill()?;
        let end = s.phase(0)?["end_s"].as_f64()?;
        let first = s.phase(0)?["name"].clone();
        let late = s.frames.iter().any(|(frame, _)| {
            frame["data"]["phase"] == first && frame["data"]["offset_s"].as_f64() > Some(end - 0.01)
        });
        set(s.phase(0)?, "end_s", end - 0.01)?;
        (!late).then_some(())
    }),
    fault("a phase ends before it starts", "phases", "before it starts", "/data/phases/1", |s| {
        s.is_drill()?;
        let start = s.phase(1)?["start_s"].as_f64()?;
        let name = s.phase(1)?["name"].clone();
        for place in s.events() {
            if s.data(place)["phase"] == name {
                s.data(place).as_object_mut()?.remove("phase");
            }
        }
        set(s.phase(1)?, "end_s", start - 1.0)
    })
    .later(),
    fault("the phases stand in another order", "phases", "starts at", "/data/phases/1", |s| {
        s.is_drill()?;
        let phases = s.started()?.get_mut("phases")?.as_array_mut()?;
        phases.reverse();
        for place in s.events() {
            s.data(place).as_object_mut()?.remove("phase");
        }
        Some(())
    })
    .later(),
    fault(
        "an agent that was not announced",
        "declared",
        "agent \"nobody\" was not announced",
        "/data/agent",
        |s| {
            s.is_drill()?;
            set(s.action("agent")?, "agent", "nobody")
        },
    ),
    fault("one agent less is announced", "declared", "was not announced", "/data/agent", |s| {
        s.is_drill()?;
        let agent = s.action("agent")?["agent"].clone();
        let agents = s.started()?.get_mut("agents")?.as_array_mut()?;
        agents.retain(|one| one["id"] != agent);
        Some(())
    })
    .later(),
    fault("no agents are announced", "declared", "was not announced", "/data/agent", |s| {
        s.is_drill()?;
        let agent = s.action("agent")?["agent"].clone();
        for place in s.all(MessageType::AgentAction) {
            s.data(place)["agent"] = agent.clone();
        }
        remove(s.started()?, "agents")
    })
    .later(),
    fault(
        "a metric that was not announced",
        "declared",
        "metric \"mood\" was not announced",
        "/data/metrics/mood",
        |s| {
            s.is_drill()?;
            set(s.middle()?["metrics"].as_object_mut()?, "mood", 0.5)
        },
    ),
    fault(
        "a metric with another name than the announced one",
        "declared",
        "metric \"a/b~c\" was not announced",
        "/data/metrics/a~1b~0c",
        |s| {
            s.is_drill()?;
            let metrics = s.middle()?["metrics"].as_object_mut()?;
            let name = metrics.keys().next()?.clone();
            let value = metrics.remove(&name)?;
            set(metrics, "a/b~c", value)
        },
    ),
    fault(
        "the root cause is not among the hypotheses",
        "declared",
        "the root cause \"moon\" is not among the hypotheses",
        "/data/root_cause",
        |s| {
            s.is_drill()?;
            s.action_with("hypotheses")?;
            s.end()?.get("root_cause")?;
            set(s.end()?, "root_cause", "moon")
        },
    ),
];

#[test]
fn phases_and_names() {
    caught(FAULTS);
}
