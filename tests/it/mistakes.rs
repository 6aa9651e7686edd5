//! Mistakes in scenario files: each with its place and what to do, as a compiler would say it.

use incident::scenario::{Library, Loaded, Scenario};

use crate::harness::Scratch;

/// A sound scenario: each case changes one piece of it.
pub const SOUND: &str = r#"id = "a"
title = "t"
severity = "SEV1"
services = ["s"]
target = "1m"
jitter = "0s"
agents = { detection = "Looks", repair = "Mends" }
[[phases]]
name = "find"
at = "0s"
[[phases]]
name = "mend"
at = "30s"
play = "10s"
[metrics]
errors = { unit = "ratio", noise = 0.1, keys = { 0s = 0.1, 30s = 0.9 } }
[impact]
users = { 0s = 0, 30s = 100 }
cost = { currency = "USD", per_minute = { find = 10, mend = 5 } }
[[hypotheses]]
id = "leak"
claim = "c"
truth = true
belief = { 0s = 0.2, 30s = 0.6 }
[[hypotheses]]
id = "load"
claim = "c"
belief = { 0s = 0.3, 30s = 0.4 }
[[steps]]
id = "alert"
at = "5s"
agent = "detection"
action = "a"
summary = "s"
confidence = 0.9
marks = "detected"
[[steps]]
id = "restart"
after = "alert"
delay = "2s"
agent = "repair"
action = "a"
summary = "s"
takes = "3s"
fails = 0.5
retry = { times = 2, backoff = "1s" }
[[steps]]
id = "check"
after = { step = "restart", on = "any" }
agent = "detection"
action = "a"
summary = "s"
hypothesis = "leak"
forecast = { quantity = "q", unit = "s", p10 = 1, p50 = 2, p90 = 3 }
[resolution]
at = "60s"
summary = "s"
root_cause = "leak"
[expect]
phases = ["find", "mend"]
order = ["alert", "check"]
root_cause = "leak"
"#;

