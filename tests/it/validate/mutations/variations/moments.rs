//! Streams of moments that are rare and allowed: of short, crowded and renamed incidents, of old and new servers.

use incident::contract::MessageType;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Variation, pass};
use crate::validate::mutations::set;
use crate::validate::sound::Stream;

const fn variation(name: &'static str, make: fn(&mut Stream) -> Option<()>) -> Variation {
    Variation { name, make, observed: true, recorded: true, unchecked: &[] }
}

impl Stream {
    fn is_real(&self) -> Option<()> {
        self.is_drill().is_none().then_some(())
    }

    /// Only the start and the resolution of a real incident.
    fn without_middle(&mut self) -> Option<()> {
        self.is_real()?;
        let (start, end) = (self.events()[0], self.resolution());
        let mut frames = vec![self.frames[0].clone(), self.frames[start].clone(), self.frames[end].clone()];
        frames[2].0["id"] = "2".into();
        frames[2].0["index"] = 2.into();
        frames[2].1 = frames[1].1 + 1.0;
        frames[2].0["time"] = frames[1].0["time"].clone();
        let data = frames[2].0["data"].as_object_mut()?;
        for field in ["cost", "users_peak", "root_cause", "followups"] {
            data.remove(field);
        }
        set(data, "actions", json!({ "total": 0, "failed": 0 }))?;
        set(data, "durations", json!({ "resolve_s": 2.0 }))?;
        self.frames = frames;
        Some(())
    }
}

