//! `tally`: the resolution's own account of the incident against what was seen of it.

use super::account::Account;
use super::context::Context;
use super::incident::{Event, incidents, resolved};
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{IncidentResolved, Mark};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

/// How far apart the clocks of a publisher and of the server may be.
const SECOND: f64 = 1.001;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    let mut findings = Vec::new();
    let mut judged = 0;
    for events in incidents(transcript).values() {
        let Some((event, resolved)) = resolved(events) else { continue };
        // With events missing nothing can be counted: `gap` reports those.
        if !events.iter().zip(1..).all(|(event, index)| event.index == index) {
            continue;
        }
        judged += 1;
        let place = events.iter().position(|here| here.index == event.index).unwrap_or(events.len());
        compare(resolved, &Account::of(&events[..place]), event, &mut findings);
    }
    if judged == 0 {
        return Verdict::NotChecked("no incident was seen from its start to its resolution".to_owned());
    }
    verdict(findings, || match judged {
        1 => "the resolution accounts for what was seen".to_owned(),
        many => format!("{many} resolutions account for what was seen"),
    })
}

fn compare(resolved: &IncidentResolved, seen: &Account, event: Event<'_>, findings: &mut Vec<Finding>) {
    let frame = event.frame;
    // Planned seconds are exact; a real incident's are taken from two clocks.
    let tolerance = if event.message.offset_s().is_some() { MILLISECOND } else { SECOND };
    let (told, counted) = (resolved.actions, seen.actions);
    if told != counted {
        let message = format!(
            "the resolution counts {} actions, {} failed; {} and {} were seen",
            told.total, told.failed, counted.total, counted.failed
        );
        findings.push(Finding::new(message).at(frame));
    }
    // Between two samples there may have been more, never fewer than in one.
    if let (Some(told), Some(most)) = (resolved.users_peak, seen.users)
        && told < most
    {
        let message = format!("users_peak is {told}, {most} were seen");
        findings.push(Finding::new(message).at(frame));
    }
    let durations = &resolved.durations;
    let second = |mark| seen.reached(mark).map(|event| event.offset_s);
    for (name, told, seen) in [
        ("detect_s", durations.detect_s, second(Mark::Detected)),
        ("diagnose_s", durations.diagnose_s, second(Mark::Diagnosed)),
        ("mitigate_s", durations.mitigate_s, second(Mark::Mitigated)),
        ("resolve_s", Some(durations.resolve_s), Some(event.offset_s)),
    ] {
        let same = match (told, seen) {
            (Some(told), Some(seen)) => (told - seen).abs() < tolerance,
            (told, seen) => told == seen,
        };
        if !same {
            let message = format!("{name} is {}, seen was {}", shown(told), shown(seen));
            findings.push(Finding::new(message).at(frame));
        }
    }
}

fn shown(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "nothing".to_owned(), |seconds| format!("{seconds} s"))
}