/// What is replaced, by what; then what has to be said: the message, the text at its place, the help.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("title = \"t\"", "titel = \"t\"", "unknown field `titel`", "titel", "did you mean `title`?"),
    ("summary = \"s\"\nconfidence", "sumary = \"s\"\nconfidence", "unknown field `sumary`", "sumary", "did you mean `summary`?"),
    ("severity = \"SEV1\"", "severity = 3", "expected one of `SEV1`, `SEV2`, `SEV3`, `SEV4`, `SEV5`, not the number 3", "3", ""),
    ("severity = \"SEV1\"", "severity = [\"SEV1\"]", "expected one of `SEV1`, `SEV2`, `SEV3`, `SEV4`, `SEV5`, not a list", "[", ""),
    ("severity = \"SEV1\"", "severity = { SEV1 = 1 }", "expected one of `SEV1`, `SEV2`, `SEV3`, `SEV4`, `SEV5`, not a table", "{", ""),
    ("noise = 0.1,", "noise = 0.1, interpolate = 3,", "expected one of `linear`, `step`, `smooth`, not the number 3", "3", ""),
    ("marks = \"detected\"", "marks = [1]", "expected one of `detected`, `diagnosed`, `mitigated`, not the number 1", "1", ""),
    ("jitter = \"0s\"", "parameters = { x = 2026-01-01 }", "a date or a time can't stand here", "2026", "in quotes: \"2026-01-01\""),
    ("{ 0s = 0.1, 30s", "{ 0.5s = 0.1, 30s", "\"0\" is not a duration", "0", "\"0.5s\", with quotes"),
    ("{ 0s = 0.1, 30s", "{ 0s = 99999999999999999999, 30s", "the number 99999999999999999999 is too large", "9", ""),
    ("{ 0s = 0.1, 30s", "{ 0s = 1e400, 30s", "a number is too large", "1e400", ""),
    ("{ 0s = 0.1, 30s", "{ 0s = 0x_1, 30s", "`_` may only go between digits", "", "without `_`"),
    ("{ 0s = 0.1, 30s", "{ 0s = True, 30s", "neither true nor false, a number nor a text", "T", "small letters"),
    ("target = \"1m\"", "target = \"1m\",", "a line goes on after its value", "", "end the line"),
    ("target = \"1m\"", "target = \"1m\" // x", "a line goes on after its value", "", "a note begins with `#`"),
    ("target = \"1m\"", "target = = \"1m\"", "a second `=`", "", "KEY = VALUE"),
    ("target = \"1m\"", "target =\n\"1m\"", "the value is missing", "", "on the line of its key"),
    ("title = \"t\"", "title = \"  \"", "`title` is empty", "\"  \"", ""),
    ("services = [\"s\"]", "services = [\"s\", \"\"]", "`services` is empty", "\"\"]", ""),
    ("action = \"a\"\nsummary = \"s\"\nconf", "action = \"anomaly-detected\"\nsummary = \"s\"\nconf", "the action \"anomaly-detected\" is not in snake_case", "\"anomaly", "rolled_back"),
    ("jitter = \"0s\"", "parameters = { x = { default = \"a\", one_of = [] } }", "`one_of` is empty", "", ""),
    ("title = \"t\"\n", "", "missing field `title`", "id = \"a\"", "above the first table"),
    ("\"SEV1\"", "\"SEV0\"", "unknown value `SEV0`", "\"SEV0\"", ""),
    ("\"SEV1\"", "\"critical\"", "unknown value `critical`, expected one of `SEV1`", "\"critical\"", "SEV1 is the worst"),
    ("takes = \"3s\"", "takes = \"3 parts\"", "\"3 parts\" is not a duration: write numbers with the units", "\"3 parts\"", ""),
    ("takes = \"3s\"", "takes = 3", "expected a duration like \"8s\"", "3", "quotes and a unit: \"3s\""),
    ("confidence = 0.9", "confidence = \"97%\"", "expected a number, not the text \"97%\"", "\"97%\"", "write 97% as 0.97"),
    ("confidence = 0.9", "confidence = 90%", "a text must be in quotes", "90%", "write 90% as 0.9"),
    ("takes = \"3s\"", "takes = \u{201c}3s\u{201d}", "a text must be in quotes", "\u{201c}3s", "write \"3s\", with the quotes of a keyboard"),
    ("confidence = 0.9", "confidence = \"0.97\"", "expected a number", "\"0.97\"", "leave out the quotes: 0.97"),
    ("fails = 0.5", "fails = \"half\"", "expected a number", "\"half\"", ""),
    ("retry = { times = 2, backoff = \"1s\" }", "retry = 2", "expected a table: { times = 2", "2", ""),
    ("services = [\"s\"]", "services = \"s\"", "expected a list", "\"s\"", ""),
    ("0s = 0.1, 30s", "0s = \"10 %\", 30s", "expected a number", "\"10 %\"", "write 10 % as 0.1"),
    ("target = \"1m\"", "target = 60", "expected a duration", "60", ""),
    ("at = \"5s\"", "at = \"5\"", "\"5\" is not a duration: write numbers with the units d, h, m, s and ms", "\"5\"", ""),
    ("at = \"5s\"", "at = \"5parsecs\"", "\"5parsecs\" is not a duration", "\"5parsecs\"", ""),
    ("at = \"5s\"", "at = \"-5s\"", "is negative", "\"-5s\"", ""),
    ("at = \"5s\"", "at = \"5s1m\"", "the largest first", "\"5s1m\"", ""),
    ("at = \"5s\"", "at = \"1 month\"", "no fixed length", "\"1 month\"", ""),
    ("at = \"5s\"", "at = \"\"", "\"\" is not a duration", "\"\"", ""),
    ("at = \"5s\"", "at = \"900d\"", "more than a year", "\"900d\"", ""),
    ("agent = \"repair\"", "agent = \"repiar\"", "unknown agent \"repiar\"", "\"repiar\"", "did you mean \"repair\"?"),
    ("after = \"alert\"", "after = \"alart\"", "unknown step \"alart\"", "\"alart\"", "did you mean \"alert\"?"),
    ("step = \"restart\"", "step = \"nothing\"", "unknown step \"nothing\"", "\"nothing\"", "the file defines alert, restart, check"),
    ("hypothesis = \"leak\"", "hypothesis = \"leek\"", "unknown hypothesis \"leek\"", "\"leek\"", "did you mean \"leak\"?"),
    ("at = \"5s\"", "at = \"5s\"\nafter = \"check\"", "both `at` and `after`", "\"check\"", ""),
    ("at = \"5s\"\n", "", "neither `at` nor `after`", "\"alert\"", "give at = \"40s\" or after = \"STEP\""),
    ("at = \"5s\"", "at = \"5s\"\ndelay = \"1s\"", "`delay` without `after`", "\"1s\"", "add after"),
    ("at = \"5s\"", "after = \"check\"", "steps wait for each other", "\"alert\"", "give one of them `at`"),
    ("after = \"alert\"", "after = \"restart\"", "steps wait for each other", "\"restart\"", "restart -> restart"),
    ("0s = 0.3, 30s = 0.4", "0s = 0.3, 30s = 0.5", "the beliefs at 30s sum to 1.100", "{ 0s = 0.2", "sum to at most 1"),
    ("30s = 0.6", "30s = 1.6", "a belief must stay between 0 and 1", "{ 0s = 0.2", ""),
    ("30s = 0.9", "30s = 1.9", "a ratio must stay between 0 and 1", "errors", ""),
    ("noise = 0.1", "noise = 1.1", "noise must be from 0 to 1", "errors", ""),
    ("confidence = 0.9", "confidence = 90.0", "a confidence must be from 0 to 1", "90.0", "write 90 % as 0.9"),
    ("confidence = 0.9", "confidence = 0.9\nhypothesis = \"leak\"", "both confidence and hypothesis", "0.9", "keep one of them"),
    ("fails = 0.5", "fails = 1.5", "a failure must be from 0 to 1", "1.5", ""),
    ("fails = 0.5\n", "", "`retry` on a step that never fails", "{ times", ""),
    ("times = 2", "times = 101", "more than 100 retries", "{ times", ""),
    ("on = \"any\"", "on = \"sometimes\"", "step \"restart\" has no outcome \"sometimes\"", "\"restart\"", ""),
    ("fails = 0.5\nretry = { times = 2, backoff = \"1s\" }\n[[steps]]\nid = \"check\"\nafter = { step = \"restart\", on = \"any\" }", "[[steps]]\nid = \"check\"\nafter = { step = \"restart\", on = \"failed\" }", "step \"restart\" never fails", "\"restart\"", ""),
    ("at = \"30s\"", "at = \"0s\"", "phase \"mend\" does not begin after \"find\" (0s)", "\"0s\"", ""),
    ("at = \"0s\"", "at = \"1s\"", "the first phase does not begin at 0s", "\"1s\"", "phases cover the incident"),
    ("play = \"10s\"", "play = \"0s\"", "a phase plays for 0s", "\"0s\"", ""),
    ("at = \"60s\"", "at = \"30s\"", "not after the start of the last phase", "\"30s\"", ""),
    ("at = \"60s\"", "at = \"31s\"\nafter = \"check\"", "both `at` and `after`", "\"check\"", ""),
    ("at = \"60s\"\n", "", "neither `at` nor `after`", "[resolution]", "give at = \"40s\" or after = \"STEP\""),
    ("[resolution]\nat = \"60s\"\nsummary = \"s\"\nroot_cause = \"leak\"\n", "", "missing field `resolution`", "\"", "[resolution] with how it ends"),
    ("summary = \"s\"\nroot_cause = \"leak\"", "summary = \"s\"\nroot_cause = \"load\"", "the root cause is not the true hypothesis", "\"load\"", ""),
    ("id = \"restart\"", "id = \"alert\"", "two steps are called \"alert\"", "\"alert\"", ""),
    ("name = \"mend\"", "name = \"find\"", "two phases are called \"find\"", "\"find\"", ""),
    ("id = \"load\"", "id = \"leak\"", "two hypotheses are called \"leak\"", "\"leak\"", ""),
    ("id = \"load\"", "id = \"load\"\ntruth = true", "two hypotheses have `truth = true`", "\"load\"", ""),
    ("phases = [\"find\", \"mend\"]", "phases = [\"fimd\"]", "unknown phase in [expect]: \"fimd\"", "\"fimd\"", "did you mean \"find\"?"),
    ("order = [\"alert\", \"check\"]", "order = [\"chekc\"]", "unknown step in [expect]: \"chekc\"", "\"chekc\"", "did you mean \"check\"?"),
    ("root_cause = \"leak\"\n[expect]", "root_cause = \"leak\"\n[expect]\ndetekt = { max = \"1s\" }", "unknown field `detekt`", "detekt", "did you mean `detect`?"),
    ("mend = 5", "ment = 5", "unknown phase \"ment\"", "ment", "did you mean \"mend\"?"),
    ("find = 10", "find = -10", "the cost of a phase is negative", "find", "never falls"),
    ("\"USD\"", "\"dollars\"", "\"dollars\" is not a currency", "\"dollars\"", ""),
    ("30s = 100", "30s = -100", "fewer than 0 users", "{ 0s = 0, 30s = -100", ""),
    ("p10 = 1", "p10 = 9", "p10, p50 and p90 are not in rising order", "{ quantity", ""),
    ("id = \"a\"", "id = \"A b\"", "\"A b\" cannot be an id", "\"A b\"", "database-outage"),
    ("id = \"a\"", "id = \"a\"\nseed = 9007199254740992", "the seed is a whole number from 0 to 9007199254740991", "9007199254740992", ""),
    ("agents = { detection = \"Looks\", repair = \"Mends\" }", "agents = {}", "no agents", "{}", ""),
    ("jitter = \"0s\"", "metrics_every = \"1ms\"", "metrics_every must be at least 100ms", "\"1ms\"", ""),
    ("jitter = \"0s\"", "jitter = ", "", "", ""),
    ("p50 = 2, p90 = 3", "p50 = inf, p90 = inf", "a forecast must be a number", "{ quantity", ""),
    ("p10 = 1", "p10 = -inf", "a forecast must be a number", "{ quantity", ""),
    ("p50 = 2", "p50 = nan", "a forecast must be a number", "{ quantity", ""),
    ("hypothesis = \"leak\"\nforecast", "evidence = [{ kind = \"k\", ref = \"r\", value = nan }]\nforecast", "evidence must be a number", "nan", ""),
    ("hypothesis = \"leak\"\nforecast", "evidence = [{ kind = \"k\", ref = \"r\", value = 1.7976e308 }]\nforecast", "evidence must be a number", "1.7976e308", ""),
    ("confidence = 0.9", "confidence = nan", "a confidence must be from 0 to 1", "nan", ""),
    ("fails = 0.5", "fails = nan", "a failure must be from 0 to 1", "nan", ""),
    ("noise = 0.1", "noise = nan", "noise must be from 0 to 1", "errors", ""),
    ("\"ratio\", noise = 0.1, keys = { 0s = 0.1", "\"ms\", noise = 1, keys = { 0s = 1.7e308", "a metric must be a number", "errors", ""),
    ("\"ratio\", noise = 0.1, keys = { 0s = 0.1", "\"ms\", noise = 1, keys = { 0s = -2e12", "a metric must be a number", "errors", ""),
    ("find = 10", "find = 1e308", "the cost of a phase must be a number", "find", ""),
    ("find = 10", "find = nan", "the cost of a phase must be a number", "find", ""),
    ("30s = 100", "30s = 1e300", "more than 2^53 users", "{ 0s = 0, 30s = 1e300", ""),
    ("root_cause = \"leak\"\n[expect]", "root_cause = \"leak\"\n[expect]\ndetect = { min = \"2s\", max = \"1s\" }", "min (2s) is above max (1s)", "{ min", ""),
    ("root_cause = \"leak\"\n[expect]", "root_cause = \"leak\"\n[expect]\nfailed = { min = 3, max = 2 }", "min (3) is above max (2)", "{ min", ""),
    ("play = \"10s\"", "play = \"365d\"", "more than 100000", "\"365d\"", "a shorter `play`, or raise metrics_every"),
    ("at = \"5s\"", "at = \"55s\"", "is still in progress at", "\"", "make the step earlier or shorter"),
];

