//! Lists in a scenario where a table belongs: `[[impact]]` for `[impact]`, or values by their order.

use incident::scenario::Scenario;

use crate::mistakes::SOUND;

/// What is replaced, by what; the message, the text at its place, the help.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str, &str, &str)] = &[
    ("[impact]", "[[impact]]", "`impact` is no list", "[[impact]]", "write [impact], with single brackets"),
    ("[resolution]", "[[resolution]]", "`resolution` is no list", "[[resolution]]", "write [resolution]"),
    ("[expect]", "[[expect]]", "`expect` is no list", "[[expect]]", "write [expect]"),
    ("order = [", "resolve = { max = \"70s\" }\n[[expect]]\norder = [", "duplicate key", "", ""),
    ("[resolution]", "[[provenance]]\nurl = \"https://x.org\"\n[resolution]", "`provenance` is no list", "[[provenance]]", "write [provenance]"),
    ("[metrics]", "[[metrics]]", "`metrics` is no list", "[[metrics]]", "write [metrics]"),
    ("retry = { times = 2, backoff = \"1s\" }", "retry = [2, \"1s\"]", "expected a table: { times = 2, backoff = \"5s\" }, not a list", "[2", ""),
    ("cost = { currency = \"USD\", per_minute = { find = 10, mend = 5 } }", "cost = [\"USD\", { find = 10 }]", "expected a table: { currency = \"USD\", per_minute = { all = 900 } }, not a list", "[\"USD\"", ""),
    ("errors = { unit = \"ratio\", noise = 0.1, keys = { 0s = 0.1, 30s = 0.9 } }", "errors = [\"ratio\", 0.1, { 0s = 0.1 }]", "expected a table: { unit = \"ms\", keys = { 0s = 180, 30s = 4000 } }, not a list", "[\"ratio\"", ""),
    ("marks = \"detected\"", "evidence = [[\"metric\", \"errors\"]]", "expected a table: { kind = \"metric\", ref = \"NAME\", value = 0.3 }, not a list", "[\"metric\"", ""),
    ("takes = \"3s\"", "repeat = [\"3s\", 4]", "expected a table: { every = \"30s\", times = 4 }, not a list", "[\"3s\"", ""),
    ("forecast = { quantity = \"q\", unit = \"s\", p10 = 1, p50 = 2, p90 = 3 }", "forecast = [\"q\", \"s\", 1, 2, 3]", "expected a table: { quantity = \"time_to_resolve\", unit = \"s\", p50 = 165 }, not a list", "[\"q\"", ""),
    ("users = { 0s = 0, 30s = 100 }", "users_by = [\"region\", { eu = { 0s = 1 } }]", "expected a table: { … }, not a list", "[\"region\"", ""),
    ("phases = [\"find\", \"mend\"]", "resolve = [\"1s\", \"2m\"]", "expected a table: { min = \"5s\", max = \"10s\" }, not a list", "[\"1s\"", ""),
    ("phases = [\"find\", \"mend\"]", "actions = [1, 2]", "expected a table: { min = 1, max = 3 }, not a list", "[1", ""),
    ("[[steps]]\nid = \"alert\"", "[[steps]]\nafter = [\"restart\", \"completed\"]\nid = \"alert\"", "expected a step's id or { step = \"ID\", on = \"completed\" }, not a list", "[\"restart\"", ""),
];

/// Whatever is wrong within it.
#[test]
fn a_list_is_one_mistake_where_a_table_belongs() {
    for (from, to, message, place, help) in CASES {
        let text = SOUND.replacen(from, to, 1);
        let found = Scenario::parse("a.toml", &text).expect_err(to).diagnostics;
        let [one] = found.as_slice() else { panic!("{to}: {found:#?}") };
        assert_eq!(one.message, *message, "{to}");
        assert!(text[one.span.clone()].starts_with(place), "{to}: {one:?}");
        assert!(one.help.clone().unwrap_or_default().contains(help), "{to}: {one:?}");
    }
}

#[test]
fn a_phase_and_a_step_are_no_lists_either() {
    for (from, to) in [
        ("agents = ", "changes = [[\"5s\", \"s\", \"l\"]]\nagents = "),
        ("agents = ", "logs = [[\"5s\"]]\nagents = "),
        ("agents = ", "alerts = [[\"a\", \"s\"]]\nagents = "),
        ("[resolution]\nat = \"60s\"\nsummary = \"s\"\nroot_cause = \"leak\"\n", ""),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let text = if to.is_empty() { format!("resolution = [\"60s\", \"s\"]\n{text}") } else { text };
        let told = Scenario::parse("a.toml", &text).unwrap_err();
        assert_eq!(told.diagnostics.len(), 1, "{told}");
        assert!(told.to_string().contains("not a list"), "{told}");
    }
}
