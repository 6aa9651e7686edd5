//! The command line as a whole: help, versions, generated text, colours.

use serde_json::Value;

use crate::harness::{Ran, incident};

/// A command that fails at once and says why: nobody listens on port 1.
fn unreachable(args: &[&str]) -> Vec<String> {
    let fixed = ["trigger", "x", "--url", "ws://127.0.0.1:1/ws"];
    fixed.iter().chain(args).map(|arg| (*arg).to_owned()).collect()
}

fn run(args: &[String], env: &[(&str, &str)]) -> Ran {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    env.iter().fold(incident(&args), |run, (name, value)| run.env(name, value)).run()
}

#[test]
fn help_names_every_command_and_where_to_begin() {
    let ran = incident(&["--help"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    for command in [
        "serve",
        "trigger",
        "watch",
        "validate",
        "list",
        "show",
        "cancel",
        "report",
        "health",
        "check-journal",
        "copy-journal",
        "schema",
        "completions",
        "man",
    ] {
        assert!(ran.stdout.contains(&format!("\n  {command} ")), "{command} is not in\n{}", ran.stdout);
        let help = incident(&[command, "--help"]).run();
        assert_eq!(help.status, Some(0), "{command}");
        assert!(help.stdout.contains(&format!("Usage: incident {command}")), "{}", help.stdout);
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 120), "{command}: lines are wrapped");
    }
    assert!(ran.stdout.contains("incident serve --open --trigger database-outage"), "{}", ran.stdout);
}

#[test]
fn without_a_command_it_shows_its_help_and_fails() {
    let ran = incident(&[]).run();
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("Usage:") && ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn it_knows_its_version() {
    for args in [&["--version"][..], &["-V"], &["serve", "--version"]] {
        let ran = incident(args).run();
        assert_eq!(ran.status, Some(0), "{args:?}");
        assert!(ran.stdout.ends_with(&format!("{}\n", env!("CARGO_PKG_VERSION"))), "{}", ran.stdout);
    }
}

#[test]
fn unknown_words_are_usage_errors_with_what_was_meant() {
    for (args, near) in [
        (&["sevre"][..], "serve"),
        (&["serve", "--prot", "1"], "--port"),
        (&["watch", "--typ", "x"], "--type"),
        (&["completions", "bsh"], "bash"),
    ] {
        let ran = incident(args).run();
        assert_eq!(ran.status, Some(2), "{args:?}");
        assert!(ran.stderr.contains(near) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
}

#[test]
fn wrong_values_are_usage_errors_that_name_the_flag() {
    for args in [
        &["serve", "--port", "65536"][..],
        &["serve", "--speed", "0"],
        &["serve", "--speed", "NaN"],
        &["serve", "--seed", "9007199254740992"],
        &["serve", "--heartbeat", "5"],
        &["serve", "--heartbeat", "1ms"],
        &["serve", "--write-deadline", "0s"],
        &["serve", "--allow-origin", "null"],
        &["trigger"],
        &["trigger", "x", "--cancel", "y"],
        &["trigger", "x", "--speed=-1"],
        &["trigger", "x", "--timeout", "soon"],
        &["trigger", "x", "--url", "ftp://127.0.0.1/ws"],
        &["trigger", "x", "--url", "localhost"],
        &["watch", "--min-confidence", "2"],
        &["watch", "--include", "("],
        &["watch", "--type", "heartbeat"],
        &["watch", "--no-follow", "--until-resolved"],
    ] {
        let ran = incident(args).run();
        assert_eq!(ran.status, Some(2), "{args:?}: {}", ran.stderr);
        let flag = args
            .iter()
            .find(|arg| arg.starts_with("--"))
            .map_or("SCENARIO", |arg| arg.split('=').next().unwrap());
        assert!(ran.stderr.contains(flag) && ran.stdout.is_empty(), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn the_schema_is_the_contracts() {
    let ran = incident(&["schema"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed, incident::contract::schema::document());
}

#[test]
fn colours_follow_the_flag_then_no_color_then_the_terminal() {
    let coloured = |args: &[&str], env: &[(&str, &str)]| {
        let ran = run(&unreachable(args), env);
        assert_eq!(ran.status, Some(3));
        assert!(ran.stderr.contains("error:"), "{}", ran.stderr);
        ran.stderr.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "a pipe is no terminal");
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "a flag is said later than a variable");
    assert!(!coloured(&["--color", "never"], &[]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--color", "auto"], &[("NO_COLOR", "1")]));
}