#[test]
fn the_sound_scenario_is_sound() {
    Scenario::parse("sound.toml", SOUND).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_mistake_is_shown_at_its_place_with_what_to_do() {
    assert!(CASES.len() >= 20);
    for (piece, wrong, message, at, help) in CASES {
        assert!(SOUND.contains(piece), "{piece:?} is not in the scenario");
        let text = SOUND.replacen(piece, wrong, 1);
        let Err(error) = Scenario::parse("wrong.toml", &text) else { panic!("{wrong:?} was accepted") };
        let found = error.diagnostics.iter().find(|problem| problem.message.contains(message));
        let Some(problem) = found else { panic!("{wrong:?}: instead of {message:?}: {error}") };
        let rest = &text[problem.span.start..];
        assert!(rest.starts_with(at), "{wrong:?}: {message:?} points at {:?}", &rest[..rest.len().min(30)]);
        let says = problem.help.as_deref().unwrap_or_default();
        assert!(says.contains(help), "{wrong:?}: help {says:?}, not {help:?}");

        let (line, column) = error.line_column(problem.span.start);
        assert!(error.to_string().contains(&format!("wrong.toml:{line}:{column}: ")), "{error}");
        let rendered = error.render(false);
        assert!(rendered.contains(&format!("wrong.toml:{line}:")), "{wrong:?}:\n{rendered}");
        let shown = text.lines().nth(line - 1).unwrap_or_default().trim();
        assert!(rendered.contains(shown), "{wrong:?}: the line {shown:?} is not in\n{rendered}");
        assert!(!rendered.contains('\u{1b}'), "no colour was asked for");
    }
}

/// Each mistake of these is one, and not one for each line that follows.
#[test]
fn one_mistake_is_told_once() {
    let header = "[[steps]]\nid = \"check\"";
    let deep = format!("{} = 1", vec!["a"; 3_000].join("."));
    for (piece, wrong, message) in [
        (header, "id = \"check\"", "these keys are in the table [[steps]] twice: `id`, `after`"),
        (
            "[[hypotheses]]\nid = \"load\"",
            "id = \"load\"",
            "these keys are in the table [[hypotheses]] twice",
        ),
        ("severity = \"SEV1\"", "severity = 3", "expected one of `SEV1`"),
        ("severity = \"SEV1\"", "severity = { SEV1 = 1 }", "not a table"),
        ("title = \"t\"", "title = \"The shop\nis slow\"", "a text is not closed"),
        ("target = \"1m\"", "target = = \"1m\"", "a second `=`"),
        ("unit = \"ratio\",", "u    nit = \"ratio\",", ""),
        ("quantity = \"q\"", "quantity = \"q\"x", ""),
        ("title = \"t\"", &format!("title = \"t\"\n{deep}"), "nested too deeply"),
    ] {
        assert!(SOUND.contains(piece), "{piece}");
        let error = Scenario::parse("wrong.toml", &SOUND.replacen(piece, wrong, 1)).unwrap_err();
        let [mistake] = &error.diagnostics[..] else { panic!("{wrong}: {error}") };
        assert!(mistake.message.contains(message), "{wrong}: {error}");
    }
    let error = Scenario::parse("wrong.toml", &format!("id = \"a\"\n{deep}\n")).unwrap_err();
    assert_eq!(error.line_column(error.diagnostics[0].span.start).0, 2, "{error:?}");
}

#[test]
fn lines_and_columns_count_characters_from_1() {
    let text =
        SOUND.replace("title = \"t\"", "title = \"tü\u{1f525}\"\nseverity = \"SEV1\"\n\u{fc}berflüssig = 1");
    let error = Scenario::parse("wrong.toml", &text.replacen("\nseverity = \"SEV1\"\nserv", "\nserv", 1))
        .unwrap_err();
    let (line, _) = error.line_column(error.diagnostics[0].span.start);
    assert_eq!(line, 4, "{error}");
    let inline =
        SOUND.replace("agents = { detection = \"Looks\"", "agents = { \"prüfer\" = \"Lööks\", detection = 7");
    let error = Scenario::parse("wrong.toml", &inline).unwrap_err();
    assert_eq!(error.line_column(error.diagnostics[0].span.start), (7, 44), "{error}");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text =
        SOUND.replace("agent = \"repair\"", "agent = \"nobody\"").replace("fails = 0.5", "fails = 2.0");
    let text = text.replace("\"USD\"", "\"usd\"");
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    let told: Vec<&str> = error.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].contains("currency") && told[1].contains("agent") && told[2].contains("failure"),
        "{told:?}"
    );
}

