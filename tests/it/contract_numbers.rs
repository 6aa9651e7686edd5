//! Numbers and texts of which a binary fraction, or the engine of regular expressions, says something else than JSON Schema does.

use incident::contract_file::Contract;
use serde_json::{Value, json};

use crate::contract_file::read;
use crate::harness::{Scratch, incident};

/// A contract of messages whose field `v` has this schema.
fn about(schema: &Value) -> String {
    let draft = schema["$schema"].as_str().unwrap_or("https://json-schema.org/draft/2020-12/schema");
    json!({ "$schema": draft, "properties": { "v": schema } }).to_string()
}

fn contract(schema: &Value) -> Contract {
    let scratch = Scratch::new().with("c.json", &about(schema));
    read(&scratch.path().join("c.json")).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

/// What a schema says of a text that is read as JSON: numbers stay as they are written.
fn judged(schema: &Value, json: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(&format!("{{\"v\":{json}}}")).unwrap();
    contract(schema).judge(&value).map(drop).map_err(|mismatch| mismatch.text)
}

#[test]
fn limits_are_compared_to_the_last_digit() {
    for (schema, fits, not) in [
        (
            json!({ "exclusiveMinimum": 1_700_000_000_000_000_000_u64 }),
            "1700000000000000001",
            "1700000000000000000",
        ),
        (json!({ "minimum": 1_700_000_000_000_000_001_u64 }), "1700000000000000001", "1700000000000000000"),
        (json!({ "maximum": 9_007_199_254_740_992_u64 }), "9007199254740992", "9007199254740993"),
        (json!({ "minimum": -9_007_199_254_740_992_i64 }), "-9007199254740992", "-9007199254740993"),
        (
            json!({ "exclusiveMaximum": 18_446_744_073_709_551_616_f64 }),
            "18446744073709551615",
            "18446744073709551616",
        ),
        (json!({ "multipleOf": 3 }), "9007199254740993", "9007199254740994"),
        (json!({ "multipleOf": 3 }), "3e30", "1e30"),
        (json!({ "multipleOf": 2 }), "1700000000000000002", "1700000000000000001"),
        (json!({ "multipleOf": 0.01 }), "19.99", "19.999"),
        (json!({ "minimum": 1.5e300 }), "2e300", "1e300"),
        // Where it stands beside others, below others, and in what must not fit.
        (json!({ "format": "int64", "maximum": 9_007_199_254_740_992_u64 }), "1", "9007199254740993"),
        (
            json!({ "anyOf": [{ "type": "null" }, { "minimum": 9_007_199_254_740_993_u64 }] }),
            "null",
            "9007199254740992",
        ),
        (json!({ "not": { "maximum": 9_007_199_254_740_992_u64 } }), "9007199254740993", "9007199254740992"),
        (json!({ "not": { "multipleOf": 3 } }), "1e30", "3e30"),
    ] {
        assert_eq!(judged(&schema, fits), Ok(()), "{schema}");
        assert!(judged(&schema, not).is_err(), "{schema} {not}");
    }
    let text = judged(&json!({ "exclusiveMinimum": 1_700_000_000_000_000_000_u64 }), "1700000000000000000");
    assert_eq!(text.unwrap_err(), "`v` is 1700000000000000000; expected more than 1700000000000000000");
    let text = judged(&json!({ "multipleOf": 3 }), "1700000000000000002");
    assert_eq!(text.unwrap_err(), "`v` is 1700000000000000002; expected a multiple of 3");
}

#[test]
fn values_are_the_same_to_the_last_digit() {
    let large = 9_007_199_254_740_993_u64;
    let draft_4 = "http://json-schema.org/draft-04/schema#";
    for (schema, fits, not) in [
        (json!({ "const": large }), "9007199254740993", "9007199254740992.0"),
        (json!({ "const": 9_223_372_036_854_775_807_u64 }), "9223372036854775807", "9223372036854775808.0"),
        (json!({ "enum": [1, large] }), "9007199254740993", "9007199254740992.0"),
        (json!({ "enum": [1, large] }), "1.0", "2"),
        (
            json!({ "const": { "a": [large] } }),
            r#"{"a":[9007199254740993]}"#,
            r#"{"a":[9007199254740992.0]}"#,
        ),
        (json!({ "not": { "const": large } }), "9007199254740992.0", "9007199254740993"),
        (json!({ "const": large, "enum": [large, 1] }), "9007199254740993", "1"),
        (json!({ "format": "int64", "const": large }), "9007199254740993", "9007199254740992.0"),
        (json!({ "$schema": draft_4, "enum": [large] }), "9007199254740993", "9007199254740992.0"),
        (json!({ "uniqueItems": true }), "[9007199254740993,9007199254740992.0]", "[1.0,1]"),
        (json!({ "uniqueItems": true }), "[{\"a\":9007199254740993},{\"a\":9007199254740992.0}]", "[-0.0,0]"),
        (
            json!({ "uniqueItems": true }),
            "[[\"1\"],[1],1,\"1\",[[1]]]",
            "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]",
        ),
        (json!({ "uniqueItems": true, "maxItems": 1 }), "[1]", "[1,2]"),
        (json!({ "$schema": draft_4, "uniqueItems": true }), "[1e300,1e301]", "[1e300,1.0e300]"),
    ] {
        assert_eq!(judged(&schema, fits), Ok(()), "{schema}");
        assert!(judged(&schema, not).is_err(), "{schema} {not}");
    }
    assert_eq!(
        judged(&json!({ "const": large }), "9007199254740992.0").unwrap_err(),
        "`v` is 9007199254740992.0; expected 9007199254740993"
    );
    let ignored = json!({ "$schema": draft_4, "const": large });
    assert_eq!(judged(&ignored, "9007199254740992.0"), Ok(()), "draft 4 has no const");
    let beside = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": "#/properties/v/definitions/a",
        "const": large,
        "uniqueItems": true,
        "definitions": { "a": {} }
    });
    for value in ["9007199254740992.0", "[1,1]"] {
        assert_eq!(judged(&beside, value), Ok(()), "beside a reference nothing is judged");
    }
}

