//! Parameters and variants: what a caller chooses, what comes of it, and what is refused.

use incident::scenario::{Scenario, Settings};
use serde_json::json;

use super::{actions, completed, mistakes, parse, samples, started, step, text};
use crate::harness::{Scratch, Serving, Timeline, incident};

fn offered() -> String {
    let fix = step("fix", "at = \"{fix_at}\"\ntakes = \"3s\"");
    let page = step("page", "after = { step = \"fix\", on = \"any\" }\ndelay = \"1s\"");
    let metrics = r#"
[parameters]
release = "2026.8"
fix_at = { default = "40s", about = "When the fix begins", one_of = ["40s", "50s"] }
users = { default = 1000, min = 1, max = 5000 }
load = { default = 0.5, max = 1.0 }
[impact]
users = { 0s = "{users}" }
[metrics]
load = { unit = "ratio", keys = { 0s = "{load}" } }
"#;
    let more = r#"
[variant.fix-fails]
about = "The fix fails"
remove = { steps = ["page"] }
[variant.fix-fails.change]
title = "{release} cannot be fixed"
[variant.fix-fails.change.steps.fix]
fails = 1.0
at = "20s"
[[variant.fix-fails.add.steps]]
id = "call"
after = { step = "fix", on = "failed" }
agent = "watcher"
action = "call"
summary = "Call somebody about {release}"
"#;
    text(metrics, &format!("{fix}{page}"), more).replace("\"Slow\"", "\"{release} is slow {here}\"")
}

