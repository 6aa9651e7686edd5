//! Hostile text in a recording, in its name and in a scenario forges nothing in any format.

use std::fs;

use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;

use crate::harness::{Scratch, fixture, incident};

/// What a terminal, a log, GitHub, Azure, XML and a reader would take for something else.
const HOSTILE: &str = "x\n::error file=a.rs::forged%0A\r##[error]forged ##vso[task.complete]\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1m]]></failure>\
                       <b>\u{202e}\u{2066}\u{2028}\u{0}\u{fffe}&#x1b;";

/// A recording in which hostile text stands wherever a finding could quote it.
fn recording() -> String {
    let text = fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let mut written = String::new();
    for (place, line) in text.lines().enumerate() {
        let mut event: Value = serde_json::from_str(line).unwrap();
        match place {
            10 => event["data"]["agent"] = HOSTILE.into(),
            12 => event["type"] = HOSTILE.into(),
            14 => event["id"] = HOSTILE.into(),
            16 => event["source"] = HOSTILE.into(),
            18 => event["subject"] = HOSTILE.into(),
            20 => event["time"] = HOSTILE.into(),
            22 => event["data"]["phase"] = HOSTILE.into(),
            24 => event["data"]["status"] = HOSTILE.into(),
            26 => event["data"][HOSTILE] = HOSTILE.into(),
            28 => event[HOSTILE] = HOSTILE.into(),
            30 => event["datacontenttype"] = HOSTILE.into(),
            32 => event["data"]["metrics"] = serde_json::json!({ HOSTILE: HOSTILE }),
            34 => {
                event["data"]["hypotheses"] =
                    serde_json::json!([{ "id": HOSTILE, "claim": HOSTILE, "p": 7 }]);
            }
            _ => {}
        }
        written += &(event.to_string() + "\n");
        if place == 36 {
            written += &(HOSTILE.replace('\n', " ") + "\n");
        }
    }
    written
}

/// A folder with the recording under a hostile name, and a scenario with a mistake and hostile text.
fn folder() -> (Scratch, String) {
    let name = format!("{}.ndjson", HOSTILE.replace(['\0', '/'], ""));
    let scenario = format!("id = \"x\"\n{HOSTILE:?} = 1\n").replace("\\u{", "\\U{");
    (Scratch::new().with(&name, &recording()).with("x.toml", &scenario), name)
}

fn run(folder: &Scratch, name: &str, args: &[&str]) -> String {
    let ran = incident(&[&["validate", name, "x.toml"], args].concat()).at(folder.path()).run();
    assert_eq!(ran.status, Some(6), "{ran:?}");
    ran.stdout
}

fn is_hidden(c: char) -> bool {
    c != '\n' && (c.is_control() || "\u{202e}\u{2066}\u{2028}\u{fffe}".contains(c))
}

/// Nothing in it steers a terminal or is a command of a CI system.
fn harmless(what: &str, text: &str) {
    assert!(!text.contains(is_hidden), "{what}: {text:?}");
    assert!(!text.contains("##[") && !text.contains("##vso["), "{what}: {text}");
}

#[test]
fn no_line_is_forged_for_people() {
    let (folder, name) = folder();
    for args in [&[][..], &["--verbose"], &["--quiet"]] {
        let text = run(&folder, &name, args);
        harmless("pretty", &text);
        assert!(text.contains("forged"), "it is quoted: {text}");
        for line in text.lines() {
            assert!(
                !line.trim_start().starts_with("::") && !line.trim_start().starts_with("forged"),
                "{line}"
            );
        }
    }
}

#[test]
fn no_annotation_is_forged() {
    let (folder, name) = folder();
    let text = run(&folder, &name, &["--format", "github"]);
    harmless("github", &text);
    let mut files = 0;
    for line in text.lines() {
        let (properties, message) = line.strip_prefix("::error ").unwrap().split_once("::").unwrap();
        assert!(properties.contains("title=incident validate%3A "), "{line}");
        assert!(
            properties
                .split(',')
                .all(|one| one.split('=').count() == 2 || one.contains("%0A") || one.starts_with("file=")),
            "{line}"
        );
        files += usize::from(properties.contains("file=x\\n%3A%3Aerror file=a.rs%3A%3Aforged%250A"));
        // The only line breaks are our own.
        for part in message.split("%0A").skip(1) {
            let known = ["in ", "at ", "field ", "help: ", "and "];
            assert!(known.iter().any(|begin| part.starts_with(begin)), "{part}: {line}");
        }
    }
    assert!(files > 4, "{text}");
}

#[test]
fn xml_stays_whole() {
    let (folder, name) = folder();
    let text = run(&folder, &name, &["--format", "junit"]);
    harmless("junit", &text);
    let report = Report::deserialize_from_str(&text).unwrap();
    assert_eq!(report.test_suites.len(), 2);
    let mut described = 0;
    for case in report.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        let TestCaseStatus::NonSuccess { description: Some(text), .. } = &case.status else { continue };
        described += 1;
        for line in text.as_str().lines() {
            assert!(!line.starts_with("::") && !line.starts_with("forged"), "{line}");
        }
    }
    assert!(described > 2, "{text}");
    assert!(text.contains("]]&gt;") && !text.contains("<b>"), "{text}");
}

#[test]
fn json_and_sarif_keep_the_value_and_hide_nothing() {
    let (folder, name) = folder();
    for format in ["json", "sarif"] {
        let text = run(&folder, &name, &["--format", format]);
        harmless(format, &text);
        assert_eq!(text.lines().count(), 1, "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        match format {
            "json" => assert_eq!(value["targets"][0]["target"].as_str(), Some(&*name)),
            _ => {
                let uri = &value["runs"][0]["results"].as_array().unwrap().last().unwrap()["locations"][0]["physicalLocation"]
                    ["artifactLocation"]["uri"];
                assert!(uri.as_str().unwrap().starts_with("x%0A%3A%3Aerror%20file%3Da.rs"), "{uri}");
            }
        }
    }
}