/// In draft 4 a second keyword says whether the limit itself fits.
#[test]
fn limits_of_draft_4_are_exact_too() {
    let draft = "http://json-schema.org/draft-04/schema#";
    let large = 9_007_199_254_740_993_u64;
    for (schema, fits, not) in [
        (json!({ "minimum": large, "exclusiveMinimum": true }), "9007199254740994", "9007199254740993"),
        (json!({ "minimum": large, "exclusiveMinimum": false }), "9007199254740993", "9007199254740992"),
        (json!({ "maximum": large, "exclusiveMaximum": true }), "9007199254740992", "9007199254740993"),
    ] {
        let mut schema = schema;
        schema["$schema"] = draft.into();
        assert_eq!(judged(&schema, fits), Ok(()), "{schema}");
        assert!(judged(&schema, not).is_err(), "{schema}");
    }
}

#[test]
fn what_is_wrong_about_a_limit_is_still_a_mistake_of_the_contract() {
    for schema in [
        json!({ "multipleOf": 0 }),
        json!({ "multipleOf": -1 }),
        json!({ "minimum": 9_007_199_254_740_993_u64, "exclusiveMinimum": true }),
    ] {
        let scratch = Scratch::new().with("c.json", &about(&schema));
        let error = read(&scratch.path().join("c.json")).expect_err(&schema.to_string());
        assert!(error.text.contains("no JSON Schema"), "{schema}: {error}");
    }
}

