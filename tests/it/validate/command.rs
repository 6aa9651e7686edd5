//! `incident validate` as people and CI run it.

use incident::check::RULES;
use incident::scenario::Library;
use serde_json::Value;

use crate::harness::{Ran, Scratch, Serving, incident, root};

/// A scenario of two seconds, for what has to be played in real time.
pub const SHORT: &str = r#"
id = "short"
title = "Over before anyone looked"
severity = "SEV4"
services = ["x"]
target = "2s"
metrics_every = "500ms"
[agents]
a = "Acts"
[[phases]]
name = "detect"
at = "0s"
[metrics]
load = { unit = "ratio", keys = { 0s = 0.5, 2s = 0.1 } }
[[steps]]
id = "look"
at = "1s"
agent = "a"
action = "looked"
summary = "Looks"
marks = "detected"
[resolution]
at = "2s"
summary = "Gone"
[expect]
detect = { max = "1500ms" }
resolve = { min = "2s", max = "2s" }
max_silence = "1900ms"
"#;

pub fn shipped(name: &str) -> String {
    root().join("scenarios").join(name).display().to_string()
}

pub fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// The status of each rule of the first target.
pub fn statuses(report: &Value) -> Vec<(String, String)> {
    let rules = report["targets"][0]["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| (rule["rule"].as_str().unwrap().to_owned(), rule["status"].as_str().unwrap().to_owned()))
        .collect()
}

/// How many incidents are played: each shipped scenario, and each of its variants.
fn played() -> usize {
    Library::shipped().unwrap().iter().map(|scenario| 1 + scenario.file.variant.0.len()).sum()
}

#[test]
fn without_arguments_every_shipped_scenario_is_played_and_passes() {
    let ran = incident(&["validate", "--format", "json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = json(&ran);
    assert_eq!(report["passed"], true);
    assert_eq!(report["targets"].as_array().unwrap().len(), played());
    for target in report["targets"].as_array().unwrap() {
        // A play that is slow on a busy machine may have heartbeats.
        let passed = target["rules"].as_array().unwrap().iter();
        let passed = passed.filter(|rule| rule["status"] == "passed" && rule["rule"] != "heartbeat").count();
        assert_eq!(passed, RULES.len() - 4, "all but the rules about arrival times: {target}");
        assert_eq!(target["transcript"], Value::Null, "what passes leaves no transcript");
    }
}

#[test]
fn what_passes_is_one_line_and_leaves_nothing_behind() {
    let temporary = Scratch::new();
    let left = || std::fs::read_dir(temporary.path()).unwrap().count();
    let run = |args: &[&str]| incident(args).env("TMPDIR", temporary.text()).run();
    let ran = run(&["validate"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let passed = lines.iter().filter(|line| line.starts_with("PASS scenarios/")).count();
    assert_eq!(passed, played(), "{}", ran.stdout);
    assert_eq!(lines.len(), passed + 2, "and what was not checked, and the sum: {}", ran.stdout);
    assert!(lines[passed].contains("heartbeat") && lines[passed].contains("--real-time"), "{}", ran.stdout);
    assert_eq!(left(), 0);
    let ran = run(&["validate", "memory-leak", "--verbose"]);
    assert!(ran.stdout.contains("  PASS order ") && ran.stderr.is_empty(), "{ran:?}");
    assert_eq!(left(), 0);

    let folder = Scratch::new().with("short.toml", &SHORT.replace("max = \"1500ms\"", "max = \"500ms\""));
    let file = folder.path().join("short.toml").display().to_string();
    let ran = run(&["validate", &file, &shipped("memory-leak.toml")]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let kept: Vec<&str> = ran.stdout.split_whitespace().filter(|word| word.contains(".ndjson:")).collect();
    assert_eq!(kept.len(), 1, "only what fails has a transcript: {}", ran.stdout);
    let transcript = std::fs::read_to_string(kept[0].rsplit_once(':').unwrap().0).unwrap();
    assert!(transcript.lines().count() > 4, "{transcript}");
}

#[test]
fn a_server_that_cannot_be_checked_leaves_nothing_behind() {
    let temporary = Scratch::new();
    for args in [&["--url", "127.0.0.1:1"][..], &["--sse", "http://127.0.0.1:1/events"]] {
        let ran =
            incident(&[&["validate", "--for", "1s"], args].concat()).env("TMPDIR", temporary.text()).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "{args:?}");
    }
}

/// In a container there may be no folder that can be written.
#[test]
fn without_a_temporary_folder_everything_is_checked_all_the_same() {
    let folder = Scratch::new().with("short.toml", &SHORT.replace("max = \"1500ms\"", "max = \"500ms\""));
    let nowhere = folder.path().join("nowhere").display().to_string();
    let run = |args: &[&str]| incident(args).at(folder.path()).env("TMPDIR", &nowhere).run();
    let ran = run(&["validate", "memory-leak"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let ran = run(&["validate", "short.toml"]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(
        ran.stdout.contains("there is no transcript") && ran.stdout.contains("--transcripts DIR"),
        "{ran:?}"
    );
    let ran = run(&["validate", "short.toml", "--transcripts", "kept"]);
    assert!(ran.status == Some(5) && folder.path().join("kept/short.ndjson").exists(), "{ran:?}");
}

#[test]
fn a_folder_and_a_name_are_targets_too() {
    let folder = Scratch::new().with("some/short.toml", SHORT).with("none/notes.md", "");
    let ran = incident(&["validate", "some", "memory-leak", "--rule", "schema"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains("PASS some/short.toml") && ran.stdout.contains("memory-leak.toml"),
        "{}",
        ran.stdout
    );
    let ran = incident(&["validate", "none"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let ran = incident(&["validate", "memroy-leak"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("did you mean \"memory-leak\"?"), "{}", ran.stderr);
}

#[test]
fn a_failed_expectation_is_exit_5_and_says_where_and_what_again() {
    let text = std::fs::read_to_string(shipped("database-outage.toml")).unwrap();
    // Without its variants, which fail too.
    let text = text.split("\n[variant.").next().unwrap();
    let folder = Scratch::new()
        .with("mine.toml", &text.replace("actions     = { min = 8 }", "actions     = { min = 80 }"));
    let file = folder.path().join("mine.toml").display().to_string();
    let ran = incident(&["validate", &file]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    for words in [
        "FAIL expect",
        "expected at least 80",
        "mine.toml:",
        "[expect]",
        "PASS connection, greeting, ",
        "1 failed",
    ] {
        assert!(ran.stdout.contains(words), "{words:?} is not in {}", ran.stdout);
    }
    assert!(
        ran.stdout.contains(&format!("Again:   incident validate {file} --rule expect")),
        "{}",
        ran.stdout
    );
    let skipped = incident(&["validate", &file, "--skip", "expect"]).run();
    assert_eq!(skipped.status, Some(0), "{skipped:?}");
    let only = incident(&["validate", &file, "--rule", "expect", "--format", "json"]).run();
    assert_eq!(statuses(&json(&only)), [("expect".to_owned(), "failed".to_owned())]);
}

#[test]
fn nothing_checked_is_a_failure() {
    let folder = Scratch::new().with("empty.ndjson", "\n").with("x.txt", "");
    let empty = folder.path().join("empty.ndjson").display().to_string();
    let ran = incident(&["validate", &empty]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("nothing was checked"), "{ran:?}");
    // A rule that has nothing to judge is no pass.
    let ran = incident(&["validate", &shipped("database-outage.toml"), "--rule", "pacing"]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("nothing was checked"), "{ran:?}");
}

#[test]
fn mistakes_on_the_command_line_are_exit_2_and_in_a_scenario_exit_6() {
    let ran = incident(&["validate", "--rule", "lifecycel"]).run();
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("a similar value exists: 'lifecycle'"), "{ran:?}");
    let ran = incident(&["validate", "nowhere.ndjson"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    let folder = Scratch::new().with("broken.toml", "id = \"x\"\ntitel = \"x\"\n");
    let ran = incident(&["validate", &folder.path().join("broken.toml").display().to_string()]).run();
    assert_eq!(ran.status, Some(6), "{ran:?}");
    assert!(ran.stderr.contains("broken.toml:2:1"), "{}", ran.stderr);
    let ran = incident(&["validate", "--url", "ws://127.0.0.1:1/ws"]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
}

#[test]
fn real_time_judges_arrivals_too() {
    let folder = Scratch::new().with("short.toml", SHORT);
    let file = folder.path().join("short.toml").display().to_string();
    let ran =
        incident(&["validate", &file, "--real-time", "--limit", "pacing.late=1s", "--format", "json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let statuses = statuses(&json(&ran));
    for rule in ["pacing", "silence"] {
        assert!(statuses.contains(&(rule.to_owned(), "passed".to_owned())), "{rule}: {statuses:?}");
    }
    // In two seconds one may come or not, but none can be missed.
    assert!(!statuses.contains(&("heartbeat".to_owned(), "failed".to_owned())), "{statuses:?}");
}

#[test]
fn a_recording_of_watch_is_judged_like_the_stream() {
    let server = Serving::with(&["--speed", "1000"]);
    server.incident(&["trigger", "database-outage"]).run();
    let recording = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout;
    let broken: String = recording
        .lines()
        .filter(|line| !line.contains("\"index\":40,"))
        .fold(String::new(), |text, line| text + line + "\n");
    let folder = Scratch::new().with("good.ndjson", &recording).with("broken.ndjson", &broken);
    let file = |name: &str| folder.path().join(name).display().to_string();
    let ran =
        incident(&["validate", &file("good.ndjson"), "--expect", &shipped("database-outage.toml")]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = incident(&["validate", &file("broken.ndjson")]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("FAIL gap        position 40 is missing"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 failed"), "{}", ran.stdout);
}

#[test]
fn what_was_not_checked_is_named() {
    let folder = Scratch::new().with("short.toml", SHORT);
    let file = folder.path().join("short.toml").display().to_string();
    let kept = folder.path().join("kept").display().to_string();
    let ran = incident(&["validate", &file, "--transcripts", &kept]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let transcript = std::fs::read_to_string(format!("{kept}/short.ndjson")).unwrap();
    let texts = transcript.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["text"].as_str().filter(|_| line["connection"].is_null()).map(|text| format!("{text}\n"))
    });
    let folder = folder.with("recording.ndjson", &texts.collect::<String>());
    let recording = folder.path().join("recording.ndjson").display().to_string();
    // A recording was not cut and resumed.
    let ran = incident(&["validate", &file, &recording, "--rule", "resume"]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains(&format!("nothing was checked in {recording}: resume: ")), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&format!("nothing was checked in {file}")), "{}", ran.stdout);
}

#[test]
fn transcripts_overwrite_neither_each_other_nor_what_is_judged() {
    let recording = "\n{nonsense\n";
    let folder = Scratch::new().with("a/x.toml", SHORT).with("b/x.toml", SHORT);
    let folder = folder.with("out/short.ndjson", recording).with("out/other.ndjson", recording);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (out, first, second) = (path("out"), path("out/short.ndjson"), path("out/other.ndjson"));
    let targets = [path("a/x.toml"), path("b/x.toml"), first.clone(), second];
    let targets = targets.iter().map(String::as_str);
    let args: Vec<&str> =
        ["validate", "--transcripts", &out, "--format", "json"].into_iter().chain(targets).collect();
    let ran = incident(&args).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report = json(&ran);
    let transcripts: Vec<&str> = report["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["transcript"].as_str().unwrap())
        .collect();
    assert_eq!(
        transcripts,
        [
            path("out/short-2.ndjson"),
            path("out/short-3.ndjson"),
            path("out/short.ndjson"),
            path("out/other.ndjson")
        ]
    );
    // A recording is its own transcript, and its lines are those of the file.
    assert_eq!(std::fs::read_to_string(&first).unwrap(), recording);
    let rules = report["targets"][2]["rules"].as_array().unwrap();
    let envelope = rules.iter().find(|rule| rule["rule"] == "envelope").unwrap();
    assert_eq!(envelope["findings"][0]["line"], 2);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4);
}

#[test]
fn a_scenario_that_is_no_text_is_a_wrong_scenario() {
    let folder = Scratch::new();
    let file = folder.path().join("x.toml");
    std::fs::write(&file, b"id = \"\xff\"\n").unwrap();
    let file = file.display().to_string();
    for args in [vec!["validate", &file], vec!["validate", "--timeline", &file]] {
        let ran = incident(&args).run();
        assert_eq!(ran.status, Some(6), "{ran:?}");
        assert!(ran.stderr.contains("x.toml cannot be read"), "{ran:?}");
    }
    assert_eq!(incident(&["validate", "nowhere.toml"]).run().status, Some(2));
}

#[test]
fn the_compiled_plan_can_be_printed() {
    let ran = incident(&["validate", "--timeline", &shipped("database-outage.toml")]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("resolution: restart #3 failed"), "{}", ran.stdout);
}

/// One bad file never stops the good ones: it is told, and the result is not good.
#[test]
fn a_recording_that_cannot_be_judged_leaves_the_others_alone() {
    let recording =
        std::fs::read_to_string(crate::harness::fixture("golden/database-outage.ndjson")).unwrap();
    let folder = Scratch::new()
        .with("runs/good.ndjson", &recording)
        .with("runs/empty.ndjson", "")
        .with("runs/other.ndjson", &recording);
    let bad = folder.path().join("runs/bytes.ndjson");
    std::fs::write(bad, b"\xff\xfe\x00").unwrap();
    let report = folder.path().join("r.json");
    let ran = incident(&["validate", "runs", "--report", &format!("json={}", report.display())])
        .at(folder.path())
        .run();
    assert!(matches!(ran.status, Some(2 | 5)), "{ran:?}");
    for good in ["PASS runs/good.ndjson", "PASS runs/other.ndjson", "2 targets not judged"] {
        assert!(ran.stdout.contains(good), "{good}: {ran:?}");
    }
    for bad in ["runs/empty.ndjson", "runs/bytes.ndjson"] {
        assert_eq!(ran.stderr.lines().filter(|line| line.contains(bad)).count(), 1, "{bad}: {ran:?}");
    }
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!((report["passed"].as_bool(), report["targets"].as_array().unwrap().len()), (Some(false), 2));
    assert_eq!(report["not_judged"].as_array().unwrap().len(), 2, "{report}");
    // Of files that were named, too; and a name that is none.
    let named = ["validate", "runs/good.ndjson", "runs/nowhere.ndjson", "databse-outage", "nowhere.toml"];
    let ran = incident(&named).at(folder.path()).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(
        ran.stdout.contains("PASS runs/good.ndjson") && ran.stdout.contains("3 targets not judged"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("did you mean \"database-outage\"?"), "{ran:?}");
    for kind in ["junit", "sarif", "github"] {
        let ran = incident(&["validate", "runs", "--format", kind]).at(folder.path()).run();
        assert!(ran.stdout.contains("runs/empty.ndjson"), "{kind}: {ran:?}");
    }
}

/// Files that nobody names, and what is no file: a transcript takes the next name.
#[test]
fn transcripts_leave_everything_as_it_is() {
    let folder =
        Scratch::new().with("short.toml", SHORT).with("out/short.ndjson", "mine").with("else", "mine too");
    let out = folder.path().join("out");
    std::os::unix::fs::symlink("../else", out.join("short-2.ndjson")).unwrap();
    std::os::unix::fs::symlink("../nothing", out.join("short-3.ndjson")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(out.join("short-4.ndjson")).status().unwrap();
    assert!(pipe.success());
    let ran = incident(&["validate", "short.toml", "--transcripts", "out"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let content = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    assert_eq!((content("out/short.ndjson").as_str(), content("else").as_str()), ("mine", "mine too"));
    assert!(!folder.path().join("nothing").exists());
    assert!(content("out/short-5.ndjson").contains("incident_resolved"));
}
