//! An author's life: a file to begin with, checked again on saving, and played as it is now.

use std::fs;

use serde_json::Value;

use super::{step, text};
use crate::harness::{Http, Scratch, Serving, get, incident, soon};

#[test]
fn new_writes_a_scenario_that_passes_as_it_is() {
    let folder = Scratch::new();
    let ran = incident(&["new", "slow-search"]).at(folder.path()).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let next: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(next[0], "wrote slow-search.toml");
    let written = fs::read_to_string(folder.path().join("slow-search.toml")).unwrap();
    assert!(written.contains("id       = \"slow-search\"") && !written.contains("FILE"), "{written}");

    // The commands that it names work.
    let validate = next[1].strip_prefix("check it:  incident ").unwrap().replace(" --watch", "");
    let validate: Vec<&str> = validate.split(' ').collect();
    let ran = incident(&validate).at(folder.path()).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("slow-search.toml with variant=rollback-fails"), "{}", ran.stdout);
    let serve = next[2].strip_prefix("play it:   incident ").unwrap();
    let serve: Vec<&str> = serve.split(' ').chain(["--port", "0"]).collect();
    let mut serving = incident(&serve).at(folder.path()).spawn();
    serving.says("slow-search");

    let again = incident(&["new", "slow-search"]).at(folder.path()).run();
    assert_eq!(again.status, Some(2));
    assert!(again.stderr.contains("already exists"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("slow-search.toml")).unwrap(), written);
}

#[test]
fn new_writes_where_scenarios_are_and_refuses_what_is_no_name() {
    let folder = Scratch::new().with("scenarios/other.toml", "");
    let ran = incident(&["new", "mine"]).at(folder.path()).run();
    assert!(ran.stderr.starts_with("wrote scenarios/mine.toml"), "{}", ran.stderr);
    let printed = incident(&["new", "mine", "--output", "-"]).at(folder.path()).run();
    assert!(printed.stdout.contains("id       = \"mine\""), "{}", printed.stdout);
    for name in ["My Scenario", "../mine", "-x", "\u{1b}[31m"] {
        let ran = incident(&["new", "--", name]).at(folder.path()).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("cannot be an id"), "{}", ran.stderr);
    }
}

/// What an author has is a file: wherever a scenario is looked at, it may be named.
#[test]
fn a_file_of_ones_own_is_shown_and_its_plan_printed() {
    let folder = Scratch::new().with("mine.toml", &text("", "", "")).with("more/other.toml", "");
    let run = |args: &[&str]| incident(args).at(folder.path()).run();
    let shown = run(&["show", "mine.toml"]);
    assert_eq!((shown.status, shown.stdout), (Some(0), text("", "", "")), "{}", shown.stderr);
    let plan = run(&["validate", "--timeline", "mine.toml"]);
    assert!(plan.stdout.contains("watcher: look completed"), "{}{}", plan.stdout, plan.stderr);
    for same in [["validate", "mine.toml", "--timeline"], ["validate", "--timeline", "./mine.toml"]] {
        assert_eq!(run(&same).stdout, plan.stdout, "{same:?}");
    }
    let by_name = run(&["validate", "--timeline", "api-overload"]);
    assert!(by_name.stdout.contains("DRILL"), "{}", by_name.stderr);
    for (args, says) in [
        (&["show", "mine"][..], "there is a file \"mine.toml\" here"),
        (&["show", "more/"], "more/ is a folder"),
        (&["export", "more/", "--logs-ndjson"], "more/ is a folder"),
        (&["validate", "--timeline"], "the plan of one scenario"),
        (&["validate", "mine.toml", "other.toml", "--timeline"], "the plan of one scenario"),
        (&["validate", "--timeline", "api-overlaod"], "did you mean \"api-overload\"?"),
    ] {
        let refused = run(args);
        assert_eq!(refused.status, Some(2), "{args:?}: {}", refused.stdout);
        assert!(refused.stderr.contains(says), "{args:?}: {}", refused.stderr);
    }
}

