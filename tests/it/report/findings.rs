//! Beliefs, forecasts, failures, times: what the report concludes from the events.

use incident::report::History;
use serde_json::{Value, json};

use super::{act, end, event, line, report, section, start};

/// An action that tells beliefs.
fn told(index: u64, beliefs: &[(&str, f64)]) -> incident::contract::Envelope {
    let beliefs: Vec<Value> =
        beliefs.iter().map(|(id, p)| json!({ "id": id, "claim": format!("It is {id}"), "p": p })).collect();
    act(index, &json!({ "hypotheses": beliefs }))
}

#[test]
fn a_wrong_lead_is_told_with_when_it_led_and_was_dropped() {
    let events = [
        start(&json!({})),
        told(2, &[("net", 0.6), ("disk", 0.1), ("dns", 0.2)]),
        told(10, &[("net", 0.7), ("disk", 0.2), ("dns", 0.06)]),
        // Exactly a quarter of its highest is dropped; what comes back above it was not.
        told(20, &[("net", 0.175), ("disk", 0.5), ("dns", 0.04)]),
        act(25, &json!({ "marks": ["diagnosed"] })),
        // What an event leaves out is at 0.
        told(30, &[("disk", 0.9), ("dns", 0.1)]),
        end(40, "resolved", &json!({ "root_cause": "disk" })),
    ];
    let report = report(&events);
    let hypotheses = section(&report, "Hypotheses");
    let rows: Vec<&str> = hypotheses.lines().filter(|line| line.starts_with("| It is")).collect();
    let wanted = [
        "| It is disk | 90% at T+00:30 | 90%  | **The cause.** Confirmed by the diagnosis at T+00:25. Believed most from T+00:20 on. |",
        "| It is net  | 70% at T+00:10 | 0%   | Wrong. Believed most from T+00:02 to T+00:20. Dropped at T+00:20. |",
        "| It is dns  | 20% at T+00:02 | 10%  | Wrong. Never dropped. |",
    ];
    assert_eq!(rows, wanted, "{hypotheses}");
    assert!(
        section(&report, "Summary")
            .contains("The cause was “It is disk”. It was believed most only from T+00:20 on; before that, it was “It is net”."),
        "{report}"
    );
    // Nobody diagnosed it: the marked action came before it led.
    let early = super::with(&events[4], |data| data["offset_s"] = json!(19.0));
    let unconfirmed = [&events[..4], &[early], &events[5..]].concat();
    assert!(!super::report(&unconfirmed).contains("Confirmed by"), "{unconfirmed:?}");
}

#[test]
fn without_a_proven_cause_nothing_is_called_wrong() {
    let beliefs =
        [start(&json!({})), told(2, &[("net", 0.6), ("disk", 0.3)]), end(9, "cancelled", &json!({}))];
    let report = report(&beliefs);
    assert!(
        line(&report, "| It is net").contains("| Undecided. Believed most from T+00:02 on. |"),
        "{report}"
    );
    assert!(line(&report, "| It is disk").ends_with("| Undecided. |"), "{report}");
    assert!(
        report.contains("What caused it was not established; “It is net” was believed most, at 60%."),
        "{report}"
    );
    assert!(report.contains("It was not resolved but cancelled after 9 s: “It is over”."), "{report}");
    // Of two that are believed alike none is believed most.
    let tie = super::report(&[start(&json!({})), told(2, &[("net", 0.4), ("disk", 0.4)])]);
    assert!(tie.contains("What caused it was not established. "), "{tie}");
    assert!(!tie.contains("Believed most"), "{tie}");
    let unknown = [start(&json!({})), end(9, "resolved", &json!({ "root_cause": "gremlins" }))];
    assert!(super::report(&unknown).contains("The cause was `gremlins`."));
}