#[test]
fn two_files_with_one_id_are_told_of_each_other() {
    let scratch =
        Scratch::new().with("a.toml", SOUND).with("b.toml", SOUND).with("notes.md", "not a scenario");
    let errors = Library::read(scratch.path()).errors;
    assert_eq!(errors.len(), 1);
    let told = errors[0].to_string();
    assert!(
        told.contains("b.toml:1:6") && told.contains("is also the id of") && told.contains("a.toml"),
        "{told}"
    );
}

#[test]
fn every_wrong_file_of_a_folder_is_told() {
    let wrong = SOUND.replace("\"USD\"", "\"usd\"");
    let scratch = Scratch::new().with("a.toml", &wrong).with("b.toml", "id = ").with("c.toml", SOUND);
    let Loaded { library, errors } = Library::read(scratch.path());
    assert_eq!(errors.len(), 2);
    assert_eq!(library.ids().collect::<Vec<_>>(), ["a"], "what is sound can be played");
    let alone = Library::read(&scratch.path().join("c.toml"));
    assert_eq!((alone.library.len(), alone.errors.len()), (1, 0), "a file is a library of one");
    assert_eq!(Library::read(&scratch.path().join("nowhere")).errors.len(), 1);
}

#[test]
fn bytes_that_are_no_text_are_told_not_read() {
    let scratch = Scratch::new().with("a.toml", "");
    std::fs::write(scratch.path().join("a.toml"), [0xff, 0xfe, 0]).unwrap();
    let errors = Library::read(scratch.path()).errors;
    assert!(errors[0].to_string().contains("a.toml"), "{}", errors[0]);
    assert!(unwrapped(&errors[0].render(false)).contains("cannot be read"), "{}", errors[0].render(false));
}

