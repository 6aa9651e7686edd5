//! Comparing schemas: which changes break readers or writers, and how they are said.

use incident::contract::schema;
use incident::json_schema::compare::{Breaks, Change, compare};
use serde_json::{Value, json};

/// Puts a value at a JSON pointer whose last token may be new; `null` removes it.
pub fn set(schema: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = schema.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    match (parent, value) {
        (Value::Object(object), Value::Null) => {
            assert!(object.remove(last).is_some(), "nothing at {pointer}");
        }
        (Value::Object(object), value) => {
            object.insert(last.to_owned(), value);
        }
        (Value::Array(items), Value::Null) => {
            items.remove(last.parse().unwrap());
        }
        (Value::Array(items), value) if last == "-" => items.push(value),
        (parent, _) => panic!("{pointer} is in {parent}"),
    }
}

/// Pointers, and what is put there.
type Edits<'a> = &'a [(&'a str, Value)];

/// What changed when the contract's schema is edited.
fn changes(edits: Edits<'_>) -> Vec<Change> {
    let old = schema::document();
    let mut new = old.clone();
    for (pointer, value) in edits {
        set(&mut new, pointer, value.clone());
    }
    compare(&old, &new)
}

/// The index of a message in the schema's `oneOf`.
fn branch(name: &str) -> String {
    let schema = schema::document();
    let index = schema["oneOf"].as_array().unwrap().iter().position(|branch| branch["title"] == name);
    format!("/oneOf/{}", index.unwrap())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_breaking_change_is_found_and_said() {
    use Breaks::{Both, Readers, Writers};
    let action = "/$defs/AgentAction/properties";
    let started = branch("incident_started");
    let table: &[(Edits<'_>, Breaks, &str, &str)] = &[
        (
            &[(&format!("{action}/step"), Value::Null)],
            Readers,
            &format!("{action}/step"),
            "the field `step` was removed",
        ),
        (
            &[
                (&format!("{action}/step"), Value::Null),
                (
                    &format!("{action}/step_id"),
                    schema::document().pointer(&format!("{action}/step")).unwrap().clone(),
                ),
            ],
            Both,
            &format!("{action}/step"),
            "the field `step` was renamed to `step_id`",
        ),
        (
            &[("/$defs/AgentAction/required/-", json!("step"))],
            Writers,
            &format!("{action}/step"),
            "the field `step` is required now; it was optional",
        ),
        (
            &[("/$defs/AgentAction/required", json!(["synthetic", "agent", "action", "status"]))],
            Readers,
            &format!("{action}/summary"),
            "the field `summary` may be absent now; it was always present",
        ),
        (
            &[
                (&format!("{action}/host"), json!({ "type": "string" })),
                ("/$defs/AgentAction/required/-", json!("host")),
            ],
            Writers,
            &format!("{action}/host"),
            "the new field `host` is required",
        ),
        (
            &[("/$defs/Cost/properties/total/type", json!("string"))],
            Both,
            "/$defs/Cost/properties/total",
            "the type of `total` changed from a number to a text",
        ),
        (
            &[("/$defs/Actions/properties/total/type", json!("number"))],
            Readers,
            "/$defs/Actions/properties/total",
            "the type of `total` was widened from a whole number to a number",
        ),
        (
            &[("/$defs/Cost/properties/total/type", json!("integer"))],
            Writers,
            "/$defs/Cost/properties/total",
            "the type of `total` was narrowed from a number to a whole number",
        ),
        (
            &[("/$defs/Phase/properties/name/type", json!(["string", "null"]))],
            Readers,
            "/$defs/Phase/properties/name",
            "`name` may now be null",
        ),
        (
            &[("/$defs/Phase/properties/end_s/type", json!("number"))],
            Writers,
            "/$defs/Phase/properties/end_s",
            "`end_s` may no longer be null",
        ),
        (
            &[(&format!("{action}/forecast/anyOf/1"), Value::Null)],
            Writers,
            &format!("{action}/forecast"),
            "`forecast` may no longer be null",
        ),
        (
            &[("/$defs/Status/enum/-", json!("skipped"))],
            Readers,
            "/$defs/Status",
            "`Status` may now also be \"skipped\"",
        ),
        (
            &[("/$defs/Severity/enum/4", Value::Null)],
            Writers,
            "/$defs/Severity",
            "`Severity` may no longer be \"SEV5\"",
        ),
        (
            &[("/$defs/ResetReason/oneOf/-", json!({ "const": "moved" }))],
            Readers,
            "/$defs/ResetReason",
            "`ResetReason` may now also be \"moved\"",
        ),
        (
            &[("/$defs/Status/enum", Value::Null)],
            Readers,
            "/$defs/Status",
            "`Status` may now have any value; it was one of \"in_progress\", \"completed\", \"failed\"",
        ),
        (
            &[(&format!("{action}/action/enum"), json!(["note"]))],
            Writers,
            &format!("{action}/action"),
            "`action` may now only be \"note\"; it could have any value",
        ),
        (
            &[("/$defs/HypothesisBelief/properties/p/maximum", json!(100))],
            Readers,
            "/$defs/HypothesisBelief/properties/p",
            "`p` need only be at most 100 now; it had to be at most 1",
        ),
        (
            &[("/$defs/HypothesisBelief/properties/p/minimum", json!(0.5))],
            Writers,
            "/$defs/HypothesisBelief/properties/p",
            "`p` must now be at least 0.5; it had to be at least 0",
        ),
        (
            &[(&format!("{started}/properties/index/maximum"), Value::Null)],
            Readers,
            &format!("{started}/properties/index"),
            "`index` has no upper limit any more; it had to be at most 2147483647",
        ),
        (
            &[("/$defs/IncidentStarted/properties/title/maxLength", json!(80))],
            Writers,
            "/$defs/IncidentStarted/properties/title",
            "`title` must now have at most 80 characters; it had no upper limit",
        ),
        (
            &[("/$defs/IncidentStarted/properties/services/minItems", json!(1))],
            Writers,
            "/$defs/IncidentStarted/properties/services",
            "`services` must now have at least 1 item; it had no lower limit",
        ),
        (
            &[
                ("/$defs/IncidentStarted/properties/speed/exclusiveMinimum", Value::Null),
                ("/$defs/IncidentStarted/properties/speed/minimum", json!(0)),
            ],
            Readers,
            "/$defs/IncidentStarted/properties/speed",
            "`speed` need only be at least 0 now; it had to be more than 0",
        ),
        (
            &[("/$defs/Cost/properties/currency/pattern", json!("^[a-z]{3}$"))],
            Both,
            "/$defs/Cost/properties/currency/pattern",
            "the pattern of `currency` changed from `^[A-Z]{3}$` to `^[a-z]{3}$`",
        ),
        (
            &[("/$defs/Cost/properties/currency/pattern", Value::Null)],
            Readers,
            "/$defs/Cost/properties/currency/pattern",
            "`currency` has no pattern any more; it was `^[A-Z]{3}$`",
        ),
        (
            &[("/$defs/StreamOpened/properties/server_time/format", json!("date"))],
            Both,
            "/$defs/StreamOpened/properties/server_time/format",
            "the format of `server_time` changed from `date-time` to `date`",
        ),
        (
            &[("/$defs/StreamOpened/properties/stream/format", json!("uuid"))],
            Writers,
            "/$defs/StreamOpened/properties/stream/format",
            "`stream` has a format now: `uuid`",
        ),
        (
            &[(
                "/$defs/SystemMetrics/properties/metrics/additionalProperties/type",
                json!(["number", "string"]),
            )],
            Readers,
            "/$defs/SystemMetrics/properties/metrics/additionalProperties",
            "the type of a further field of `metrics` was widened from a number to a number or a text",
        ),
        (
            &[("/$defs/Run/additionalProperties", json!(false))],
            Writers,
            "/$defs/Run/additionalProperties",
            "`Run` may no longer have further fields",
        ),
        (
            &[("/$defs/IncidentResolved/properties/followups/items/type", json!("object"))],
            Both,
            "/$defs/IncidentResolved/properties/followups/items",
            "the type of an item of `followups` changed from a text to an object",
        ),
        (
            &[("/$defs/IncidentResolved/properties/followups/uniqueItems", json!(true))],
            Writers,
            "/$defs/IncidentResolved/properties/followups",
            "`followups` may no longer have the same item twice",
        ),
        (&[(&started, Value::Null)], Both, &started, "the message `incident_started` was removed"),
        (
            &[(&format!("{started}/properties/specversion/const"), json!("2.0"))],
            Both,
            &format!("{started}/properties/specversion"),
            "`specversion` is now always \"2.0\"; it was always \"1.0\"",
        ),
        (
            &[(
                "/$defs/Follows/oneOf/-",
                json!({ "type": "object", "properties": { "kind": { "const": "live" } }, "required": ["kind"] }),
            )],
            Readers,
            "/$defs/Follows/oneOf/3",
            "`Follows` may now also be `live`",
        ),
        (
            &[("/$defs/Follows/oneOf/1", Value::Null)],
            Writers,
            "/$defs/Follows/oneOf/1",
            "`Follows` may no longer be `resumed`",
        ),
        (
            &[("/$defs/Phase/not", json!({ "required": ["end_s", "play_s"] }))],
            Both,
            "/$defs/Phase/not",
            "`not` of `Phase` changed, and what that breaks cannot be told",
        ),
    ];
    assert!(table.len() >= 30);
    for (edits, breaks, pointer, text) in table {
        let found = changes(edits);
        let [change] = found.as_slice() else { panic!("{edits:?}: {found:#?}") };
        assert_eq!((change.breaks, &*change.pointer, &*change.text), (*breaks, *pointer, *text), "{edits:?}");
    }
}

#[test]
fn compatible_changes_are_listed_as_such() {
    let action = "/$defs/AgentAction/properties";
    let mut message = schema::document().pointer(&branch("agent_action")).unwrap().clone();
    message["properties"]["type"]["const"] = json!("postmortem_written");
    message["title"] = json!("postmortem_written");
    let table: &[(Edits<'_>, &[&str])] = &[
        (&[], &[]),
        (&[(&format!("{action}/host"), json!({ "type": "string" }))], &["the optional field `host` is new"]),
        (&[("/oneOf/-", message)], &["the message `postmortem_written` is new"]),
        (&[("/$defs/Status/description", json!("Other words"))], &["the description of `Status` changed"]),
        (&[("/$defs/Status/title", json!("Status"))], &["the title of `Status` changed"]),
        (&[(&format!("{action}/step/deprecated"), json!(true))], &["`step` is deprecated now"]),
        (&[("/$defs/Unused", json!({ "type": "string" }))], &[]),
        (&[("/$defs/Status/enum", json!(["failed", "in_progress", "completed"]))], &[]),
        (&[("/$defs/HypothesisBelief/required", json!(["p", "id", "claim"]))], &[]),
        (&[("/$defs/Phase/properties/name/minLength", json!(0))], &[]),
        (&[("/$defs/Phase/additionalProperties", json!(true))], &[]),
        (
            &[
                ("/$defs/Outcome/enum", Value::Null),
                ("/$defs/Outcome/oneOf", json!([{ "const": "resolved" }, { "const": "cancelled" }])),
            ],
            &[],
        ),
        (&[("/$defs/Phase/properties/end_s/type", json!(["null", "number"]))], &[]),
        (&[("/$defs/Cost/examples", json!([{}]))], &["the examples of `Cost` changed"]),
    ];
    assert!(table.len() >= 10);
    for (edits, texts) in table {
        let found = changes(edits);
        let said: Vec<&str> = found.iter().map(|change| change.text.as_str()).collect();
        assert_eq!(said, *texts, "{edits:?}");
        assert!(found.iter().all(|change| change.breaks == Breaks::Nothing), "{found:?}");
    }
}
