//! Whoever read the output has gone, as in `incident validate … | head -1`: a command does the same work, and finds the same.

use crate::harness::{Scratch, Serving, incident};

const PROFILE: &str = "type = \"/t\"\nid = \"/id\"\nunique = true\nsequence = \"/seq\"\ngapless = true\n";
const GAP: &str = "{\"t\":\"a\",\"id\":1,\"seq\":5}\n{\"t\":\"a\",\"id\":2,\"seq\":7}\n";

#[test]
fn what_validate_finds_is_its_status() {
    let folder = Scratch::new().with("p.toml", PROFILE).with("gap.nd", GAP);
    for format in ["pretty", "json", "junit", "sarif", "github"] {
        let args = ["validate", "gap.nd", "--profile", "p.toml", "--format", format];
        assert_eq!(incident(&args).at(folder.path()).run().status, Some(5), "{format}");
        let ran = incident(&args).at(folder.path()).with_gone_reader().end();
        assert_eq!(ran.status, Some(5), "{format}: {ran:?}");
    }
}

#[test]
fn a_copy_of_a_journal_is_made() {
    let folder = Scratch::new();
    let journal = folder.path().join("j.db").display().to_string();
    let server = Serving::with(&["--journal", &journal, "--speed", "10000"]);
    assert_eq!(server.incident(&["trigger", "database-outage"]).run().status, Some(0));
    for flag in ["--backup", "--salvage"] {
        let copy = format!("copy{flag}.db");
        let args = ["check-journal", &journal, flag, &copy];
        let ran = incident(&args).at(folder.path()).with_gone_reader().end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(folder.path().join(&copy).exists(), "{copy}: {ran:?}");
    }
}

#[test]
fn everything_is_published() {
    let start = r#"{"type":"incident_started","subject":"g","id":"1","data":{"title":"t","severity":"SEV3","services":["p"]}}"#;
    let action = |number: u32| {
        format!(
            r#"{{"type":"agent_action","subject":"g","id":"a{number}","data":{{"agent":"a","action":"note","status":"completed","summary":"s{number}"}}}}"#
        )
    };
    let lines: Vec<String> = std::iter::once(start.to_owned()).chain((0..600).map(action)).collect();
    let folder = Scratch::new().with("events.nd", &(lines.join("\n") + "\n"));
    let server = Serving::with(&["--journal", "memory"]);
    let args = ["publish", "events.nd", "--json"];
    let ran = server.incident(&args).at(folder.path()).with_gone_reader().end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let stored = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    assert_eq!(stored.stdout.lines().count(), 601, "{stored:?}");
}

/// It has nothing else to do than to print, also where there is nothing to be printed.
#[test]
fn watch_ends_although_nothing_happens() {
    let server = Serving::with(&["--journal", "memory"]);
    for args in [&["watch"][..], &["watch", "--json"]] {
        let ran = server.incident(args).with_gone_reader().end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }
}

/// Its status says how the incident ended.
#[test]
fn until_an_end_watch_goes_on() {
    let server = Serving::with(&["--journal", "memory"]);
    let open = server.incident(&["trigger", "database-outage", "--no-wait"]).run().stdout;
    let watching =
        server.incident(&["watch", "--until-resolved", "--incident", open.trim()]).with_gone_reader();
    // Several events later.
    let ran = server.incident(&["trigger", "database-outage", "--speed", "1000"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(server.incident(&["cancel", open.trim()]).run().status, Some(0));
    let ran = watching.end();
    assert_eq!(ran.status, Some(4), "{ran:?}");
}

/// It has nothing else to do than to print.
#[test]
fn watch_ends() {
    let server = Serving::with(&["--journal", "memory"]);
    assert_eq!(server.incident(&["trigger", "database-outage", "--no-wait"]).run().status, Some(0));
    for args in [&["watch", "--after", "0"][..], &["watch", "--after", "0", "--json"]] {
        let ran = server.incident(args).with_gone_reader().end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }
}

/// Another error of the output is told: its end is not there.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    for args in [&["--help"][..], &["schema"], &["list"], &["completions", "bash"]] {
        let line = format!("exec '{}' {} > /dev/full", env!("CARGO_BIN_EXE_incident"), args.join(" "));
        let ended = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{args:?}: {ended:?}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("cannot write the output"), "{ended:?}");
    }
}
