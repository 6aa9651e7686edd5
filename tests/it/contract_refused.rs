//! Contracts of other people that cannot be used: where, why, and what to do.

use serde_json::{Value, json};

use crate::contract_file::read;
use crate::harness::{Scratch, root};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_cannot_be_used_is_refused_with_place_and_advice() {
    let asyncapi = |payload: &str| {
        format!("asyncapi: 3.0.0\ninfo: {{}}\nchannels:\n  c:\n    messages:\n      m:\n        {payload}\n")
    };
    for (name, text, line, pointer, wanted, hint) in [
        (
            "avro.yaml",
            asyncapi("payload: { schemaFormat: application/vnd.apache.avro;version=1.9.0, schema: {} }"),
            Some(7),
            Some("#/channels/c/messages/m"),
            "the schema of the message `m` is Avro (`application/vnd.apache.avro;version=1.9.0`), and only JSON Schemas \
             can be checked",
            "JSON Schema",
        ),
        (
            "protobuf.yaml",
            "asyncapi: 2.6.0\nchannels:\n  c:\n    subscribe:\n      message:\n        schemaFormat: application/vnd.google.protobuf;version=3\n".to_owned(),
            Some(6),
            Some("#/channels/c/subscribe/message"),
            "is Protobuf",
            "JSON Schema",
        ),
        (
            "network.yaml",
            asyncapi("payload: { $ref: 'https://example.com/order.json' }"),
            Some(7),
            Some("#/channels/c/messages/m/payload"),
            "the `$ref` to `https://example.com/order.json` cannot be followed: nothing is fetched from the network",
            "save that document in the contract's folder",
        ),
        (
            "network-below.yaml",
            asyncapi("payload: { properties: { x: { $ref: 'https://example.com/order.json#/x' } } }"),
            Some(7),
            Some("#/channels/c/messages/m/payload/properties/x"),
            "nothing is fetched from the network",
            "save that document",
        ),
        (
            "network-message.yaml",
            asyncapi("$ref: 'http://example.com/m.json'"),
            Some(7),
            Some("#/channels/c/messages/m"),
            "nothing is fetched from the network",
            "save that document",
        ),
        (
            "missing.json",
            r##"{"properties":{"a":{"$ref":"#/$defs/b"}}}"##.to_owned(),
            Some(1),
            Some("#/properties/a"),
            "the `$ref` to `#/$defs/b` cannot be followed: nothing is there",
            "correct the reference",
        ),
        (
            "no-file.yaml",
            asyncapi("payload: { items: { $ref: './gone.yaml' } }"),
            Some(7),
            Some("#/channels/c/messages/m/payload/items"),
            "the `$ref` to `./gone.yaml` cannot be followed: there is no such file",
            "put the file into the contract's folder",
        ),
        (
            "no-file-behind-others.yaml",
            asyncapi("payload: { properties: { a: { $ref: '#/info' }, b: { $ref: gone.yaml } } }"),
            Some(7),
            Some("#/channels/c/messages/m/payload/properties/b"),
            "the `$ref` to `gone.yaml` cannot be followed: there is no such file",
            "put the file into the contract's folder",
        ),
        (
            "outside.yaml",
            asyncapi("payload: { $ref: '../../Cargo.toml' }"),
            Some(7),
            Some("#/channels/c/messages/m/payload"),
            "only files in that folder are read",
            "put the file into the contract's folder",
        ),
        (
            "loop.yaml",
            asyncapi("$ref: '#/channels/c/messages/m'"),
            Some(7),
            Some("#/channels/c/messages/m"),
            "this `$ref` leads to itself",
            "let it lead to an object",
        ),
        (
            "schema.yaml",
            asyncapi("payload: { type: strin }"),
            Some(7),
            Some("#/channels/c/messages/m/payload/type"),
            "this is no JSON Schema: `type` is \"strin\"; expected one of",
            "correct the schema",
        ),
        (
            "regex.json",
            r#"{"properties":{"a":{"pattern":"("}}}"#.to_owned(),
            Some(1),
            Some("#/properties/a/pattern"),
            "this is no JSON Schema: `pattern` is \"(\"; expected a regular expression",
            "correct the schema",
        ),
        (
            "old.yaml",
            "asyncapi: 1.2.0\n".to_owned(),
            Some(1),
            Some("#/asyncapi"),
            "AsyncAPI `1.2.0` cannot be read",
            "use AsyncAPI 2 or 3",
        ),
        (
            "silent.yaml",
            "asyncapi: 3.0.0\nchannels: {}\n".to_owned(),
            Some(1),
            Some("#"),
            "no channel has a message",
            "describe the messages",
        ),
        ("other.yaml", "a: 1\n".to_owned(), None, None, "neither a JSON Schema nor an AsyncAPI document", "asyncapi:"),
        (
            "large.json",
            "{\"a\":\n 1e400}".to_owned(),
            Some(2),
            None,
            "a number is too large",
            "correct the file",
        ),
        ("broken.json", "{\"a\":\n 1,}".to_owned(), Some(2), None, "this is not JSON", "call it .yaml"),
        ("broken.yaml", "a: 1\nb: [\n".to_owned(), Some(3), None, "this is no YAML", "correct the file"),
        ("twice.yaml", "a: 1\nb: 2\na: 3\n".to_owned(), Some(3), None, "the key `a` is here for the second time", "correct"),
        ("twice.json", "{\"type\":\"object\",\n \"properties\": {\"a\": {},\n \"b\": true, \"\\u0061\":1}}".to_owned(), Some(3), None, "the key `a` is here for the second time", "remove one"),
        ("flow.yaml", "{\"type\":\"object\",\n \"type\":\"array\"}".to_owned(), Some(2), None, "the key `type` is here for the second time", "remove one"),
        ("tag.yaml", "a: !include b.yaml\n".to_owned(), Some(1), None, "the tag `!include` is not supported", "correct"),
        ("two.yaml", "a: 1\n---\nb: 1\n".to_owned(), Some(2), None, "a second document begins here", "correct"),
    ] {
        let scratch = Scratch::new().with(name, &text);
        let path = scratch.path().join(name);
        let Err(error) = read(&path) else { panic!("{name} was read") };
        assert!(error.text.contains(wanted), "{name}: {error}");
        assert_eq!((error.line, error.pointer.as_deref()), (line, pointer), "{name}: {error}");
        assert!(error.hint.as_deref().is_some_and(|found| found.contains(hint)), "{name}: {error:?}");
        assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    }
    for path in [root().join("gone.yaml"), root().join("src"), root().join("docs/dashboard.png")] {
        let Err(error) = read(&path) else { panic!("{}", path.display()) };
        assert!(error.text.starts_with("th") && error.hint.is_some(), "{error}");
    }
}

