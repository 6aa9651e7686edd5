//! Comparing schemas that are said in another way: references, repetitions, fields of which little is said.

use incident::json_schema::compare::{Breaks, compare};
use serde_json::{Value, json};

/// What is restricted twice, in a definition and beside the reference to it, and what only a reference leads to.
#[test]
fn nothing_breaking_hides_behind_a_reference() {
    let schema = |site: Value, definition: Value| {
        let properties = json!({ "a": { "$ref": "#/$defs/N" }, "b": site });
        json!({ "properties": properties, "$defs": { "N": definition } })
    };
    let plain = json!({ "$ref": "#/$defs/N" });
    let strict = |least: u32| json!({ "$ref": "#/$defs/N", "minimum": least });
    let n = |least: u32| json!({ "type": "integer", "minimum": least });
    for (old, new, count) in [
        (schema(plain.clone(), n(1)), schema(strict(5), n(1)), 1),
        (schema(strict(5), n(1)), schema(strict(6), n(1)), 1),
        (schema(strict(5), n(1)), schema(strict(5), n(10)), 2),
        (schema(json!({ "not": plain.clone() }), n(1)), schema(json!({ "not": plain.clone() }), n(2)), 2),
        (
            schema(json!({ "anyOf": [plain.clone(), { "type": "null" }], "maximum": 7 }), n(1)),
            schema(json!({ "anyOf": [plain.clone(), { "type": "null" }], "maximum": 6 }), n(1)),
            1,
        ),
        (
            schema(json!({ "type": "string" }), n(1)),
            schema(json!({ "maxLength": 1, "oneOf": [{ "type": "string" }, { "type": "boolean" }] }), n(1)),
            2,
        ),
    ] {
        let found = compare(&old, &new);
        assert!(found.len() >= count, "{old} {new} {found:#?}");
        assert!(found.iter().all(|change| change.breaks != Breaks::Nothing), "{found:?}");
        assert_eq!(compare(&old, &old), []);
        assert_eq!(compare(&new, &new), []);
    }
}

/// Fields of which one of the versions says something only as one of many, or nothing but that they are required.
#[test]
fn fields_without_a_description_of_their_own_are_compared() {
    let text = json!({ "type": "string" });
    for (old, new, breaks, said) in [
        (
            json!({ "required": ["a"], "properties": { "a": text } }),
            json!({ "required": ["a"] }),
            Breaks::Readers,
            "the type of `a` was widened from a text to any type",
        ),
        (
            json!({ "required": ["a"] }),
            json!({ "required": ["a"], "properties": { "a": text } }),
            Breaks::Writers,
            "the type of `a` was narrowed from any type to a text",
        ),
        (
            json!({ "additionalProperties": { "type": "number" } }),
            json!({ "additionalProperties": { "type": "number" }, "properties": { "a": text } }),
            Breaks::Both,
            "the type of `a` changed from a number to a text",
        ),
        (
            json!({ "additionalProperties": false }),
            json!({ "additionalProperties": false, "properties": { "a": text } }),
            Breaks::Readers,
            "the field `a` is new, and the old version allowed no further fields",
        ),
    ] {
        let found = compare(&old, &new);
        let breaking: Vec<_> = found.iter().filter(|change| change.breaks != Breaks::Nothing).collect();
        let [change] = breaking.as_slice() else { panic!("{old} {new}: {found:#?}") };
        assert_eq!((change.breaks, change.text.as_str()), (breaks, said), "{found:?}");
    }
}

/// A schema that refers to itself, and one that is deep, come to an end.
#[test]
fn schemas_that_refer_to_themselves_are_compared() {
    let list = |item: &str| {
        json!({
            "$ref": "#/$defs/List",
            "$defs": { "List": { "properties": {
                "next": { "$ref": "#/$defs/List" }, "item": { "type": item }, "loop": { "$ref": "#/$defs/Loop" },
            } }, "Loop": { "$ref": "#/$defs/Loop" } },
        })
    };
    assert_eq!(compare(&list("string"), &list("string")), []);
    let found = compare(&list("string"), &list("integer"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].pointer, "/$defs/List/properties/item");
    let deep = |inner: Value| (0..600).fold(inner, |schema, _| json!({ "items": schema }));
    let found = compare(&deep(json!({ "type": "string" })), &deep(json!({ "type": "null" })));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].pointer, "/items".repeat(600));
    // Under other names, and with something beside the reference.
    let node = |name: &str, beside: Value, least: u32| {
        let mut next = json!({ "$ref": format!("#/$defs/{name}") });
        next.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        json!({ "$ref": format!("#/$defs/{name}"), "$defs": { name: {
            "minProperties": least, "properties": { "next": next },
        } } })
    };
    assert_eq!(compare(&node("Node", json!({}), 0), &node("Tree", json!({}), 0)), []);
    assert_eq!(compare(&node("Node", json!({}), 0), &node("Tree", json!({}), 1)).len(), 1);
    let beside = |least: u32| json!({ "minProperties": least });
    assert_eq!(compare(&node("Node", beside(1), 2), &node("Node", beside(1), 2)), []);
    for (one, other) in [((1, 2), (3, 2)), ((1, 2), (1, 3))] {
        let found = compare(&node("Node", beside(one.0), one.1), &node("Node", beside(other.0), other.1));
        assert!(found.iter().any(|change| change.breaks == Breaks::Writers), "{one:?} {other:?}: {found:?}");
    }
    // The references of JSON Schema draft 7 stand in an `allOf` of their own.
    let inline = json!({ "properties": { "item": { "type": "string" } } });
    let older = json!({ "properties": { "item": { "allOf": [{ "$ref": "#/definitions/Item" }] } },
        "definitions": { "Item": { "type": "string" } } });
    assert_eq!(compare(&inline, &older), []);
    assert_eq!(compare(&older, &inline), []);
}
