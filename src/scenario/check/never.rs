//! What a file declares of the outcomes of steps although they can't be.

use std::ops::Range;

use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::file::{ScenarioFile, Step};
use crate::scenario::suggest::shortened;

/// The warnings. A variant may make possible what is not without it, so they hold only if every variant has them too.
pub(in crate::scenario) fn never(file: &ScenarioFile) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in &file.steps {
        let fails = step.fails.as_ref().map_or(0.0, |fails| *fails.get_ref());
        if fails >= 1.0 {
            never_completes(step, &mut found);
        } else {
            never_drawn(step, &mut found);
        }
        if fails <= 0.0 {
            let message = format!("step {:?} never fails, so this summary is never told", id(step));
            let place = step.outcome.0.iter().find(|(name, _)| name.get_ref() == "failed");
            let place = place.map(|(name, _)| name.span());
            warn(&mut found, place, message, "give the step `fails`, or leave the summary out");
        }
        if found.len() >= MOST_DIAGNOSTICS {
            break;
        }
    }
    found
}

fn never_completes(step: &Step, found: &mut Vec<Diagnostic>) {
    let names = step.outcome.0.iter().map(|(name, _)| name);
    let completed = names.filter(|name| *name.get_ref() != "failed").map(toml::Spanned::span).next();
    let fails = step.fails.as_ref().map(toml::Spanned::span);
    let draws = step.draws.as_ref().map(toml::Spanned::span);
    for (place, what) in [
        (draws.clone(), "draws nothing"),
        (completed.filter(|_| draws.is_none()), "never tells this summary"),
        (fails.filter(|_| !step.marks().is_empty()), "reaches no mark"),
        (step.forecast.as_ref().map(toml::Spanned::span), "gives no forecast"),
    ] {
        let message = format!("step {:?} never completes, so it {what}", id(step));
        warn(found, place, message, "lower its `fails`, or leave this out");
    }
}

fn never_drawn(step: &Step, found: &mut Vec<Diagnostic>) {
    let ways = step.draws.iter().flat_map(|draws| &draws.get_ref().0);
    for (name, _) in ways.clone().filter(|(_, chance)| *chance <= 0.0) {
        let message = format!("step {:?} never draws {:?}", id(step), shortened(name.get_ref()));
        warn(found, Some(name.span()), message, "give it a probability above 0, or leave it out");
    }
    let mut possible = ways.filter(|(_, chance)| *chance > 0.0).peekable();
    let has_ways = possible.peek().is_some();
    if has_ways && possible.all(|(name, _)| step.outcome(name.get_ref()).is_some()) {
        let place = step.outcome.0.iter().find(|(name, _)| name.get_ref() == "completed");
        let message = format!("every outcome that step {:?} draws has a summary of its own", id(step));
        let help = "leave this one out: it is never told";
        warn(found, place.map(|(name, _)| name.span()), message, help);
    }
}

fn warn(found: &mut Vec<Diagnostic>, place: Option<Range<usize>>, message: String, help: &str) {
    if let Some(place) = place {
        found.push(Diagnostic::new(place, message, "never happens").help(help).warning());
    }
}

fn id(step: &Step) -> String {
    shortened(step.id.get_ref())
}
