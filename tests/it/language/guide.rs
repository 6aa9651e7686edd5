//! `docs/scenarios.md`: every key of the language is in it, and every example there compiles.

use std::collections::BTreeMap;
use std::fs;

use incident::json_schema::Schema;
use incident::scenario::{DurationError, Micros, Moment, SHIPPED, Scenario, schema};
use serde_json::{Value, json};

use super::text;
use crate::harness::root;

/// What the examples are put into. An example replaces the keys and tables that it has, and adds entries to lists.
const AROUND: &str = r#"id = "guide"
title = "The shop is slow"
severity = "SEV3"
services = ["shop"]
target = "1m"
[agents]
watcher = "Watches"
fixer = "Fixes"
[[phases]]
name = "all"
at = "0s"
[metrics]
error_rate = { unit = "ratio", keys = { 0s = 0.1 } }
[[hypotheses]]
id = "cache"
claim = "The cache was emptied"
truth = true
belief = { 5s = 0.2, 40s = 0.9 }
[[steps]]
id = "seen"
at = "5s"
agent = "watcher"
action = "anomaly_detected"
summary = "Pages are slow"
marks = "detected"
[[steps]]
id = "cause"
at = "30s"
agent = "watcher"
action = "root_cause_identified"
summary = "The cache is empty"
marks = ["diagnosed", "mitigated"]
[resolution]
at = "60s"
summary = "Over"
root_cause = "cache"
"#;

fn guide() -> String {
    fs::read_to_string(root().join("docs/scenarios.md")).unwrap()
}

/// The text of each heading's section.
fn sections() -> BTreeMap<String, String> {
    let guide = guide();
    let sections = guide.split("\n## ").filter_map(|section| section.split_once('\n'));
    sections.map(|(heading, text)| (heading.to_owned(), text.to_owned())).collect()
}

fn examples(section: &str) -> impl Iterator<Item = &str> {
    section.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next())
}

/// The parts of a TOML text: the keys of the root, and then each table with its header.
fn parts(text: &str) -> (Vec<&str>, Vec<String>) {
    let mut root = Vec::new();
    let mut tables: Vec<String> = Vec::new();
    for line in text.lines() {
        match tables.last_mut() {
            _ if line.starts_with('[') => tables.push(format!("{line}\n")),
            Some(table) => *table += &format!("{line}\n"),
            None => root.push(line),
        }
    }
    (root, tables)
}

/// What names a table: its header, and the id of a list's entry.
fn name(table: &str) -> String {
    let lines: Vec<&str> = table.lines().collect();
    let id = lines
        .iter()
        .find(|line| line.starts_with("id") || line.starts_with("name"))
        .filter(|_| table.starts_with("[["));
    format!("{} {}", lines[0], id.unwrap_or(&"").replace(' ', ""))
}

/// An example in the middle of a sound file.
fn whole(example: &str) -> String {
    if Scenario::parse("example.toml", example).is_ok() {
        return example.to_owned();
    }
    let ((mut keys, mut tables), (new_keys, new_tables)) = (parts(AROUND), parts(example));
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    keys.retain(|line| !new_keys.iter().any(|new| key(new) == key(line)));
    tables.retain(|table| !new_tables.iter().any(|new| name(new) == name(table)));
    let keys: Vec<String> = keys.into_iter().chain(new_keys).map(|line| format!("{line}\n")).collect();
    tables.extend(new_tables);
    keys.concat() + &tables.concat()
}

#[test]
fn every_example_compiles() {
    let mut count = 0;
    for (heading, section) in sections() {
        for example in examples(&section) {
            let text = whole(example);
            let scenario = Scenario::parse("example.toml", &text)
                .unwrap_or_else(|error| panic!("{heading}: {error}\n{text}"));
            assert_eq!(scenario.warnings, [], "{heading}");
            count += 1;
        }
    }
    let first = guide();
    let first = examples(&first).next().unwrap().to_owned();
    Scenario::parse("first.toml", &first).unwrap();
    assert!(count >= 10, "{count}");
}

/// The tables of the language: the schema's definition, the section of the guide, and what stands before its keys there.
const TABLES: [(&str, &str, &str); 22] = [
    ("", "The file", ""),
    ("Phase", "phases", ""),
    ("Metric", "metrics", ""),
    ("Impact", "impact", ""),
    ("UsersTable", "impact", "users_by."),
    ("Cost", "impact", "cost."),
    ("Hypothesis", "hypotheses", ""),
    ("Step", "steps", ""),
    ("EdgeTable", "steps", "after."),
    ("Evidence", "steps", "evidence."),
    ("Forecast", "steps", "forecast."),
    ("Retry", "steps", "retry."),
    ("Repeat", "steps", "repeat."),
    ("Resolution", "resolution", ""),
    ("Expect", "expect", ""),
    ("Provenance", "provenance", ""),
    ("ParameterTable", "parameters", ""),
    ("Variant", "variants", ""),
    ("Alert", "alerts", ""),
    ("Log", "logs", ""),
    ("Change", "changes", ""),
    ("Bounds", "expect", "{ min, max }"),
];

