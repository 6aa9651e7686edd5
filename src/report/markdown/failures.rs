//! What was tried in vain, and what came of it.

use super::section;
use super::text::{code, quoted, text};
use crate::contract::Status;
use crate::report::{Act, History, Trouble, troubles};

/// What failed or never ended, and what came of it.
pub(super) fn failures(history: &History) -> String {
    let items = troubles(history);
    let items = items.iter().map(|trouble| format!("- {}\n", trouble_told(history, trouble)));
    section("Actions that failed", &items.collect::<String>())
}

fn trouble_told(history: &History, trouble: &Trouble) -> String {
    let Some(first) = trouble.acts.first() else { return String::new() };
    let action = &first.action;
    let mut told = vec![format!("**{}** ({}).", text(&action.summary), code(&action.agent))];
    let failed: Vec<_> = trouble.failed().collect();
    if let (Some(one), Some(last)) = (failed.first(), failed.last()) {
        let when = if failed.len() == 1 {
            format!("at {}", history.stamp(one.offset_s))
        } else {
            format!("from {} to {}", history.stamp(one.offset_s), history.stamp(last.offset_s))
        };
        let of = match (failed.len(), trouble.finished()) {
            (1, 1) => "It failed".to_owned(),
            (2, 2) => "Both attempts failed".to_owned(),
            (failed, finished) if failed == finished => format!("All {finished} attempts failed"),
            (failed, finished) => format!("{failed} of {finished} attempts failed"),
        };
        let why = Some(&last.action.summary).filter(|why| **why != action.summary);
        let why = why.map(|why| format!(": {}", quoted(why))).unwrap_or_default();
        told.push(format!("{of} {when}{why}."));
        if let Some(recovered) = trouble.recovered() {
            told.push(format!(
                "Attempt {} succeeded at {}.",
                trouble.finished(),
                history.stamp(recovered.offset_s)
            ));
        }
        for (begun, last) in &trouble.followed {
            told.push(follow_told(history, begun, last));
        }
        if trouble.followed.is_empty() && trouble.recovered().is_none() && !trouble.is_unfinished() {
            told.push("No later action refers to it.".to_owned());
        }
    }
    if trouble.is_unfinished() {
        let last = trouble.acts.last().unwrap_or(first);
        told.push(format!("An attempt began at {} and had not ended.", history.stamp(last.offset_s)));
    }
    told.join(" ")
}

/// `Then “Promote the replica” (`resolution`) began at T+01:57 and was done at T+02:06.`
fn follow_told(history: &History, begun: &Act, last: &Act) -> String {
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
