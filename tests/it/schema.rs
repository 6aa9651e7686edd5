//! The schema and the AsyncAPI document in other people's programs: only what JSON Schema itself knows, and the judgement of
//! Ajv, Python and AsyncAPI's own parser.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use incident::contract::{CONTRACT_VERSION, MessageType, asyncapi, schema};
use serde_json::{Value, json};

use crate::harness::{Serving, fixtures, get, incident, root};

/// The formats that JSON Schema 2020-12 defines. Ajv's strict mode throws on any other.
const FORMATS: [&str; 19] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
    "uri-template",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

/// Every `format` in a schema.
fn formats(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            found.extend(object.get("format").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| formats(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| formats(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_format_is_one_that_json_schema_knows() {
    let printed = incident(&["schema"]).run();
    let served = get(Serving::with(&[]).address(), "/schema.json").await.json();
    let mut schemas = vec![serde_json::from_str(&printed.stdout).unwrap(), served, schema::envelope()];
    assert_eq!(schemas[0], schemas[1]);
    schemas.extend(MessageType::ALL.iter().map(|kind| schema::payload(*kind)));
    for schema in schemas {
        let mut found = BTreeSet::new();
        formats(&schema, &mut found);
        let unknown: Vec<_> = found.iter().filter(|format| !FORMATS.contains(&format.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {}", schema["title"]);
    }
    let mut found = BTreeSet::new();
    formats(&schema::document(), &mut found);
    assert!(found.contains("date-time"), "{found:?}");
}

/// The schema, messages that satisfy it, and messages that don't.
fn given() -> String {
    let read = |(_, text): (String, String)| serde_json::from_str::<Value>(&text).unwrap();
    let valid: Vec<Value> = fixtures("messages").into_iter().map(read).collect();
    let mut invalid = Vec::new();
    for message in &valid {
        for change in [("/time", json!("yesterday")), ("/specversion", json!("2.0")), ("/data", json!(7))] {
            let mut broken = message.clone();
            *broken.pointer_mut(change.0).unwrap() = change.1;
            invalid.push(broken);
        }
    }
    let started = valid.iter().find(|message| message["type"] == "incident_started").unwrap();
    for (path, value) in [("/index", json!(-1)), ("/data/target_s", json!("long"))] {
        let mut broken = started.clone();
        *broken.pointer_mut(path).unwrap() = value;
        invalid.push(broken);
    }
    json!({ "schema": schema::document(), "valid": valid, "invalid": invalid }).to_string()
}

/// What a program says to a text.
fn answer(mut program: Command, text: &str) -> String {
    let mut running =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let ran = running.wait_with_output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}{failed}");
    said.into_owned()
}

/// Runs a validator on [`given`].
fn judged(validator: Command) {
    let said = answer(validator, &given());
    assert!(said.starts_with("10 valid, 32 invalid"), "{said}");
}

/// A program for Node.js with the packages that `tests/run` installs.
fn node(script: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(root().join("tests/validators").join(script));
    node.env("NODE_PATH", root().join("target/test-tools/node/node_modules"));
    node
}

#[test]
#[ignore = "needs Node.js and npm's ajv: ./tests/run installs them and runs this"]
fn ajv_takes_the_schema_with_its_defaults() {
    judged(node("ajv.cjs"));
}

#[test]
#[ignore = "needs Python's jsonschema: ./tests/run installs it and runs this"]
fn python_takes_the_schema() {
    let mut python = Command::new(root().join("target/test-tools/python/bin/python"));
    python.arg(root().join("tests/validators/python.py"));
    judged(python);
}

/// Neither an error nor a warning.
#[test]
#[ignore = "needs Node.js and npm's @asyncapi/parser: ./tests/run installs them and runs this"]
fn asyncapis_parser_takes_the_document() {
    let said = answer(node("asyncapi.cjs"), &asyncapi::document().to_string());
    let mut names: Vec<&str> = MessageType::ALL.iter().map(|kind| kind.as_str()).collect();
    names.sort_unstable();
    assert_eq!(said, format!("3.0.0: /events /ws: {}\n", names.join(" ")));
}

#[tokio::test]
async fn the_asyncapi_document_is_printed_and_served() {
    let printed: Value = serde_json::from_str(&incident(&["schema", "--asyncapi"]).run().stdout).unwrap();
    let served = get(Serving::with(&[]).address(), "/asyncapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!((&printed, &served.json()), (&asyncapi::document(), &printed));
    assert_eq!(printed["info"]["version"], CONTRACT_VERSION);
    // The position, as the server reads it, and as it does not.
    for binding in ["/channels/ws/bindings/ws/query", "/operations/sendEvents/bindings/http/query"] {
        let query = incident::json_schema::Schema::compile(printed.pointer(binding).unwrap()).unwrap();
        for (after, is_position) in [
            ("0", true),
            ("01K9ZC3V7Q4M2XKD/17", true),
            ("s/0", true),
            ("17", false),
            ("s/-1", false),
            ("/1", false),
        ] {
            assert_eq!(query.mismatch(&json!({ "after": after })).is_none(), is_position, "{after}");
        }
    }
    let mut found = BTreeSet::new();
    formats(&printed, &mut found);
    assert!(found.iter().all(|format| FORMATS.contains(&format.as_str())), "{found:?}");
}
