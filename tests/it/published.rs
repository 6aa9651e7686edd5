//! `incident schema --check`, and the contract as it is published.

use std::fs;

use incident::contract::{asyncapi, schema};
use incident::json_schema::compare::{Breaks, compare};
use serde_json::{Value, json};

use crate::harness::{Scratch, ensure_file_contents, incident, root};
use crate::schema_changes::set;

#[test]
fn the_command_fails_on_a_breaking_change_only() {
    let said = |edits: &[(&str, Value)], flags: &[&str]| {
        let mut old = schema::document();
        for (pointer, value) in edits {
            set(&mut old, pointer, value.clone());
        }
        let scratch = Scratch::new().with("old.json", &old.to_string());
        let file = scratch.path().join("old.json").to_str().unwrap().to_owned();
        let ran = incident(&[&["schema", "--check", &file], flags].concat()).run();
        assert_eq!(ran.stderr, "");
        (ran.status, ran.stdout.replace(&file, "OLD"))
    };
    assert_eq!(said(&[], &[]), (Some(0), "nothing changed since OLD\n".to_owned()));
    assert_eq!(said(&[], &["--quiet"]), (Some(0), String::new()));
    // Of the old schema, so what it lacks is new.
    let new_field = ("/$defs/Run/properties/digest", Value::Null);
    let optional = ("/$defs/Run/required", json!(["scenario", "seed"]));
    let (status, text) = said(&[new_field, optional], &[]);
    let wanted = "breaks writers  the new field `digest` is required  #/$defs/Run/properties/digest\n\
                  1 change since OLD, 1 of which breaks readers or writers\n";
    assert_eq!((status, text.as_str()), (Some(5), wanted));
    let (status, text) = said(&[("/$defs/Run/properties/seed/description", json!("?"))], &[]);
    let wanted = "compatible      the description of `seed` changed  #/$defs/Run/properties/seed\n\
                  1 change since OLD, compatible for readers and writers\n";
    assert_eq!((status, text.as_str()), (Some(0), wanted));
    let (status, text) = said(&[("/$defs/Run/properties/host", json!({ "type": "string" }))], &["-q"]);
    assert_eq!(status, Some(5));
    assert!(text.starts_with("breaks readers  the field `host` was removed"), "{text}");
}

#[test]
fn what_is_no_older_schema_is_refused() {
    let scratch = Scratch::new()
        .with("asyncapi.json", &asyncapi::document().to_string())
        .with("scenario.json", &incident::scenario::schema::document().to_string())
        .with("list.json", "[1]")
        .with("large.json", "{\"minimum\":1e400}")
        .with("text.json", "hello");
    for (file, wanted) in [
        ("asyncapi.json", "is an AsyncAPI document, and --check compares JSON Schemas"),
        ("scenario.json", "is the schema of scenario files, and --check compares that of the messages"),
        ("list.json", "is not a JSON Schema"),
        ("text.json", "is not JSON: expected value at line 1 column 1"),
        ("large.json", "can't be read: a number is too large: at most about 1.8e308 can be read, at line 1"),
        ("missing.json", "cannot be read: no such file"),
    ] {
        let ran = incident(&["schema", "--check", scratch.path().join(file).to_str().unwrap()]).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{file}");
        assert!(ran.stderr.contains(wanted) && ran.stderr.contains("try:"), "{}", ran.stderr);
    }
    assert_eq!(incident(&["schema", "--check", "x", "--asyncapi"]).run().status, Some(2));
}

/// A change that breaks the published contract needs a new major version, with files of its own. A compatible one rewrites
/// the files.
#[test]
fn the_published_contract_is_held() {
    let file = root().join("contract/incident-1.schema.json");
    let published: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let mut found = compare(&published, &schema::document());
    found.retain(|change| change.breaks != Breaks::Nothing);
    assert!(found.is_empty(), "this breaks contract 1: {found:#?}");
    let ran = incident(&["schema", "--check", file.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let printed = |args: &[&str]| {
        let ran = incident(args).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        ran.stdout
    };
    ensure_file_contents(&[
        (file, printed(&["schema"])),
        (root().join("contract/incident-1.asyncapi.json"), printed(&["schema", "--asyncapi"])),
        (root().join("contract/scenario.schema.json"), printed(&["schema", "--scenario"])),
    ]);
    // The files are called after the version that they are of.
    assert!(incident::contract::CONTRACT_VERSION.starts_with("1."));
}
