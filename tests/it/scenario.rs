//! The scenario language: what the examples play, and what the seed decides.

use incident::contract::{AgentAction, IncidentResolved, IncidentStarted, Mark, Message, Status};
use incident::scenario::{Library, Micros, Scenario};

use crate::harness::{Timeline, library};

fn compiled(id: &str, seed: u64) -> Timeline {
    Timeline::compile(library().get(id).unwrap(), seed)
}

fn started(timeline: &Timeline) -> &IncidentStarted {
    match &timeline.events[0].message {
        Message::IncidentStarted(started) => started,
        other => panic!("{other:?}"),
    }
}

fn resolved(timeline: &Timeline) -> &IncidentResolved {
    match &timeline.events.last().unwrap().message {
        Message::IncidentResolved(resolved) => resolved,
        other => panic!("{other:?}"),
    }
}

fn actions(timeline: &Timeline) -> Vec<&AgentAction> {
    let actions = timeline.events.iter().filter_map(|event| match &event.message {
        Message::AgentAction(action) => Some(action),
        _ => None,
    });
    actions.collect()
}

fn action<'a>(timeline: &'a Timeline, step: &str, status: Status) -> &'a AgentAction {
    let mut found = actions(timeline).into_iter().filter(|action| action.step.as_deref() == Some(step));
    found.rfind(|action| action.status == status).unwrap_or_else(|| panic!("no {step}"))
}

/// The index of a step's last action with that status.
fn index_of(timeline: &Timeline, step: &str, status: Status) -> u64 {
    let wanted = Message::AgentAction(action(timeline, step, status).clone());
    timeline.events.iter().rposition(|event| event.message == wanted).unwrap() as u64 + 1
}

fn is(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() < 1e-9
}

#[test]
fn the_shipped_scenarios_are_sound_and_distinct() {
    let shipped = Library::shipped().unwrap_or_else(|errors| panic!("{}", errors[0]));
    assert_eq!(shipped.len(), incident::scenario::SHIPPED.len());
    assert!(shipped.get("database-outage").is_some());
}

