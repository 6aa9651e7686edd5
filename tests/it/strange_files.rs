//! Files that are not as they are expected: scenarios by other names and from pipes, and what people do to recordings.

use std::io::Write;

use crate::harness::{Ran, Scratch, Serving, incident};
use crate::validate::command::SHORT;

/// The lines of a recording with one whole incident.
fn recording() -> Vec<String> {
    let server = Serving::with(&["--speed", "1000"]);
    let ran = server.incident(&["trigger", "database-outage"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ran.stdout.lines().map(str::to_owned).collect()
}

fn all_of(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn what_was_done_to_a_recording_is_told_with_how_to_undo_it() {
    let lines = recording();
    assert!(lines.len() > 50);
    let spread = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&lines[0]).unwrap());
    let cases = [
        ("cr", lines.join("\r") + "\r", "its lines end with CR alone"),
        (
            "stream",
            lines.iter().map(|line| format!("data: {line}\n\n")).collect(),
            "a line of an event stream",
        ),
        ("fields", format!("event: incident_started\ndata: {}\n", lines[0]), "a line of an event stream"),
        ("array", format!("[{}]\n", lines.join(",")), "it is a JSON array"),
        ("pretty", spread.unwrap() + "\n", "its JSON object has several lines"),
    ];
    let folder = Scratch::new();
    for (name, text, told) in cases {
        let file = folder.path().join(format!("{name}.ndjson"));
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        for (args, status) in [
            (&["validate", file][..], 5),
            (&["report", file], 2),
            (&["serve", "--port", "0", "--journal", "memory", "--replay", file], 2),
        ] {
            let ran = incident(args).run();
            assert_eq!(ran.status, Some(status), "{args:?}: {ran:?}");
            assert!(all_of(&ran).contains(told), "{args:?}: {ran:?}");
            assert!(!all_of(&ran).contains("remove that line"), "{args:?}: {ran:?}");
        }
        let ran = incident(&["publish", file]).run();
        assert!(ran.status == Some(5) && ran.stderr.contains(told), "{ran:?}");
    }
}

/// The digits of 1e308 fill four lines of a terminal.
#[test]
fn a_second_that_is_too_large_is_shown_with_its_power() {
    let mut lines = recording();
    let early = lines
        .iter()
        .position(|line| line.contains("\"offset_s\":") && line.contains("agent_action"))
        .unwrap();
    let from = lines[early].find("\"offset_s\":").unwrap() + "\"offset_s\":".len();
    let to = from + lines[early][from..].find([',', '}']).unwrap();
    lines[early].replace_range(from..to, "1e308");
    let folder = Scratch::new();
    let file = folder.path().join("late.ndjson");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let ran = incident(&["validate", file.to_str().unwrap(), "--rule", "clock"]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("1e308"), "{ran:?}");
    assert!(!all_of(&ran).contains(&"0".repeat(50)), "{ran:?}");
}

#[test]
fn a_scenario_is_known_by_what_is_in_it() {
    let folder = Scratch::new();
    for name in ["short.TOML", "short.toml.bak", "short.txt"] {
        let file = folder.path().join(name);
        std::fs::write(&file, SHORT).unwrap();
        let ran = incident(&["validate", file.to_str().unwrap(), "--rule", "lifecycle"]).run();
        assert!(ran.status == Some(0) && ran.stdout.contains("1 passed"), "{name}: {ran:?}");
        let ran = incident(&["validate", file.to_str().unwrap(), "--set", "variant=none"]).run();
        assert!(ran.status == Some(2) && !all_of(&ran).contains("is a recording"), "{name}: {ran:?}");
    }
    // In a folder the name counts, in capitals too.
    let path = folder.path().to_str().unwrap();
    let ran = incident(&["list", "--scenarios", path]).run();
    assert!(ran.status == Some(0) && ran.stdout.starts_with("short\t"), "{ran:?}");
    let ran = incident(&["validate", path, "--rule", "lifecycle"]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("short.TOML"), "{ran:?}");
    // A name without a word of it is no scenario because of its content alone.
    let other = folder.path().join("other.txt");
    std::fs::write(&other, "nothing of the kind\n").unwrap();
    let ran = incident(&["validate", other.to_str().unwrap()]).run();
    assert!(ran.status == Some(5) && ran.stdout.contains("not JSON"), "{ran:?}");
}

#[test]
fn a_pipe_is_read_once_whatever_is_in_it() {
    let validate = |text: &str, more: &[&str]| {
        let args = [&["validate", "/dev/stdin"], more].concat();
        let (running, mut pipe) = incident(&args).fed();
        pipe.write_all(text.as_bytes()).unwrap();
        drop(pipe);
        running.end()
    };
    let ran = validate(SHORT, &["--rule", "lifecycle"]);
    assert!(ran.status == Some(0) && ran.stdout.contains("1 passed"), "{ran:?}");
    let ran = validate(&SHORT.replace("severity", "sevrity"), &[]);
    assert!(ran.status == Some(6) && ran.stderr.contains("sevrity"), "{ran:?}");
    // What fails can't be checked again by the same words.
    let ran = validate(
        SHORT,
        &["--rule", "latency", "--limit", "latency.max=1ms", "--timeout", "1s", "--speed", "1"],
    );
    assert!(!ran.stdout.contains("/dev/stdin --rule"), "{ran:?}");
    let lines = recording();
    let ran = validate(&(lines.join("\n") + "\n"), &["--rule", "gap"]);
    assert!(ran.status == Some(0) && ran.stdout.contains("1 passed"), "{ran:?}");
    let ran = validate(&(lines[..20].join("\n") + "\n" + &lines[30..].join("\n") + "\n"), &["--rule", "gap"]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(!all_of(&ran).contains("Again:"), "{ran:?}");
}

/// The name of a folder that was moved away could be taken for that of a scenario.
#[cfg(unix)]
#[test]
fn a_folder_that_goes_and_comes_back_under_watch_is_told() {
    let folder = Scratch::new();
    let (here, away) = (folder.path().join("d"), folder.path().join("away"));
    std::fs::create_dir(&here).unwrap();
    std::fs::write(here.join("short.toml"), SHORT).unwrap();
    let mut running =
        incident(&["validate", "d", "--watch", "--rule", "lifecycle"]).at(folder.path()).spawn();
    let lines = running.lines();
    let passes = || {
        let passes = std::iter::from_fn(|| lines.recv_timeout(crate::harness::PATIENCE).ok());
        passes.into_iter().find(|line| line.contains("1 passed")).expect("a result");
    };
    passes();
    std::fs::rename(&here, &away).unwrap();
    running.says("the folder d is gone");
    std::fs::rename(&away, &here).unwrap();
    passes();
    running.signal("INT");
    let ran = running.end();
    assert!(!ran.stderr.contains("no scenario is called"), "{ran:?}");
}
