//! Regular expressions in contracts of other people: what the validator does not know is left out and told, and no message
//! fails because of it.

use incident::contract_file::Contract;
use serde_json::{Value, json};

use crate::contract_file::read;
use crate::harness::{Scratch, incident};

fn contract(schema: &Value) -> Contract {
    let scratch = Scratch::new().with("c.json", &schema.to_string());
    read(&scratch.path().join("c.json")).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

/// What a contract does not check, without the file and the line.
fn left_out(contract: &Contract) -> Vec<String> {
    let told = contract.left_out().iter().map(|told| {
        let (what, rest) = told.split_once(" in ").unwrap();
        let (_, place) = rest.split_once(" at ").unwrap();
        format!("{what} at {place}")
    });
    told.collect()
}

#[test]
fn a_pattern_with_look_ahead_is_left_out_and_the_rest_is_checked() {
    let schema = json!({ "properties": {
        "type": { "type": "string", "pattern": "^(?!x-)" },
        "id": { "pattern": "^\\/[\\d]+\\-$" },
    } });
    let contract = contract(&schema);
    let told = "pattern `^(?!x-)` at #/properties/type/pattern: look-ahead is not supported";
    assert_eq!(left_out(&contract), [told]);
    assert!(contract.left_out()[0].contains("c.json:1 at #/"), "{:?}", contract.left_out());
    assert!(contract.judge(&json!({ "type": "x-a", "id": "/7-" })).is_ok());
    assert_eq!(contract.judge(&json!({ "type": 1 })).unwrap_err().pointer, "/type");
    assert_eq!(contract.judge(&json!({ "type": "a", "id": "7" })).unwrap_err().pointer, "/id");
}

#[test]
fn what_would_be_further_than_names_that_are_not_known_is_not_judged() {
    for rest in ["additionalProperties", "unevaluatedProperties"] {
        let schema = json!({
            "properties": { "a": { "type": "string" } },
            "patternProperties": { "^(?=b)": { "type": "number" }, "^c": { "type": "number" } },
            rest: false,
        });
        let contract = contract(&schema);
        assert_eq!(
            left_out(&contract),
            [format!(
                "patternProperties `^(?=b)`, and `{rest}` beside it at #/patternProperties/^(?=b): look-ahead is not supported"
            )]
        );
        assert!(contract.judge(&json!({ "a": "x", "b": 1, "d": true })).is_ok(), "{rest}");
        assert!(contract.judge(&json!({ "a": 1 })).is_err(), "{rest}");
        assert!(contract.judge(&json!({ "c": "x" })).is_err(), "{rest}");
    }
}

/// To leave out a pattern below one of these, and nothing else, would refuse messages that the contract accepts.
#[test]
fn no_message_fails_because_a_pattern_was_left_out() {
    let not_x = json!({ "properties": { "a": { "pattern": "^(?!x)" } }, "required": ["a"] });
    let x = json!({ "properties": { "a": { "pattern": "^x" } }, "required": ["a"] });
    let of_one = json!({ "oneOf": [x, not_x] });
    let by_reference = json!({
        "$defs": { "some": not_x, "other": { "$ref": "#/$defs/some" } },
        "oneOf": [x, { "$ref": "#/$defs/other" }],
    });
    let beside = json!({ "anyOf": [true], "allOf": [true], "oneOf": [x, not_x] });
    let within = json!({ "allOf": [{ "oneOf": [x, not_x] }] });
    let not = json!({ "not": { "properties": { "a": { "pattern": "(?=y)" } } } });
    let if_so = json!({ "if": not_x, "then": { "required": ["b"] } });
    let items =
        json!({ "properties": { "a": true, "l": { "contains": { "pattern": "(?=q)" }, "maxContains": 1 } } });
    for schema in [of_one, by_reference, beside, within, not, if_so, items] {
        let contract = contract(&schema);
        assert!(!contract.left_out().is_empty(), "{schema}");
        let message = json!({ "a": "x", "l": ["q", "r"] });
        assert_eq!(contract.judge(&message).map(|_| ()), Ok(()), "{schema}");
    }
    let contract = contract(&json!({ "oneOf": [x, not_x] }));
    assert!(contract.judge(&json!({})).is_err(), "none of them fits");
}

/// Draft 4 has no `true` among its schemas.
#[test]
fn names_that_are_not_known_can_be_left_out_of_every_draft() {
    for draft in ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#"] {
        let fields = json!({ "^(?!x-)": { "type": "number" }, "^x-": { "type": "string" } });
        let schema = json!({ "$schema": draft, "properties": { "v": { "patternProperties": fields } } });
        let contract = contract(&schema);
        assert_eq!(contract.left_out().len(), 1, "{draft}");
        assert!(contract.judge(&json!({ "v": { "a": 1, "x-a": "b" } })).is_ok(), "{draft}");
        assert!(contract.judge(&json!({ "v": { "x-a": 1 } })).is_err(), "{draft}");
    }
}

