//! What the contract allows: streams that differ from ours and have to pass.

mod envelopes;
mod incidents;
mod moments;
mod streams;

use incident::check::{Judgement, Verdict};
use serde_json::{Value, json};

use crate::validate::good;
use crate::validate::sound::{Stream, failed};

/// A stream that is allowed.
struct Variation {
    name: &'static str,
    make: fn(&mut Stream) -> Option<()>,
    /// Whether it is judged as it arrives, and as a recording.
    observed: bool,
    recorded: bool,
    /// The rules that have nothing to check, and what is said about them.
    unchecked: &'static [(&'static str, &'static str)],
}

impl Variation {
    fn misjudged(&self, judgement: Judgement) -> Option<String> {
        for (rule, why) in self.unchecked {
            let verdict = judgement.rules.iter().find(|(one, _)| one.name == *rule);
            let is_right = verdict.is_some_and(
                |(_, verdict)| matches!(verdict, Verdict::NotChecked(said) if said.contains(why)),
            );
            if !is_right {
                return Some(format!("{rule} is {:?}", verdict.map(|(_, verdict)| verdict)));
            }
        }
        let failed = failed(judgement);
        (!failed.is_empty()).then(|| super::shown(&failed))
    }
}

fn pass(variations: &[Variation]) {
    let mut missed = Vec::new();
    for variation in variations {
        let mut made = 0;
        for (name, good) in good::streams() {
            let mut stream = good.clone();
            if (variation.make)(&mut stream).is_none() {
                continue;
            }
            made += 1;
            let mut judge = |how: &str, judgement: Judgement| {
                let what = variation.misjudged(judgement);
                missed.extend(what.map(|what| format!("{} in {name}, {how}: {what}", variation.name)));
            };
            if variation.observed {
                judge("observed", stream.judgement());
            }
            if variation.recorded {
                judge("recorded", stream.recorded_fast());
            }
        }
        assert!(made > 0, "no stream has what {:?} needs", variation.name);
    }
    assert!(missed.is_empty(), "{} were misjudged:\n{}", missed.len(), missed.join("\n"));
}

impl Stream {
    /// The first 20 events are not received.
    #[expect(clippy::unnecessary_wraps, reason = "what makes a variation ends with it")]
    fn joined(&mut self, follows: Value) -> Option<()> {
        let from = self.events()[20];
        self.frames.drain(1..from);
        let at = self.frames[1].1;
        self.frames[0].1 = at;
        self.greeting()["head"] = 20.into();
        self.greeting()["follows"] = follows;
        Some(())
    }

    /// The incident is cancelled after its `n`th sample.
    fn cancelled(&mut self, n: usize) -> Option<()> {
        let (mut end, _) = self.frames.pop()?;
        let last = self.sample(n)?;
        self.frames.truncate(last + 1);
        let (sample, at) = self.frames[last].clone();
        for field in ["time", "id", "index"] {
            end[field] = sample[field].clone();
        }
        end["id"] = (sample["id"].as_str()?.parse::<u64>().ok()? + 1).to_string().into();
        end["index"] = (sample["index"].as_u64()? + 1).into();
        let data = end["data"].as_object_mut()?;
        data.insert("outcome".to_owned(), "cancelled".into());
        data.remove("root_cause");
        data.insert("cost".to_owned(), sample["data"]["cost"].clone());
        let reached: Vec<Value> =
            self.frames.iter().map(|(frame, _)| frame["data"]["marks"].clone()).collect();
        let durations = data.get_mut("durations")?.as_object_mut()?;
        for (mark, duration) in
            [("detected", "detect_s"), ("diagnosed", "diagnose_s"), ("mitigated", "mitigate_s")]
        {
            if !reached.iter().any(|marks| marks.as_array().is_some_and(|marks| marks.contains(&mark.into())))
            {
                durations.remove(duration);
            }
        }
        match sample["data"]["offset_s"].clone() {
            // Of a real incident a duration may be shorter than its events say, and not before its own marks.
            Value::Null => {
                durations.remove("resolve_s");
                let last = durations.values().filter_map(Value::as_f64).fold(1.0, f64::max);
                durations.insert("resolve_s".to_owned(), last.into())
            }
            second => {
                durations.insert("resolve_s".to_owned(), second.clone());
                data.insert("offset_s".to_owned(), second)
            }
        };
        let statuses = || self.frames.iter().filter_map(|(frame, _)| frame["data"]["status"].as_str());
        let count = |wanted: &str| statuses().filter(|status| *status == wanted).count();
        let (completed, failed) = (count("completed"), count("failed"));
        data.insert("actions".to_owned(), json!({ "total": completed + failed, "failed": failed }));
        self.frames.push((end, at));
        Some(())
    }

    /// Each event is followed by one of another incident.
    pub fn interleaved(&mut self) -> Option<()> {
        self.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
        self.arrivals = false;
        let mut both = Vec::new();
        for (frame, at) in self.frames.drain(1..) {
            let n: u64 = frame["id"].as_str()?.parse().ok()?;
            let (mut one, mut other) = (frame.clone(), frame);
            one["id"] = (2 * n - 1).to_string().into();
            other["id"] = (2 * n).to_string().into();
            other["subject"] = "another-ccccc".into();
            both.extend([(one, at), (other, at)]);
        }
        self.frames.extend(both);
        Some(())
    }
}

#[test]
fn there_are_many_variations() {
    let all = [envelopes::VARIATIONS, streams::VARIATIONS, incidents::VARIATIONS, moments::VARIATIONS];
    assert!(all.iter().map(|some| some.len()).sum::<usize>() >= 65);
}
