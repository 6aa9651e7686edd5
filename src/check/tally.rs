//! The rule `tally`: the totals in `incident_resolved` agree with the incident's events.

use super::context::Context;
use super::incident::{SeenEvent, incidents, is_generated, resolved, started};
use super::totals::SeenTotals;
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{IncidentResolved, Mark};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

/// How many seconds the clocks of a publisher and of the server may differ.
const SECOND: f64 = 1.001;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    let mut findings = Vec::new();
    let mut judged = 0;
    for events in incidents(transcript).values() {
        let Some((event, resolved)) = resolved(events) else { continue };
        // The totals cannot be compared if events are missing, which the rule `gap` reports.
        if !events.iter().zip(1..).all(|(event, index)| event.index == index) {
            continue;
        }
        judged += 1;
        let exact = started(events).is_some_and(is_generated);
        let place = events.iter().position(|other| other.index == event.index).unwrap_or(events.len());
        compare(resolved, &SeenTotals::of(&events[..place]), event, exact, &mut findings);
    }
    if judged == 0 {
        return Verdict::NotChecked("no incident was received from its start to its resolution".to_owned());
    }
    verdict(findings, || match judged {
        1 => "the resolution agrees with the events".to_owned(),
        many => format!("{many} resolutions agree with the events"),
    })
}

fn compare(
    resolved: &IncidentResolved,
    seen: &SeenTotals,
    event: SeenEvent<'_>,
    exact: bool,
    findings: &mut Vec<Finding>,
) {
    let frame = event.frame;
    // The seconds of a real incident come from two clocks.
    let tolerance = if exact { MILLISECOND } else { SECOND };
    let (claimed, counted) = (resolved.actions, seen.actions);
    if claimed != counted {
        let message = format!(
            "the resolution has {} actions, {} of them failed; the events have {} and {}",
            claimed.total, claimed.failed, counted.total, counted.failed
        );
        findings.push(Finding::new(message).at(frame));
    }
    // Between two samples there may have been more users than in any of them, but not fewer.
    if let (Some(claimed), Some(most)) = (resolved.users_peak, seen.users)
        && claimed < most
    {
        let message = format!("users_peak is {claimed}, but a sample has {most} affected users");
        findings.push(Finding::new(message).at(frame));
    }
    let durations = &resolved.durations;
    let second = |mark| seen.reached(mark).map(|event| event.offset_s.max(0.0));
    for (name, claimed, seen) in [
        ("detect_s", durations.detect_s, second(Mark::Detected)),
        ("diagnose_s", durations.diagnose_s, second(Mark::Diagnosed)),
        ("mitigate_s", durations.mitigate_s, second(Mark::Mitigated)),
        ("resolve_s", Some(durations.resolve_s), Some(event.offset_s)),
    ] {
        let agrees = match (claimed, seen) {
            (Some(claimed), Some(seen)) if exact => (claimed - seen).abs() < tolerance,
            // A real milestone is reached before its event is published, and perhaps without one.
            (Some(claimed), Some(seen)) => claimed < seen + tolerance,
            (Some(_), None) => !exact,
            (None, seen) => seen.is_none(),
        };
        if !agrees {
            let message =
                format!("{name} is {}, but according to the events it is {}", shown(claimed), shown(seen));
            findings.push(Finding::new(message).at(frame));
        }
    }
}

fn shown(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "missing".to_owned(), |seconds| format!("{seconds} s"))
}
