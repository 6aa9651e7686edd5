//! Faults in the life of an incident.

use incident::check::MustResolve;
use incident::contract::MessageType;

use super::{Fault, caught, fault, set};
use crate::validate::sound::Stream;

impl Stream {
    /// The second of a sample; for a drill that is not one, its own.
    fn second_of(&mut self, n: usize) -> Option<serde_json::Value> {
        let place = self.sample(n)?;
        Some(self.frames[place].0["data"]["offset_s"].clone())
    }

    /// What comes long after is not late.
    #[expect(clippy::unnecessary_wraps, reason = "what makes a fault ends with it")]
    fn still_open(&mut self) -> Option<()> {
        self.arrivals = false;
        Some(())
    }

    /// The first event is stored once more, in the middle.
    fn starts_again(&mut self) -> Option<()> {
        let (first, place) = (self.events()[0], self.sample(7)?);
        let (mut again, _) = self.frames[first].clone();
        let (next, at) = self.frames[place].clone();
        for field in ["id", "index", "time"] {
            again[field] = next[field].clone();
        }
        if next["data"]["offset_s"].is_number() {
            again["data"]["offset_s"] = next["data"]["offset_s"].clone();
        }
        self.frames.insert(place, (again, at));
        self.shift_positions(place + 1, 1);
        self.shift_indexes(place + 1, 1);
        Some(())
    }

    /// Samples come after the resolution.
    fn after_the_end(&mut self, count: u64) -> Option<()> {
        let (end, at) = self.frames.last()?.clone();
        let (mut more, _) = self.frames[self.sample(7)?].clone();
        more["time"] = end["time"].clone();
        for n in 1..=count {
            more["id"] = (end["id"].as_str()?.parse::<u64>().ok()? + n).to_string().into();
            more["index"] = (end["index"].as_u64()? + n).into();
            self.frames.push((more.clone(), at));
        }
        Some(())
    }

    /// The last step that ended like this goes on.
    fn never_ends(&mut self, status: &str) -> Option<()> {
        let steps = self.all(MessageType::AgentAction).into_iter();
        let is_alone = |place: &usize| {
            let data = &self.frames[*place].0["data"];
            data["status"] == status
                && data["step"].is_string()
                && data["marks"].is_null()
                && self.frames[*place + 1..].iter().all(|(frame, _)| {
                    frame["data"]["step"] != data["step"] || frame["data"]["attempt"] != data["attempt"]
                })
        };
        let place = steps.rev().find(is_alone)?;
        self.data(place)["status"] = "in_progress".into();
        let actions = self.end()?["actions"].as_object_mut()?;
        for field in ["total"].into_iter().chain((status == "failed").then_some("failed")) {
            let count = actions[field].as_u64()?;
            actions.insert(field.to_owned(), (count - 1).into());
        }
        Some(())
    }
}

