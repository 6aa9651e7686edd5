//! What can be observed of a scenario: that it is what was streamed, that it says nothing of the truth, and that Prometheus
//! takes it.

use std::collections::HashSet;
use std::process::Command;

use incident::contract::Message;
use incident::scenario::{Library, Micros, SHIPPED, Scenario};
use serde_json::{Value, json};

use super::{mistakes, parse, samples, step, text};
use crate::harness::{Scratch, Timeline, incident};

const WORLD: &str = r#"
baseline = "5m"
metrics_every = "10s"
[topology]
web = ["shop"]
shop = ["db"]
[metrics]
latency = { unit = "ms", noise = 0.1, by = "region", series = { eu = { 0s = 100, 20s = 2000 }, us = { 0s = 90 } } }
"5xx rate" = { unit = "ratio", keys = { 0s = 0.01 } }
[[hypotheses]]
id = "empty-cache"
claim = "The newest release empties the whole cache at night"
truth = true
belief = { 5s = 0.9 }
"#;

const MORE: &str = r#"
[[alerts]]
name = "Slow"
when = "latency.eu > 1050"
service = "shop"
[[logs]]
from = "-20s"
to = "20s"
every = "20s"
service = "db"
level = "warn"
line = "took {latency.eu} ms {other}"
[[logs]]
at = "10m"
service = "db"
line = "after the end"
[[changes]]
at = "-9m"
service = "shop"
line = "release 88 deployed"
"#;

fn export(args: &[&str]) -> String {
    let scratch = Scratch::new().with("small.toml", &text(WORLD, "", MORE));
    let file = scratch.path().join("small.toml");
    let start = ["--start", "2026-11-26T10:00:00Z"];
    let ran = incident(&[&["export", file.to_str().unwrap()], &start[..], args].concat()).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    ran.stdout
}

#[test]
fn metrics_are_those_of_the_stream_with_a_healthy_time_before() {
    let scenario = parse(&text(WORLD, "", MORE));
    for seed in [0, 1, 99] {
        let world = scenario.observed(seed, Micros(4_000_000)).unwrap();
        let timeline = Timeline::compile(&scenario, seed);
        let mut seen = 0;
        for sample in samples(&timeline) {
            let at = (sample.offset_s.unwrap() * 1e6).round() as i64;
            let place = world.moments.binary_search(&at).unwrap();
            assert_eq!(world.series[0].values[place].to_bits(), sample.metrics["latency.eu"].to_bits());
            assert_eq!(world.series[2].values[place].to_bits(), sample.metrics["5xx rate"].to_bits());
            seen += 1;
        }
        assert_eq!(seen, 7);
        assert_eq!(world.moments.first(), Some(&-300_000_000));
        let apart = world.moments.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(apart.clone().all(|apart| (1..=4_000_000).contains(&apart)), "{:?}", world.moments);
        let before = world.moments.partition_point(|at| *at < 0);
        let healthy = &world.series[0].values[..before];
        assert!(healthy.iter().all(|value| (60.0..140.0).contains(value)), "{healthy:?}");
        assert!(healthy.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()), "it has noise");
    }
}

#[test]
fn open_metrics_have_families_labels_and_times() {
    let text = export(&["--openmetrics", "--step", "30s"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0..2], ["# HELP latency ms of a drill", "# TYPE latency gauge"]);
    let first = lines[2].split(' ').collect::<Vec<_>>();
    assert!(
        first[0].starts_with("latency{synthetic=\"true\",run=\"") && first[0].ends_with("\",region=\"eu\"}"),
        "{}",
        lines[2]
    );
    // 09:55:00, the beginning of the baseline.
    assert_eq!(first[2], "1795686900.000");
    let renamed = lines.iter().find(|line| line.starts_with("_5xx_rate{")).unwrap();
    assert!(renamed.contains("metric=\"5xx rate\""), "{renamed}");
    let up: HashSet<&str> = lines
        .iter()
        .filter(|line| line.starts_with("up{"))
        .filter_map(|line| line.split("service=").nth(1)?.split('}').next())
        .collect();
    assert_eq!(up, HashSet::from(["\"shop\"", "\"web\"", "\"db\""]));
    assert_eq!(lines.last(), Some(&"# EOF"));
    let families: Vec<&&str> = lines.iter().filter(|line| line.starts_with("# TYPE")).collect();
    assert_eq!(families.len(), 3, "each family once: {families:?}");
}

