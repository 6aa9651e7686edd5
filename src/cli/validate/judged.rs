//! The result of checking one target.

use std::path::PathBuf;

use crate::check::{Judgement, Rule, Verdict};
use crate::cli::exit::{Exit, Failure};
use crate::scenario::ScenarioError;

/// The verdicts on one target.
pub(super) struct Judged {
    /// The file or the URL.
    pub(super) name: String,
    /// The file with the transcript, if it was kept.
    pub(super) transcript: Option<PathBuf>,
    /// Each rule with its verdict.
    pub(super) results: Vec<(&'static Rule, Verdict)>,
    /// Why nothing was checked; `None` if something was.
    pub(super) unchecked: Option<String>,
    /// What is worth knowing beside the verdicts: about the server's clock, and what was not judged.
    pub(super) remarks: Vec<String>,
    /// What of the contract is not checked.
    pub(super) left_out: Vec<String>,
    /// What is suspicious in the scenario.
    pub(super) warned: Option<ScenarioError>,
    /// The file and line of the `[expect]` table that was checked.
    pub(super) expected: Option<(String, usize)>,
    /// Whether it was listened to. The transcript is a recording otherwise.
    pub(super) is_live: bool,
    /// Whether a signal ended it before everything was checked.
    pub(super) is_interrupted: bool,
}

impl Judged {
    /// How many of the verdicts are of one kind.
    pub(super) fn count(&self, wanted: fn(&Verdict) -> bool) -> u64 {
        self.results.iter().filter(|(_, verdict)| wanted(verdict)).count() as u64
    }

    /// The names of the rules whose verdict is of one kind.
    pub(super) fn names(&self, wanted: fn(&Verdict) -> bool) -> Vec<&'static str> {
        self.results.iter().filter(|(_, verdict)| wanted(verdict)).map(|(rule, _)| rule.name).collect()
    }

    /// Whether the target passes: it has events, at least one rule was checked, and no rule failed.
    pub(super) fn passes(&self) -> bool {
        self.unchecked.is_none() && !self.has_failed()
    }

    /// Whether a rule failed.
    pub(super) fn has_failed(&self) -> bool {
        self.results.iter().any(|(_, outcome)| matches!(outcome, Verdict::Failed(..)))
    }
}

/// Why nothing was checked: there were no events, or no rule had anything to check. `None` if something was checked.
pub(super) fn unchecked(judgement: &Judgement) -> Option<String> {
    let failed = judgement.rules.iter().any(|(_, verdict)| matches!(verdict, Verdict::Failed(..)));
    if judgement.events == 0 && !failed {
        let of = if judgement.is_foreign { "" } else { " of an incident" };
        return Some(format!("no event{of} arrived"));
    }
    let mut reasons = Vec::new();
    for (rule, outcome) in &judgement.rules {
        match outcome {
            Verdict::NotChecked(why) => reasons.push(format!("{}: {why}", rule.name)),
            Verdict::Passed(_) | Verdict::Failed(..) => return None,
        }
    }
    Some(if reasons.is_empty() { "all rules are skipped".to_owned() } else { reasons.join("; ") })
}

pub(super) fn is_passed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Passed(_))
}

pub(super) fn is_failed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(..))
}

pub(super) fn is_not_checked(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NotChecked(_))
}

/// Everything that was found.
#[derive(Default)]
pub(super) struct Findings {
    /// The verdicts on each target.
    pub(super) judged: Vec<Judged>,
    /// The scenario files that could not be played.
    pub(super) wrong: Vec<ScenarioError>,
    /// What could not be read or reached. It keeps no other target from being checked.
    pub(super) unjudged: Vec<Unjudged>,
    /// Why the validator could not do its work, and its exit status then.
    pub(super) failure: Option<(String, Exit)>,
}

/// A target that could not be judged.
pub(super) struct Unjudged {
    /// The file or the URL.
    pub(super) name: String,
    pub(super) failure: Failure,
}

impl Unjudged {
    /// Whether a signal is why not.
    fn is_interrupted(&self) -> bool {
        self.failure.exit() == Exit::Interrupted
    }

    /// Why not.
    pub(super) fn why(&self) -> String {
        self.failure.text().map(|(why, _)| why).unwrap_or_default()
    }
}

impl Findings {
    /// Whether neither a rule nor a scenario file has a fault, even if nothing was checked.
    fn is_clean(&self) -> bool {
        self.wrong.is_empty()
            && self.unjudged.iter().all(Unjudged::is_interrupted)
            && self.judged.iter().all(|target| target.count(is_failed) == 0)
    }

    /// That a signal ended the work before everything was checked; `None` if none did.
    pub(super) fn interruption(&self) -> Option<String> {
        let judged = self.judged.iter().filter(|target| target.is_interrupted).count();
        let unjudged = self.unjudged.iter().filter(|one| one.is_interrupted()).count();
        match (judged + unjudged) as u64 {
            0 => None,
            1 => Some("interrupted: 1 target was not checked to its end".to_owned()),
            many => Some(format!("interrupted: {many} targets were not checked to their ends")),
        }
    }

    /// Whether a signal ended the work.
    pub(super) fn is_interrupted(&self) -> bool {
        let has_failed = matches!(self.failure, Some((_, Exit::Interrupted)));
        has_failed || self.interruption().is_some()
    }

    pub(super) fn exit(&self) -> Exit {
        if let Some((_, exit)) = &self.failure {
            return *exit;
        }
        // What was found until then is shown, but it is not everything.
        if self.is_interrupted() && self.is_clean() {
            return Exit::Interrupted;
        }
        match (&*self.judged, &*self.wrong, &*self.unjudged) {
            (_, [_, ..], _) => Exit::Scenario,
            (judged, [], _) if !judged.iter().all(Judged::passes) => Exit::Invalid,
            (_, [], [first, ..]) => first.failure.exit(),
            ([], [], []) => Exit::Invalid,
            (_, [], []) => Exit::Fine,
        }
    }
}
