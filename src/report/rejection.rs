//! What an action says that rejects a hypothesis: its confidence is the belief in what it rejects, not in what it says.

use super::words::percent;

/// The kind of action that rejects a hypothesis.
pub(super) const REJECTED: &str = "hypothesis_rejected";

/// `belief in “Organic traffic spike” now 7%`, to be shown instead of a confidence; `None` for every other action.
/// `beliefs` are the claims that compete now, with their probabilities: the confidence of the action is one of them.
pub fn rejection<'a>(
    action: &str,
    confidence: Option<f64>,
    beliefs: impl IntoIterator<Item = (&'a str, f64)>,
) -> Option<String> {
    let confidence = confidence.filter(|_| action == REJECTED)?;
    let rejected = beliefs.into_iter().find(|(_, p)| (p - confidence).abs() < 1e-9);
    let claim = rejected.map_or_else(|| "it".to_owned(), |(claim, _)| format!("“{claim}”"));
    Some(format!("belief in {claim} now {}", percent(confidence)))
}