#[test]
fn what_a_scenario_has_none_of_is_told() {
    let folder = Scratch::new().with("bare.toml", &text("", "", ""));
    for (what, key, nothing) in [
        ("--openmetrics", "[metrics]", None),
        ("--logs-ndjson", "[[logs]]", Some("")),
        ("--alerts-json", "[[alerts]] that fire", Some("[]\n")),
        ("--changes-json", "[[changes]]", Some("[]\n")),
    ] {
        let ran = incident(&["export", "bare.toml", what]).at(folder.path()).run();
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert_eq!(ran.stderr, format!("there are none: bare.toml has no {key}\n"));
        assert!(nothing.is_none_or(|nothing| ran.stdout == nothing), "{}", ran.stdout);
        let quiet = incident(&["export", "bare.toml", what, "--quiet"]).at(folder.path()).run();
        assert_eq!(quiet.stderr, "");
    }
}

#[test]
fn logs_changes_and_alerts_are_json_until_the_end_of_the_incident() {
    let logs = export(&["--logs-ndjson"]);
    let logs: Vec<Value> = logs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<(&str, &str)> =
        logs.iter().map(|log| (log["time"].as_str().unwrap(), log["line"].as_str().unwrap())).collect();
    assert_eq!(
        lines,
        [("2026-11-26T09:59:40Z", "took 100 ms {other}"), ("2026-11-26T10:00:00Z", "took 100 ms {other}")]
    );
    assert_eq!(logs[0]["level"], "warn");
    let changes: Value = serde_json::from_str(&export(&["--changes-json"])).unwrap();
    assert_eq!(
        (&changes[0]["time"], &changes[0]["line"]),
        (&json!("2026-11-26T09:51:00Z"), &json!("release 88 deployed"))
    );
    let alerts: Value = serde_json::from_str(&export(&["--alerts-json"])).unwrap();
    assert_eq!(alerts.as_array().unwrap().len(), 1);
    assert_eq!(alerts[0]["labels"]["alertname"], "Slow");
    // 1050 is half of the way from 100 to 2000, and the first moment above it a microsecond later.
    assert_eq!(
        (&alerts[0]["startsAt"], &alerts[0]["endsAt"]),
        (&json!("2026-11-26T10:00:10.000001Z"), &json!("2026-11-26T10:01:00Z"))
    );
}

#[test]
fn the_same_command_writes_the_same_bytes_and_another_seed_other_noise() {
    for what in ["--openmetrics", "--logs-ndjson", "--alerts-json", "--changes-json"] {
        assert_eq!(export(&[what, "--seed", "7"]), export(&[what, "--seed", "7"]));
    }
    assert_ne!(export(&["--openmetrics", "--seed", "7"]), export(&["--openmetrics", "--seed", "8"]));
}

#[test]
fn what_gives_the_cause_away_or_cannot_be_is_refused() {
    for (old, new, says) in [
        ("release 88 deployed", "empty-cache rolled out", "the change names the hypothesis \"empty-cache\""),
        (
            "took {latency",
            "RELEASE empties the whole cache {latency",
            "the log has 3 words in a row of the true claim",
        ),
        ("service = \"db\"\nlevel", "service = \"bd\"\nlevel", "no service is called \"bd\""),
        ("service = \"shop\"\n[[logs]]", "service = \"shoop\"\n[[logs]]", "no service is called \"shoop\""),
        ("to = \"20s\"", "to = \"-30s\"", "`to` (-30s) is not after `from` (-20s)"),
        ("every = \"20s\"\n", "", "a log has `at`, or `from`, `to` and `every`"),
        ("every = \"20s\"", "every = \"1ms\"", "more than 100000 lines"),
        ("line = \"release", "lines = \"release", "unknown field `lines`"),
        ("line = \"after the end\"", "line = \" \"", "the log has an empty line"),
    ] {
        let mut more = MORE.replacen(old, new, 1);
        if new.contains("1ms") {
            more = more.replace("from = \"-20s\"", "from = \"-200s\"");
        }
        let told = mistakes(&text(WORLD, "", &more));
        assert!(told.contains(says), "{new}: {told}");
    }
    let long = WORLD.replace("\"5m\"", "\"8d\"");
    assert!(mistakes(&text(&long, "", MORE)).contains("the baseline is 8d: at most 7d"));
}

