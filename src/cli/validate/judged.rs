//! The result of checking one target.

use std::path::PathBuf;

use crate::check::{Rule, Transcript, Verdict};
use crate::cli::exit::Exit;

/// The verdicts on one target.
pub(super) struct Judged {
    /// The file or the URL.
    pub(super) name: String,
    /// The file with the transcript.
    pub(super) transcript: PathBuf,
    /// Each rule with its verdict.
    pub(super) results: Vec<(&'static Rule, Verdict)>,
    /// Why nothing was checked; `None` if something was.
    pub(super) unchecked: Option<String>,
}

impl Judged {
    /// Whether the target passes: it has events, at least one rule was checked, and no rule failed.
    pub(super) fn passes(&self) -> bool {
        self.unchecked.is_none()
            && !self.results.iter().any(|(_, outcome)| matches!(outcome, Verdict::Failed(_)))
    }
}

/// Why nothing was checked: there were no events, or no rule had anything to check. `None` if something was checked.
pub(super) fn unchecked(transcript: &Transcript, results: &[(&'static Rule, Verdict)]) -> Option<String> {
    if !transcript.has_events() {
        return Some("no event of an incident arrived".to_owned());
    }
    let mut reasons = Vec::new();
    for (rule, outcome) in results {
        match outcome {
            Verdict::NotChecked(why) => reasons.push(format!("{}: {why}", rule.name)),
            Verdict::Passed(_) | Verdict::Failed(_) => return None,
        }
    }
    Some(if reasons.is_empty() { "all rules are skipped".to_owned() } else { reasons.join("; ") })
}

/// The exit status for all targets together.
pub(super) fn exit_of(judged: &[Judged]) -> Exit {
    if !judged.is_empty() && judged.iter().all(Judged::passes) { Exit::Fine } else { Exit::Invalid }
}
