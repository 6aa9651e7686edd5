//! Logs, changes, topology and baseline.

use std::collections::HashSet;

use toml::Spanned;

use super::leaks::Secrets;
use super::names::unique;
use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::duration::Micros;
use crate::scenario::file::{LogFile, ScenarioFile};
use crate::scenario::suggest::{did_you_mean, listed};

/// The most entries of `logs`, and of `changes`.
const MOST_ENTRIES: usize = 1_000;

/// The most lines that all logs have together.
const MOST_LINES: u64 = 100_000;

/// The longest line, in characters.
const LINE_CHARS: usize = 1_000;

/// The longest baseline.
const LONGEST_BASELINE: Micros = Micros(7 * 86_400_000_000);

pub(super) fn world(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    unique("services of [topology]", file.topology.0.iter().map(|(name, _)| name), found);
    if let Some(baseline) = file.baseline.as_ref().filter(|baseline| *baseline.get_ref() > LONGEST_BASELINE) {
        let message = format!("the baseline is {}: at most {LONGEST_BASELINE}", baseline.get_ref());
        found.push(Diagnostic::new(baseline.span(), message, "too long"));
    }
    let entries = [
        ("logs", file.logs.get(MOST_ENTRIES).map(|log| &log.line)),
        ("changes", file.changes.get(MOST_ENTRIES).map(|change| &change.line)),
    ];
    for (what, too_many) in entries {
        if let Some(line) = too_many {
            let message = format!("more than {MOST_ENTRIES} {what}");
            return found.push(Diagnostic::new(line.span(), message, "the first too many"));
        }
    }
    let (secrets, services) = (Secrets::of(file), services(file));
    let mut lines = 0_u64;
    for log in &file.logs {
        when(log, found);
        lines = lines.saturating_add(log.moments().count() as u64);
        if lines > MOST_LINES {
            let message = format!("the logs have more than {MOST_LINES} lines together");
            found.push(
                Diagnostic::new(log.line.span(), message, "too many from here on").help("log less often"),
            );
            return;
        }
    }
    let logs = file.logs.iter().map(|log| ("the log", &log.service, &log.line));
    let changes = file.changes.iter().map(|change| ("the change", &change.service, &change.line));
    for (what, service, line) in logs.chain(changes) {
        if found.len() >= MOST_DIAGNOSTICS {
            return;
        }
        known(&services, service, found);
        text(what, line, found);
        found.extend(secrets.look_in(what, line));
    }
    // Alerts may be about anything as long as nothing says which services there are.
    if !file.topology.0.is_empty() {
        file.alerts.iter().for_each(|alert| known(&services, &alert.service, found));
    }
}

/// The services of the file: those that are affected, and those of the topology.
fn services(file: &ScenarioFile) -> HashSet<&str> {
    let callers = file.topology.0.iter().map(|(name, _)| name);
    let called = file.topology.0.iter().flat_map(|(_, called)| called);
    let named = callers.chain(called).map(|name| name.get_ref().as_str());
    file.services.iter().map(|name| name.get_ref().as_str()).chain(named).collect()
}

fn known(services: &HashSet<&str>, service: &Spanned<String>, found: &mut Vec<Diagnostic>) {
    if services.contains(service.get_ref().as_str()) {
        return;
    }
    let mut names: Vec<&str> = services.iter().copied().collect();
    names.sort_unstable();
    let help = match did_you_mean(service.get_ref(), names.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("the file has {}; name it in `services` or [topology]", listed(&names)),
    };
    let message = format!("no service is called {:?}", service.get_ref());
    found.push(Diagnostic::new(service.span(), message, "not in `services` or [topology]").help(help));
}

fn when(log: &LogFile, found: &mut Vec<Diagnostic>) {
    let place = log.line.span();
    match (&log.at, &log.from, &log.to, &log.every) {
        (Some(_), None, None, None) => {}
        (None, Some(from), Some(to), Some(every)) => {
            if to.get_ref() <= from.get_ref() {
                let message = format!("`to` ({}) is not after `from` ({})", to.get_ref(), from.get_ref());
                found.push(Diagnostic::new(to.span(), message, "too early"));
            }
            if *every.get_ref() < Micros(1_000) {
                found.push(Diagnostic::new(every.span(), "`every` must be at least 1ms", "too often"));
            }
        }
        _ => found.push(
            Diagnostic::new(place, "a log has `at`, or `from`, `to` and `every`", "this log")
                .help("give at = \"12s\", or from = \"5s\", to = \"98s\", every = \"2s\""),
        ),
    }
}

fn text(what: &str, line: &Spanned<String>, found: &mut Vec<Diagnostic>) {
    let length = line.get_ref().chars().count();
    let mistake = if line.get_ref().trim().is_empty() {
        format!("{what} has an empty line")
    } else if length > LINE_CHARS {
        format!("{what} has a line of {length} characters: at most {LINE_CHARS}")
    } else if line.get_ref().chars().any(char::is_control) {
        format!("{what} has more than one line, or a control character")
    } else {
        return;
    };
    found.push(Diagnostic::new(line.span(), mistake, "this line"));
}