/// Everything that only those may know who play the incident.
fn secrets(scenario: &Scenario) -> Vec<String> {
    let mut secrets = vec![scenario.file.title.clone(), scenario.id().to_owned()];
    for event in Timeline::compile(scenario, scenario.file.seed).events {
        match event.message {
            Message::AgentAction(action) => {
                secrets.push(action.summary);
                secrets.extend(action.hypotheses.into_iter().map(|known| known.claim));
            }
            Message::IncidentResolved(resolved) => {
                secrets.push(resolved.summary);
                secrets.extend(resolved.followups);
            }
            _ => {}
        }
    }
    // A hypothesis' id of one word may be the name of what is measured.
    let ids = scenario.file.hypotheses.iter().map(|known| known.id.get_ref().clone());
    secrets.extend(ids.filter(|id| id.contains('-')));
    secrets
}

#[test]
fn nothing_of_the_truth_is_exported() {
    let library = Library::shipped().unwrap();
    assert_eq!(library.len(), SHIPPED.len());
    for scenario in library.iter() {
        let secrets = secrets(scenario);
        assert!(secrets.len() > 5);
        for what in ["--openmetrics", "--logs-ndjson", "--alerts-json", "--changes-json"] {
            let ran = incident(&["export", scenario.id(), what, "--step", "10m"]).run();
            assert_eq!(ran.status, Some(0), "{}: {}", scenario.id(), ran.stderr);
            let text = ran.stdout.to_lowercase();
            for secret in &secrets {
                assert!(!text.contains(&secret.to_lowercase()), "{} {what} has {secret:?}", scenario.id());
            }
        }
    }
}

#[test]
fn a_scenario_that_is_not_there_or_too_fine_is_refused() {
    let ran = incident(&["export", "databse-outage", "--openmetrics"]).run();
    assert!(
        ran.status == Some(2) && ran.stderr.contains("did you mean \"database-outage\"?"),
        "{}",
        ran.stderr
    );
    let ran = incident(&["export", "database-outage"]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("--openmetrics"), "{}", ran.stderr);
    let ran = incident(&["export", "database-outage", "--openmetrics", "--step", "1ms"]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("at least 100ms"), "{}", ran.stderr);
    let scratch = Scratch::new()
        .with("long.toml", &text(&WORLD.replace("\"5m\"", "\"7d\""), &step("look", "at = \"5s\""), ""));
    let file = scratch.path().join("long.toml");
    let ran = incident(&["export", file.to_str().unwrap(), "--openmetrics", "--step", "100ms"]).run();
    assert!(ran.status == Some(6) && ran.stderr.contains("give a longer step"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs promtool: ./tests/run installs it and runs this"]
fn prometheus_makes_blocks_of_every_shipped_scenario() {
    for scenario in Library::shipped().unwrap().iter() {
        let scratch = Scratch::new();
        let (file, data) = (scratch.path().join("metrics.om"), scratch.path().join("data"));
        let ran = incident(&[
            "export",
            scenario.id(),
            "--openmetrics",
            "--step",
            "5m",
            "--output",
            file.to_str().unwrap(),
        ])
        .run();
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, &data])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}: {}", scenario.id(), String::from_utf8_lossy(&made.stderr));
        let blocks = std::fs::read_dir(&data).unwrap().count();
        assert!(blocks > 0, "{}", scenario.id());
    }
}