fn with(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn chosen(pairs: &[(&str, &str)]) -> Timeline {
    Timeline::compile(&parse(&offered()).with(&with(pairs)).unwrap(), 1)
}

#[test]
fn a_parameter_stands_for_its_value_with_its_kind() {
    let plain = Timeline::compile(&parse(&offered()), 1);
    assert_eq!(started(&plain).title, "2026.8 is slow {here}", "other braces stay");
    assert_eq!(completed(&plain), [(43.0, "fix"), (44.0, "page")]);
    assert_eq!(samples(&plain)[0].users_affected, Some(1000));
    assert!(started(&plain).run.as_ref().unwrap().settings.is_empty());

    let other = chosen(&[("release", "9 \"x\" {users}"), ("fix_at", "50s"), ("users", " 7"), ("load", "1")]);
    assert_eq!(started(&other).title, "9 \"x\" {users} is slow {here}", "a value is not read again");
    assert_eq!(completed(&other), [(53.0, "fix"), (54.0, "page")]);
    assert_eq!((samples(&other)[0].users_affected, samples(&other)[0].metrics["load"]), (Some(7), 1.0));
    let settings = json!(started(&other).run.as_ref().unwrap().settings);
    assert_eq!(settings, json!({ "release": "9 \"x\" {users}", "fix_at": "50s", "users": "7", "load": "1" }));
}

#[test]
fn a_variant_changes_adds_and_removes() {
    let failing = chosen(&[("variant", "fix-fails"), ("release", "R")]);
    assert_eq!(started(&failing).title, "R cannot be fixed");
    assert_eq!(completed(&failing), [(23.0, "call")]);
    assert_eq!(actions(&failing).last().unwrap().summary, "Call somebody about R");
    assert_eq!(started(&failing).run.as_ref().unwrap().settings["variant"], "fix-fails");
}

#[test]
fn what_is_not_offered_is_refused_with_what_is() {
    let scenario = parse(&offered());
    for (key, value, says) in [
        ("variant", "fix-fail", "no variant \"fix-fail\": did you mean \"fix-fails\"?"),
        ("relase", "1", "no parameter \"relase\": did you mean \"release\"?"),
        ("zzz", "1", "no parameter \"zzz\": it has release, fix_at, users, load"),
        ("users", "many", "parameter \"users\" is a whole number, not \"many\""),
        ("users", "1.5", "a whole number"),
        ("users", "0", "at least 1, not \"0\""),
        ("load", "inf", "a number, not \"inf\""),
        ("load", "2", "at most 1"),
        ("fix_at", "45s", "one of 40s, 50s"),
    ] {
        let told = scenario.with(&with(&[(key, value)])).unwrap_err().to_string();
        assert!(told.contains(says), "{key}={value}: {told}");
    }
    let none = parse(&text("", "", "")).with(&Settings::variant("x")).unwrap_err().to_string();
    assert!(none.contains("the scenario has no variants"), "{none}");
}

#[test]
fn mistakes_in_a_variant_are_shown_where_they_are_written() {
    let base = offered();
    for (old, new, says) in [
        ("change.steps.fix]", "change.steps.fxi]", "[[steps]] has no entry called \"fxi\""),
        ("steps = [\"page\"]", "steps = [\"pgae\"]", "`steps` has no entry called \"pgae\""),
        ("fails = 1.0", "fails = 2.0", "the probability of a failure must be from 0 to 1"),
        ("fails = 1.0", "fials = 1.0", "unknown field `fials`"),
        ("on = \"failed\" }", "on = \"failled\" }", "has no outcome \"failled\""),
        (
            "title = \"{release} cannot",
            "id = \"x\"\ntitle = \"{release} cannot",
            "a variant can't change `id`",
        ),
        ("about = \"The fix fails\"", "abuot = \"The fix fails\"", "unknown field `abuot`"),
        (
            "[[variant.fix-fails.add.steps]]",
            "[[variant.fix-fails.add.impact]]",
            "so a variant can't add to it",
        ),
        ("min = 1, max = 5000", "min = 1001, max = 5000", "the default must be at least 1001"),
        ("release = \"2026.8\"", "variant = \"2026.8\"", "a parameter can't be called \"variant\""),
        ("one_of = [\"40s\", \"50s\"]", "one_of = [\"40s\", 50]", "not all of the same kind"),
        ("{ default = 0.5, max = 1.0 }", "{ default = \"a\", max = 1.0 }", "whose default is a number"),
    ] {
        let told = mistakes(&base.replacen(old, new, 1));
        let line = base.replacen(old, new, 1);
        let at = line.find(new).map(|at| line[..at].lines().count()).unwrap();
        assert!(told.contains(says), "{new}: {told}");
        let near = |told: &str| {
            let place: usize = told.split(':').nth(1).and_then(|line| line.parse().ok()).unwrap_or_default();
            place.abs_diff(at) <= 6
        };
        assert!(told.lines().any(|told| told.contains(says) && near(told)), "{new} is on line {at}: {told}");
    }
}

/// An author mends a file once, not first the file and then its variants.
#[test]
fn mistakes_of_the_file_and_of_its_variants_are_told_in_one_run() {
    let base = offered();
    let told = mistakes(
        &base
            .replace("severity = \"SEV2\"", "severity = \"critical\"")
            .replace("delay = \"1s\"", "delay = 1")
            .replace("fails = 1.0", "fails = 2.0")
            .replace("steps = [\"page\"]", "steps = [\"pgae\"]"),
    );
    for says in [
        "unknown value `critical`",
        "expected a duration",
        "a failure must be from 0 to 1 (in variant \"fix-fails\")",
        "`steps` has no entry called \"pgae\" (in variant \"fix-fails\")",
    ] {
        assert_eq!(told.matches(says).count(), 1, "{says}: {told}");
    }
    assert_eq!(told.lines().count(), 4, "{told}");
    // In the meaning, and a sum that is another one in the variant.
    let beliefs = "[[hypotheses]]\nid = \"h\"\nclaim = \"c\"\nbelief = { 5s = 0.9 }\n[[hypotheses]]\nid = \"i\"\nclaim = \"c\"\nbelief = { 5s = 0.4 }\n";
    let wrong = base.replace("[metrics]\n", &format!("{beliefs}[metrics]\n"));
    let told = mistakes(&wrong.replace("fails = 1.0", "fails = 2.0").replace(
        "[variant.fix-fails.change.steps.fix]",
        "[variant.fix-fails.change.hypotheses.i]\nbelief = { 5s = 0.5 }\n[variant.fix-fails.change.steps.fix]",
    ));
    assert!(told.contains("sum to 1.300") && told.contains("a failure must be"), "{told}");
    // What only a seed shows is a mistake of the file like the others.
    let told = mistakes(
        &base
            .replace("takes = \"3s\"", "takes = \"90s\"")
            .replace("steps = [\"page\"]", "steps = [\"pgae\"]"),
    );
    assert!(told.contains("is still in progress at") && told.contains("\"pgae\""), "{told}");
}

/// A variant finds an entry by its name, which is what is wrong.
#[test]
fn a_variant_is_not_blamed_for_what_the_file_lacks() {
    let told = mistakes(&offered().replace("id = \"page\"", "idd = \"page\""));
    assert!(told.contains("missing field `id`") && !told.contains("variant"), "{told}");
}

#[test]
fn what_is_probably_a_mistake_is_warned_of() {
    let text = offered().replace("about {release}", "about {relese}").replace("\"{load}\"", "0.5");
    let scenario = Scenario::parse("small.toml", &text).unwrap();
    let warned: Vec<&str> = scenario.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(warned.iter().any(|told| told.contains("no parameter is called \"relese\"")), "{warned:?}");
    assert!(warned.iter().any(|told| told.contains("no text of the file has {load}")), "{warned:?}");
}

#[test]
fn validate_plays_every_variant_and_what_is_chosen() {
    let scratch = Scratch::new();
    let file = scratch.path().join("small.toml");
    std::fs::write(&file, offered()).unwrap();
    let file = file.to_str().unwrap();
    let all = incident(&["validate", file]).run();
    assert_eq!(all.status, Some(0), "{}{}", all.stdout, all.stderr);
    assert!(
        all.stdout.contains("2 targets") && all.stdout.contains("with variant=fix-fails"),
        "{}",
        all.stdout
    );
    let one = incident(&["validate", file, "--set", "variant=fix-fails", "--set", "users=5"]).run();
    assert!(one.stdout.contains("with users=5 variant=fix-fails"), "{}", one.stdout);
    let wrong = incident(&["validate", file, "--set", "users=0"]).run();
    assert_eq!(wrong.status, Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("at least 1, not \"0\""), "{}", wrong.stderr);
    let plan = incident(&["validate", "--timeline", file, "--set", "release=R"]).run();
    assert!(plan.stdout.contains("R is slow"), "{}{}", plan.stdout, plan.stderr);

    // Nothing is played of a recording, or of a server that is only listened to.
    let run = scratch.path().join("run.ndjson");
    std::fs::write(&run, "").unwrap();
    for args in [vec![run.to_str().unwrap()], vec!["--url", "ws://127.0.0.1:1/ws"]] {
        let ran = incident(&[&["validate", "--set", "users=5"], &args[..]].concat()).run();
        assert_eq!(ran.status, Some(2), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("--set chooses how a scenario is played"), "{}", ran.stderr);
    }
}

#[test]
fn the_report_says_what_was_chosen_and_how_to_play_it_again() {
    let steps = step("look", "at = \"5s\"\nrepeat = { every = \"10s\", times = 1 }")
        .replace("\"look\"\n", "\"look {how}\"\n");
    let text = text(
        "[parameters]\nhow = \"far\"\n",
        &steps,
        "[variant.other]\n[variant.other.change]\ntitle = \"Other\"",
    );
    let scratch = Scratch::new().with(
        "small.toml",
        &text
            .replace("id = \"look {how}\"", "id = \"look\"")
            .replace("action = \"look {how}\"", "action = \"look\""),
    );
    let file = scratch.path().join("small.toml");
    let serving = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--speed",
        "100",
        "--scenarios",
        file.to_str().unwrap(),
    ]);
    let report = |set: &str, name: &str| {
        let written = scratch.path().join(name);
        let args = [
            "trigger",
            "small",
            "--set",
            "variant=other",
            "--set",
            set,
            "--report",
            written.to_str().unwrap(),
        ];
        let ran = serving.incident(&args).run();
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        std::fs::read_to_string(written).unwrap()
    };
    let plain = report("how=2026.8", "plain.md");
    assert!(plain.contains("- Settings: how=2026.8, variant=other\n"), "{plain}");
    assert!(
        plain.contains("incident trigger small --seed 0 --set how=2026.8 --set variant=other\n"),
        "{plain}"
    );
    // A step that repeats has not begun before.
    assert!(plain.matches("look 2026.8").count() >= 2 && !plain.contains("Done:"), "{plain}");
    let quoted = report("how=$(reboot)", "quoted.md");
    assert!(quoted.contains("how=\\$(reboot)") && !quoted.contains("incident trigger"), "{quoted}");
}