/// A scenario with these phases, steps and resolution.
pub fn made_of(phases: &str, steps: &str, resolution: &str) -> String {
    format!(
        "id = \"a\"\ntitle = \"t\"\nseverity = \"SEV1\"\nservices = []\ntarget = \"1m\"\nagents = {{ x = \"y\" }}\n\
         {phases}\n{steps}\n[resolution]\nsummary = \"s\"\n{resolution}\n"
    )
}

pub const ONE_PHASE: &str = "phases = [{ name = \"p\", at = \"0s\" }]";

pub fn one_step(rest: &str) -> String {
    format!("[[steps]]\nid = \"s\"\nagent = \"x\"\naction = \"a\"\nsummary = \"s\"\n{rest}\n")
}

/// The only problem of a text: its message, and the text from its place on.
pub fn only_problem(text: &str) -> (String, &str, String) {
    let Err(error) = Scenario::parse("wrong.toml", text) else { panic!("it was accepted") };
    assert_eq!(error.diagnostics.len(), 1, "{error}");
    let problem = &error.diagnostics[0];
    (problem.message.clone(), &text[problem.span.start..], problem.help.clone().unwrap_or_default())
}

#[test]
fn what_is_empty_is_shown_at_its_key() {
    let text = made_of("phases = []", &one_step("at = \"1s\""), "at = \"5s\"");
    let (message, at, _) = only_problem(&text);
    assert!(message.contains("no phases") && at.starts_with("[]"), "{message} at {at}");
    let text = made_of(ONE_PHASE, "steps = []", "at = \"5s\"");
    let (message, at, _) = only_problem(&text);
    assert!(message.contains("no steps") && at.starts_with("[]"), "{message} at {at}");
}