#[test]
fn more_limits_than_are_compared_exactly_are_told() {
    let all: serde_json::Map<String, Value> =
        (0..200).map(|n| (format!("p{n}"), json!({ "minimum": 10_000_000_000_000_000_u64 + n }))).collect();
    let contract = contract(&json!({ "properties": all }));
    let told = contract.left_out();
    assert!((100..200).contains(&told.len()), "{}", told.len());
    assert!(
        told[0].contains("to the last digit in ") && told[0].contains("only 64 such limits"),
        "{}",
        told[0]
    );
    assert!(
        contract.judge(&json!({ "v": { "p199": 9_000_000_000_000_000_u64 } })).is_err(),
        "roughly it is compared"
    );
}

/// Two neighbours among the binary fractions: a reader that is off by one would take each for the other.
#[test]
fn decimals_of_all_their_digits_are_the_numbers_that_they_name() {
    let schema = json!({ "maximum": "125.68332230972723".parse::<f64>().unwrap() });
    assert_eq!(judged(&schema, "125.68332230972723"), Ok(()));
    let why = judged(&schema, "125.68332230972725").unwrap_err();
    assert!(why.contains("125.68332230972725") && why.contains("at most 125.68332230972723"), "{why}");
}

#[test]
fn the_format_of_regular_expressions_is_that_of_json_schema() {
    let schema = json!({ "format": "regex" });
    for text in ["(?=a)b", "(?<=a)b", r"(?<n>a)\k<n>", "a+", "(?<n>a)|(?<n>b)"] {
        assert_eq!(judged(&schema, &json!(text).to_string()), Ok(()), "{text}");
    }
    for text in ["(?=a", "[z-a]", r"a\Z", "(?P<n>a)", "(?<n>a)(?<n>b)"] {
        let why = judged(&schema, &json!(text).to_string()).unwrap_err();
        assert!(why.ends_with("; expected a regular expression"), "{why}");
    }
    assert!(contract(&schema).left_out().is_empty());
}

#[test]
fn international_formats_take_letters_beyond_ascii() {
    for (format, right, wrong) in [
        ("idn-hostname", ["실례.테스트", "example.org"], ["-é.org", "a b"]),
        ("idn-email", ["é@ü.de", "a@example.org"], ["é", "a b@ü.de"]),
        ("iri", ["http://é/ü?ß#ø", "http://a/b"], ["/ü", "http://é/ ü"]),
        ("iri-reference", ["/ü", "../b"], ["/ ü", "\\é"]),
    ] {
        let schema = json!({ "format": format });
        for text in right {
            assert_eq!(judged(&schema, &json!(text).to_string()), Ok(()), "{format}: {text}");
        }
        for text in wrong {
            assert!(judged(&schema, &json!(text).to_string()).is_err(), "{format}: {text}");
        }
    }
}

/// Who reads a stream does not choose its values: judging these must end, and not take the square of their length.
#[test]
fn a_long_value_is_judged_as_a_regular_expression_in_one_pass() {
    let contract = contract(&json!({ "format": "regex" }));
    for (part, is_one) in [
        ("{", true),
        (r"\w", true),
        (r"\p{Nonsense}", true),
        (r"\p{", false),
        (r"\P{", false),
        (r"\k<", false),
    ] {
        let value = json!({ "v": part.repeat(1_000_000 / part.len()) });
        assert_eq!(contract.judge(&value).is_ok(), is_one, "{part}");
    }
    let foreign = json!({ "v": "{".repeat(1_000_000) + r"\Z" });
    assert!(contract.judge(&foreign).is_err(), "the end of a long value is read too");
    // These are short, and would take megabytes.
    let large = json!({ "v": r"(\w{1,1000}){1,1000}" });
    assert!(contract.judge(&large).is_ok());
}