/// A short file may name a long value very often.
#[test]
fn values_that_make_the_file_too_large_are_refused_where_they_do() {
    let names = "{how}".repeat(1_000);
    let text = text(
        "[parameters]\nhow = \"far\"\n",
        &step("look", "at = \"5s\"").replace("summary = \"look\"", &format!("summary = \"{names}\"")),
        "",
    );
    let scenario = parse(&text);
    let told = scenario.with(&with(&[("how", &"x".repeat(15_000))])).unwrap_err().to_string();
    let line = text[..text.find("summary = \"{how}").unwrap()].lines().count() + 1;
    assert!(told.contains("make the scenario too large: they may take 8388608 bytes"), "{told}");
    assert!(told.contains(&format!(":{line}:")), "line {line}: {told}");
    // Also as many texts that are nothing but the name.
    let services = vec!["\"{how}\""; 1_000].join(", ");
    let many =
        text.replace(&names, "s").replace("services = [\"shop\"]", &format!("services = [{services}]"));
    let told = parse(&many).with(&with(&[("how", &"x".repeat(15_000))])).unwrap_err().to_string();
    assert!(told.contains("make the scenario too large"), "{told}");
    // Something else is wrong with a text that is only long.
    let told = scenario.with(&with(&[("how", &"x".repeat(5_000))])).unwrap_err().to_string();
    assert!(told.contains("an event has at most 65536 bytes"), "{told}");
}