/// What `if` and its branches know about a value would be unknown to `unevaluated…` without them.
#[test]
fn what_an_if_that_is_left_out_knows_is_known() {
    let kind = json!({ "properties": { "kind": { "pattern": "^(?!x)" } } });
    let branches = json!({
        "properties": { "kind": { "type": "string" } },
        "if": kind,
        "then": { "properties": { "a": { "type": "number" } } },
        "else": { "properties": { "b": { "type": "number" } }, "required": ["b"] },
        "unevaluatedProperties": false,
    });
    let of = contract(&branches);
    let told =
        "which of `then` and `else` applies at #/if: it rests on a regular expression that is not checked";
    assert_eq!(
        left_out(&of),
        [told, "pattern `^(?!x)` at #/if/properties/kind/pattern: look-ahead is not supported"]
    );
    for valid in [json!({ "kind": "y", "a": 1 }), json!({ "kind": "x", "b": 1 })] {
        assert_eq!(of.judge(&valid).map(|_| ()), Ok(()), "{valid}");
    }
    for wrong in [json!({ "kind": "y", "c": 1 }), json!({ "kind": "y", "a": "b" })] {
        assert!(of.judge(&wrong).is_err(), "neither allows it: {wrong}");
    }
    let alone = json!({ "if": { "patternProperties": { "(?=x)": true } }, "unevaluatedProperties": false });
    assert!(contract(&alone).judge(&json!({ "x": 1 })).is_ok());
    let around = json!({ "$ref": "#/$defs/a", "$defs": { "a": {
        "if": kind, "then": { "properties": { "a": true } }, "properties": { "kind": true } } },
        "unevaluatedProperties": false });
    assert!(contract(&around).judge(&json!({ "kind": "y", "a": 1 })).is_ok());
    let items = json!({ "properties": { "l": {
        "if": { "prefixItems": [{ "pattern": "^(?!x)" }] },
        "then": { "prefixItems": [true, true] },
        "unevaluatedItems": false } } });
    assert!(contract(&items).judge(&json!({ "l": ["y", 1] })).is_ok());
    let without = json!({ "$schema": "http://json-schema.org/draft-06/schema#", "if": kind, "else": false });
    assert!(contract(&without).judge(&json!({ "kind": 1 })).is_ok(), "draft 6 has no `if`");
}

#[test]
fn references_lead_to_what_was_written_anew() {
    let text = json!({ "pattern": "^(?=a)", "type": "string" });
    let parts = json!({
        "one": { "oneOf": [text, { "type": "number" }] },
        "not": { "not": text },
        "if": { "if": true, "then": { "if": text, "then": { "type": "string" } } },
        "names": { "patternProperties": { "^[&&]$": { "type": "string" } } },
    });
    for to in ["one/oneOf/0", "not/not", "if/then/if", "if/then/then", "names/patternProperties/%5E%5B&&%5D$"]
    {
        for (file, reference) in
            [("c.json", format!("#/$defs/{to}")), ("d.json", format!("d.json#/$defs/{to}"))]
        {
            let own = json!({ "properties": { "v": { "$ref": reference } }, "$defs": parts });
            let scratch = Scratch::new()
                .with("c.json", &own.to_string())
                .with("d.json", &json!({ "$defs": parts }).to_string());
            let contract = read(&scratch.path().join("c.json"));
            let contract = contract.unwrap_or_else(|error| panic!("{file} {to}: {error}"));
            assert!(contract.judge(&json!({ "v": "ab" })).is_ok(), "{file} {to}");
            assert!(contract.judge(&json!({ "v": 1 })).is_err(), "{file} {to}");
        }
    }
}

