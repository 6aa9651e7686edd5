//! The result of `validate` in files and on stdout, in every format.

use std::fs;
use std::process::Command;

use incident::check::RULES;
use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;

use super::command::{SHORT, json};
use crate::harness::{Ran, Scratch, Serving, Terminal, fixture, incident, root};

/// A folder with a recording that lacks two positions and has four confidences that are none, and a scenario whose
/// `[expect]`, in line 30, is not met.
pub fn broken() -> Scratch {
    let text = fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let mut high = 0;
    let lines =
        text.lines().filter(|line| !line.contains("\"index\":40,") && !line.contains("\"index\":60,"));
    let lines = lines.map(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event["type"] == "agent_action" && high < 4 {
            high += 1;
            event["data"]["confidence"] = 1.5.into();
        }
        event.to_string() + "\n"
    });
    let recording: String = lines.collect();
    Scratch::new()
        .with("broken.ndjson", &recording)
        .with("good.ndjson", &text)
        .with("late.toml", &SHORT.replace("max = \"1500ms\"", "max = \"500ms\""))
        .with("wrong.toml", "id = \"x\"\ntitel = \"x\"\n")
}

fn validate(folder: &Scratch, args: &[&str]) -> Ran {
    incident(&[&["validate"], args].concat()).at(folder.path()).run()
}