#[test]
fn validate_judges_large_numbers_by_all_of_their_digits() {
    let line = |v: &str| format!("{{\"type\":\"t\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"v\":{v}}}\n");
    let schema = json!({ "type": "object", "properties": { "v": { "exclusiveMinimum": 1_700_000_000_000_000_000_u64 } } });
    for (v, status) in [("1700000000000000001", 0), ("1700000000000000000", 5)] {
        let scratch = Scratch::new().with("x.ndjson", &line(v)).with("x.json", &schema.to_string());
        let path = |name: &str| scratch.path().join(name).display().to_string();
        let args = [
            "validate",
            "--profile",
            "plain",
            "--contract",
            &path("x.json"),
            "--rule",
            "schema",
            &path("x.ndjson"),
        ];
        let ran = incident(&args).run();
        assert_eq!(ran.status, Some(status), "{ran:?}");
    }
}

/// A number beyond 64 bits is another one when it is read. Where its lost digits matter, neither answer is given in silence.
#[test]
fn what_rounding_decides_is_not_said() {
    let judged = |schema: &Value, json: &str| {
        let text = format!("{{\"v\":{json}}}");
        let value: Value = serde_json::from_str(&text).unwrap();
        contract(schema).judge_text(&text, &value).map(drop).map_err(|mismatch| mismatch.text)
    };
    let most = json!({ "maximum": u64::MAX });
    assert_eq!(judged(&most, "18446744073709551615"), Ok(()));
    assert_eq!(
        judged(&most, "18446744073709551616").unwrap_err(),
        "`v` is 1.8446744073709552e+19; expected at most 18446744073709551615, which can't be said of a number that was rounded \
         when it was read"
    );
    // It is beyond the limit however it is rounded, and on its side of it.
    assert!(!judged(&most, "36893488147419103233").unwrap_err().contains("rounded"));
    let most = json!({ "maximum": 1e20 });
    assert_eq!(judged(&most, "18446744073709551617"), Ok(()));
    let tens = json!({ "multipleOf": 10 });
    assert_eq!(judged(&tens, "100000000000000000000"), Ok(()));
    assert!(judged(&tens, "100000000000000000001").unwrap_err().contains("was rounded"));
    // What does not fit because it can't be said may not be why another schema fits.
    assert!(
        judged(&json!({ "not": { "multipleOf": 10 } }), "100000000000000000001")
            .unwrap_err()
            .contains("rounded")
    );
    assert_eq!(judged(&json!({ "type": "integer" }), "100000000000000000001"), Ok(()));
    let unique = json!({ "uniqueItems": true });
    for items in ["[18446744073709551617,18446744073709551618]", "[0.1,0.10000000000000000001]"] {
        assert!(judged(&unique, items).unwrap_err().contains("were rounded"), "{items}");
    }
    assert!(!judged(&unique, "[1,1]").unwrap_err().contains("rounded"));
    for schema in [json!({ "const": u64::MAX }), json!({ "enum": [1e20, u64::MAX] })] {
        assert!(judged(&schema, "18446744073709551616").unwrap_err().contains("was rounded"), "{schema}");
        assert!(!judged(&schema, "18446744073709551614").unwrap_err().contains("rounded"), "{schema}");
    }
}

#[test]
fn limits_that_are_rounded_when_the_contract_is_read_are_told() {
    for (name, text) in [
        (
            "c.json",
            r#"{"properties":{"a":{"maximum":18446744073709551616},"b":{"const":[18446744073709551617]},"c":{"maximum":1e30}}}"#,
        ),
        (
            "c.yaml",
            "properties:\n  a:\n    maximum: 18446744073709551616\n  b:\n    const: [18446744073709551617]\n  c:\n    maximum: 1e30\n",
        ),
    ] {
        let scratch = Scratch::new().with(name, text);
        let contract = read(&scratch.path().join(name)).unwrap();
        let told: Vec<&str> = contract
            .left_out()
            .iter()
            .filter_map(|told| told.split_once(" in "))
            .map(|(what, _)| what)
            .collect();
        let rounded = |keyword: &str| format!("`{keyword}` 1.8446744073709552e+19 to the last digit");
        assert_eq!(told, [rounded("maximum"), rounded("const")], "{name}");
        assert!(contract.left_out()[0].ends_with("the number has been rounded when it was read"));
    }
}

