//! Why a value does not match a schema: one plain sentence, about the alternative that was meant.

use incident::json_schema::{Mismatch, Schema};
use serde_json::{Value, json};

/// Place and sentence.
fn explained(schema: &Value, value: &Value) -> (String, String) {
    let schema = Schema::compile(schema).unwrap_or_else(|error| panic!("{error}"));
    let Mismatch { pointer, text } = schema.mismatch(value).unwrap_or_else(|| panic!("{value} is valid"));
    (pointer, text)
}

/// A field `x` with a schema, and a value for it.
fn field(schema: &Value, value: &Value) -> String {
    let schema = json!({ "properties": { "x": schema } });
    let (pointer, text) = explained(&schema, &json!({ "x": value }));
    assert!(pointer.starts_with("/x") || text.contains("name of the field"), "{pointer}");
    text
}

#[test]
fn every_keyword_has_its_sentence() {
    for (schema, value, wanted) in [
        (json!({ "type": "string" }), json!(1), "`x` is a number; expected a text"),
        (json!({ "type": ["string", "null"] }), json!([]), "`x` is a list; expected null or a text"),
        (json!({ "type": "integer" }), json!(1.5), "`x` is 1.5; expected a whole number"),
        (json!({ "type": "boolean" }), json!({}), "`x` is an object; expected true or false"),
        (json!({ "type": "array" }), json!(true), "`x` is true; expected a list"),
        (json!({ "const": "a" }), json!("b"), "`x` is \"b\"; expected \"a\""),
        (json!({ "enum": ["a", 1, null] }), json!("b"), "`x` is \"b\"; expected one of \"a\", 1, null"),
        (json!({ "enum": [] }), json!("b"), "`x` is \"b\"; expected no value at all"),
        (json!({ "minimum": 5 }), json!(3), "`x` is 3; expected at least 5"),
        (json!({ "maximum": 5 }), json!(7), "`x` is 7; expected at most 5"),
        (json!({ "exclusiveMinimum": 5 }), json!(5), "`x` is 5; expected more than 5"),
        (json!({ "exclusiveMaximum": 5 }), json!(5), "`x` is 5; expected less than 5"),
        (json!({ "multipleOf": 2 }), json!(3), "`x` is 3; expected a multiple of 2"),
        (json!({ "minLength": 2 }), json!("a"), "`x` is \"a\"; expected at least 2 characters"),
        (json!({ "minLength": 1 }), json!(""), "`x` is \"\"; expected at least 1 character"),
        (json!({ "maxLength": 2 }), json!("abc"), "`x` has 3 characters; expected at most 2"),
        (json!({ "pattern": "^a" }), json!("b"), "`x` is \"b\"; expected a text that matches `^a`"),
        (
            json!({ "format": "date-time" }),
            json!("b"),
            "`x` is \"b\"; expected a date and time such as 2026-01-31T12:00:00Z",
        ),
        (json!({ "format": "uuid" }), json!("b"), "`x` is \"b\"; expected a UUID"),
        (json!({ "format": "ipv4" }), json!("b"), "`x` is \"b\"; expected an IPv4 address"),
        (json!({ "format": "uri" }), json!("b"), "`x` is \"b\"; expected an absolute URI"),
        (json!({ "format": "regex" }), json!("("), "`x` is \"(\"; expected a regular expression"),
        (json!({ "minItems": 2 }), json!([1]), "`x` has 1 item; expected at least 2"),
        (json!({ "maxItems": 1 }), json!([1, 2]), "`x` has 2 items; expected at most 1"),
        (
            json!({ "uniqueItems": true }),
            json!([1, 2, 1]),
            "`x` has the same item twice, as numbers 1 and 3; expected different items",
        ),
        (
            json!({ "contains": { "const": 1 } }),
            json!([2, 3]),
            "`x` has no item of the kind that must be in it",
        ),
        (
            json!({ "contains": { "const": 1 }, "minContains": 2 }),
            json!([1]),
            "`x` has 1 item of the kind that must be in it; expected at least 2",
        ),
        (
            json!({ "contains": { "const": 1 }, "maxContains": 1 }),
            json!([1, 1]),
            "`x` has 2 items of a kind of which it may have at most 1",
        ),
        (
            json!({ "items": { "type": "string" } }),
            json!(["a", 1]),
            "item 2 of `x` is a number; expected a text",
        ),
        (json!({ "minProperties": 1 }), json!({}), "`x` has 0 fields; expected at least 1"),
        (json!({ "maxProperties": 1 }), json!({ "a": 1, "b": 1 }), "`x` has 2 fields; expected at most 1"),
        (json!({ "required": ["a"] }), json!({}), "the field `a` is missing in `x`"),
        (json!({ "required": ["a", "b"] }), json!({}), "the fields `a` and `b` are missing in `x`"),
        (json!({ "additionalProperties": false }), json!({ "a": 1 }), "the field `a` is not allowed"),
        (
            json!({ "additionalProperties": false }),
            json!({ "a": 1, "b": 2 }),
            "the fields `a` and `b` are not allowed",
        ),
        (json!({ "properties": { "a": false } }), json!({ "a": 1 }), "`a` is not allowed here"),
        (json!({ "unevaluatedProperties": false }), json!({ "a": 1 }), "`a` is not allowed here"),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!({ "a": 1 }),
            "the field `b` is missing, but `a` is there and requires it",
        ),
        (
            json!({ "propertyNames": { "pattern": "^[a-z]+$" } }),
            json!({ "A1": 1 }),
            "the name of the field `A1` is \"A1\"; expected a text that matches `^[a-z]+$`",
        ),
        (json!({ "not": { "const": 1 } }), json!(1), "`x` is 1, which the contract excludes"),
        (
            json!({ "oneOf": [{ "type": "integer" }, { "minimum": 0 }] }),
            json!(1),
            "`x` fits two alternatives of the contract, numbers 1 and 2; expected exactly one",
        ),
        (
            json!({ "if": { "type": "string" }, "then": { "minLength": 2 } }),
            json!("a"),
            "`x` is \"a\"; expected at least 2 characters",
        ),
        (json!({ "allOf": [{ "type": "string" }, {}] }), json!(1), "`x` is a number; expected a text"),
    ] {
        assert_eq!(field(&schema, &value), wanted, "{schema}");
    }
    let older = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "items": [{}], "additionalItems": false });
    assert_eq!(explained(&older, &json!([1, 2])).1, "the message has 1 item too many at its end");
    assert_eq!(explained(&json!(false), &json!(1)).1, "the contract allows no message at all");
    assert_eq!(
        explained(&json!({ "type": "object" }), &json!(1)).1,
        "the message is a number; expected an object"
    );
}

