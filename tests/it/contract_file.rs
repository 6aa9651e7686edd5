//! Contracts of other people: JSON Schemas and AsyncAPI documents in files, and what is said of messages that break them.

use std::path::Path;

use incident::contract_file::{Contract, ContractError, MessageContract, Mismatch};
use serde_json::{Value, json};

use crate::harness::{Scratch, fixture, fixtures, root};

fn contract(name: &str) -> Contract {
    read(&fixture("contracts").join(name)).unwrap_or_else(|error| panic!("{error}"))
}

pub fn read(path: &Path) -> Result<Contract, ContractError> {
    Contract::read(path)
}

fn names(contract: &Contract) -> Vec<&str> {
    let mut names: Vec<&str> = contract.messages().map(MessageContract::name).collect();
    names.sort_unstable();
    names
}

/// The message, if it is known, the place and the sentence.
fn refused(contract: &Contract, value: &Value) -> (Option<String>, String, String) {
    let Mismatch { message, pointer, text } = contract.judge(value).expect_err(&value.to_string());
    (message, pointer, text)
}

#[test]
fn a_contract_is_shared_by_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Contract>();
}

#[test]
fn asyncapi_2_is_read_with_traits_references_and_other_files() {
    let contract = contract("orders-2.6.yaml");
    assert_eq!(names(&contract), ["ask", "beat", "orderPlaced", "shipped"]);
    let placed = contract.messages().find(|message| message.name() == "orderPlaced").unwrap();
    assert_eq!(placed.title(), Some("An order's message"));
    assert_eq!(placed.examples(), [json!({ "type": "order_placed", "id": 1 })]);
    let item = json!({ "name": "tea", "price": 2.5 });
    let good = json!({ "type": "order_placed", "id": 7, "items": [item] });
    assert_eq!(contract.judge(&good), Ok("orderPlaced"));
    assert_eq!(
        contract.judge(&json!({ "type": "order_shipped", "id": 7, "carrier": "post" })),
        Ok("shipped")
    );
    assert_eq!(contract.judge(&json!({ "beat": 1 })), Ok("beat"));
    assert_eq!(contract.judge(&json!({ "ask": "tea" })), Ok("ask"));
    for (value, message, pointer, text) in [
        (
            json!({ "type": "order_placed", "id": 7, "items": [item, { "name": "x", "price": 0 }] }),
            Some("orderPlaced"),
            "/items/1/price",
            "`price` is 0; expected more than 0",
        ),
        (
            json!({ "type": "order_placed", "id": 0, "items": [item] }),
            Some("orderPlaced"),
            "/id",
            "`id` is 0; expected at least 1",
        ),
        (
            json!({ "type": "order_placed", "items": [item] }),
            Some("orderPlaced"),
            "",
            "the field `id` is missing",
        ),
        (
            json!({ "type": "order_shipped", "id": 1, "carrier": "pigeon" }),
            Some("shipped"),
            "/carrier",
            "`carrier` is \"pigeon\"; expected one of \"post\", \"courier\"",
        ),
        (json!({ "beat": "x" }), Some("beat"), "/beat", "`beat` is a text; expected a whole number"),
        (json!(7), None, "", "the message is a number; expected an object"),
        (
            json!({ "type": "order_lost", "id": 1 }),
            None,
            "/type",
            "`type` is \"order_lost\"; expected one of \"order_placed\", \"order_shipped\"",
        ),
    ] {
        let (its, at, said) = refused(&contract, &value);
        assert_eq!((its.as_deref(), at.as_str(), said.as_str()), (message, pointer, text), "{value}");
    }
}