pub(super) const VARIATIONS: &[Variation] = &[
    variation("a real incident of a start and a resolution", Stream::without_middle),
    variation("an incident that is cancelled at once", |s| {
        s.without_middle()?;
        set(s.end()?, "outcome", "cancelled")
    }),
    variation("an incident reopens under another name", |s| {
        let count = s.events().len();
        s.and_another(count);
        let name = format!("{}-2", s.subject());
        for (frame, _) in &mut s.frames {
            if frame["subject"] == "another-aaaaa" {
                frame["subject"] = name.clone().into();
            }
        }
        Some(())
    }),
    variation("a drill without a scenario is the replay of a real incident", |s| {
        s.is_drill()?;
        s.started()?.remove("run").map(drop)
    }),
    variation("a real incident announces phases without ends", |s| {
        s.is_real()?;
        let phases = json!([{ "name": "look", "start_s": 0.0 }, { "name": "act", "start_s": 20.0 }]);
        set(s.started()?, "phases", phases)?;
        let middle = s.events().len() / 2;
        for (n, place) in s.events().into_iter().enumerate().skip(1) {
            if s.frames[place].0["type"] != "incident_resolved" {
                s.data(place)["phase"] = if n < middle { "look" } else { "act" }.into();
            }
        }
        Some(())
    }),
    variation("agents and metrics join a real incident later", |s| {
        s.is_real()?;
        set(s.started()?, "agents", json!([{ "id": "ci", "role": "Deploys" }]))?;
        set(s.started()?, "metrics", json!([{ "name": "p95", "unit": "ms" }]))
    }),
    variation("all milestones in one event", |s| {
        s.is_real()?;
        for place in s.all(MessageType::AgentAction) {
            s.data(place).as_object_mut()?.remove("marks");
        }
        let place = s.all(MessageType::AgentAction)[1];
        s.data(place)["marks"] = json!(["detected", "diagnosed", "mitigated"]);
        set(
            s.end()?,
            "durations",
            json!({ "detect_s": 8.0, "diagnose_s": 8.0, "mitigate_s": 8.0, "resolve_s": 44.0 }),
        )
    }),
    variation("all events at the same time", |s| {
        s.is_real()?;
        let time = s.frames[s.resolution()].0["time"].clone();
        for place in s.events() {
            s.frames[place].0["time"] = time.clone();
        }
        Some(())
    }),
    variation("hypotheses vanish and return", |s| {
        let places = s.all(MessageType::AgentAction).into_iter();
        let guesses: Vec<usize> =
            places.filter(|place| s.frames[*place].0["data"]["hypotheses"][1].is_object()).collect();
        let place = *guesses.get(1)?;
        s.data(place)["hypotheses"].as_array_mut()?.remove(0);
        Some(())
    }),
    variation("another incident has another currency", |s| {
        let count = s.events().len();
        s.and_another(count);
        for (frame, _) in &mut s.frames {
            if frame["subject"] == "another-aaaaa" && frame["data"]["cost"].is_object() {
                frame["data"]["cost"]["currency"] = "JPY".into();
            }
        }
        Some(())
    }),
    variation("a newer server has types and fields that are not known", |s| {
        s.greeting()["contract"] = "1.9".into();
        s.greeting()["region"] = "eu".into();
        let place = s.sample(7)?;
        s.frames[place].0["type"] = "customer_informed".into();
        // What is not known may also have been a sample with the peak.
        Some(())
    }),
    variation("positions near their limit", |s| {
        let by = (1_i64 << 53) - 1_000_000;
        s.shift_positions(0, by);
        let greeting = s.greeting();
        greeting["follows"] = json!({ "kind": "started", "from": by + 1, "to": by });
        greeting["oldest"] = (by + 1).into();
        Some(())
    }),
    variation("a name of all that a path can name", |s| {
        for place in s.events() {
            s.frames[place].0["subject"] = "Checkout_EU.v2-7".into();
        }
        Some(())
    }),
    variation("a name as long as it may be", |s| {
        let name = "c".repeat(incident::contract::MAX_SUBJECT_BYTES);
        for place in s.events() {
            s.frames[place].0["subject"] = name.clone().into();
        }
        Some(())
    }),
    variation("a heartbeat after every event", |s| {
        let beat = s.frames[s.all(MessageType::Heartbeat)[0]].0.clone();
        let mut frames = Vec::new();
        for (frame, at) in s.frames.drain(..) {
            let position = frame["subject"].is_string().then(|| frame["id"].as_str()?.parse::<u64>().ok());
            frames.push((frame, at));
            if let Some(head) = position {
                let mut beat = beat.clone();
                beat["data"]["head"] = head?.into();
                frames.push((beat, at));
            }
        }
        s.frames = frames;
        Some(())
    }),
    variation("the clock of the control messages is another one", |s| {
        for (frame, _) in &mut s.frames {
            if !frame["subject"].is_string() {
                frame["time"] = "2031-01-01T00:00:00Z".into();
            }
        }
        s.greeting()["server_time"] = "2031-01-01T00:00:00Z".into();
        Some(())
    }),
    variation("an incident without users and costs", |s| {
        for place in s.events() {
            let data = s.data(place).as_object_mut()?;
            for field in ["cost", "users_affected", "users_peak"] {
                data.remove(field);
            }
        }
        Some(())
    }),
    variation("a resolution without a cost in a real incident", |s| {
        s.is_real()?;
        s.end()?.remove("cost");
        s.end()?.remove("users_peak").map(drop)
    }),
    variation("samples of a whole phase are left out", |s| {
        // A server that was down catches up with actions alone.
        let phase = s.frames.iter().find_map(|(frame, _)| {
            (frame["data"]["phase"] != "detect" && frame["type"] == "system_metrics")
                .then(|| frame["data"]["phase"].clone())
        })?;
        phase.is_string().then_some(())?;
        for place in s.all(MessageType::SystemMetrics) {
            if s.data(place)["phase"] == phase {
                s.data(place).as_object_mut()?.remove("cost");
            }
        }
        Some(())
    }),
    variation("publishers' names in every event", |s| {
        s.is_real()?;
        let time = s.frames[s.events()[0]].0["time"].clone();
        for (n, place) in s.events().into_iter().enumerate() {
            let data = s.data(place).as_object_mut()?;
            set(data, "origin", json!({ "source": format!("/agents/{}", n % 3), "id": n.to_string() }))?;
            set(data, "observed_at", time.clone())?;
        }
        Some(())
    }),
    variation("a person adds actions to a drill", |s| {
        s.is_drill()?;
        let place = s.sample(7)?;
        let (mut added, at) = s.frames[place].clone();
        added["type"] = "agent_action".into();
        added["data"] = json!({
            "synthetic": true, "offset_s": added["data"]["offset_s"], "phase": added["data"]["phase"],
            "agent": "alice", "action": "noted", "status": "completed", "summary": "Called the database team",
            "origin": { "source": "/people/alice", "id": "1" }, "observed_at": added["time"],
        });
        s.frames.insert(place, (added, at));
        s.shift_positions(place + 1, 1);
        s.shift_indexes(place + 1, 1);
        for place in s.all(MessageType::AgentAction) {
            // Causes come after the addition too.
            s.data(place).as_object_mut()?.remove("caused_by");
        }
        let total = s.end()?["actions"]["total"].as_u64()?;
        set(s.end()?["actions"].as_object_mut()?, "total", total + 1)
    }),
    Variation {
        name: "a drill at speed 20",
        make: |s| {
            s.is_drill()?;
            set(s.started()?, "speed", 20.0)?;
            let epoch: Timestamp = crate::validate::sound::EPOCH.parse().ok()?;
            s.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
            for (frame, at) in &mut s.frames[1..] {
                *at = 10.0 + (*at - 10.0) / 20.0;
                let time = epoch + jiff::SignedDuration::from_micros((*at * 1e6) as i64);
                frame["time"] = Value::from(format!("{time:.6}"));
            }
            s.limits.set("heartbeat.intervals=9").ok()
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "heartbeats that the network delays and brings together",
        make: |s| {
            for (n, place) in s.all(MessageType::Heartbeat).into_iter().enumerate() {
                let next = s.frames.get(place + 1).map_or(s.frames[place].1, |(_, at)| *at);
                if n % 2 == 0 {
                    s.frames[place].1 = next;
                }
            }
            Some(())
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
    Variation {
        name: "a twin and a client that resumes get what comes after the end too",
        make: |s| {
            let (mut twin, mut resumed) = (s.twin(), s.resume(7));
            let (last, _) = s.frames.last()?.clone();
            let n: u64 = last["id"].as_str()?.parse().ok()?;
            let mut more = s.frames[s.events()[0]].0.clone();
            more["id"] = (n + 1).to_string().into();
            more["subject"] = "another-ddddd".into();
            twin.frames.push(more.to_string());
            resumed.frames.push(more.to_string());
            s.others.extend([twin, resumed]);
            Some(())
        },
        observed: true,
        recorded: false,
        unchecked: &[],
    },
];

#[test]
fn rare_moments() {
    assert!(VARIATIONS.len() >= 20);
    pass(VARIATIONS);
}