/// What the contract's own number has lost makes no message fail.
#[test]
fn what_the_contract_rounds_decides_nothing() {
    let judged = |schema: &str, json: &str| {
        let scratch = Scratch::new().with("c.json", &format!("{{\"properties\":{{\"v\":{schema}}}}}"));
        let contract =
            read(&scratch.path().join("c.json")).unwrap_or_else(|error| panic!("{schema}: {error}"));
        let text = format!("{{\"v\":{json}}}");
        let value: Value = serde_json::from_str(&text).unwrap();
        contract.judge_text(&text, &value).map(drop).map_err(|mismatch| mismatch.text)
    };
    for (schema, fits, not) in [
        ("{\"const\":9007199254740993.0}", "9007199254740993", "9007199254740995"),
        ("{\"const\":9.007199254740993e15}", "9007199254740993", "9007199254740995"),
        ("{\"enum\":[1,9007199254740993.0]}", "9007199254740993", "2"),
        ("{\"enum\":[9007199254740993.0,9007199254740996]}", "9007199254740996", "9007199254740997"),
        ("{\"const\":[18446744073709551617]}", "[18446744073709551617]", "[18446744073709551617,1]"),
        ("{\"const\":18446744073709551617}", "18446744073709551617", "\"a\""),
        ("{\"maximum\":9007199254740993.0}", "9007199254740993", "9007199254740995"),
        ("{\"exclusiveMinimum\":9007199254740993.0}", "9007199254740994", "9007199254740991"),
        ("{\"exclusiveMaximum\":18446744073709551617}", "18446744073709551616", "36893488147419103233"),
        ("{\"not\":{\"minimum\":9007199254740993.0}}", "9007199254740992", "9007199254740995"),
        ("{\"multipleOf\":18446744073709551617}", "18446744073709551617", "3"),
        ("{\"multipleOf\":0.10000000000000000001}", "0.3", "0.35"),
    ] {
        assert_eq!(judged(schema, fits), Ok(()), "{schema}");
        assert!(judged(schema, not).is_err(), "{schema} {not}");
    }
    assert_eq!(judged("{\"not\":{\"const\":9007199254740993.0}}", "9007199254740992"), Ok(()));
    let two = "{\"maximum\":9007199254740993.0,\"multipleOf\":10}";
    assert!(judged(two, "100000000000000000001").unwrap_err().contains("at most"), "what is certain is told");
}

/// Whatever the digits are that were lost, the other schema fits, or none does.
#[test]
fn what_can_not_be_said_fails_only_where_it_decides() {
    let judged = |schema: &Value, json: &str| {
        let text = format!("{{\"v\":{json}}}");
        let value: Value = serde_json::from_str(&text).unwrap();
        contract(schema).judge_text(&text, &value).map(drop).map_err(|mismatch| mismatch.text)
    };
    let large = "18446744073709551617";
    let most = json!({ "const": u64::MAX });
    for schema in [
        json!({ "anyOf": [most, { "type": "number" }] }),
        json!({ "if": most, "then": true, "else": { "minimum": 1 } }),
        json!({ "not": { "allOf": [most, { "type": "string" }] } }),
    ] {
        assert_eq!(judged(&schema, large), Ok(()), "{schema}");
    }
    for schema in [
        json!({ "anyOf": [most, { "type": "string" }] }),
        json!({ "not": most }),
        json!({ "oneOf": [most, { "type": "number" }] }),
    ] {
        assert!(judged(&schema, large).unwrap_err().contains("rounded"), "{schema}");
    }
    let text = judged(&json!({ "allOf": [most, { "type": "string" }] }), large).unwrap_err();
    assert!(!text.contains("rounded") && text.contains("text"), "{text}");
}