#[test]
fn asyncapi_3_is_read_as_json_and_yaml() {
    let json = contract("orders-3.0.json");
    assert_eq!(names(&json), ["placed", "shipped"]);
    let placed = json.messages().find(|message| message.name() == "placed").unwrap();
    assert_eq!(placed.title(), Some("From the trait"), "a trait fills what the message lacks, and no more");
    assert_eq!(json.judge(&json!({ "type": "order_placed", "items": [] })), Ok("placed"));
    assert_eq!(json.judge(&json!({ "type": "order_shipped", "carrier": "post" })), Ok("shipped"));
    let (message, pointer, text) = refused(&json, &json!({ "type": "order_lost" }));
    let wanted = "`type` is \"order_lost\"; expected one of \"order_placed\", \"order_shipped\"";
    assert_eq!((message, pointer.as_str(), text.as_str()), (None, "/type", wanted));
    let (message, _, text) = refused(&json, &json!({ "carrier": "post" }));
    assert_eq!((message, text.as_str()), (None, "the field `type` is missing"));

    let yaml = contract("orders-3.0.yaml");
    let placed = json!({ "type": "order_placed", "at": "2026-01-31T12:00:00Z", "note": 1, "tags": ["a"] });
    assert_eq!(
        yaml.judge(&placed),
        Ok("placed"),
        "the message with a fixed type comes before one that takes anything"
    );
    assert_eq!(yaml.judge(&json!({ "note": 1 })), Ok("anything"));
    let (message, pointer, text) = refused(&yaml, &json!({ "type": "order_placed", "at": "now" }));
    let wanted = "`at` is \"now\"; expected a date and time such as 2026-01-31T12:00:00Z";
    assert_eq!((message.as_deref(), pointer.as_str(), text.as_str()), (Some("placed"), "/at", wanted));
}

#[test]
fn a_json_schema_of_several_messages_is_one_contract() {
    let contract = contract("orders.schema.yaml");
    assert_eq!(names(&contract), ["order_placed", "order_shipped"]);
    let shipped = json!({ "id": 1, "type": "order_shipped", "status": "ok" });
    assert_eq!(contract.judge(&shipped), Ok("order_shipped"));
    let (message, pointer, text) =
        refused(&contract, &json!({ "id": 1, "type": "order_shipped", "status": "done" }));
    assert_eq!((message.as_deref(), pointer.as_str()), (Some("order_shipped"), "/status"));
    assert_eq!(text, "`status` is \"done\"; expected one of \"ok\", \"failed\"");
    // What stands beside the alternatives holds for each of them.
    let (message, _, text) = refused(&contract, &json!({ "type": "order_shipped", "status": "ok" }));
    assert_eq!((message.as_deref(), text.as_str()), (Some("order_shipped"), "the field `id` is missing"));
    // The `$id` is on the network, and the file is here.
    let placed = json!({ "id": 1, "type": "order_placed", "item": { "name": "tea", "price": 1 } });
    assert_eq!(contract.judge(&placed), Ok("order_placed"));
}

#[test]
fn every_draft_is_understood() {
    for (schema, valid, invalid) in [
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}"#,
            "2",
            "1",
        ),
        (r#"{"$schema":"http://json-schema.org/draft-06/schema#","exclusiveMinimum":1}"#, "2", "1"),
        (r#"{"$schema":"http://json-schema.org/draft-07/schema#","if":{"const":1},"then":false}"#, "2", "1"),
        (
            r#"{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"type":"integer"}"#,
            "2",
            "1.5",
        ),
        (r#"{"prefixItems":[{"type":"integer"}]}"#, "[1]", "[\"1\"]"),
    ] {
        let scratch = Scratch::new().with("contract.json", schema);
        let contract = read(&scratch.path().join("contract.json")).unwrap();
        assert_eq!(names(&contract), ["message"]);
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(contract.judge(&value(valid)), Ok("message"), "{schema}");
        refused(&contract, &value(invalid));
    }
}

/// What this program publishes of its own contract judges what it streams.
#[test]
fn our_own_contract_judges_our_own_recordings() {
    for file in ["incident-1.asyncapi.json", "incident-1.schema.json"] {
        let contract = read(&root().join("contract").join(file)).unwrap();
        let mut judged = 0;
        for (_, text) in fixtures("golden").into_iter().filter(|(name, _)| name == "database-outage") {
            for line in text.lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                assert_eq!(contract.judge(&event), Ok(event["type"].as_str().unwrap()), "{line}");
                judged += 1;
            }
        }
        assert!(judged > 50, "only {judged} events");
        for (name, text) in fixtures("messages") {
            let message: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(contract.judge(&message), Ok(message["type"].as_str().unwrap()), "{name}");
            let mut wrong = message.clone();
            wrong["time"] = json!("yesterday");
            let (its, pointer, text) = refused(&contract, &wrong);
            assert_eq!((its.as_deref(), pointer.as_str()), (message["type"].as_str(), "/time"), "{text}");
        }
        let event = json!({ "specversion": "1.0", "type": "agent_acted" });
        let (its, pointer, text) = refused(&contract, &event);
        assert_eq!((its, pointer.as_str()), (None, "/type"));
        assert!(
            text.starts_with("`type` is \"agent_acted\"; expected one of \"")
                && text.contains("\"heartbeat\""),
            "{text}"
        );
    }
}

