//! Flags and values that can't be meant: each is refused with what to do, and none is taken and ignored.

use std::fs;

use crate::harness::{Ran, Scratch, Serving, incident, root};

/// Holds that a run is a usage error that says all of this.
fn refused(ran: &Ran, wanted: &[&str]) {
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{wanted:?}: {}", ran.stderr);
    for text in wanted {
        assert!(ran.stderr.contains(text), "{text:?} is not in {}", ran.stderr);
    }
}

#[test]
fn an_event_that_says_nothing_or_no_number_is_not_published() {
    let server = Serving::with(&[]);
    let publish = |args: &[&str]| server.incident(&[&["publish"], args].concat()).run();
    let ran = publish(&["started", "--subject", "a-1", "--title", "Slow", "--service", "web"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    for (args, wanted) in [
        (&["action", "--confidence", "nan", "x"][..], "a number from 0 to 1"),
        (&["action", "--confidence", "inf", "x"], "a number from 0 to 1"),
        (&["action", "--confidence", "1.5", "x"], "a number from 0 to 1"),
        (&["action", "--agent", "", "x"], "it is empty"),
        (&["action", "--agent", "  ", "x"], "it is empty"),
        (&["action", " "], "it is empty"),
        (&["action", "--action", "Not Snake!", "x"], "snake_case"),
        (&["note", "--by", "x", ""], "the note is empty"),
        (&["started", "--title", ""], "it is empty"),
        (&["started", "--title", "x", "--service", ""], "it is empty"),
        (&["metrics"], "required"),
        (&["metrics", "a=1", "a=2"], "\"a\" has two values"),
        (&["metrics", "a=nan"], "NAME=VALUE"),
        (&["metrics", "--cost", "nan", "--currency", "USD"], "a number, 0 or more"),
        (&["metrics", "--cost", "1", "--per-minute", "inf", "--currency", "USD"], "a number, 0 or more"),
        (&["metrics", "--cost", "1", "--currency", "usd"], "ISO 4217"),
        (&["metrics", "a=1", "--currency", "USD"], "--cost"),
        (&["metrics", "a=1", "--per-minute", "3"], "--cost"),
        (&["resolved", ""], "it is empty"),
    ] {
        let (kind, rest) = args.split_first().unwrap();
        let ran = publish(&[&[*kind, "--subject", "a-1"], rest].concat());
        refused(&ran, &[wanted]);
    }
    let report = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    assert_eq!(report.stdout.lines().count(), 1, "{}", report.stdout);
}

#[test]
fn events_that_make_sense_are_published() {
    let server = Serving::with(&[]);
    for args in [
        &["started", "--title", "Slow"][..],
        &["action", "--confidence", "0.5", "--action", "rolled_back_2", "Done"],
        &["metrics", "--users", "3"],
        &["metrics", "--cost", "3", "--per-minute", "0.5", "--currency", "EUR"],
        &["metrics", "a=1", "b=2"],
        &["note", "--by", "Alice", "Called", "them"],
        &["resolved", "Done"],
    ] {
        let (kind, rest) = args.split_first().unwrap();
        let ran = server.incident(&[&["publish", kind, "--subject", "a-1"], rest].concat()).run();
        assert_eq!(ran.status, Some(0), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn a_refused_event_is_told_with_the_problem_and_what_to_do() {
    let server = Serving::with(&[]);
    let publish = |args: &[&str]| server.incident(&[&["publish"], args].concat()).run();
    let started = ["started", "--subject", "a-1", "--title", "Slow"];
    assert_eq!(publish(&started).status, Some(0));
    for (args, problem, advice) in [
        (&started[..], "lifecycle", "starts once and first"),
        (
            &["note", "--subject", "a-1", "--by", "x", "--time", "2999-01-01T00:00:00Z", "y"],
            "time-in-future",
            "set the clock",
        ),
        (&["started", "--subject", "Not!", "--title", "x"], "bad-envelope", "mend what it names"),
    ] {
        let ran = publish(args);
        assert_eq!(ran.status, Some(5), "{}", ran.stderr);
        for wanted in [format!("refuses the events ({problem})").as_str(), advice, "docs/problems.md"] {
            assert!(ran.stderr.contains(wanted), "{wanted}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_scenario_file_that_is_not_there_is_a_usage_error_everywhere() {
    let folder = Scratch::new();
    for args in [
        &["trigger", "no.toml"][..],
        &["export", "no.toml", "--openmetrics"],
        &["list", "--scenarios", "no"],
        &["show", "x", "--scenarios", "no.toml"],
        &["serve", "--port", "0", "--journal", "memory", "--scenarios", "no.toml"],
        &["validate", "no.toml"],
        &["validate", "--timeline", "no.toml"],
    ] {
        let ran = incident(args).at(folder.path()).run();
        assert_eq!(ran.status, Some(2), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("no such file"), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("mistake"), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn a_dash_is_stdout_or_is_refused_and_never_a_file() {
    let server = Serving::with(&["--speed", "1000"]);
    let folder = Scratch::new();
    let scenario = root().join("scenarios/database-outage.toml").display().to_string();
    let run = fs::read_to_string(root().join("tests/fixtures/golden/database-outage.ndjson")).unwrap();
    let folder = folder.with("run.ndjson", &run);
    for args in [
        &["new", "mine", "--output", "-"][..],
        &["export", &scenario, "--alerts-json", "--output", "-"],
        &["report", "run.ndjson", "--output", "-"],
    ] {
        let ran = incident(args).at(folder.path()).run();
        assert_eq!(ran.status, Some(0), "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.len() > 10, "{args:?}: {}", ran.stdout);
    }
    for args in [
        &["watch", "--record", "-", "--url", server.url()][..],
        &["serve", "--port", "0", "--journal", "-"],
        &["trigger", "database-outage", "--report", "-", "--url", server.url()],
        &["check-journal", "j.db", "--backup", "-"],
        &["check-journal", "j.db", "--salvage", "-"],
        &["validate", "run.ndjson", "--transcripts", "-"],
    ] {
        refused(&incident(args).at(folder.path()).run(), &["- stands for stdout", "./- is"]);
    }
    assert!(!folder.path().join("-").exists());
}

#[test]
fn no_flag_is_taken_and_ignored() {
    let server = Serving::with(&[]);
    let ran = server.incident(&["trigger", "database-outage", "--no-wait", "--json"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(answer["id"].as_str().unwrap().starts_with("database-outage-"), "{answer}");
    for flag in ["--timeout", "--reconnect-for"] {
        let ran = server.incident(&["trigger", "database-outage", "--no-wait", flag, "1m"]).run();
        refused(&ran, &["cannot be used with", flag]);
    }
    let ran = server.incident(&["list", "--scenarios", "s"]).run();
    refused(&ran, &["--scenarios lists files here"]);
    // The variable is meant for the commands that need a server.
    let scenarios = root().join("scenarios").display().to_string();
    let ran = incident(&["list", "--scenarios", &scenarios]).env("INCIDENT_URL", server.url()).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--dashboard", "nowhere"]).run();
    refused(&ran, &["nowhere", "has no index.html"]);
}

#[test]
fn an_error_names_the_cause_and_not_something_else() {
    let server = Serving::with(&[]);
    let ran = incident(&["watch"]).env("INCIDENT_URL", "").run();
    refused(&ran, &["INCIDENT_URL"]);
    assert!(!ran.stderr.contains("'--url <URL>'"), "{}", ran.stderr);
    let ran = server.incident(&["trigger", &"x".repeat(120_000)]).run();
    refused(&ran, &["413", "shorten the name"]);
    assert!(!ran.stderr.contains("check --url"), "{}", ran.stderr);
    let ran = server.incident(&["trigger", "DATABASE-OUTAGE"]).run();
    refused(&ran, &["did you mean \"database-outage\"?"]);
    let scenario = root().join("scenarios/database-outage.toml").display().to_string();
    for args in [
        &["export", &scenario, "--alerts-json", "--start", "now"][..],
        &["publish", "note", "--subject", "a", "--by", "x", "--time", "now", "y"],
    ] {
        let ran = incident(args).run();
        refused(&ran, &["2026-11-26T10:00:00Z"]);
        assert!(!ran.stderr.contains("four digit"), "{}", ran.stderr);
    }
    let folder = Scratch::new();
    let ran = incident(&["export", &scenario, "--alerts-json", "--output", folder.text()]).run();
    refused(&ran, &["this is a folder: name a file in it"]);
    let ran = incident(&["export", &scenario, "--alerts-json", "--output", "no/where"]).run();
    refused(&ran, &["name a file in a folder that exists"]);
}

#[test]
fn help_names_products_as_they_are_written() {
    for command in
        [&["serve"][..], &["publish"], &["publish", "started"], &["export"], &["validate"], &["list"]]
    {
        let help = incident(&[command, &["--help"]].concat()).run().stdout;
        for name in ["CloudEvent", "CloudEvents", "OpenMetrics", "AsyncAPI"] {
            assert!(!help.contains(&format!("`{name}`")), "{command:?}: {name}");
        }
        assert!(!help.contains("for events that name none"), "{command:?}");
    }
    let help = incident(&["serve", "--help"]).run().stdout;
    assert!(help.contains("`publish TOKEN`"), "{help}");
    let help = incident(&["list", "--help"]).run().stdout;
    assert!(help.contains("http(s) for its page"), "{help}");
}