#[test]
fn a_mistake_is_told_with_the_place_that_the_file_has() {
    let nothing = json!({ "type": "nothing" });
    for (schema, place) in [
        (json!({ "patternProperties": { "^[&&]$": nothing } }), "#/patternProperties/^[&&]$/type"),
        (json!({ "oneOf": [{ "pattern": "(?=a)" }, nothing] }), "#/oneOf/1/type"),
        (json!({ "if": { "pattern": "(?=a)" }, "else": nothing }), "#/else/type"),
    ] {
        let scratch = Scratch::new().with("c.json", &json!({ "properties": { "v": schema } }).to_string());
        let error = read(&scratch.path().join("c.json")).unwrap_err();
        let place = place.replace('#', "#/properties/v");
        assert_eq!(error.pointer.as_deref(), Some(place.as_str()), "{error}");
    }
}

#[test]
fn a_pattern_in_another_file_counts_too() {
    let scratch = Scratch::new()
        .with("some.json", r#"{ "properties": { "a": { "pattern": "^(?!x)" } } }"#)
        .with("c.json", r#"{ "not": { "$ref": "some.json" }, "properties": { "a": { "type": "string" } } }"#);
    let contract = read(&scratch.path().join("c.json")).unwrap();
    assert!(contract.judge(&json!({ "a": "x" })).is_ok());
    assert_eq!(left_out(&contract), ["`not` at #/not: it rests on a regular expression that is not checked"]);
}

#[test]
fn data_that_looks_like_a_pattern_stays() {
    let contract = contract(&json!({ "const": { "pattern": "(?=a)" } }));
    assert!(contract.left_out().is_empty());
    assert!(contract.judge(&json!({ "pattern": "(?=a)" })).is_ok());
    assert!(contract.judge(&json!({})).is_err());
}

/// The validator takes some of these for regular expressions.
#[test]
fn a_pattern_that_is_none_is_a_mistake_of_the_contract() {
    for pattern in ["(?=a", "[a", "*", "a**", "^*", r"\B*", "$?", "(?<=a)*b", "x{2}{3}", "a{2}+"] {
        for schema in [json!({ "pattern": pattern }), json!({ "patternProperties": { pattern: true } })] {
            let scratch =
                Scratch::new().with("c.json", &json!({ "properties": { "a": schema } }).to_string());
            let error = read(&scratch.path().join("c.json")).unwrap_err();
            let told = format!("is {}; expected a regular expression", json!(pattern));
            assert!(error.text.contains(&told), "{error}");
        }
        let format = contract(&json!({ "properties": { "v": { "format": "regex" } } }));
        assert!(format.judge(&json!({ "v": pattern })).is_err(), "{pattern}");
    }
}

/// Some of these are in other dialects: their meaning there is not that of the contract.
#[test]
fn a_pattern_of_another_dialect_is_left_out() {
    for pattern in ["(?P<n>a)", "(?i)a", "(?>a)", r"a\Z", r"\Aa", r"\pL"] {
        let contract = contract(&json!({ "properties": { "v": { "pattern": pattern } } }));
        assert_eq!(contract.left_out().len(), 1, "{pattern}");
        assert!(contract.judge(&json!({ "v": "x" })).is_ok(), "{pattern}");
    }
}

#[test]
fn what_does_not_match_is_told_the_pattern_of_the_contract() {
    for pattern in [r"^[\w-]+$", r"^\cA.$", r"\bé"] {
        let contract = contract(&json!({ "properties": { "v": { "pattern": pattern } } }));
        let why = contract.judge(&json!({ "v": "+" })).unwrap_err();
        assert_eq!(why.text, format!("`v` is \"+\"; expected a text that matches `{pattern}`"));
    }
}

/// All other keywords are ignored there, in these drafts.
#[test]
fn nothing_is_judged_beside_a_reference_in_draft_6_and_7() {
    let beside = json!({
        "const": 1, "contains": false, "propertyNames": false, "if": true, "then": false, "maximum": 1, "type": "null",
        "pattern": "^x", "$ref": "#/definitions/a",
    });
    for (draft, is_judged) in [
        ("http://json-schema.org/draft-06/schema#", false),
        ("http://json-schema.org/draft-07/schema#", false),
        ("https://json-schema.org/draft/2019-09/schema", true),
    ] {
        let schema = json!({ "$schema": draft, "properties": { "v": beside }, "definitions": { "a": { "not": { "const": 3 } } } });
        let contract = contract(&schema);
        for value in [json!(2), json!(["a"]), json!({ "a": 1 })] {
            assert_eq!(contract.judge(&json!({ "v": value })).is_err(), is_judged, "{draft} {value}");
        }
        assert!(contract.judge(&json!({ "v": 3 })).is_err(), "{draft}");
    }
}

/// Each as a program of ECMA-262 judges it, with the flag `u`.
#[test]
fn patterns_mean_what_they_mean_in_ecma_262() {
    for (pattern, yes, no) in [
        ("^.+$", "a\u{85}b", "a\rb"),
        ("^.+$", "ab", "a\u{2028}b"),
        ("^(?s:.)+$", "a\rb", ""),
        (r"^\S+$", "\u{180e}", "\u{2028}"),
        (r"^\s$", "\u{2028}", "\u{85}"),
        (r"^[\s]$", "\u{3000}", "\u{200b}"),
        (r"^[^\s]$", "a", "\u{205f}"),
        (r"\bcaf\u00e9", "café", "acafé"),
        (r"^caf\u00e9\b", "caféa", "café"),
        (r"\Bé", "é", "aé"),
        (r"^[\w.-]+$", "a-b.c", "é"),
        (r"^[a&&b]+$", "a&", "~"),
    ] {
        let contract = contract(&json!({
            "properties": {
                "v": { "pattern": pattern },
                "w": { "patternProperties": { pattern: { "type": "boolean" } } },
            },
        }));
        assert!(contract.left_out().is_empty(), "{pattern}");
        assert!(contract.judge(&json!({ "v": yes })).is_ok(), "{pattern} {yes:?}");
        assert!(contract.judge(&json!({ "v": no })).is_err(), "{pattern} {no:?}");
        assert!(contract.judge(&json!({ "w": { yes: 1 } })).is_err(), "{pattern} {yes:?}");
        assert!(contract.judge(&json!({ "w": { no: 1 } })).is_ok(), "{pattern} {no:?}");
    }
}

#[test]
fn a_schema_that_leads_back_to_itself_is_a_mistake_of_the_contract() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "properties": { "a": { "$ref": "#/$defs/a" } }, "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "allOf": [{ "$ref": "#/$defs/a" }] } } }),
    ] {
        let scratch = Scratch::new().with("c.json", &schema.to_string());
        let error = read(&scratch.path().join("c.json")).unwrap_err();
        assert!(error.text.contains("leads back to itself"), "{schema}: {error}");
    }
    let tree =
        json!({ "$ref": "#/$defs/t", "$defs": { "t": { "properties": { "l": { "$ref": "#/$defs/t" } } } } });
    assert!(contract(&tree).judge(&json!({ "l": { "l": {} } })).is_ok());
}

