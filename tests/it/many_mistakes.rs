//! Many mistakes in one file: all are told in one run, what follows from them is not, and what is only odd is a warning.

use incident::scenario::{Library, Scenario};

use crate::harness::{Scratch, incident};
use crate::mistakes::SOUND;

#[test]
fn mistakes_of_every_kind_in_one_file_are_told_in_one_run() {
    // The shape: unknown keys, wrong types, missing keys, several in one table. And the meaning.
    let text = SOUND
        .replace("severity = \"SEV1\"", "severity = \"critical\"\nsevrity = 1")
        .replace("confidence = 0.9", "confidence = \"97%\"\nsumary = \"s\"")
        .replace("takes = \"3s\"", "takes = 3")
        .replace("agent = \"repair\"\naction = \"a\"\n", "agent = \"repiar\"\n")
        .replace("\"USD\"", "\"dollars\"")
        .replace("claim = \"c\"\ntruth", "truth")
        .replace("[resolution]\nat = \"60s\"\nsummary = \"s\"\nroot_cause = \"leak\"\n", "");
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    let told: Vec<&str> = error.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
    let wanted = [
        "unknown value `critical`",
        "unknown field `sevrity`",
        "\"dollars\" is not a currency",
        "missing field `claim`",
        "expected a number",
        "unknown field `sumary`",
        "missing field `action`",
        "unknown agent \"repiar\"",
        "expected a duration",
        "missing field `resolution`",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for message in wanted {
        assert!(told.iter().any(|told| told.starts_with(message)), "{message:?} is not in {told:#?}");
    }
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    // A step without an id: what refers to it is not wrong.
    let text = SOUND.replace("id = \"restart\"", "idd = \"restart\"");
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    let told: Vec<&str> = error.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    // A key that is wrong is not missing, and stand-ins have no mistakes.
    for (piece, wrong) in [
        ("title = \"t\"", "title = 1"),
        ("target = \"1m\"", "target = \"soon\""),
        ("fails = 0.5", "fails = \"half\""),
        ("name = \"mend\"", "name = 7"),
        ("at = \"30s\"", "at = \"half past\""),
        ("belief = { 0s = 0.2, 30s = 0.6 }", "belief = {}"),
        ("keys = { 0s = 0.1, 30s = 0.9 }", "keys = { 0s = 1, 0m = 2 }"),
        ("after = \"alert\"", "after = 5"),
        ("services = [\"s\"]", "services = [\"s\", 3, \"t\"]"),
        (
            "agents = { detection = \"Looks\", repair = \"Mends\" }",
            "agents = { detection = 1, repair = \"Mends\" }",
        ),
    ] {
        let text = SOUND.replacen(piece, wrong, 1);
        assert_ne!(text, SOUND, "{piece}");
        let error = Scenario::parse("wrong.toml", &text).unwrap_err();
        let told: Vec<&str> = error.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(told.len(), 1, "{wrong}: {told:#?}");
    }
    // As many mistakes as there are lines end too.
    let garbage: String = (0..500).map(|n| format!("key{n} = {n}\n")).collect();
    assert_eq!(Scenario::parse("wrong.toml", &garbage).unwrap_err().diagnostics.len(), 50);
    // Several mistakes of syntax.
    let error = Scenario::parse("wrong.toml", "id = \ntitle = \"t\"\nseverity = = 3\n").unwrap_err();
    assert!(error.diagnostics.len() >= 2, "{error}");
}

#[test]
fn what_is_suspicious_is_a_warning_and_can_be_played() {
    let warned = |text: &str| {
        let scenario = Scenario::parse("odd.toml", text).unwrap_or_else(|error| panic!("{error}"));
        scenario
            .warnings
            .iter()
            .map(|warning| (warning.message.clone(), text[warning.span.clone()].to_owned()))
            .collect::<Vec<_>>()
    };
    // With something to do in each phase.
    let sound = SOUND.replace("at = \"5s\"", "at = \"25s\"");
    assert_eq!(warned(&sound), []);
    let odd = sound.replace(
        "hypothesis = \"leak\"\nforecast",
        "evidence = [{ kind = \"metric\", ref = \"error\" }, { kind = \"log\", ref = \"x\" }]\nforecast",
    );
    let [(message, at)] = &warned(&odd)[..] else { panic!("{:?}", warned(&odd)) };
    assert!(message.contains("no metric is called \"error\"") && at == "\"error\"", "{message} at {at}");
    for target in ["10s", "1h"] {
        let odd = sound.replace("target = \"1m\"", &format!("target = \"{target}\""));
        let [(message, at)] = &warned(&odd)[..] else { panic!("{:?}", warned(&odd)) };
        assert!(
            message.contains("the incident takes 1m") && *at == format!("\"{target}\""),
            "{message} at {at}"
        );
    }
    for scenario in Library::shipped().unwrap().iter() {
        assert_eq!(scenario.warnings, [], "{}", scenario.id());
    }
}

#[test]
fn validate_shows_warnings_and_passes() {
    let folder = Scratch::new().with(
        "odd.toml",
        &SOUND.replace("target = \"1m\"", "target = \"1h\"").replace("at = \"5s\"", "at = \"25s\""),
    );
    let file = folder.path().join("odd.toml").display().to_string();
    let ran = incident(&["validate", &file, "--rule", "schema"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("odd.toml:5:10") && ran.stderr.contains("the target is 1h"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("1 warning"), "{}", ran.stdout);
    let json = incident(&["validate", &file, "--rule", "schema", "--format", "json"]).run().stdout;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["targets"][0]["warnings"][0]["line"], 5, "{json}");
}

#[test]
fn colour_is_given_when_asked_for() {
    let error = Scenario::parse("wrong.toml", &SOUND.replace("\"USD\"", "\"usd\"")).unwrap_err();
    assert!(error.render(true).contains("\u{1b}["), "{}", error.render(true));
}

/// What the parser calls a type is no word for an author.
#[test]
fn wrong_values_are_told_in_the_words_of_the_format() {
    for (piece, wrong, says) in [
        ("title = \"t\"", "title = \"t\"\nseed = -1", "a whole number from 0 to 9007199254740991"),
        ("title = \"t\"", "title = \"t\"\nseed = 1.5", "a whole number from 0 to 9007199254740991"),
        ("title = \"t\"", "title = \"t\"\nseed = \"x\"", "a whole number from 0 to 9007199254740991"),
        (
            "title = \"t\"",
            "title = \"t\"\nseed = 99999999999999999999999",
            "a whole number from 0 to 9007199254740991",
        ),
        ("takes = \"3s\"", "takes = [\"3s\"]", "expected a duration"),
        ("takes = \"3s\"", "takes = [\"3s\"]", "not a list"),
        ("takes = \"3s\"", "takes = {}", "expected a duration"),
        ("target = \"1m\"", "target = 07:32:00", "not a date or a time"),
        ("target = \"1m\"", "target = 99999999999999999999999", "expected a duration"),
        ("title = \"t\"", "title = 2026-01-01", "expected a text in quotes, not a date or a time"),
        ("times = 2", "times = -2", "expected a whole number from 0 to 4294967295"),
        ("truth = true", "truth = \"yes\"", "expected true or false"),
        ("\"alert\"\ndelay", "true\ndelay", "expected a step's id"),
        ("confidence = 0.9", "confidence = 99999999999999999999999999999999999999999999", "a number"),
    ] {
        let text = SOUND.replacen(piece, wrong, 1);
        assert_ne!(text, SOUND, "{piece}");
        let error = Scenario::parse("wrong.toml", &text).unwrap_err().to_string();
        assert!(error.contains(says), "{says:?} is not in: {error}");
        assert_eq!(error.lines().count(), 1, "one mistake: {error}");
        for word in
            ["u64", "i64", "u32", "i128", "u128", "f64", "sequence", "not map", "integer `", "string \""]
        {
            assert!(!error.contains(word), "{word:?} is in: {error}");
        }
    }
}

#[test]
fn one_mistake_is_told_once() {
    let told = |text: &str| {
        let error = Scenario::parse("wrong.toml", text).unwrap_err();
        error.diagnostics.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
    };
    // No other agent is left.
    let only = SOUND
        .replace("agents = { detection = \"Looks\", repair = \"Mends\" }", "agents = { detection = 1 }")
        .replace("agent = \"repair\"", "agent = \"detection\"");
    assert_eq!(told(&only).len(), 1, "{:#?}", told(&only));
    assert_eq!(told(&SOUND.replace("services = [\"s\"]", "services = [3]")).len(), 1);
    let belief = SOUND.replace("belief = { 0s = 0.3, 30s = 0.4 }", "belief = { 0s = 0.3, 30s = 1.2 }");
    assert_eq!(told(&belief), ["a belief must stay between 0 and 1"]);
    let ends = SOUND.split("[resolution]").next().unwrap();
    let error = Scenario::parse("wrong.toml", ends).unwrap_err().to_string();
    assert!(!error.contains("add [resolution] says"), "{error}");
}

/// What is shown as one line is one line; only the text of evidence may have several.
#[test]
fn a_text_of_several_lines_is_told_with_its_place() {
    for (piece, broken, what) in [
        ("title = \"t\"", "title = \"one\\ntwo\"", "`title` has more than one line"),
        ("summary = \"s\"", "summary = \"\"\"one\ntwo\"\"\"", "`summary` has more than one line"),
        ("claim = \"c\"", "claim = \"one\\rtwo\"", "`claim` has more than one line"),
        ("services = [\"s\"]", "services = [\"s\\n\"]", "`services` has more than one line"),
    ] {
        assert!(SOUND.contains(piece), "{piece}");
        let text = SOUND.replacen(piece, broken, 1);
        let error = Scenario::parse("wrong.toml", &text).unwrap_err();
        let told: Vec<&str> = error.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(told, [what], "{broken}");
        assert!(text[error.diagnostics[0].span.clone()].contains("one") || piece.contains("services"));
    }
    let text = SOUND.replacen(
        "summary = \"s\"",
        "summary = \"s\"\nevidence = [{ kind = \"log\", ref = \"s\", text = \"one\\ntwo\" }]",
        1,
    );
    Scenario::parse("right.toml", &text).unwrap();
}
