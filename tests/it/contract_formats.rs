//! Formats, drafts and patterns of other people's contracts, of which the validator alone says something else than others do.

use std::fmt::Write;

use incident::contract_file::Contract;
use serde_json::{Value, json};

use crate::contract_file::read;
use crate::harness::Scratch;

fn contract(schema: &Value) -> Contract {
    let scratch = Scratch::new().with("c.json", &schema.to_string());
    read(&scratch.path().join("c.json")).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

/// Each answer is that of Ajv with `ajv-formats`, but for quoted names and addresses of hosts, which RFC 5321 has.
#[test]
fn formats_are_judged_as_others_judge_them() {
    for (format, fit, others) in [
        (
            "date",
            &["2024-02-29", "0000-01-01"][..],
            &["2026-02-29", "+123-01-01", "2026-1-01", "2026-+1-01", "é026-01-01"][..],
        ),
        (
            "time",
            &["10:00:00Z", "23:59:60Z", "15:59:60-08:00", "00:59:60+01:00", "10:00:00.5+01:00"],
            &[
                "+1:00:00Z",
                "10:00:00",
                "10:00:60Z",
                "10:00:00 Z",
                "10:00:00.Z",
                "24:00:00Z",
                "10:00:00++1:00",
                "10:00:00é",
            ],
        ),
        (
            "date-time",
            &["2026-01-01T10:00:00Z", "2026-01-01t10:00:00z"],
            &["2026-01-01 10:00:00Z", "+026-01-01T10:00:00Z", "2026-01-01", ""],
        ),
        (
            "email",
            &["a@b.c", "a@b", "a+b@c.d", r#""a b"@c.d"#, r#""a\"b"@c.d"#, "a@[127.0.0.1]", "a@[IPv6:::1]"],
            &[
                "@b",
                "a",
                "a@",
                "a..b@c.d",
                ".a@b.c",
                "a.@b.c",
                "a@-b.c",
                "a@b.c.",
                r#""a"b"@c.d"#,
                "\"\u{1}\"@c.d",
                "ä@b.c",
            ],
        ),
        ("idn-email", &["ä@ö.de", "a@b.c"], &["@ö.de", "ä"]),
        (
            "uri-template",
            &["http://h:{port}/", "{+x,y:3,z*}", "ä{x}", "{?x%41}", "{scheme}://x/{a}/{b}", "", "{a.b}"],
            &["{a", "{a}}", "{a b}", "{x:0}", "{x:10000}", "%zz", "{}", "a b", "{é}"],
        ),
        ("hostname", &["a", "a.", "1"], &["a_b", "", "-a", "a..b"]),
        ("ipv4", &["1.2.3.4"], &["01.2.3.4", "1.2.3"]),
        ("ipv6", &["::1"], &["::1%1", "1::2::3"]),
        ("json-pointer", &["", "/a~0"], &["/a~", "a"]),
        ("relative-json-pointer", &["0", "1#", "1/a"], &["01", "+1", "-1"]),
        ("duration", &["P1Y", "P1W", "PT1H1S"], &["P", "PT", "P1Y1W", "P1.5Y"]),
        ("uri", &["a:b", "http://[::1]", "urn:x:y"], &["/a", "http://a b", "http://h/ä"]),
        ("uri-reference", &["", "/a", "#f"], &["a b", "a\\b", "%zz"]),
        // No format of JSON Schema.
        ("period", &["2026-Q1"], &[]),
    ] {
        let contract = contract(&json!({ "properties": { "v": { "format": format } } }));
        for text in fit {
            assert_eq!(contract.judge(&json!({ "v": text })).err(), None, "{format} {text:?}");
        }
        for text in others {
            assert!(contract.judge(&json!({ "v": text })).is_err(), "{format} {text:?}");
        }
    }
}

/// What draft 7 ignores beside a reference is ignored where no file names that draft: in AsyncAPI 2, and in files that a contract
/// of the draft refers to.
#[test]
fn what_stands_beside_a_reference_counts_as_the_draft_says() {
    let beside = json!({ "$ref": "#/definitions/any", "const": 1, "type": "string", "contains": false, "if": true, "then": false });
    for (draft, counts) in [
        (Some("http://json-schema.org/draft-06/schema#"), false),
        (Some("http://json-schema.org/draft-07/schema#"), false),
        (Some("http://json-schema.org/draft-07/schema"), false),
        (Some("https://json-schema.org/draft/2019-09/schema"), true),
        (None, true),
    ] {
        let mut root = json!({ "definitions": { "any": {} }, "properties": { "v": beside, "w": { "$ref": "other.json" } } });
        if let Some(draft) = draft {
            root["$schema"] = draft.into();
        }
        let other = json!({ "definitions": { "any": {} }, "properties": { "v": beside } });
        let scratch = Scratch::new().with("c.json", &root.to_string()).with("other.json", &other.to_string());
        let contract = read(&scratch.path().join("c.json")).unwrap();
        assert_eq!(contract.judge(&json!({ "v": [2] })).is_err(), counts, "{draft:?}");
        assert_eq!(
            contract.judge(&json!({ "w": { "v": [2] } })).is_err(),
            counts,
            "{draft:?}, in the other file"
        );
    }
    for (format, counts) in [
        ("application/vnd.aai.asyncapi+json;version=2.6.0", false),
        ("application/schema+json;version=draft-07", false),
        ("application/schema+json;version=2020-12", true),
    ] {
        let beside = json!({ "$ref": "#/components/schemas/any", "const": 1, "if": true, "then": false });
        let message = json!({ "schemaFormat": format, "payload": { "properties": { "v": beside } } });
        let root = json!({
            "asyncapi": "2.6.0",
            "info": { "title": "t", "version": "1" },
            "channels": { "c": { "subscribe": { "message": message } } },
            "components": { "schemas": { "any": {} } },
        });
        assert_eq!(contract(&root).judge(&json!({ "v": 2 })).is_err(), counts, "{format}");
    }
}

#[test]
fn patterns_that_would_take_gigabytes_together_are_left_out_and_told() {
    // One pattern in many places is compiled in each of them.
    let same: serde_json::Map<String, Value> =
        (0..400).map(|n| (format!("f{n}"), json!({ "pattern": r"^\p{L}{1,60}$" }))).collect();
    let same = contract(&json!({ "properties": same }));
    assert_eq!(same.left_out().len(), 400);
    let why = "the patterns of the contract take too much memory together";
    assert!(same.left_out().iter().all(|told| told.ends_with(why)), "{:?}", same.left_out()[0]);

    // Small ones may be many.
    let mut text = String::from("{\"properties\":{");
    for n in 0..5_000 {
        let _ =
            write!(text, "{}\"f{n}\":{{\"pattern\":\"^[a-z]{{1,9}}-{n}$\"}}", if n == 0 { "" } else { "," });
    }
    let small = contract(&serde_json::from_str(&(text + "}}")).unwrap());
    assert!(small.left_out().is_empty(), "{}", small.left_out().len());
    assert!(small.judge(&json!({ "f4999": "a-4999", "f4998": "a-4998" })).is_ok());
}

#[test]
fn a_large_pattern_is_not_followed_through_a_long_text() {
    let large = contract(&json!({ "properties": { "v": { "pattern": r"^\p{L}{1,200}x$" } } }));
    assert!(large.left_out().is_empty(), "{:?}", large.left_out());
    assert!(large.judge(&json!({ "v": "äx" })).is_ok());
    assert_eq!(large.judge(&json!({ "v": "1".repeat(60) })).unwrap_err().pointer, "/v");
    let why = large.judge(&json!({ "v": "ä".repeat(4_000_000) })).unwrap_err();
    assert!(why.text.starts_with("this message was not judged"), "{why:?}");
    let names = contract(&json!({ "patternProperties": { r"^\p{L}{1,200}x$": { "type": "number" } } }));
    assert!(names.judge(&json!({ "äx": "1" })).is_err());
    let why = names.judge(&json!({ ("ä".repeat(4_000_000)): 1 })).unwrap_err();
    assert!(why.text.starts_with("this message was not judged"), "{why:?}");
}