#[test]
fn plain_scalars_are_those_of_yaml_1_2() {
    let scratch = Scratch::new().with(
        "contract.yaml",
        "const: [no, 2026-01-31, 1.0.0, 0x1F, 0o17, +3, -1.5e3, ~, null, true, \"7\", 'it''s', .5, 1e3, 12e, !!str 5, 18446744073709551615, 3.]\n",
    );
    let contract = read(&scratch.path().join("contract.yaml")).unwrap();
    let value = json!([
        "no",
        "2026-01-31",
        "1.0.0",
        31,
        15,
        3,
        -1500.0,
        null,
        null,
        true,
        "7",
        "it's",
        0.5,
        1000.0,
        "12e",
        "5",
        18_446_744_073_709_551_615_u64,
        3.0
    ]);
    assert_eq!(contract.judge(&value), Ok("message"));
}

#[test]
fn names_of_files_may_have_any_character() {
    let scratch = Scratch::new()
        .with("a b #1/contract ü.yaml", "properties: { x: { $ref: 'sub%20folder/x%231.yaml#/a%7E1b' } }\n")
        .with("a b #1/sub folder/x#1.yaml", "a/b: { $ref: '../y.json' }\n")
        .with("a b #1/y.json", "{\"type\":\"integer\"}");
    let contract =
        read(&scratch.path().join("a b #1/contract ü.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(contract.judge(&json!({ "x": 1 })), Ok("message"));
    assert_eq!(refused(&contract, &json!({ "x": "1" })).1, "/x");
}

/// A list of messages behind a reference, a payload that may be anything, and keywords that only other tools know.
#[test]
fn what_asyncapi_has_beside_json_schema_is_no_obstacle() {
    let scratch = Scratch::new().with(
        "contract.yaml",
        "\u{feff}asyncapi: '2.6.0'\nchannels:\n  ws:\n    subscribe: { message: { $ref: '#/components/messages/list' } }\n\
         components:\n  messages:\n    list:\n      oneOf:\n        \
         - { name: a, payload: { properties: { kind: { const: a }, n: { $ref: '#/components/schemas/N' } } } }\n        \
         - { name: b, payload: { properties: { kind: { const: b } }, required: [kind] } }\n  \
         schemas:\n    N: { type: integer, format: int32, nullable: true, discriminator: kind, example: 4 }\n",
    );
    let contract = read(&scratch.path().join("contract.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(names(&contract), ["a", "b"]);
    assert_eq!(contract.judge(&json!({ "kind": "a", "n": 4 })), Ok("a"));
    let (message, _, text) = refused(&contract, &json!({ "kind": "a", "n": "4" }));
    assert_eq!((message.as_deref(), text.as_str()), (Some("a"), "`n` is a text; expected a whole number"));
    let anything = Scratch::new().with(
        "contract.json",
        r#"{"asyncapi":"3.0.0","channels":{"c":{"messages":{"m":{"payload":true},"n":{}}}}}"#,
    );
    let contract = read(&anything.path().join("contract.json")).unwrap();
    assert!(contract.judge(&json!(7)).is_ok());
}
