//! Recordings that do not hold everything, or more than once, or of several incidents.

use incident::contract::Envelope;
use incident::report::History;

use super::{event, line, recording, report, section, start, with};

#[test]
fn a_recording_that_ends_early_says_where() {
    let report = report(&recording()[..60]);
    let told = "> **Still open.** The recording ends here, with event 60 at T+01:42 (2026-11-23 ";
    assert!(report.contains(told), "{report}");
    assert!(line(&report, "Post-incident report of").ends_with(" · not resolved"), "{report}");
    assert!(section(&report, "Summary").contains("have been affected for 1 min 42 s so far"), "{report}");
    assert!(section(&report, "Summary").contains("The diagnosis was “Connection leak"), "{report}");
    let timeline = section(&report, "Timeline");
    let last = timeline.lines().rfind(|line| line.starts_with('|')).unwrap();
    assert!(last.ends_with("| The recording ends here; the incident was still open |"), "{last}");
    assert!(section(&report, "How long it took").contains("| Resolved  | not reached |  |"), "{report}");
    let forecast = line(section(&report, "Forecasts against the outcome"), "time_to_resolve");
    assert!(forecast.ends_with("| cannot be judged: the incident was still open |"), "{forecast}");
    assert!(!report.contains("**Resolved:**") && !report.contains("Follow-ups"), "{report}");
}

#[test]
fn a_recording_that_begins_late_says_what_is_not_known() {
    let events = recording();
    let report = report(&events[48..]);
    assert!(report.starts_with("# Incident database-outage-"), "{report}");
    assert!(
        report.contains("**The beginning is missing.**") && report.contains("events 1 to 48 are not in it")
    );
    assert!(line(&report, "The beginning").contains("Title, severity, services and target are not known"));
    // Any event says that it is a drill.
    assert!(report.contains("**This was a drill.**"), "{report}");
    assert!(!report.contains("Impact begins") && !report.contains("Target:"), "{report}");
    // The resolution tells all milestones, what was said at the first two is not there.
    let summary = section(&report, "Summary");
    let took =
        "It took 7 s to detect, 1 min 8 s to diagnose and 2 min 6 s to mitigate (“Promote the replica”).";
    assert!(summary.contains(took), "{summary}");
    assert!(summary.starts_with("The incident lasted 3 min."), "{summary}");
}

#[test]
fn a_gap_is_told_wherever_it_is() {
    let events = recording();
    let gap = report(&[&events[..30], &events[68..]].concat());
    assert!(gap.contains("The recording has a gap: events 31 to 68 are not in it"), "{gap}");
    assert!(!gap.contains("The beginning is missing"), "{gap}");
    let one = report(&[&events[1..30], &events[31..]].concat());
    assert!(one.contains("in the middle: event 1 is not in it"), "{one}");
    assert!(one.contains("a gap: event 31 is not in it"), "{one}");
    let whole = report(&events);
    assert!(!whole.contains("missing") && !whole.contains("Still open"), "{whole}");
}

#[test]
fn every_part_of_a_recording_has_a_report_that_says_what_it_lacks() {
    let events = recording();
    for from in (0..events.len()).step_by(7) {
        for to in from + 1..=events.len() {
            let history = &History::all(&events[from..to])[0];
            let report = history.markdown();
            assert_eq!(report.contains("The beginning is missing"), from > 0, "{from}..{to}");
            assert_eq!(report.contains("Still open"), to < events.len(), "{from}..{to}");
            assert_eq!(history.is_whole(), from == 0 && to == events.len(), "{from}..{to}");
            assert_eq!(history.events, to - from);
        }
    }
}

#[test]
fn repeats_and_disorder_change_nothing() {
    let events = recording();
    let wanted = report(&events);
    let twice = [&events[..], &events[..]].concat();
    let reversed: Vec<Envelope> = events.iter().rev().cloned().collect();
    let overlapping = [&events[40..], &events[..70], &events[60..]].concat();
    for other in [twice, reversed, overlapping] {
        assert_eq!(report(&other), wanted);
    }
    // Nobody may say something else under the same number.
    let forged = with(&events[5], |data| data["summary"] = serde_json::json!("All is well"));
    assert_eq!(report(&[&events[..], &[forged]].concat()), wanted);
}