#[test]
fn an_empty_file_is_told_with_its_name_and_what_it_lacks() {
    let error = Scenario::parse("toml/empty.toml", "").unwrap_err();
    let rendered = error.render(false);
    assert!(rendered.contains("[toml/empty.toml:1:1]"), "{rendered}");
    assert!(rendered.trim_start().starts_with("× missing field"), "{rendered}");
    assert!(error.to_string().starts_with("toml/empty.toml:1:1: missing field"), "{error}");
}

#[test]
fn a_file_that_breaks_off_is_shown_where_it_does() {
    for text in ["id = ", "id = \"a", "[expect", "ü"] {
        let rendered = Scenario::parse("wrong.toml", text).unwrap_err().render(false);
        assert!(rendered.contains("[wrong.toml:1:"), "{text:?}:\n{rendered}");
        assert!(rendered.contains(text.trim()), "{text:?}:\n{rendered}");
    }
}

#[test]
fn a_file_that_cannot_be_read_has_no_place() {
    let scratch = Scratch::new();
    let errors = Library::read(&scratch.path().join("nowhere")).errors;
    assert!(errors[0].to_string().contains("nowhere: cannot be read"), "{}", errors[0]);
    assert!(unwrapped(&errors[0].render(false)).contains("nowhere: cannot be read"));
}

/// A drawing without line breaks: the length of a path decides on them.
fn unwrapped(drawing: &str) -> String {
    drawing.split('│').flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