#[test]
fn the_alternative_that_was_meant_is_explained() {
    let message = |kind: &str, more: Value| {
        let mut schema =
            json!({ "type": "object", "properties": { "type": { "const": kind } }, "required": ["type"] });
        for (name, field) in more.as_object().unwrap() {
            schema["properties"][name] = field.clone();
            schema["required"].as_array_mut().unwrap().push(json!(name));
        }
        schema
    };
    let schema = json!({ "oneOf": [
        message("started", json!({ "status": { "enum": ["new", "old"] }, "at": { "type": "integer" } })),
        message("ended", json!({ "at": { "type": "integer" } })),
        message("noted", json!({ "data": { "anyOf": [{ "type": "null" }, { "required": ["text"] }] } })),
    ] });
    for (value, pointer, text) in [
        (
            json!({ "type": "started", "status": "x", "at": 1 }),
            "/status",
            "`status` is \"x\"; expected one of \"new\", \"old\"",
        ),
        (json!({ "type": "ended", "at": "x" }), "/at", "`at` is a text; expected a whole number"),
        (json!({ "type": "ended" }), "", "the field `at` is missing"),
        (json!({ "type": "noted", "data": {} }), "/data", "the field `text` is missing in `data`"),
        (
            json!({ "type": "paused", "at": 1 }),
            "/type",
            "`type` is \"paused\"; expected one of \"started\", \"ended\", \"noted\"",
        ),
        (json!({ "at": 1 }), "", "the field `type` is missing"),
        (json!([]), "", "the message is a list; expected an object"),
    ] {
        assert_eq!(explained(&schema, &value), (pointer.to_owned(), text.to_owned()), "{value}");
    }
    // Two of the same shape: the field that both have wrong does not hide which one was meant.
    let alike = json!({ "oneOf": [
        message("opened", json!({ "at": { "type": "integer" }, "status": { "enum": ["x", "y"] } })),
        message("closed", json!({ "at": { "type": "integer" }, "status": { "enum": ["z"] } })),
    ] });
    let (pointer, text) = explained(&alike, &json!({ "type": "opened", "at": 1, "status": "q" }));
    assert_eq!(
        (pointer.as_str(), text.as_str()),
        ("/status", "`status` is \"q\"; expected one of \"x\", \"y\"")
    );
    // With two, what is fixed counts more than what is listed.
    let two = json!({ "oneOf": [schema["oneOf"][1], schema["oneOf"][0]] });
    let (pointer, _) = explained(&two, &json!({ "type": "started", "status": "x", "at": 1 }));
    assert_eq!(pointer, "/status");
}