#[test]
fn a_draft_that_is_not_known_is_named_with_those_that_are() {
    let text = r#"{ "$schema": "http://json-schema.org/draft-03/schema#", "type": "object" }"#;
    let scratch = Scratch::new().with("c.json", text);
    let error = read(&scratch.path().join("c.json")).unwrap_err();
    assert!(error.text.contains("draft-04, -06, -07, 2019-09 and 2020-12"), "{error}");
    assert_eq!(error.pointer.as_deref(), Some("#/$schema"));
}

#[test]
fn validate_says_in_every_report_what_is_not_checked() {
    let scratch = Scratch::new()
        .with("run.ndjson", "{\"type\":\"a\",\"timestamp\":\"2026-11-22T10:00:00Z\"}\n{\"type\":\"b\",\"timestamp\":\"2026-11-22T10:00:01Z\"}\n")
        .with("c.json", "{\"properties\":{\"type\":{\"pattern\":\"(?=a)\"}}}");
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let (run, file) = (path("run.ndjson"), path("c.json"));
    let args = ["validate", &run, "--profile", "plain", "--contract", &file];
    let ran = incident(&args).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let joined = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "look-ahead is not supported";
    assert!(joined.contains("-- not checked: pattern `(?=a)` in") && joined.contains(told), "{}", ran.stdout);
    for kind in ["json", "junit"] {
        let report = path(kind);
        let ran = incident(&[&args[..], &["--report", &format!("{kind}={report}")]].concat()).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(std::fs::read_to_string(&report).unwrap().contains(told), "{kind}");
    }
}