#[test]
fn a_forecast_is_held_to_what_came_out() {
    let forecast = |index, forecast: Value| act(index, &json!({ "forecast": forecast }));
    let sample = |index, load: f64| {
        let cost = json!({ "currency": "USD", "total": 5.0, "per_minute": 1.0 });
        event(index, index as f64, "system_metrics", &json!({ "metrics": { "load": load }, "cost": cost }))
    };
    let events = [
        start(&json!({ "metrics": [{ "name": "load", "unit": "ms" }] })),
        forecast(2, json!({ "quantity": "time_to_resolve", "unit": "min", "p10": 1, "p50": 2, "p90": 3 })),
        forecast(3, json!({ "quantity": "time_to_resolve", "unit": "s", "p10": 20, "p50": 30, "p90": 40 })),
        forecast(4, json!({ "quantity": "time_to_resolve", "unit": "s", "p10": 40, "p50": 50, "p90": 60 })),
        forecast(5, json!({ "quantity": "time_to_resolve", "unit": "s", "p50": 50 })),
        forecast(6, json!({ "quantity": "time_to_resolve", "unit": "sprints", "p50": 50 })),
        sample(7, 1500.0),
        forecast(8, json!({ "quantity": "load", "unit": "ms", "p50": 900 })),
        forecast(9, json!({ "quantity": "peak_load", "unit": "ms", "p10": 1000, "p50": 1200, "p90": 2000 })),
        forecast(10, json!({ "quantity": "peak_load", "unit": "s", "p50": 1 })),
        forecast(11, json!({ "quantity": "users_peak", "unit": "count", "p50": 0, "p90": 700 })),
        forecast(
            12,
            json!({ "quantity": "cost_total", "unit": "USD", "p10": 8000, "p50": 9000, "p90": 9001 }),
        ),
        forecast(13, json!({ "quantity": "pizzas", "unit": "count", "p50": 3 })),
        sample(14, 1400.0),
        end(
            50,
            "resolved",
            &json!({ "users_peak": 800, "cost": { "currency": "USD", "total": 7000.0, "per_minute": 0.0 } }),
        ),
    ];
    let report = report(&events);
    let forecasts = section(&report, "Forecasts against the outcome");
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> =
        forecasts.lines().filter(|line| line.starts_with("| T+")).map(cells).collect();
    let rows: Vec<[&str; 5]> =
        rows.iter().map(|row| [3, 4, 5, 6, 7].map(|cell| row[cell].as_str())).collect();
    let wanted = [
        ["2 min", "1 min to 3 min", "50 s", "−1 min 10 s (−58%)", "**no**, below p10"],
        ["30 s", "20 s to 40 s", "50 s", "+20 s (+67%)", "**no**, above p90"],
        ["50 s", "40 s to 1 min", "50 s", "+0 s (+0%)", "yes"],
        ["50 s", "not given", "50 s", "+0 s (+0%)", "no interval was given"],
        ["50 sprints", "not given", "–", "–", "cannot be judged: its unit is not a unit of time"],
        ["900 ms", "not given", "–", "–", "cannot be judged: the forecast does not say for which moment"],
        ["1,200 ms", "1,000 ms to 2,000 ms", "1,500 ms", "+300 ms (+25%)", "yes"],
        ["1 s", "not given", "–", "–", "cannot be judged: no event measures it"],
        ["0", "to 700", "800", "+800", "**no**, above p90"],
        ["9,000 USD", "8,000 USD to 9,001 USD", "7,000 USD", "−2,000 USD (−22%)", "**no**, below p10"],
        ["3", "not given", "–", "–", "cannot be judged: no event measures it"],
    ];
    assert_eq!(rows, wanted, "{forecasts}");
    assert!(
        forecasts.contains("2 of the 7 forecasts that can be judged came true within the interval."),
        "{forecasts}"
    );
    let cancelled = [&events[..14], &[end(50, "cancelled", &json!({}))]].concat();
    let report = super::report(&cancelled);
    assert_eq!(report.matches("cannot be judged: the incident was cancelled").count(), 7, "{report}");
}