#[test]
fn a_document_that_grows_or_nests_without_measure_is_refused() {
    // Each line repeats the one before ten times.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let nest = |depth: usize| format!("type: {}{}", "[".repeat(depth), "]".repeat(depth));
    let long = format!("type: object # {}\n", "x".repeat(9 << 20));
    for (name, text, wanted) in [
        ("bomb.yaml", bomb, "more than 500000 values"),
        ("nested.yaml", nest(120), "nested more than 100 levels deep"),
        ("deep.yaml", nest(50_000), "recursion limit exceeded"),
        ("nested.json", nest(50_000).replace("type: ", ""), "nested too deeply"),
        ("long.yaml", long, "more than 8 MiB"),
        ("self.yaml", "a: &a [*a]\n".to_owned(), "inside the value that it repeats"),
    ] {
        let scratch = Scratch::new().with(name, &text);
        let Err(error) = read(&scratch.path().join(name)) else { panic!("{name} was read") };
        assert!(error.text.contains(wanted), "{name}: {error}");
    }
}

/// Each schema names the next one twice, so that one value would be judged 2^40 times. Whatever the parts are: with references,
/// with anchors, beside a reference, and in another file.
#[test]
fn schemas_that_lead_to_each_other_again_and_again_are_refused() {
    let chain = |levels: usize, part: &dyn Fn(usize) -> String| {
        let parts: Vec<String> =
            (0..levels).map(|level| format!("\"x{level}\":{}", part(level + 1))).collect();
        let last = format!("\"x{levels}\":{{\"$anchor\":\"x{levels}\",\"type\":\"integer\"}}");
        format!(
            r##"{{"$id":"https://example.com/c/bomb.json","properties":{{"a":{{"$ref":"#/$defs/x0"}}}},"$defs":{{{},{last}}}}}"##,
            parts.join(",")
        )
    };
    let to = |next: usize| format!(r##"{{"$ref":"#/$defs/x{next}"}}"##);
    let both = |next: usize| format!("{},{}", to(next), to(next));
    let all = |next: usize| format!(r#"{{"allOf":[{}]}}"#, both(next));
    let any = |next: usize| format!(r#"{{"anyOf":[{}]}}"#, both(next));
    let beside = |next: usize| format!(r##"{{"$ref":"#/$defs/x{next}","allOf":[{}]}}"##, to(next));
    let when = |next: usize| format!(r#"{{"if":{},"then":{}}}"#, to(next), to(next));
    let anchor = |next: usize| {
        let before = next - 1;
        format!(r##"{{"$anchor":"x{before}","allOf":[{{"$ref":"#x{next}"}},{{"$ref":"#x{next}"}}]}}"##)
    };
    let id = |next: usize| {
        let to = format!(r#"{{"$ref":"https://example.com/c/bomb.json#/$defs/x{next}"}}"#);
        format!(r#"{{"allOf":[{to},{to}]}}"#)
    };
    let parts: [&dyn Fn(usize) -> String; 6] = [&all, &any, &beside, &when, &anchor, &id];
    for (number, part) in parts.into_iter().enumerate() {
        let scratch = Scratch::new()
            .with("bomb.json", &chain(40, part))
            .with("other.json", r#"{"properties":{"b":{"$ref":"bomb.json"}}}"#)
            .with("fine.json", &chain(12, part));
        for name in ["bomb.json", "other.json"] {
            let Err(error) = read(&scratch.path().join(name)) else { panic!("{number}: {name} was read") };
            assert!(error.text.contains("more than 20,000 steps"), "{number}: {error}");
            assert!(
                error.pointer.as_deref().is_some_and(|at| at.starts_with("#/$defs/x2")),
                "{number}: {error}"
            );
            assert!(error.hint.is_some_and(|hint| hint.contains("once")), "{number}");
        }
        let contract =
            read(&scratch.path().join("fine.json")).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert!(contract.judge(&json!({ "a": 1 })).is_ok(), "{number}");
    }
}

/// Compiling takes time with the square of what there is to compile.
#[test]
fn a_contract_with_too_many_schemas_is_refused() {
    let fields = |many: usize, field: &dyn Fn(usize) -> Value| {
        (0..many).map(|number| (format!("p{number}"), field(number))).collect::<serde_json::Map<_, _>>()
    };
    let text = |_| json!({ "type": "string" });
    let to_id =
        |number| json!({ "$id": format!("https://example.com/{number}"), "$ref": "https://example.com/0" });
    let definitions = |number| json!({ "$anchor": format!("a{number}"), "type": "string" });
    let alternatives = json!([{ "title": "one" }, { "title": "two", "$ref": "many.json#/$defs/all" }]);
    for (name, contract, pointer) in [
        ("fields.json", json!({ "properties": fields(20_000, &text) }), "#"),
        ("ids.json", json!({ "properties": fields(20_000, &to_id) }), "#"),
        ("far.json", json!({ "properties": { "a": { "items": { "$ref": "many.json#/$defs/all" } } } }), "#"),
        ("second.json", json!({ "oneOf": alternatives }), "#"),
        (
            "anchors.json",
            json!({ "properties": { "a": { "$ref": "#a7" } }, "$defs": fields(20_000, &definitions) }),
            "#",
        ),
        (
            "asyncapi.json",
            json!({ "asyncapi": "3.0.0", "channels": { "c": { "messages": { "m": { "payload": {
                "allOf": [{ "properties": fields(20_000, &text) }],
            } } } } } }),
            "#/channels/c/messages/m/payload",
        ),
    ] {
        let many = json!({ "$defs": { "all": { "properties": fields(20_000, &text) } } });
        let scratch = Scratch::new().with(name, &contract.to_string()).with("many.json", &many.to_string());
        let Err(error) = read(&scratch.path().join(name)) else { panic!("{name} was read") };
        assert!(error.text.contains("more than 20,000 schemas"), "{name}: {error}");
        assert_eq!((error.line, error.pointer.as_deref()), (Some(1), Some(pointer)), "{name}: {error}");
        assert!(error.hint.is_some_and(|hint| hint.contains("fewer messages")), "{name}");
    }
    // What no message refers to is not compiled.
    let unused = json!({ "$defs": fields(20_500, &text), "properties": { "a": { "$ref": "#/$defs/p1" } } });
    let scratch = Scratch::new().with("unused.json", &unused.to_string());
    assert!(read(&scratch.path().join("unused.json")).unwrap().judge(&json!({ "a": "x" })).is_ok());
}

/// Where a reference that leads nowhere stands is looked for once, not for each of them.
#[test]
fn references_to_parts_with_an_id_are_followed_however_many_there_are() {
    let fields: serde_json::Map<_, _> = (0..2_000)
        .map(|number| (format!("p{number}"), json!({ "$ref": "https://example.com/part.json" })))
        .collect();
    let part = json!({ "$id": "https://example.com/part.json", "type": "string" });
    let contract =
        json!({ "$id": "https://example.org/c.json", "properties": fields, "$defs": { "part": part } });
    let scratch = Scratch::new().with("c.json", &contract.to_string());
    let contract = read(&scratch.path().join("c.json")).unwrap();
    assert!(contract.judge(&json!({ "p7": "x" })).is_ok() && contract.judge(&json!({ "p7": 1 })).is_err());
}

/// Two ways through one field double the work at each level of a message. Two fields do not.
#[test]
fn a_message_that_would_be_judged_for_minutes_is_not_judged() {
    let n = || json!({ "$ref": "#/$defs/n" });
    let of = |schema: Value| {
        let scratch = Scratch::new()
            .with("c.json", &json!({ "properties": { "a": n() }, "$defs": { "n": schema } }).to_string());
        read(&scratch.path().join("c.json")).unwrap()
    };
    let through = |name: &str| json!({ "properties": { name: n() } });
    let nested =
        |name: &str, depth: usize| (0..depth).fold(json!({ "a": "end" }), |inner, _| json!({ name: inner }));
    let items = json!({ "allOf": [{ "items": n() }, { "prefixItems": [n()] }, { "contains": n() }] });
    let lists = (0..40).fold(json!([]), |inner, _| json!([inner]));
    for (twice, deep) in [
        (json!({ "allOf": [through("a"), through("a")] }), nested("a", 60)),
        (json!({ "anyOf": [through("b"), through("b")] }), json!({ "a": nested("b", 60) })),
        (json!({ "properties": { "a": n() }, "patternProperties": { "^a": n() } }), nested("a", 60)),
        (json!({ "allOf": [{ "additionalProperties": n() }, through("a")] }), nested("a", 60)),
        (items, json!({ "a": lists })),
    ] {
        let contract = of(twice.clone());
        let fault = contract.judge(&deep).unwrap_err();
        assert!(fault.text.contains("not judged") && fault.text.contains("steps"), "{twice}: {}", fault.text);
        assert!(contract.judge(&json!({ "a": { "a": {} } })).is_ok(), "{twice}");
    }
    // Each part of these is judged once, however large they are.
    let tree = (0..11).fold(json!({}), |inner, _| json!({ "left": inner.clone(), "right": inner }));
    for (once, large) in [
        (json!({ "properties": { "left": n(), "right": n() } }), json!({ "a": tree })),
        (json!({ "properties": { "a": n() }, "additionalProperties": n() }), nested("a", 100)),
        (json!({ "patternProperties": { "^a": n(), "^b": n() } }), nested("a", 100)),
        (json!({ "prefixItems": [n()], "items": n() }), json!({ "a": lists_of(2_000) })),
    ] {
        let judged = of(once.clone()).judge(&large).map(str::to_owned);
        assert!(judged.is_ok(), "{once}: {judged:?}");
    }
}

fn lists_of(many: usize) -> Value {
    json!((0..many).map(|item| json!([item])).collect::<Vec<_>>())
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_nothing_outside_the_folder() {
    let scratch = Scratch::new()
        .with("secret.json", r#"{"type":"string"}"#)
        .with("contract/contract.yaml", "properties: { a: { $ref: link.json } }\n");
    std::os::unix::fs::symlink(scratch.path().join("secret.json"), scratch.path().join("contract/link.json"))
        .unwrap();
    let Err(error) = read(&scratch.path().join("contract/contract.yaml")) else { panic!("it was read") };
    assert!(error.text.contains("outside the contract's folder"), "{error}");
}