fn read(folder: &Scratch, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The files of a folder, with what is hidden.
fn names(folder: &Scratch) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

const ALL: [&str; 10] = [
    "--report",
    "pretty=r.txt",
    "--report",
    "json=r.json",
    "--report",
    "junit=r.xml",
    "--report",
    "sarif=r.sarif",
    "--report",
    "github=r.github",
];

#[test]
fn one_run_writes_every_format() {
    let folder = broken();
    let ran = validate(&folder, &[&["broken.ndjson", "late.toml", "wrong.toml"][..], &ALL].concat());
    assert_eq!(ran.status, Some(6), "{ran:?}");
    assert_eq!(
        names(&folder),
        [
            "broken.ndjson",
            "good.ndjson",
            "late.toml",
            "r.github",
            "r.json",
            "r.sarif",
            "r.txt",
            "r.xml",
            "wrong.toml"
        ],
        "and nothing temporary"
    );
    assert_eq!(read(&folder, "r.txt"), ran.stdout);
    assert!(ran.stdout.contains("and 1 more; r.json has all"), "{}", ran.stdout);
}

#[test]
fn one_flag_writes_several_files_with_commas_in_their_names() {
    let folder = broken();
    let ran = validate(&folder, &["good.ndjson", "--report", "junit=a,b.xml,sarif=c.sarif,github=-"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let all = names(&folder);
    assert!(all.contains(&"a,b.xml".to_owned()) && all.contains(&"c.sarif".to_owned()), "{all:?}");
    assert!(read(&folder, "a,b.xml").starts_with("<?xml") && read(&folder, "c.sarif").starts_with('{'));
}

#[test]
fn json_has_everything_about_a_finding() {
    let folder = broken();
    let ran = validate(&folder, &["broken.ndjson", "late.toml", "wrong.toml", "--format", "json"]);
    let report = json(&ran);
    let rule = |target: usize, name: &str| {
        let rules = report["targets"][target]["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == name).unwrap().clone()
    };
    let gap = &rule(0, "gap")["findings"][0];
    assert_eq!(gap["message"], "position 40 is missing");
    assert_eq!((gap["file"].as_str(), gap["line"].as_u64()), (Some("broken.ndjson"), Some(40)));
    assert!(gap["place"].as_str().unwrap().starts_with("position 41"), "{gap}");
    let schema = rule(0, "schema");
    assert_eq!((schema["findings"].as_array().unwrap().len(), &schema["more"]), (4, &0.into()));
    assert_eq!(schema["findings"][0]["pointer"], "/data/confidence");
    let expect = &rule(1, "expect")["findings"][0];
    assert_eq!(expect["scenario"]["file"], "late.toml", "{expect}");
    assert_eq!(expect["scenario"]["line"], line_of_expect(), "{expect}");
    assert!(expect["hint"].as_str().unwrap().contains("[expect]"), "{expect}");
    assert!(expect["file"].as_str().unwrap().ends_with("short.ndjson"), "{expect}");
    let mistakes = report["wrong_files"][0]["mistakes"].as_array().unwrap();
    assert!(mistakes.iter().any(|mistake| mistake["line"] == 2 && mistake["column"] == 1), "{mistakes:?}");
}

fn line_of_expect() -> usize {
    SHORT.lines().position(|line| line == "[expect]").unwrap() + 1
}

#[test]
fn junit_has_a_suite_for_each_target_and_a_case_for_each_rule() {
    let folder = broken();
    let ran = validate(&folder, &["broken.ndjson", "late.toml", "wrong.toml", "--format", "junit"]);
    let report = Report::deserialize_from_str(&ran.stdout).unwrap();
    let suites: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(suites, ["wrong.toml", "broken.ndjson", "late.toml"]);
    assert_eq!((report.errors, report.failures), (1, 3));
    let broken = &report.test_suites[1];
    assert_eq!(broken.test_cases.len(), RULES.len());
    let case = |suite: usize, name: &str| {
        report.test_suites[suite].test_cases.iter().find(|case| case.name.as_str() == name).unwrap()
    };
    let TestCaseStatus::NonSuccess { message, ty, description, .. } = &case(1, "schema").status else {
        panic!()
    };
    assert!(message.as_ref().unwrap().as_str().ends_with("(and 3 more)"), "{message:?}");
    assert_eq!(ty.as_ref().unwrap().as_str(), "schema");
    let text = description.as_ref().unwrap().as_str();
    for part in ["  at: position 2", "  field: /data/confidence", "  file: broken.ndjson:"] {
        assert_eq!(text.matches(part).count() > 1, part != "  at: position 2", "{part}: {text}");
    }
    let TestCaseStatus::NonSuccess { description, .. } = &case(2, "expect").status else { panic!() };
    let text = description.as_ref().unwrap().as_str();
    assert!(text.contains(&format!("  scenario: late.toml:{}\n", line_of_expect())), "{text}");
    assert!(text.contains("  help: see [expect]"), "{text}");
    assert!(matches!(&case(1, "pacing").status, TestCaseStatus::Skipped { message: Some(why), .. }
        if why.as_str().contains("--real-time")));
    assert_eq!(case(1, "gap").extra["line"].as_str(), "40");
}

#[test]
fn github_gets_three_annotations_of_a_rule_at_most() {
    let folder = broken();
    let ran = validate(&folder, &["broken.ndjson", "late.toml", "wrong.toml", "--report", "github=-"]);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert!(ran.stdout.starts_with("broken.ndjson\n"), "the text for people comes first: {}", ran.stdout);
    let of = |words: &str| lines.iter().filter(|line| line.contains(words)).copied().collect::<Vec<_>>();
    assert_eq!(
        of("validate%3A gap")[0],
        "::error file=broken.ndjson,line=40,title=incident validate%3A gap::position 40 is missing%0Aat position 41, \
         T+70.0 s",
    );
    let schema = of("validate%3A schema");
    assert!(
        schema.len() == 3 && schema[2].ends_with("%0Aand 1 more") && !schema[1].contains("more"),
        "{schema:?}"
    );
    let expect = of("validate%3A expect")[0];
    // The scenario is a file of the repository; the transcript is none.
    let begin = format!("::error file=late.toml,line={},title=", line_of_expect());
    assert!(expect.starts_with(&begin) && expect.contains("short.ndjson:"), "{expect}");
    let mistakes = of("scenario-file");
    assert!(
        mistakes.iter().any(|line| line.starts_with("::error file=wrong.toml,line=2,col=1,title=")),
        "{mistakes:?}"
    );
}

fn sarif(folder: &Scratch) -> Value {
    json(&validate(folder, &["broken.ndjson", "late.toml", "wrong.toml", "--format", "sarif"]))
}

#[test]
fn sarif_has_the_rules_and_points_at_lines() {
    let log = sarif(&broken());
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len() + 4);
    for rule in rules {
        assert!(rule["help"]["text"].as_str().is_some_and(|text| text.len() > 20), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    for result in results {
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
    }
    let of = |rule: &str| results.iter().find(|result| result["ruleId"] == rule).unwrap();
    let place = &of("gap")["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"broken.ndjson".into(), &40.into())
    );
    let schema = of("schema");
    assert_eq!(schema["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "/data/confidence");
    let expect = of("expect");
    assert_eq!(expect["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "late.toml");
    let transcript = &expect["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(transcript.as_str().unwrap().starts_with("file:///"), "{transcript}");
    let mistake = &of("scenario-file")["locations"][0]["physicalLocation"];
    assert_eq!(mistake["artifactLocation"]["uri"], "wrong.toml");
    assert!(mistake["region"]["startLine"].as_u64() > Some(0), "{mistake}");
}

#[test]
#[ignore = "needs Node.js and npm's ajv-draft-04 and @microsoft/jest-sarif: ./tests/run installs them and runs this"]
fn the_schema_of_sarif_takes_the_report() {
    let folder = broken();
    let hostile = folder.path().join("a b%\n\u{202e}.ndjson");
    fs::copy(folder.path().join("broken.ndjson"), &hostile).unwrap();
    let strange = validate(&folder, &["--format", "sarif", hostile.file_name().unwrap().to_str().unwrap()]);
    let logs =
        [sarif(&folder), json(&strange), json(&validate(&folder, &["good.ndjson", "--format", "sarif"]))];
    for log in logs {
        fs::write(folder.path().join("log.sarif"), log.to_string()).unwrap();
        let ran = Command::new("node")
            .arg(root().join("tests/validators/sarif.cjs"))
            .arg(folder.path().join("log.sarif"))
            .env("NODE_PATH", root().join("target/test-tools/node/node_modules"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.trim() == "valid", "{said}");
    }
}

#[test]
fn a_file_with_content_is_never_overwritten_and_nothing_is_left_behind() {
    let folder = broken().with("there.xml", "mine").with("empty.xml", "");
    let before = names(&folder);
    let refused = |args: &[&str], words: &str| {
        let ran = validate(&folder, &[&["good.ndjson"], args].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    };
    refused(&["--report", "junit=new.xml", "--report", "junit=there.xml"], "there.xml already exists");
    refused(&["--report", "junit=none/new.xml"], "none/new.xml cannot be written");
    refused(&["--report", "junit=new.xml", "--report", "json=./new.xml"], "two reports");
    refused(
        &["--report", "junti=new.xml"],
        "there is no kind \"junti\"; there are pretty, json, junit, github, sarif",
    );
    refused(&["--report", "junit="], "KIND=FILE");
    refused(&["--report", "junit=-", "--report", "json=-"], "stdout can take only one");
    refused(&["--format", "json", "--report", "github=-"], "stdout can take only one");
    assert_eq!(names(&folder), before);
    // A disk that turns out to be full when the work is done.
    let ran = validate(&folder, &["good.ndjson", "--report", "junit=/dev/full"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("/dev/full cannot be written: No space left"), "{}", ran.stderr);
    assert_eq!(names(&folder), before);
    assert_eq!(read(&folder, "there.xml"), "mine");
    // An empty file is filled, whatever is linked to it stays.
    std::os::unix::fs::symlink("empty.xml", folder.path().join("link.xml")).unwrap();
    let ran = validate(&folder, &["good.ndjson", "--report", "junit=link.xml", "--report", "json=-"]);
    assert_eq!((ran.status, json(&ran)["passed"].as_bool()), (Some(0), Some(true)), "{ran:?}");
    assert!(
        folder.path().join("link.xml").is_symlink() && read(&folder, "empty.xml").contains("<testsuites")
    );
    let ran = validate(&folder, &["good.ndjson", "--report", "json=/dev/stderr", "--quiet"]);
    assert!(
        ran.status == Some(0) && ran.stderr.starts_with("{\"checks\""),
        "a device is written to: {ran:?}"
    );
}

#[test]
fn reports_are_written_even_if_the_reader_of_stdout_is_gone() {
    let folder = broken();
    let line = format!("'{}' validate good.ndjson --report junit=r.xml 1>&-", env!("CARGO_BIN_EXE_incident"));
    let ran = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    assert!(read(&folder, "r.xml").contains("<testsuites"), "{ran:?}");
    let line = line.replace("r.xml 1>&-", "s.xml | true");
    Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    assert!(read(&folder, "s.xml").contains("<testsuites"));
}

#[test]
fn that_nothing_could_be_checked_is_reported_too() {
    let folder = broken();
    let ran = validate(&folder, &[&["--url", "127.0.0.1:1"][..], &ALL, &["--report", "github=-"]].concat());
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert_eq!(
        json(&Ran { stdout: read(&folder, "r.json"), ..ran })["failure"]
            .as_str()
            .map(|it| it.contains("127.0.0.1:1")),
        Some(true)
    );
    let report = Report::deserialize_from_str(&read(&folder, "r.xml")).unwrap();
    assert_eq!((report.errors, report.tests), (1, 1));
    let log: Value = serde_json::from_str(&read(&folder, "r.sarif")).unwrap();
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert!(read(&folder, "r.github").starts_with("::error title=incident validate%3A run::"));
    // Events that no rule applies to.
    let ran = validate(&folder, &["good.ndjson", "--rule", "pacing", "--format", "junit"]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report = Report::deserialize_from_str(&ran.stdout).unwrap();
    assert_eq!((report.errors, report.skipped), (1, 1), "{}", ran.stdout);
}

#[test]
fn the_command_to_repeat_can_be_given_to_a_shell() {
    let folder = broken();
    fs::rename(folder.path().join("broken.ndjson"), folder.path().join("it's $HOME.ndjson")).unwrap();
    let args = [
        "it's $HOME.ndjson",
        "--expect",
        "late.toml",
        "--limit",
        "pacing.late=1s",
        "--clients",
        "3",
        "--gentle",
    ];
    let ran = validate(&folder, &args);
    let again = ran.stdout.lines().find_map(|line| line.strip_prefix("Again:")).unwrap().trim();
    let flags = ["--expect late.toml", "--limit", "--clients 3", "--gentle", "--rule gap", "--rule schema"];
    assert!(flags.iter().all(|flag| again.contains(flag)), "{again}");
    let shell = again.replacen("incident", env!("CARGO_BIN_EXE_incident"), 1);
    let repeated = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).output().unwrap();
    assert_eq!(repeated.status.code(), Some(5), "{shell}: {repeated:?}");
    let said = String::from_utf8(repeated.stdout).unwrap();
    assert!(said.contains("position 40 is missing"), "{said}");
    // What was listened to is checked again without the server.
    let ran = validate(&folder, &["late.toml"]);
    let offline = ran.stdout.lines().find_map(|line| line.strip_prefix("Offline:")).unwrap().trim();
    let shell = offline.replacen("incident", env!("CARGO_BIN_EXE_incident"), 1);
    let repeated = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(repeated.stdout).unwrap();
    assert!(repeated.status.code() == Some(5) && said.contains("FAIL expect"), "{shell}: {said}");
}

#[test]
fn the_list_fits_80_columns_and_can_be_read_by_programs() {
    let ran = incident(&["validate", "--list"]).run();
    assert!(
        ran.status == Some(0) && ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.stdout
    );
    let listed = json(&incident(&["validate", "--list", "--format", "json"]).run());
    let rules = listed["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for (rule, found) in RULES.iter().zip(rules) {
        assert!(ran.stdout.contains(&format!("\n{}\n", rule.name)) || ran.stdout.starts_with(rule.name));
        assert_eq!((&found["rule"], &found["meaning"]), (&rule.name.into(), &rule.meaning.into()));
        assert_eq!(found["limits"].as_array().unwrap().len(), rule.limits.len());
    }
    let one = incident(&["validate", "--list", "--rule", "clock"]).run();
    assert!(
        one.stdout.starts_with("clock\n") && one.stdout.contains("--limit clock.skew="),
        "{}",
        one.stdout
    );
    assert_eq!(incident(&["validate", "--list", "--format", "junit"]).run().status, Some(2));
}

#[test]
fn a_terminal_shows_how_far_it_is_and_a_pipe_does_not() {
    let server = Serving::with(&["--speed", "20"]);
    // On a busy machine events are late.
    let late = ["--limit", "pacing.late=10s"];
    let args = [&["validate", "--url", server.url(), "--trigger", "database-outage"], &late[..]].concat();
    let terminal = Terminal::run(80, &args);
    // Of which type the last event is when a line is drawn nobody knows.
    let shown = terminal.shows(" events  last: ");
    assert!(shown.lines().any(|line| line.contains(" database-outage-")), "{shown}");
    let (status, screen) = terminal.end();
    assert!(status == Some(0) && !screen.contains("last: "), "the line is gone: {screen}");
    let ran = incident(&args).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
}