#[test]
fn the_database_outage_takes_its_steps_in_order() {
    let timeline = compiled("database-outage", 42);
    let told: Vec<(&str, Status, Option<u32>)> = actions(&timeline)
        .into_iter()
        .map(|action| (action.step.as_deref().unwrap(), action.status, action.attempt))
        .collect();
    let (begun, done, failed) = (Status::InProgress, Status::Completed, Status::Failed);
    let wanted = [
        ("alert", done, None),
        ("status", done, None),
        ("pool", done, None),
        ("cause", done, None),
        ("forecast", done, None),
        ("restart", begun, Some(1)),
        ("restart", failed, Some(1)),
        ("restart", begun, Some(2)),
        ("restart", failed, Some(2)),
        ("restart", begun, Some(3)),
        ("restart", failed, Some(3)),
        ("failover", begun, None),
        ("failover", done, None),
        ("rollback", done, None),
        ("recovered", done, None),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn the_database_outage_resolves_at_180_s_with_the_exact_cost() {
    let timeline = compiled("database-outage", 42);
    assert_eq!(timeline.plan().duration(), 180_000_000);
    let resolved = resolved(&timeline);
    assert!(is(resolved.offset_s.unwrap(), 180.0) && is(resolved.durations.resolve_s, 180.0));
    // 90 s at 13,000, 70 s at 9,000 and 20 s at 1,000 a minute.
    let cost = resolved.cost.as_ref().unwrap();
    assert!(is(cost.total, 30_333.33) && is(cost.per_minute, 0.0), "{cost:?}");
    assert_eq!((cost.currency.as_str(), resolved.users_peak), ("USD", Some(50_000)));
    assert_eq!(resolved.root_cause.as_deref(), Some("leak"));
    assert_eq!((resolved.actions.total, resolved.actions.failed), (11, 3));
    assert_eq!(resolved.followups.len(), 2);
    let marks = &resolved.durations;
    for (mark, wanted) in [(marks.detect_s, 8.0), (marks.diagnose_s, 68.0), (marks.mitigate_s, 126.0)] {
        assert!((mark.unwrap() - wanted).abs() <= 0.3, "{marks:?}: jitter is at most 300 ms");
    }
}

#[test]
fn the_database_outage_shows_causes_beliefs_and_a_forecast() {
    let timeline = compiled("database-outage", 42);
    let (done, failed, begun) = (Status::Completed, Status::Failed, Status::InProgress);
    let cause_of = |step, status| action(&timeline, step, status).caused_by;
    let index_of = |step, status| Some(index_of(&timeline, step, status));
    assert_eq!(cause_of("forecast", done), index_of("cause", done));
    assert_eq!(cause_of("failover", begun), index_of("restart", failed), "the last attempt led to it");
    assert_eq!(cause_of("rollback", done), index_of("failover", done));
    assert_eq!(cause_of("alert", done), None);
    for (step, believed, other) in [("pool", 0.55, 0.25), ("cause", 0.94, 0.02)] {
        let action = action(&timeline, step, done);
        assert!(is(action.confidence.unwrap(), believed), "{action:?}");
        let told: Vec<(&str, f64)> =
            action.hypotheses.iter().map(|belief| (belief.id.as_str(), belief.p)).collect();
        assert_eq!(told, [("leak", believed), ("traffic", other)]);
    }
    assert_eq!(action(&timeline, "alert", done).marks, [Mark::Detected]);
    let forecast = action(&timeline, "forecast", done).forecast.as_ref().unwrap();
    assert_eq!((forecast.p10, forecast.p50, forecast.p90), (Some(130.0), 165.0, Some(420.0)));
    assert_eq!(action(&timeline, "restart", failed).confidence, None, "what failed shows none");
}

#[test]
fn the_database_outage_is_measured_every_two_seconds() {
    let timeline = compiled("database-outage", 42);
    let samples: Vec<f64> = timeline
        .events
        .iter()
        .filter_map(|event| match &event.message {
            Message::SystemMetrics(sample) => sample.offset_s,
            _ => None,
        })
        .collect();
    assert_eq!(samples, (0..=90).map(|number| f64::from(number) * 2.0).collect::<Vec<_>>());
    let silence = timeline.events.windows(2).map(|pair| pair[1].due - pair[0].due).max();
    assert!(silence <= Some(2_000_000), "never silent for longer");
}

#[test]
fn a_day_plays_in_200_s_with_each_phase_in_its_place() {
    let timeline = compiled("github-2018-mysql-failover", 1);
    assert_eq!(timeline.plan().duration(), 200_000_000);
    assert!(is(resolved(&timeline).offset_s.unwrap(), 1451.0 * 60.0));
    let phases: Vec<(&str, f64, f64, f64)> = started(&timeline)
        .phases
        .iter()
        .map(|phase| {
            (phase.name.as_str(), phase.start_s / 60.0, phase.end_s.unwrap() / 60.0, phase.play_s.unwrap())
        })
        .collect();
    let wanted = [
        ("detect", 0.0, 10.0, 20.0),
        ("diagnose", 10.0, 73.0, 50.0),
        ("predict", 73.0, 534.0, 40.0),
        ("resolve", 534.0, 1073.0, 60.0),
        ("verify", 1073.0, 1451.0, 30.0),
    ];
    assert_eq!(phases, wanted);
    // Screen second of each step: its part of its phase, spread over the phase's play.
    for (step, screen_s) in [
        ("alerts", 2.0 / 10.0 * 20.0),
        ("topology", 20.0),
        ("red", 20.0 + 11.0 / 63.0 * 50.0),
        ("pause", 20.0 + 17.0 / 63.0 * 50.0),
        ("restore", 70.0 + 36.0 / 461.0 * 40.0),
        ("eta", 70.0 + 406.0 / 461.0 * 40.0),
        ("lag", 110.0 + 329.0 / 539.0 * 60.0),
        ("synced", 110.0 + 518.0 / 539.0 * 60.0),
        ("drain", 170.0),
    ] {
        let index = index_of(&timeline, step, Status::Completed) as usize;
        let due = timeline.events[index - 1].due as f64 / 1e6;
        assert!((due - screen_s).abs() < 0.001, "{step} at {due}, not {screen_s}");
    }
    let samples = timeline.events.iter().filter(|event| matches!(event.message, Message::SystemMetrics(_)));
    assert_eq!(samples.count(), 101, "metrics_every is screen time");
}

/// A retried step that may fail, with a branch for each outcome.
const BRANCHES: &str = r#"
id = "branches"
title = "t"
severity = "SEV2"
services = []
target = "5m"
agents = { x = "y" }
phases = [{ name = "p", at = "0s" }]
[[steps]]
id = "try"
at = "10s"
agent = "x"
action = "a"
summary = "trying"
outcome = { completed = "it worked", failed = "it did not" }
takes = "2s"
fails = 0.5
retry = { times = 2, backoff = "3s" }
[[steps]]
id = "good"
after = { step = "try", on = "completed" }
delay = "1s"
agent = "x"
action = "a"
summary = "good"
[[steps]]
id = "bad"
after = { step = "try", on = "failed" }
delay = "1s"
agent = "x"
action = "a"
summary = "bad"
[[steps]]
id = "either"
after = "try"
delay = "4s"
agent = "x"
action = "a"
summary = "either"
[resolution]
after = "either"
delay = "5s"
summary = "s"
"#;

#[test]
fn the_seed_decides_attempts_and_the_branch_that_follows() {
    let scenario = Scenario::parse("branches.toml", BRANCHES).unwrap_or_else(|error| panic!("{error}"));
    let mut seen = [false; 4];
    for seed in 0..100 {
        let timeline = Timeline::compile(&scenario, seed);
        let told = actions(&timeline);
        let of = |step: &str| told.iter().filter(|action| action.step.as_deref() == Some(step)).count();
        let ended: Vec<&&AgentAction> = told
            .iter()
            .filter(|action| action.step.as_deref() == Some("try") && action.status != Status::InProgress)
            .collect();
        let worked = ended.last().unwrap().status == Status::Completed;
        assert!(ended.len() == 3 || worked, "it gives up only after the last attempt");
        assert_eq!((of("good"), of("bad"), of("either")), (usize::from(worked), usize::from(!worked), 1));
        for (attempt, action) in (1..).zip(&ended) {
            assert_eq!(action.attempt, Some(attempt));
            let says = if action.status == Status::Completed { "it worked" } else { "it did not" };
            assert_eq!(action.summary, says);
            // 10 s, then each attempt takes 2 s and each wait 3 s.
            assert!(is(action.offset_s.unwrap(), 10.0 + 5.0 * f64::from(attempt) - 3.0), "{action:?}");
        }
        let end = ended.last().unwrap().offset_s.unwrap();
        assert!(is(resolved(&timeline).offset_s.unwrap(), end + 9.0), "the end follows the branch");
        assert_eq!(resolved(&timeline).actions.failed as usize, ended.len() - usize::from(worked));
        seen[ended.len() - usize::from(worked)] = true;
    }
    assert_eq!(seen, [true; 4], "a hundred seeds draw every course");
}

#[test]
fn a_seed_that_leads_nowhere_is_told() {
    let text = BRANCHES.replace("after = \"either\"", "after = \"good\"");
    let scenario = Scenario::parse("branches.toml", &text);
    let errors: Vec<String> = match scenario {
        Ok(scenario) => {
            (0..100).filter_map(|seed| scenario.compile(seed).err()).map(|e| e.to_string()).collect()
        }
        Err(error) => vec![error.to_string()],
    };
    assert!(!errors.is_empty(), "some seed fails three times");
    assert!(errors[0].contains("never ends") && errors[0].contains("with seed"), "{}", errors[0]);
}

#[test]
fn a_sound_scenario_knows_how_long_it_plays() {
    for scenario in library().iter() {
        assert_eq!(scenario.duration().0, scenario.compile(scenario.file.seed).unwrap().duration());
    }
    assert_eq!(library().get("database-outage").unwrap().duration().0, 180_000_000);
}

#[test]
fn the_peak_of_users_lies_within_the_incident() {
    let peak = |users: &str| {
        let text = BRANCHES.replacen("[[steps]]", &format!("[impact]\nusers = {{ {users} }}\n[[steps]]"), 1);
        let text = text.replace("after = \"either\"\ndelay = \"5s\"", "at = \"100s\"");
        let scenario = Scenario::parse("users.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        resolved(&Timeline::compile(&scenario, 0)).users_peak
    };
    assert_eq!(peak("0s = 10, 50s = 70, 200s = 1000"), Some(380), "a third of the way up");
    assert_eq!(peak("0s = 10, 50s = 700, 200s = 100"), Some(700));
    assert_eq!(peak("0s = 10, 100s = 70, 101s = 1000"), Some(70), "a keyframe at the end counts");
    assert_eq!(peak("150s = 30, 160s = 1000"), Some(30), "held before the first keyframe");
}

#[test]
fn durations_are_read_as_people_write_them_and_printed_so_that_they_can_be_read() {
    let minute_and_half = ["90s", "1m30s", "1m 30s", "1 min 30 secs", "1.5m", "00:01:30", "PT1M30S", " 90s "];
    for text in minute_and_half {
        assert_eq!(text.parse(), Ok(Micros(90_000_000)), "{text}");
    }
    for (text, micros, printed) in [
        ("3 secs", 3_000_000, "3s"),
        ("250ms", 250_000, "250ms"),
        ("0.2504s", 250_000, "250ms"),
        ("250500us", 251_000, "251ms"),
        ("0s", 0, "0s"),
        ("1w", 604_800_000_000, "7d"),
        ("1 day, 90 minutes", 91_800_000_000, "1d1h30m"),
        ("366d", 366 * 86_400_000_000, "366d"),
    ] {
        assert_eq!(text.parse(), Ok(Micros(micros)), "{text}");
        assert_eq!(Micros(micros).to_string(), printed, "{text}");
        assert_eq!(printed.parse(), Ok(Micros(micros)), "{printed}");
    }
    for text in
        ["", "5", "s", "5 parsecs", "5s1m", "1m 1m", "-5s", "5s ago", "1mo", "1y", "367d", "99999999999d"]
    {
        let error = text.parse::<Micros>().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{text:?} ")), "{error}");
    }
    // What overflows while a scenario is compiled can be printed all the same.
    assert!(Micros(u64::MAX).to_string().starts_with("213503982d"));
}
