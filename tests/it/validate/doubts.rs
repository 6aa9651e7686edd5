//! What the schema allows and nobody means: scenarios, recordings and streams are told of it alike.

use serde_json::{Value, json};

use super::command::{SHORT, json as read};
use crate::harness::{Ran, Scratch, fixture, incident};

/// The recording with another start.
fn recording(change: impl FnOnce(&mut Value)) -> String {
    let text = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let (start, rest) = text.split_once('\n').unwrap();
    let mut start: Value = serde_json::from_str(start).unwrap();
    assert_eq!(start["type"], "incident_started");
    change(&mut start["data"]);
    format!("{start}\n{rest}")
}

fn validate(name: &str, text: &str) -> Ran {
    let folder = Scratch::new().with(name, text);
    incident(&["validate", name, "--format", "json"]).at(folder.path()).run()
}

#[test]
fn a_service_that_is_listed_twice_and_one_without_a_name_are_warned_of() {
    let ran = validate("r.ndjson", &recording(|data| data["services"] = json!(["shop", "", "shop"])));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let told = read(&ran);
    let told = told["targets"][0]["warnings"][0]["message"].as_str().unwrap();
    assert!(told.starts_with("the name of a service is empty in the incident_started of "), "{told}");
    assert!(told.ends_with(" /data/services/1 (and 1 more)") && told.contains("position 1"), "{told}");
    let ran = validate("r.ndjson", &recording(|data| data["services"] = json!(["shop", "a", "shop"])));
    assert!(
        ran.status == Some(0) && ran.stdout.contains("the service \\\"shop\\\" is listed twice"),
        "{ran:?}"
    );

    let services = SHORT.lines().find(|line| line.starts_with("services")).unwrap();
    let ran = validate("s.toml", &SHORT.replace(services, "services = [\"shop\", \"shop\"]"));
    let told = read(&ran);
    let told = told["targets"][0]["warnings"].as_array().unwrap().clone();
    let of = |what: &str| told.iter().find(|one| one["message"].as_str().unwrap().contains(what)).cloned();
    let again = of("the service \"shop\" is listed twice").unwrap_or_else(|| panic!("{told:?}"));
    assert!(again["line"].as_u64() > Some(1) && again["column"] == 21, "{again}");
    // A blank name is a mistake there, as every blank text is.
    let ran = validate("s.toml", &SHORT.replace(services, "services = [\"shop\", \" \"]"));
    assert!(ran.status != Some(0) && ran.stdout.contains("`services` is empty"), "{ran:?}");
}

#[test]
fn a_title_of_several_lines_is_a_fault_at_its_place() {
    let ran = validate("r.ndjson", &recording(|data| data["title"] = "one\ntwo".into()));
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(
        ran.stdout.contains("/data/title") && ran.stdout.contains("it has more than one line"),
        "{ran:?}"
    );
    // As in a scenario, and as a server refuses it that is published.
    let ran = validate("s.toml", &SHORT.replacen("title = \"", "title = \"one\\ntwo ", 1));
    assert!(ran.status != Some(0) && ran.stdout.contains("`title` has more than one line"), "{ran:?}");
}