#[test]
fn a_failure_is_told_with_what_followed() {
    let events = [
        start(&json!({})),
        act(2, &json!({ "step": "a", "status": "in_progress", "summary": "Drain it", "attempt": 1 })),
        act(3, &json!({ "step": "a", "status": "failed", "summary": "It will not drain", "attempt": 1 })),
        act(
            4,
            &json!({ "step": "a", "status": "in_progress", "summary": "Drain it", "attempt": 2, "caused_by": 3 }),
        ),
        act(5, &json!({ "step": "a", "status": "completed", "summary": "Drained", "attempt": 2 })),
        // What its success led to is no consequence of its failure.
        act(6, &json!({ "step": "b", "status": "in_progress", "summary": "Fail over", "caused_by": 5 })),
        act(7, &json!({ "step": "b", "status": "failed", "summary": "Fail over" })),
        act(8, &json!({ "step": "c", "status": "in_progress", "summary": "Restore", "caused_by": 7 })),
        act(9, &json!({ "step": "d", "summary": "Page someone", "caused_by": 7 })),
        act(10, &json!({ "step": "c", "status": "failed", "summary": "The backup is torn" })),
        act(11, &json!({ "action": "guess", "status": "failed", "summary": "Guess" })),
        act(12, &json!({ "action": "guess", "status": "failed", "summary": "Guess" })),
        act(13, &json!({ "step": "e", "status": "in_progress", "summary": "Pray", "late_s": 12.4 })),
        end(20, "cancelled", &json!({ "actions": { "total": 8, "failed": 5 } })),
    ];
    let report = report(&events);
    let wanted = "\
- **Drain it** (`fixer`). 1 of 2 attempts failed at T+00:03: “It will not drain”. Attempt 2 succeeded at T+00:05.
- **Fail over** (`fixer`). It failed at T+00:07. Then “Restore” (`fixer`) began at T+00:08 and failed at T+00:10. \
Then “Page someone” (`fixer`) at T+00:09.
- **Restore** (`fixer`). It failed at T+00:10: “The backup is torn”. No later action refers to it.
- **Guess** (`fixer`). Both attempts failed from T+00:11 to T+00:12. No later action refers to it.
- **Pray** (`fixer`). An attempt began at T+00:13 and had not ended.
";
    assert_eq!(section(&report, "Actions that failed"), wanted);
    let summary = section(&report, "Summary");
    let told = "5 of 8 finished actions failed: “Drain it”; “Fail over”, after which came “Restore” and “Page someone”; \
                “Restore”; “Guess” (2 times).";
    assert!(summary.contains(told), "{summary}");
    let timeline = section(&report, "Timeline");
    assert!(
        line(timeline, "| 4  ").ends_with("| Begins: Drain it (attempt 2; because of event 3) |"),
        "{timeline}"
    );
    assert!(line(timeline, "| 5  ").ends_with("| Done: Drained (attempt 2) |"), "{timeline}");
    assert!(line(timeline, "| 9  ").ends_with("| Page someone (because of event 7) |"), "{timeline}");
    assert!(line(timeline, "Pray").ends_with("| Begins: Pray (published 12 s late) |"), "{timeline}");
    assert!(report.contains("- Late actions: one, published 12 s after it was due\n"), "{report}");
}

#[test]
fn times_have_hours_and_days_where_they_need_them() {
    let phases = json!([{ "name": "resolve", "start_s": 0.0, "end_s": 7200.0, "play_s": 60.0 }]);
    let late = json!({ "phases": phases, "target_s": 3600.0, "speed": 2.5 });
    let mut events = vec![start(&late), act(2, &json!({ "marks": ["mitigated", "mitigated"] }))];
    events.push(super::with(&act(3, &json!({ "marks": ["mitigated"] })), |data| {
        data["offset_s"] = json!(3725.9);
    }));
    events[2].time = "2026-11-23T00:00:30Z".parse().unwrap();
    events.push(end(
        7,
        "resolved",
        &json!({ "offset_s": 7199.9, "durations": { "mitigate_s": 2.0, "resolve_s": 7199.9 } }),
    ));
    let report = report(&events);
    assert!(line(&report, "| 2  ").contains("| T+0:00:02 | 23:59:02 "), "{report}");
    assert!(line(&report, "| 3  ").contains("| T+1:02:05 | 2026-11-23 00:00:30 |"), "{report}");
    // A milestone is reached once.
    assert_eq!(report.matches("**Mitigated.**").count(), 1, "{report}");
    let wanted = "| Mitigated | 2 s         | 2 s |\n| Resolved  | 1 h 59 min  | 1 h 59 min |\n";
    assert!(section(&report, "How long it took").contains(wanted), "{report}");
    assert!(report.contains("Target: 1 h. Resolved 59 min 59 s over target."), "{report}");
    assert!(report.contains("- Speed: 2.5; at speed 1 the 2 h of the scenario play in 1 min\n"), "{report}");
    assert!(report.contains("it was not played in real time"), "{report}");
}

#[test]
fn what_is_not_simulated_is_no_drill() {
    let real =
        |event: incident::contract::Envelope| super::with(&event, |data| data["synthetic"] = json!(false));
    let events = [real(start(&json!({}))), real(act(2, &json!({}))), real(end(9, "resolved", &json!({})))];
    let report = report(&events);
    assert!(!report.contains("drill.**") && !report.contains("simulated"), "{report}");
    assert!(report.contains("Target: 1 min. Resolved 51 s under target."), "{report}");
}

/// Its events are stored when they are told, and its resolution says how long it took.
#[test]
fn an_incident_that_is_told_later_lasted_as_long_as_its_resolution_says() {
    for (outcome, ended) in [("resolved", "resolved after 5 min"), ("cancelled", "cancelled after 5 min")] {
        let end = end(9, outcome, &json!({ "durations": { "resolve_s": 300.0 }, "offset_s": 113_020.0 }));
        let report = report(&[start(&json!({})), end]);
        assert!(report.contains(ended), "{report}");
        assert!(report.contains("affected for 5 min."), "{report}");
        assert!(!report.contains("31 h"), "{report}");
    }
}