#[test]
fn every_key_is_in_the_guide_with_an_example() {
    let (schema, sections) = (schema::document(), sections());
    let mut documented: Vec<&str> = vec![""];
    for (definition, section, before) in TABLES {
        documented.push(definition);
        let table = if definition.is_empty() { &schema } else { &schema["$defs"][definition] };
        let keys: Vec<&String> =
            table["properties"].as_object().unwrap_or_else(|| panic!("{definition}")).keys().collect();
        let text = &sections[section];
        let shown: String = if section == "The file" { guide() } else { examples(text).collect() };
        for key in keys {
            let row =
                if before.starts_with('{') { before.to_owned() } else { format!("| `{before}{key}` |") };
            assert!(text.contains(&row), "{section} has no row {row}");
            let used = ["\n", "{ ", ", ", "."].iter().any(|ahead| {
                shown.contains(&format!("{ahead}{key} "))
                    || shown.contains(&format!("{ahead}{key}."))
                    || shown.contains(&format!("[[{key}]]"))
                    || shown.contains(&format!("[{key}]"))
                    || shown.contains(&format!("[{key}."))
            });
            assert!(used, "no example of {section} uses `{key}`");
        }
    }
    // A new table of the language must be in the list above.
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let is_table = definition.get("properties").is_some();
        assert!(
            !is_table || documented.contains(&name.as_str()) || name == "Counts",
            "{name} is not in the guide"
        );
    }
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let schema = Schema::compile(&schema::document()).unwrap();
    let guide = guide();
    let examples = examples(&guide).map(whole);
    let texts = SHIPPED.iter().map(|(_, text)| (*text).to_owned()).chain(examples);
    for text in texts {
        let value = json(&text);
        assert_eq!(schema.mismatch(&value).map(|mismatch| mismatch.text), None, "{text}");
    }
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = Schema::compile(&schema::document()).unwrap();
    let sound = whole("seed = 1\n");
    for (old, new) in [
        ("id = \"guide\"\n", ""),
        ("severity = \"SEV3\"", "severity = \"high\""),
        ("target = \"1m\"", "target = 60"),
        ("services = [\"shop\"]", "services = \"shop\""),
        ("truth = true", "truth = \"yes\""),
        ("marks = \"detected\"", "mark = \"detected\""),
        ("marks = \"detected\"", "marks = \"seen\""),
        ("0s = 0.1", "soon = 0.1"),
        ("0s = 0.1", "0s = \"much\""),
        ("0s = 0.1", "\"1M\" = 0.1"),
        ("target = \"1m\"", "target = \"1M\""),
        ("target = \"1m\"", "target = \"1s1m\""),
        ("target = \"1m\"", "target = \"0x1s\""),
        ("target = \"1m\"", "target = \"-1m\""),
        ("root_cause = \"cache\"", "rootcause = \"cache\""),
    ] {
        let text = sound.replacen(old, new, 1);
        assert!(Scenario::parse("wrong.toml", &text).is_err(), "{new}");
        assert!(schema.mismatch(&json(&text)).is_some(), "{new}");
    }
    // A parameter may stand for any value.
    let parameter = text("[parameters]\nlate = \"40s\"\n", &super::step("look", "at = \"{late}\""), "");
    assert!(schema.mismatch(&json(&parameter)).is_none());
}

/// Every text of a few of these parts. A length that is too much has a good form.
#[test]
fn the_schema_has_the_form_of_durations() {
    const PARTS: [&str; 23] = [
        "1", "20", ".5", ",5", ":", " ", ", ", ",", "+", "-", "d", "weeks", "h", "m", "min", "M", "secs",
        "ms", "\u{b5}s", "nanos", "mo", "P", "T",
    ];
    let document = schema::document();
    let schema = |name: &str| Schema::compile(&document["$defs"][name]).unwrap();
    let (durations, moments) = (schema("Duration"), schema("Moment"));
    let mut texts: Vec<String> = [
        "1h 30m",
        "1 min, 30 secs",
        "1.5 minutes",
        "00:01:30",
        "1 day 01:02:03.5",
        "PT1M30S",
        "P1DT1.5H",
        "1h,30m",
        "1h30",
        "1.5h30m",
        "30m1h",
        "5s ago",
        "1 year",
        "P1Y",
        "P1DT",
        "PT",
        "1h, ",
        " 1h ",
        "1m 1m",
        "1d1w",
        "1ms1us1ns",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut begun = vec![String::new()];
    for _ in 0..4 {
        begun = begun.iter().flat_map(|begun| PARTS.map(|part| begun.clone() + part)).collect();
        // Longer ones begin with a number.
        begun.retain(|text| text.len() < 3 || text.starts_with(['1', 'P', '-']));
        texts.extend(begun.iter().cloned());
    }
    for text in texts {
        let has_form =
            |read: Result<(), DurationError>| matches!(read, Ok(()) | Err(DurationError::TooLong(_)));
        let taken = |schema: &Schema| schema.mismatch(&text.clone().into()).is_none();
        assert_eq!(taken(&durations), has_form(text.parse::<Micros>().map(drop)), "{text:?}");
        assert_eq!(taken(&moments), has_form(text.parse::<Moment>().map(drop)), "{text:?}");
    }
}

/// A TOML text as the JSON that editors judge: dates are texts.
fn json(text: &str) -> Value {
    fn plain(value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => json!(number),
            toml::Value::Boolean(value) => value.into(),
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(plain).collect(),
            toml::Value::Table(table) => {
                Value::Object(table.into_iter().map(|(key, item)| (key, plain(item))).collect())
            }
        }
    }
    plain(toml::Value::Table(toml::from_str(text).unwrap()))
}
