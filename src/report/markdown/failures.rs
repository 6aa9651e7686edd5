//! The section about failed and unfinished actions.

use super::section::section;
use super::text::{code, quoted, text};
use crate::contract::Status;
use crate::report::failures::{FailedAction, failed_actions};
use crate::report::history::{ActionEvent, History};

/// Every action that failed or did not end, and the actions that followed from it.
pub(super) fn failures(history: &History) -> String {
    let items = failed_actions(history);
    let items = items.iter().map(|failed| format!("- {}\n", describe(history, failed)));
    section("Actions that failed", &items.collect::<String>())
}

fn describe(history: &History, failed_action: &FailedAction) -> String {
    let Some(first) = failed_action.events.first() else { return String::new() };
    let action = &first.action;
    let mut sentences = vec![format!("**{}** ({}).", text(&action.summary), code(&action.agent))];
    let failed: Vec<_> = failed_action.failed().collect();
    if let (Some(one), Some(last)) = (failed.first(), failed.last()) {
        let when = if failed.len() == 1 {
            format!("at {}", history.stamp(one.offset_s))
        } else {
            format!("from {} to {}", history.stamp(one.offset_s), history.stamp(last.offset_s))
        };
        let of = match (failed.len(), failed_action.finished()) {
            (1, 1) => "It failed".to_owned(),
            (2, 2) => "Both attempts failed".to_owned(),
            (failed, finished) if failed == finished => format!("All {finished} attempts failed"),
            (failed, finished) => format!("{failed} of {finished} attempts failed"),
        };
        let why = Some(&last.action.summary).filter(|why| **why != action.summary);
        let why = why.map(|why| format!(": {}", quoted(why))).unwrap_or_default();
        sentences.push(format!("{of} {when}{why}."));
        if let Some(recovered) = failed_action.recovered() {
            sentences.push(format!(
                "Attempt {} succeeded at {}.",
                failed_action.finished(),
                history.stamp(recovered.offset_s)
            ));
        }
        for (begun, last) in &failed_action.consequences {
            sentences.push(describe_consequence(history, begun, last));
        }
        if failed_action.consequences.is_empty()
            && failed_action.recovered().is_none()
            && !failed_action.is_unfinished()
        {
            sentences.push("No later action refers to it.".to_owned());
        }
    }
    if failed_action.is_unfinished() {
        let last = failed_action.events.last().unwrap_or(first);
        sentences.push(format!("An attempt began at {} and had not ended.", history.stamp(last.offset_s)));
    }
    sentences.join(" ")
}

/// `Then “Promote the replica” (`resolution`) began at T+01:57 and was done at T+02:06.`
fn describe_consequence(history: &History, begun: &ActionEvent, last: &ActionEvent) -> String {
    let action = &begun.action;
    let what = format!("Then {} ({})", quoted(&action.summary), code(&action.agent));
    let (from, to) = (history.stamp(begun.offset_s), history.stamp(last.offset_s));
    match (action.status, last.action.status) {
        (Status::InProgress, Status::Completed) => format!("{what} began at {from} and was done at {to}."),
        (Status::InProgress, Status::Failed) => format!("{what} began at {from} and failed at {to}."),
        (Status::InProgress, Status::InProgress) => format!("{what} began at {from} and had not ended."),
        (_, Status::Failed) => format!("{what} failed at {to}."),
        _ => format!("{what} at {from}."),
    }
}
