//! The rule `confidence`: probabilities and forecasts are consistent. The schema checks the range of each single value.

use std::collections::HashMap;

use super::context::Context;
use super::incident::incidents;
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::Message;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    let mut findings = Vec::new();
    let mut judged = 0;
    for (id, events) in incidents(transcript) {
        let mut claims: HashMap<&str, &str> = HashMap::new();
        for event in events {
            let Message::AgentAction(action) = event.message else { continue };
            let frame = event.frame;
            judged += usize::from(
                action.confidence.is_some() || !action.hypotheses.is_empty() || action.forecast.is_some(),
            );
            let sum: f64 = action.hypotheses.iter().map(|belief| belief.p).sum();
            if sum > 1.0 + 1e-6 {
                let message = format!("the probabilities of the hypotheses of {id} sum to {sum:.3}");
                findings.push(
                    Finding::new(message)
                        .at(frame)
                        .hint("the probabilities of competing hypotheses sum to at most 1"),
                );
            }
            for belief in &action.hypotheses {
                let claim = claims.entry(&belief.id).or_insert(&belief.claim);
                if *claim != belief.claim {
                    let message = format!("the claim of hypothesis {:?} has changed", belief.id);
                    findings.push(Finding::new(message).at(frame));
                }
            }
            if let Some(forecast) = &action.forecast {
                let (low, high) =
                    (forecast.p10.unwrap_or(forecast.p50), forecast.p90.unwrap_or(forecast.p50));
                if !(low <= forecast.p50 && forecast.p50 <= high) {
                    let message = format!(
                        "the forecast has p10 {low}, p50 {} and p90 {high}, which are not in order",
                        forecast.p50
                    );
                    findings.push(Finding::new(message).at(frame));
                }
            }
        }
    }
    if judged == 0 {
        return Verdict::NotChecked("no action has a confidence, a hypothesis or a forecast".to_owned());
    }
    verdict(findings, || format!("{judged} actions with confidences, hypotheses or forecasts"))
}
