//! The rule `confidence`, for one incident: probabilities and forecasts are consistent. The schema checks the range of
//! each single value.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::finding::{Finding, quoted};
use super::frame::Frame;
use super::names::Names;
use super::rules::{Found, RuleId};
use crate::contract::Message;

#[derive(Debug, Default)]
pub(super) struct Confidence {
    /// The claim of each hypothesis, as findings quote it, with a hash of all of it.
    claims: Names<(String, u64)>,
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Confidence {
    /// Whether there were more hypotheses than are followed.
    pub(super) fn is_full(&self) -> bool {
        self.claims.is_full
    }

    pub(super) fn see(&mut self, message: &Message, frame: &Frame, found: &mut Found) {
        let Message::AgentAction(action) = message else { return };
        if action.confidence.is_none() && action.hypotheses.is_empty() && action.forecast.is_none() {
            return;
        }
        found.judged(RuleId::Confidence);
        let mut fault = |text: String, pointer: &str, hint: Option<&str>| {
            let finding = Finding::new(text).at(frame).field(pointer);
            found.add(
                RuleId::Confidence,
                match hint {
                    Some(hint) => finding.hint(hint),
                    None => finding,
                },
            );
        };
        let mut ids = HashSet::new();
        let sum: f64 = action.hypotheses.iter().map(|belief| belief.p).sum();
        if let Some(twice) = action.hypotheses.iter().find(|belief| !ids.insert(&belief.id)) {
            let text = format!("the hypothesis {} has two probabilities in one event", quoted(&twice.id));
            fault(text, "/data/hypotheses", None);
        } else if sum > 1.0 + 1e-6 {
            let text = format!("the probabilities of the hypotheses sum to {sum:.3}; expected at most 1");
            fault(text, "/data/hypotheses", Some("the rest to 1 stands for an unknown cause"));
        }
        for (place, belief) in action.hypotheses.iter().enumerate() {
            let hash = hash(&belief.claim);
            match self.claims.get(&belief.id) {
                None => drop(self.claims.set(&belief.id, (quoted(&belief.claim), hash))),
                Some((claim, known)) if *known != hash => {
                    let text = format!(
                        "the claim of hypothesis {} is {}; before it was {claim}",
                        quoted(&belief.id),
                        quoted(&belief.claim),
                    );
                    fault(text, &format!("/data/hypotheses/{place}/claim"), None);
                }
                Some(_) => {}
            }
        }
        if let Some(forecast) = &action.forecast {
            let (low, high) = (forecast.p10.unwrap_or(forecast.p50), forecast.p90.unwrap_or(forecast.p50));
            if !(low <= forecast.p50 && forecast.p50 <= high) {
                let text = format!(
                    "the forecast has p10 {low}, p50 {} and p90 {high}, which do not rise",
                    forecast.p50
                );
                fault(text, "/data/forecast", None);
            }
        }
    }
}