pub const FAULTS: &[Fault] = &[
    fault("the resolution is missing", "lifecycle", "is never resolved", "", |s| {
        s.frames.pop();
        Some(())
    }),
    fault("the incident that was waited for goes on", "lifecycle", "is never resolved", "", |s| {
        s.frames.pop();
        s.must_resolve = MustResolve::Only(s.subject());
        Some(())
    }),
    fault(
        "the incident that was triggered never begins",
        "lifecycle",
        "database-outage-aaaaa was triggered, but no event of it arrived",
        "",
        |s| {
            s.must_resolve = MustResolve::Only("database-outage-aaaaa".to_owned());
            Some(())
        },
    ),
    fault(
        "an incident begins with an action",
        "lifecycle",
        "does not begin with incident_started",
        "",
        |s| {
            s.frames.remove(s.events()[0]);
            s.shift_positions(1, -1);
            s.shift_indexes(1, -1);
            s.greeting()["head"] = 0.into();
            for place in s.all(MessageType::AgentAction) {
                let action = s.data(place).as_object_mut()?;
                if let Some(cause) = action.get("caused_by").and_then(serde_json::Value::as_u64) {
                    action.insert("caused_by".to_owned(), (cause - 1).max(1).into());
                }
            }
            for place in s.all(MessageType::Heartbeat) {
                if s.data(place)["head"] == -1 {
                    s.data(place)["head"] = 0.into();
                }
            }
            Some(())
        },
    )
    .later(),
    fault(
        "a start was left out of what was promised",
        "lifecycle",
        "does not begin with incident_started",
        "",
        |s| {
            s.stored(20)?;
            s.frames.remove(1);
            s.greeting()["follows"]["from"] = 2.into();
            s.greeting()["oldest"] = 2.into();
            Some(())
        },
    )
    .later(),
    fault("an incident starts twice", "lifecycle", "a second incident_started", "", Stream::starts_again)
        .later(),
    fault("a resolution in the middle", "lifecycle", "events after its resolution", "", |s| {
        let place = s.sample(7)?;
        let (mut end, _) = s.frames[s.resolution()].clone();
        let (next, at) = s.frames[place].clone();
        for field in ["id", "index", "time"] {
            end[field] = next[field].clone();
        }
        if next["data"]["offset_s"].is_number() {
            end["data"]["offset_s"] = next["data"]["offset_s"].clone();
        }
        s.frames.insert(place, (end, at));
        s.shift_positions(place + 1, 1);
        s.shift_indexes(place + 1, 1);
        Some(())
    })
    .later(),
    fault("an event turns into a resolution", "schema", "incident_resolved: ", "/data*", |s| {
        set(s.event()?, "type", "incident_resolved")
    }),
    fault(
        "an event under the name of no incident",
        "lifecycle",
        "the subject is \"checkout-aaaaa\", which has no other event; expected",
        "/subject",
        |s| set(s.event()?, "subject", "checkout-aaaaa"),
    ),
    fault(
        "the resolution under the name of no incident",
        "lifecycle",
        "the subject is \"checkout-aaaaa\", which has no other event; expected",
        "/subject",
        |s| {
            let place = s.resolution();
            s.frames[place].0["subject"] = "checkout-aaaaa".into();
            Some(())
        },
    ),
    fault("the start under the name of no incident", "gap", "index 1 is missing", "/index", |s| {
        let place = s.events()[0];
        s.frames[place].0["subject"] = "checkout-aaaaa".into();
        Some(())
    })
    .later(),
    fault("one event after the resolution", "lifecycle", "has 1 event after its resolution", "", |s| {
        s.after_the_end(1)
    }),
    fault("three events after the resolution", "lifecycle", "has 3 events after its resolution", "", |s| {
        s.after_the_end(3)
    }),
    fault("an incident is resolved twice", "lifecycle", "has 1 event after its resolution", "", |s| {
        let (mut end, at) = s.frames.last()?.clone();
        end["id"] = (end["id"].as_str()?.parse::<u64>().ok()? + 1).to_string().into();
        end["index"] = (end["index"].as_u64()? + 1).into();
        s.frames.push((end, at));
        Some(())
    }),
    fault(
        "an incident begins again after its resolution",
        "lifecycle",
        "has 1 event after its resolution",
        "",
        |s| {
            let (mut start, at) = s.frames[s.events()[0]].clone();
            let (end, _) = s.frames.last()?.clone();
            start["id"] = (end["id"].as_str()?.parse::<u64>().ok()? + 1).to_string().into();
            start["time"] = end["time"].clone();
            s.frames.push((start, at + 1_000.0));
            s.still_open()
        },
    ),
    fault(
        "one event is synthetic or not, unlike the others",
        "lifecycle",
        "synthetic is",
        "/data/synthetic",
        |s| {
            let synthetic = s.middle()?["synthetic"].as_bool()?;
            set(s.middle()?, "synthetic", !synthetic)?;
            {
                let second = s.second_of(7)?;
                if second.is_null() { set(s.middle()?, "offset_s", 17.0) } else { Some(()) }
            }
        },
    ),
    fault(
        "the resolution is not synthetic",
        "lifecycle",
        "synthetic is false; expected true",
        "/data/synthetic",
        |s| {
            s.is_drill()?;
            set(s.end()?, "synthetic", false)
        },
    ),
    fault(
        "all events after the start are not synthetic",
        "lifecycle",
        "synthetic is false; expected true",
        "/data/synthetic",
        |s| {
            s.is_drill()?;
            for place in s.events().into_iter().skip(1) {
                s.data(place)["synthetic"] = false.into();
            }
            Some(())
        },
    )
    .many(),
    fault("a milestone comes twice", "lifecycle", "a milestone comes once", "/data/marks", |s| {
        let first = s.action_with("marks")?;
        let marks = s.data(first)["marks"].clone();
        let later = s
            .all(MessageType::AgentAction)
            .into_iter()
            .find(|place| *place > first && s.frames[*place].0["data"]["marks"].is_null())?;
        s.data(later)["marks"] = marks;
        Some(())
    }),
    fault(
        "a milestone stands twice in one event",
        "lifecycle",
        "a milestone comes once",
        "/data/marks",
        |s| {
            let marks = s.action("marks")?["marks"].as_array_mut()?;
            let again = marks[0].clone();
            marks.push(again);
            Some(())
        },
    ),
    fault("the milestones are out of order", "lifecycle", "before it was", "/data/marks", |s| {
        s.is_drill()?;
        let marked: Vec<usize> = s
            .all(MessageType::AgentAction)
            .into_iter()
            .filter(|place| s.frames[*place].0["data"]["marks"].is_array())
            .collect();
        let [one, .., other] = *marked else { return None };
        let first = s.data(one)["marks"].take();
        let last = std::mem::replace(&mut s.data(other)["marks"], first);
        s.data(one)["marks"] = last;
        let durations = s.end()?["durations"].as_object_mut()?;
        let first = durations.get_mut("detect_s")?.take();
        let last = durations.insert("mitigate_s".to_owned(), first)?;
        set(durations, "detect_s", last)
    })
    .many(),
    fault(
        "an effect before its cause",
        "lifecycle",
        "expected the index of an earlier event",
        "/data/caused_by",
        |s| {
            let place = *s.all(MessageType::AgentAction).get(2)?;
            s.data(place)["caused_by"] = 100_000.into();
            Some(())
        },
    ),
    fault(
        "an event causes itself",
        "lifecycle",
        "expected the index of an earlier event",
        "/data/caused_by",
        |s| {
            let place = *s.all(MessageType::AgentAction).get(2)?;
            let index = s.frames[place].0["index"].clone();
            s.data(place)["caused_by"] = index;
            Some(())
        },
    ),
    fault("a step never ends", "lifecycle", "began and never ended", "", |s| s.never_ends("completed")),
    fault("a step that failed never ends", "lifecycle", "began and never ended", "", |s| {
        s.never_ends("failed")
    }),
];

#[test]
fn lives_of_incidents() {
    caught(FAULTS);
}