#[test]
fn incidents_of_several_streams_are_told_apart() {
    let outage = recording();
    let other = [
        start(&serde_json::json!({})),
        event(2, 5.0, "system_metrics", &serde_json::json!({ "metrics": {} })),
    ];
    let mixed: Vec<Envelope> =
        [&outage[..20], &other[..1], &outage[20..], &other[1..]].into_iter().flatten().cloned().collect();
    let reports: Vec<String> = History::all(&mixed).iter().map(History::markdown).collect();
    assert_eq!(reports, [report(&outage), report(&other)]);
}

#[test]
fn control_messages_and_nothing_make_no_history() {
    let controls: Vec<Envelope> =
        crate::harness::fixtures("messages").iter().map(|(_, text)| crate::harness::envelope(text)).collect();
    let controls: Vec<Envelope> = controls.into_iter().filter(|event| event.subject.is_none()).collect();
    assert_eq!(controls.len(), 2);
    assert_eq!(History::all(&controls), []);
}

/// A real event, an hour after the incident began: only its resolution says so.
fn real(index: u64, kind: &str, more: &serde_json::Value) -> Envelope {
    with(&event(index, 0.0, kind, more), |data| {
        data["synthetic"] = false.into();
        data.as_object_mut().unwrap().remove("offset_s");
    })
}

#[test]
fn seconds_are_counted_back_from_the_end_of_a_real_incident_that_began_before() {
    let events = [
        real(400, "agent_action", &serde_json::json!({ "marks": ["mitigated"] })),
        real(401, "system_metrics", &serde_json::json!({ "metrics": {}, "users_affected": 7 })),
        real(
            402,
            "incident_resolved",
            &serde_json::json!({
                "outcome": "resolved", "summary": "It is over", "users_peak": 7,
                "durations": { "detect_s": 60.0, "mitigate_s": 3500.0, "resolve_s": 3600.0 },
                "actions": { "total": 9, "failed": 0 },
            }),
        ),
    ];
    let report = report(&events);
    assert!(report.contains("events 1 to 399 are not in it") && report.contains("counted back"), "{report}");
    assert!(line(&report, "Post-incident report of").ends_with(" · resolved after 1 h"), "{report}");
    assert!(section(&report, "Summary").contains("The incident lasted 1 h."), "{report}");
    assert!(!report.contains("T+00:") && !report.contains("T+0:"), "{report}");
    assert!(report.contains("T+1:00:00"), "{report}");
    let took = section(&report, "How long it took");
    assert!(took.contains("| Mitigated | 58 min 20 s") && took.contains("not reached"), "{took}");
    let history = &History::all(&events)[0];
    assert_eq!(history.incident.offset_s, Some(3600.0));
    assert_eq!(history.incident.marks.detected, Some(60.0));
    assert_eq!(history.incident.agents[0].since_s, None, "the fold did not know it");
}

#[test]
fn seconds_that_are_not_known_are_not_told() {
    let events = [
        real(400, "agent_action", &serde_json::json!({ "marks": ["mitigated"] })),
        real(401, "system_metrics", &serde_json::json!({ "metrics": {}, "users_affected": 7 })),
    ];
    let report = report(&events);
    assert!(report.contains("When it began is not known"), "{report}");
    assert!(report.contains("How long the incident has lasted is not known"), "{report}");
    assert!(!report.contains("T+0") && !report.contains("0 s"), "{report}");
    assert!(!section(&report, "How long it took").contains("| Detected  | not reached"), "{report}");
    let state = &History::all(&events)[0].incident;
    assert_eq!((state.offset_s, state.offset_at(state.time)), (None, None));
    assert_eq!((state.cost_s, state.marks.mitigated, state.agents[0].since_s), (None, None, None));
}