#[test]
fn alternatives_of_types_and_values_are_added_up() {
    let any = |branches: Value| json!({ "anyOf": branches });
    for (schema, value, wanted) in [
        (
            any(json!([{ "type": "string" }, { "type": "null" }])),
            json!(1),
            "`x` is a number; expected a text or null",
        ),
        (
            any(json!([{ "const": "a" }, { "const": "b" }])),
            json!(1),
            "`x` is 1; expected one of \"a\", \"b\"",
        ),
        (
            any(json!([{ "type": "object", "required": ["a"] }, { "type": "null" }])),
            json!({}),
            "the field `a` is missing in `x`",
        ),
        (
            any(json!([{ "type": "object", "required": ["a"] }, { "type": "null" }])),
            json!(1),
            "`x` is a number; expected an object or null",
        ),
    ] {
        assert_eq!(field(&schema, &value), wanted, "{schema}");
    }
}

/// A choice within a choice within a choice, as deep as JSON may be: each is looked at once, and the stack is large enough.
#[test]
fn choices_within_choices_are_explained_in_time() {
    let schema = json!({ "$ref": "#/$defs/Term", "$defs": { "Term": { "oneOf": [
        { "type": "string" },
        { "type": "object", "properties": { "not": { "$ref": "#/$defs/Term" } }, "required": ["not"] },
        { "type": "object", "properties": { "or": { "$ref": "#/$defs/Term" } }, "required": ["or"] },
    ] } } });
    let value = (0..120).fold(json!(7), |value, _| json!({ "not": value }));
    let (pointer, text) = explained(&schema, &value);
    assert_eq!(pointer, "/not".repeat(120));
    assert_eq!(text, "`not` is a number; expected a text or an object");
}

#[test]
fn values_and_names_are_cut_and_escaped() {
    let long = "x".repeat(5_000);
    let said = field(&json!({ "const": 1 }), &json!(long));
    assert_eq!(said, format!("`x` is \"{}…; expected 1", "x".repeat(79)));
    let said = field(&json!({ "const": 1 }), &json!("a\u{1b}[31m\u{9b}b\u{202e}c\n"));
    assert_eq!(said, "`x` is \"a\\u001b[31m\\u009bb\\u202ec\\n\"; expected 1");
    let many: Vec<usize> = (0..1000).collect();
    let said = field(&json!({ "enum": many }), &json!("a"));
    assert!(said.ends_with("10, 11 and 988 more") && said.len() < 100, "{said}");
    let name = "n\u{1b}".repeat(200);
    let said = field(&json!({ "additionalProperties": false }), &json!({ (name): 1 }));
    assert!(said.chars().count() < 320 && !said.contains('\u{1b}'), "{said}");
    let (pointer, _) = explained(&json!({ "properties": { "a/b~c": false } }), &json!({ "a/b~c": 1 }));
    assert_eq!(pointer, "/a~1b~0c");
}

/// Prices and ratios are written in decimals, and so they are compared.
#[test]
fn multiples_are_those_of_the_written_numbers() {
    let judged = |of: &str, number: &str| {
        let schema =
            serde_json::from_str(&format!(r#"{{"properties":{{"x":{{"multipleOf":{of}}}}}}}"#)).unwrap();
        let value = serde_json::from_str(&format!(r#"{{"x":{number}}}"#)).unwrap();
        Schema::compile(&schema).unwrap().mismatch(&value).map(|why| why.text)
    };
    for (of, number) in [
        ("0.01", "19.99"),
        ("0.01", "0.07"),
        ("0.01", "-4.35"),
        ("1e-3", "1.005"),
        ("0.1", "3e2"),
        ("2.5", "1e20"),
        ("0.01", "1"),
    ] {
        assert_eq!(judged(of, number), None, "{number} of {of}");
    }
    for (of, number) in [("0.01", "19.995"), ("0.3", "1"), ("1e-3", "0.0005"), ("2", "3")] {
        let why = judged(of, number).unwrap_or_else(|| panic!("{number} of {of}"));
        assert!(why.contains("expected a multiple of"), "{why}");
    }
    // Also as one of several alternatives, or within a list.
    let any = json!({ "anyOf": [{ "multipleOf": 0.01 }, { "type": "null" }] });
    assert_eq!(Schema::compile(&any).unwrap().mismatch(&json!(19.99)), None);
    let list = json!({ "items": { "allOf": [{ "multipleOf": 0.01 }] } });
    let list = Schema::compile(&list).unwrap();
    assert_eq!(list.mismatch(&json!([19.99, 0.07])), None);
    assert_eq!(list.mismatch(&json!([19.99, 0.075])).unwrap().pointer, "/1");
}