#[test]
fn validate_checks_again_on_saving() {
    let folder = Scratch::new().with("mine.toml", &text("", "", ""));
    let file = folder.path().join("mine.toml");
    let mut watching = incident(&["validate", "mine.toml", "--watch"]).at(folder.path()).spawn();
    let lines = watching.lines();
    let until = |text: &str| loop {
        let line =
            lines.recv_timeout(std::time::Duration::from_secs(60)).unwrap_or_else(|_| panic!("no {text}"));
        if line.contains(text) {
            return;
        }
    };
    until("1 target");
    fs::write(&file, text("", "", "").replace("at = \"5s\"", "at = \"5\"")).unwrap();
    until("mine.toml changed");
    watching.says("\"5\" is not a duration");
    fs::write(&file, text("", "", "[variant.late.change.steps.look]\nat = \"9s\"")).unwrap();
    until("with variant=late");
    until("2 targets");
    watching.signal("INT");
    assert_eq!(watching.end().status, Some(0), "of what was checked last");
}

async fn titles(address: std::net::SocketAddr) -> Vec<(String, String)> {
    let scenarios = get(address, "/api/scenarios").await.json();
    let listed = scenarios["scenarios"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed.map(|scenario| (text(&scenario["id"]), text(&scenario["title"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_takes_changed_and_new_files_and_keeps_the_last_good_version() {
    let small = |id: &str, title: &str| {
        text("", "", "").replace("\"small\"", &format!("{id:?}")).replace("\"Slow\"", &format!("{title:?}"))
    };
    let folder = Scratch::new().with("one.toml", &small("one", "One"));
    let path = folder.path().to_str().unwrap().to_owned();
    let mut serving = incident(&["serve", "--port", "0", "--json", "--scenarios", &path]).spawn();
    let ready: Value = serde_json::from_str(&serving.lines().recv().unwrap()).unwrap();
    let address = ready["websocket"].as_str().unwrap().split('/').nth(2).unwrap().parse().unwrap();
    let becomes = async |what: &str, expected: &[(&str, &str)]| {
        soon(what, async {
            let expected: Vec<(String, String)> =
                expected.iter().map(|(id, title)| ((*id).to_owned(), (*title).to_owned())).collect();
            while titles(address).await != expected {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await;
    };
    becomes("the first", &[("one", "One")]).await;
    fs::write(folder.path().join("one.toml"), small("one", "Changed")).unwrap();
    becomes("a change", &[("one", "Changed")]).await;
    serving.says("one.toml has changed: the next trigger plays it as it is now");
    fs::write(folder.path().join("two.toml"), small("two", "Two")).unwrap();
    becomes("a new file", &[("one", "Changed"), ("two", "Two")]).await;
    serving.says("two.toml is new");
    fs::write(folder.path().join("one.toml"), small("one", "Broken").replace("SEV2", "SEV9")).unwrap();
    serving.says("unknown value");
    serving.says("one.toml has mistakes now: triggers play the last version without");
    assert_eq!(titles(address).await[0].1, "Changed");
    let started = Http::trigger(address, "{\"scenario\":\"one\"}").send().await;
    assert_eq!(started.status, 202, "{started:?}");
    fs::remove_file(folder.path().join("two.toml")).unwrap();
    becomes("a file that is gone", &[("one", "Changed")]).await;
    serving.says("two.toml is gone");
    // An id belongs to the file that had it, whatever another file is called.
    fs::write(folder.path().join("a-copy.toml"), small("one", "A copy")).unwrap();
    serving.says("\"one\" is also the id of");
    fs::write(folder.path().join(".#one.toml"), "an editor's").unwrap();
    fs::write(folder.path().join("a-copy.toml"), small("three", "Three")).unwrap();
    becomes("an id of its own", &[("one", "Changed"), ("three", "Three")]).await;
    fs::write(folder.path().join("a-copy.toml"), small("one", "A copy")).unwrap();
    serving.says("a-copy.toml has mistakes now: triggers play the last version without");
    assert_eq!(titles(address).await[1].1, "Three");
    // One that falls back to what it had takes its id from the others: `a-copy` wants `one` again, and `0` wants `three`.
    fs::write(folder.path().join("a-copy.toml"), small("one", "Another copy")).unwrap();
    fs::write(folder.path().join("0.toml"), small("three", "Not it")).unwrap();
    serving.says("\"three\" is also the id of");
    assert_eq!(titles(address).await[1].1, "Three");
    fs::remove_file(folder.path().join("0.toml")).unwrap();
    let elsewhere = folder.path().with_extension("elsewhere");
    fs::rename(folder.path(), &elsewhere).unwrap();
    serving.says("the scenarios stay as they were");
    assert_eq!(titles(address).await.len(), 2);
    fs::rename(&elsewhere, folder.path()).unwrap();
}

/// What is wrong in one file is told once, and not again with each change of another one.
#[test]
fn only_the_mistakes_of_what_has_changed_are_told() {
    let small = |id: &str| text("", "", "").replace("\"small\"", &format!("{id:?}"));
    let folder = Scratch::new()
        .with("one.toml", &small("one"))
        .with("broken.toml", &small("broken").replace("SEV2", "SEV8"))
        .with("kept.toml", &small("kept"));
    let path = folder.path().to_str().unwrap().to_owned();
    let mut serving = incident(&["serve", "--port", "0", "--json", "--scenarios", &path]).spawn();
    let _ready = serving.lines().recv().unwrap();
    let write = |file: &str, text: String| fs::write(folder.path().join(file), text).unwrap();
    serving.says("unknown value `SEV8`");
    write("kept.toml", small("kept").replace("SEV2", "SEV7"));
    serving.says("kept.toml has mistakes now");
    write("two.toml", small("two"));
    serving.says("two.toml is new");
    // What it was before.
    write("kept.toml", small("kept"));
    serving.says("kept.toml has no mistakes any longer");
    write("broken.toml", small("broken").replace("SEV2", "SEV9"));
    serving.says("unknown value `SEV9`");
    write("broken.toml", small("broken"));
    serving.says("broken.toml is new");
    serving.signal("INT");
    let told = serving.end().stderr;
    for (mistake, times) in [("`SEV8`", 1), ("`SEV7`", 1), ("`SEV9`", 1), ("has mistakes now", 1)] {
        let lines = told.lines().filter(|line| line.contains(mistake) && !line.contains('│'));
        assert_eq!(lines.count(), times, "{mistake}: {told}");
    }
    assert!(!told.contains("broken.toml has no mistakes"), "it is told once: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_go_with_a_trigger() {
    let parameters = "[parameters]\nwho = \"watcher\"\nlate = { default = 5, max = 9 }\n";
    let steps = step("look", "at = \"{late}s\"").replace("\"watcher\"", "\"{who}\"");
    let variant = "[variant.other]\nabout = \"Another course\"\n[variant.other.change]\ntitle = \"Other\"";
    let folder = Scratch::new().with("small.toml", &text(parameters, &steps, variant));
    let path = folder.path().join("small.toml");
    let serving = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--speed",
        "100",
        "--scenarios",
        path.to_str().unwrap(),
    ]);
    let ran =
        serving.incident(&["trigger", "small", "--set", "variant=other", "--set", "late=7", "--json"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["data"]["title"], "Other");
    assert_eq!(events[0]["data"]["run"]["settings"], serde_json::json!({ "variant": "other", "late": "7" }));
    let action = events.iter().find(|event| event["type"] == "agent_action").unwrap();
    assert_eq!(action["data"]["offset_s"], 7.0);

    for (set, says) in [
        ("late=70", "at most 9, not \"70\""),
        ("who=nobody", "unknown agent \"nobody\""),
        ("whoo=x", "did you mean \"who\"?"),
    ] {
        let ran = serving.incident(&["trigger", "small", "--set", set]).run();
        assert_eq!(ran.status, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    let ran = serving.incident(&["trigger", "small", "--set", "late"]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("write KEY=VALUE"), "{}", ran.stderr);
    // Numbers may be numbers.
    let started =
        Http::trigger(serving.address(), "{\"scenario\":\"small\",\"settings\":{\"late\":8}}").send().await;
    assert_eq!(started.status, 202, "{started:?}");
    let refused =
        Http::trigger(serving.address(), "{\"scenario\":\"small\",\"settings\":{\"late\":[8]}}").send().await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let listed = get(serving.address(), "/api/scenarios").await.json();
    assert_eq!(listed["scenarios"][0]["variants"][0]["about"], "Another course");
    assert_eq!(
        listed["scenarios"][0]["parameters"][1],
        serde_json::json!({ "name": "late", "default": 5, "max": 9.0 })
    );
    let checked = serving.incident(&["validate", "--trigger", "small", "--set", "late=6"]).run();
    assert_eq!(checked.status, Some(0), "{}{}", checked.stdout, checked.stderr);
}
