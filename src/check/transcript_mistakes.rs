//! What is wrong with a line that should be a transcript's, in words.

use serde_json::{Map, Value};

use crate::unread_json::{beyond, reason};

/// What a line can have observed, and how each is written.
const OBSERVATIONS: [(&str, &str); 8] = [
    (
        "opened",
        "what the connection is for: \"follow\", \"twin\", \"stalled\", {\"resume\": N}, {\"position\": […]} or {\"failed\": […]}",
    ),
    ("refused", "a list of what the connection was for and the HTTP status, as in [\"follow\", 503]"),
    ("text", "the text of the message, as a string"),
    ("event", "an event with a string \"data\", and perhaps strings \"id\" and \"name\""),
    ("comment", "the text of the comment, as a string"),
    ("binary", "the length of the message in bytes"),
    (
        "closed",
        "how the connection ended: {\"frame\": [CODE, REASON]}, {\"lost\": WHY}, {\"protocol\": WHY}, {\"malformed\": WHY}, \
         {\"finished\": {\"is_cut\": false}} or \"left\"",
    ),
    ("stopped", "true, the name of an incident, or null: what had to be resolved by then"),
];

/// The object in a line.
fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) if beyond(&error).is_some() => Err(reason(&error)),
        Err(error) => Err(format!("it is not JSON, from its column {} on", error.column())),
    }
}

/// What is wrong with a line that is no observation.
pub(super) fn of_line(text: &str) -> String {
    let members = match object(text) {
        Ok(members) => members,
        Err(what) => return what,
    };
    if !members.get("at").is_some_and(|at| at.as_f64().is_some_and(|at| (0.0..1e12).contains(&at))) {
        return "\"at\" has to be a number: the seconds since the first connection was opened".to_owned();
    }
    let connection = members.get("connection");
    if connection.is_some_and(|number| number.as_u64().is_none_or(|number| u32::try_from(number).is_err())) {
        return "\"connection\" has to be the number of a connection, from 0".to_owned();
    }
    let found: Vec<_> = OBSERVATIONS.iter().filter(|(name, _)| members.contains_key(*name)).collect();
    match found.as_slice() {
        [] => {
            let names: Vec<&str> = OBSERVATIONS.iter().map(|(name, _)| *name).collect();
            format!("it says nothing that was observed: one of {}", names.join(", "))
        }
        [(name, form)] => format!("{name:?} has to be {form}"),
        [(one, _), (other, _), ..] => {
            format!("it has both {one:?} and {other:?}: each has a line of its own")
        }
    }
}

/// What is wrong with a first line that names the version of transcripts.
pub(super) fn of_header(text: &str) -> String {
    let members = match object(text) {
        Ok(members) => members,
        Err(what) => return what,
    };
    let is = |name: &str, is: fn(&Value) -> bool| members.get(name).is_some_and(is);
    let may_be = |name: &str, is: fn(&Value) -> bool| {
        members.get(name).is_none_or(|value| value.is_null() || is(value))
    };
    let is_time =
        |value: &Value| value.as_str().is_some_and(|text| crate::contract::parse_time(text).is_some());
    let are_texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    let is_table =
        |value: &Value| value.as_object().is_some_and(|table| table.values().all(Value::is_string));
    let wrong = if !is("target", Value::is_string) {
        "\"target\" has to be a string: the server or scenario that was listened to"
    } else if !is("began", is_time) {
        "\"began\" has to be a time, as in \"2026-11-22T10:00:00Z\""
    } else if !is("arrivals", Value::is_boolean) {
        "\"arrivals\" has to be true or false: whether arrival times are meaningful"
    } else if members.contains_key("limits") && !is("limits", are_texts) {
        "\"limits\" has to be a list of strings, each as --limit takes it"
    } else if members.contains_key("settings") && !is("settings", is_table) {
        "\"settings\" has to be an object of strings: the settings with which an incident was started"
    } else if let Some(name) =
        ["expect", "profile", "contract"].into_iter().find(|name| !may_be(name, Value::is_string))
    {
        return format!("{name:?} has to be a string: the name of a file");
    } else {
        "it has a member twice"
    };
    wrong.to_owned()
}