/// Nobody is praised for an end that lies before the mitigation.
#[test]
fn an_incident_lasted_at_least_until_its_last_milestone() {
    let start = start(&json!({ "target_s": 30.0 }));
    let report = report(&[
        start,
        end(9, "resolved", &json!({ "durations": { "resolve_s": 0.0, "mitigate_s": 60.0 } })),
    ]);
    for told in ["resolved after 1 min", "| Resolved  | 1 min ", "Resolved 30 s over target"] {
        assert!(report.contains(told), "{told}: {report}");
    }
}

/// What hurts is switched off before anybody knows why, and told when all is over. What the resolution leaves out, the events have told.
#[test]
fn milestones_stand_in_the_order_in_which_they_were_reached_whoever_tells_them() {
    let durations = json!({ "durations": { "diagnose_s": 30.0, "mitigate_s": 20.0, "resolve_s": 40.0 } });
    let events = [
        start(&json!({})),
        act(2, &json!({ "marks": ["detected"] })),
        told(3, &[("disk", 0.9)]),
        end(4, "resolved", &durations),
    ];
    let report = report(&events);
    let table = section(&report, "How long it took");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    let wanted = [
        "| Detected  | 2 s   | 2 s |",
        "| Mitigated | 20 s  | 18 s |",
        "| Diagnosed | 30 s  | 10 s |",
        "| Resolved  | 40 s  | 10 s |",
    ];
    assert_eq!(rows, wanted, "{table}");
    let took = "It took 2 s to detect (“Fix it”), 20 s to mitigate and 30 s to diagnose.";
    assert!(section(&report, "Summary").contains(took), "{report}");
    let diagnosed = "Diagnosed as the cause at T+00:30.";
    assert!(line(&report, "| It is disk").contains(diagnosed), "{report}");
    // What was believed when it was diagnosed may stand in what is missing.
    let gap = super::report(&[&events[..3], &[end(5, "resolved", &durations)]].concat());
    assert!(!gap.contains(diagnosed), "{gap}");
}

/// What was told before the impact is no part of its time.
#[test]
fn seconds_before_the_impact_have_their_sign() {
    let act = |index: u64, offset_s: f64, marks: Value| {
        let data = json!({ "agent": "a", "action": "looked", "status": "completed", "summary": "seen", "marks": marks });
        event(index, offset_s, "agent_action", &data)
    };
    let events = [
        start(&json!({ "synthetic": false })),
        act(2, -220.4, json!(["detected"])),
        act(3, -30.0, json!([])),
    ];
    let early = report(&events);
    for told in
        ["| T−03:41 |", "| T−00:30 |", "affected for 0 s so far", "It took 0 s to detect", "at T−00:30 "]
    {
        assert!(early.contains(told), "{told}: {early}");
    }
    let long = report(&[start(&json!({ "synthetic": false })), act(2, -7_261.0, json!([]))]);
    assert!(long.contains("| T−2:01:01 |") && long.contains("| T+0:00:00 |"), "{long}");
}

#[test]
fn a_scenario_is_played_again_by_the_command_that_is_told() {
    let run =
        |scenario: &str| json!({ "run": { "scenario": scenario, "digest": "0123456789abcdef", "seed": 7 } });
    let report = |scenario| report(&[start(&run(scenario)), end(9, "resolved", &json!({}))]);
    assert!(report("a-b_1").contains("```\nincident trigger a-b_1 --seed 7\n```\n"));
    // Nothing that a shell would take for more than a name.
    for wrong in ["x; reboot", "$(reboot)", "-x", "", "```\nx"] {
        assert!(!report(wrong).contains("incident trigger"), "{wrong:?}");
    }
}

/// A thousand hypotheses, and many events that list one of them: all of them at each event would be most of a gigabyte.
#[test]
fn a_report_of_many_hypotheses_takes_memory_for_what_was_said() {
    let believe = |index: u64, places: std::ops::Range<u64>| {
        let p = 0.5 / (places.end - places.start) as f64;
        let beliefs: Vec<_> =
            places.map(|place| json!({ "id": format!("h{place}"), "claim": "c", "p": p })).collect();
        act(index, &json!({ "hypotheses": beliefs }))
    };
    let mut events = vec![start(&json!({})), believe(2, 0..1_000)];
    events.extend((3..50).map(|index| believe(index, index..index + 1)));
    let history = &History::all(&events)[0];
    let kept: Vec<usize> = history.belief_updates.iter().map(|update| update.beliefs.len()).collect();
    assert_eq!((kept[0], kept[1..].iter().sum::<usize>()), (1_000, 47));
    let last = &history.belief_updates[47];
    assert_eq!((last.belief(49), last.belief(0), last.belief(1_000)), (Some(0.5), Some(0.0), None));
}
