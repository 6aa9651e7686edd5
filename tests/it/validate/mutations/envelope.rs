//! Faults in the envelope: CloudEvents 1.0.2, its JSON format, and what the contract adds.

use serde_json::{Map, Value, json};

use super::{Fault, caught, fault, remove, set};
use crate::validate::sound::{STREAM, Stream};

impl Stream {
    /// The attributes of the third heartbeat.
    fn control(&mut self) -> Option<&mut Map<String, Value>> {
        let place = *self.all(incident::contract::MessageType::Heartbeat).get(2)?;
        self.frames[place].0.as_object_mut()
    }
}

/// What CloudEvents demands of an attribute.
pub const SPEC: &[Fault] = &[
    fault("no specversion", "envelope", "specversion is missing", "/specversion", |s| {
        remove(s.event()?, "specversion")
    }),
    fault("specversion is null", "envelope", "specversion is missing", "/specversion", |s| {
        set(s.event()?, "specversion", Value::Null)
    }),
    fault("specversion is empty", "envelope", "specversion is empty", "/specversion", |s| {
        set(s.event()?, "specversion", "")
    }),
    fault("specversion is a number", "envelope", "specversion is 1; expected a text", "/specversion", |s| {
        set(s.event()?, "specversion", 1)
    }),
    fault("no id", "envelope", "id is missing", "/id", |s| remove(s.event()?, "id")),
    fault("id is null", "envelope", "id is missing", "/id", |s| set(s.event()?, "id", Value::Null)),
    fault("id is empty", "envelope", "id is empty", "/id", |s| set(s.event()?, "id", "")),
    fault("id is a number", "envelope", "id is 1; expected a text", "/id", |s| set(s.event()?, "id", 1)),
    fault("no source", "envelope", "source is missing", "/source", |s| remove(s.event()?, "source")),
    fault("source is null", "envelope", "source is missing", "/source", |s| {
        set(s.event()?, "source", Value::Null)
    }),
    fault("source is empty", "envelope", "source is empty", "/source", |s| set(s.event()?, "source", "")),
    fault("source is a number", "envelope", "source is 1; expected a text", "/source", |s| {
        set(s.event()?, "source", 1)
    }),
    fault("no type", "envelope", "type is missing", "/type", |s| remove(s.event()?, "type")),
    fault("type is null", "envelope", "type is missing", "/type", |s| set(s.event()?, "type", Value::Null)),
    fault("type is empty", "envelope", "type is empty", "/type", |s| set(s.event()?, "type", "")),
    fault("type is a number", "envelope", "type is 1; expected a text", "/type", |s| {
        set(s.event()?, "type", 1)
    }),
    fault("specversion 0.3", "envelope", "specversion is \"0.3\"; expected \"1.0\"", "/specversion", |s| {
        set(s.event()?, "specversion", "0.3")
    }),
    fault("specversion 1.0.2", "envelope", "1.0.2", "/specversion", |s| {
        set(s.event()?, "specversion", "1.0.2")
    }),
    fault("a space in the source", "envelope", "no URI reference", "/source", |s| {
        set(s.event()?, "source", "/streams/a b")
    }),
    fault("half an escape in the source", "envelope", "no URI reference", "/source", |s| {
        set(s.event()?, "source", "/streams/a%2")
    }),
    fault("two fragments in the source", "envelope", "no URI reference", "/source", |s| {
        set(s.event()?, "source", "/streams/a#b#c")
    }),
    fault("an attribute in capitals", "envelope", "traceId", "/traceId", |s| set(s.event()?, "traceId", "x")),
    fault("an attribute with an underscore", "envelope", "trace_id", "/trace_id", |s| {
        set(s.event()?, "trace_id", "x")
    }),
    fault("an attribute with a slash", "envelope", "characters other than a-z and 0-9", "/a~1b", |s| {
        set(s.event()?, "a/b", "x")
    }),
    fault("an attribute with umlauts", "envelope", "größe", "/größe", |s| set(s.event()?, "größe", "x")),
    fault("an attribute without a name", "envelope", "attribute name", "/", |s| set(s.event()?, "", "x")),
    fault("a fraction in an attribute", "envelope", "ratio is 1.5", "/ratio", |s| {
        set(s.event()?, "ratio", 1.5)
    }),
    fault("2^31 in an attribute", "envelope", "32 bits", "/count", |s| {
        set(s.event()?, "count", 2_147_483_648_u64)
    }),
    fault("below -2^31 in an attribute", "envelope", "32 bits", "/count", |s| {
        set(s.event()?, "count", -2_147_483_649_i64)
    }),
    fault("an object as an attribute", "envelope", "an object", "/extra", |s| {
        set(s.event()?, "extra", json!({}))
    }),
    fault("an array as an attribute", "envelope", "an array", "/extra", |s| {
        set(s.event()?, "extra", json!([1]))
    }),
    fault("a control character in an attribute", "envelope", "U+0009", "/note", |s| {
        set(s.event()?, "note", "a\tb")
    }),
    fault("a C1 control character in an attribute", "envelope", "U+0085", "/note", |s| {
        set(s.event()?, "note", "a\u{85}b")
    }),
    fault("DEL in the type", "envelope", "U+007F", "/type", |s| {
        set(s.event()?, "type", "system\u{7f}metrics")
    }),
    fault("a noncharacter in an attribute", "envelope", "U+FDD0", "/note", |s| {
        set(s.event()?, "note", "\u{fdd0}")
    }),
    fault("the last noncharacter of a plane in an attribute", "envelope", "U+1FFFE", "/note", |s| {
        set(s.event()?, "note", "\u{1fffe}")
    }),
    fault("a control character in the subject", "envelope", "U+000A", "/subject", |s| {
        let subject = format!("{}\n", s.subject());
        set(s.event()?, "subject", subject)
    }),
    fault("subject is empty", "envelope", "subject is empty", "/subject", |s| set(s.event()?, "subject", "")),
    fault("subject is a number", "envelope", "subject is 7", "/subject", |s| set(s.event()?, "subject", 7)),
    fault("time is empty", "envelope", "no RFC 3339 time", "/time", |s| set(s.event()?, "time", "")),
    fault("time is a number", "envelope", "time is 1700000000", "/time", |s| {
        set(s.event()?, "time", 1_700_000_000)
    }),
    fault("time without a zone", "envelope", "time zone", "/time", |s| {
        set(s.event()?, "time", "2026-11-22T10:00:30")
    }),
    fault("time is a date", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-11-22")
    }),
    fault("time with a space", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-11-22 10:00:30Z")
    }),
    fault("time in the month 13", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-13-22T10:00:30Z")
    }),
    fault("time on 30 February", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-02-30T10:00:30Z")
    }),
    fault("time at 25 o'clock", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-11-22T25:00:30Z")
    }),
    fault("time with a zone without a colon", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-11-22T10:00:30+0100")
    }),
    fault("time with a zone's name", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-11-22T10:00:30+01:00[Europe/Berlin]")
    }),
    fault("time with half a fraction", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "2026-11-22T10:00:30.Z")
    }),
    fault("time in the year 12026", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.event()?, "time", "12026-11-22T10:00:30Z")
    }),
    fault("datacontenttype is no media type", "envelope", "no media type", "/datacontenttype", |s| {
        set(s.event()?, "datacontenttype", "json")
    }),
    fault("datacontenttype is empty", "envelope", "no media type", "/datacontenttype", |s| {
        set(s.event()?, "datacontenttype", "")
    }),
    fault(
        "datacontenttype is a truth value",
        "envelope",
        "datacontenttype is true",
        "/datacontenttype",
        |s| set(s.event()?, "datacontenttype", true),
    ),
    fault("datacontenttype is text", "envelope", "the payload is JSON", "/datacontenttype", |s| {
        set(s.event()?, "datacontenttype", "text/plain")
    }),
    fault("dataschema is relative", "envelope", "no absolute URI", "/dataschema", |s| {
        set(s.event()?, "dataschema", "/schema.json")
    }),
    fault("dataschema is empty", "envelope", "no absolute URI", "/dataschema", |s| {
        set(s.event()?, "dataschema", "")
    }),
    fault("dataschema is a number", "envelope", "dataschema is 5", "/dataschema", |s| {
        set(s.event()?, "dataschema", 5)
    }),
    fault("dataschema with a space", "envelope", "no absolute URI", "/dataschema", |s| {
        set(s.event()?, "dataschema", "https://example.com/a b")
    }),
    fault("data and data_base64", "envelope", "not both", "/data_base64", |s| {
        set(s.event()?, "data_base64", "e30=")
    }),
];

/// What the contract demands of an attribute.
pub const OURS: &[Fault] = &[
    fault("an event of a server", "envelope", "expected /streams/STREAM", "/source", |s| {
        set(s.event()?, "source", "/servers/x")
    }),
    fault("an event of nobody", "envelope", "expected /streams/STREAM", "/source", |s| {
        set(s.event()?, "source", "/streams/")
    }),
    fault(
        "an event of a stream whose name is none",
        "envelope",
        "expected /streams/STREAM",
        "/source",
        |s| set(s.event()?, "source", "/streams/a.b"),
    ),
    fault("an event of a foreign sender", "envelope", "expected /streams/STREAM", "/source", |s| {
        set(s.event()?, "source", "https://example.com/")
    }),
    fault("no subject", "envelope", "subject is missing", "/subject", |s| remove(s.event()?, "subject")),
    fault("subject is null", "envelope", "subject is missing", "/subject", |s| {
        set(s.event()?, "subject", Value::Null)
    }),
    fault("a subject that no path can name", "envelope", "which no path can name", "/subject", |s| {
        set(s.event()?, "subject", "a/b")
    }),
    fault("no index", "envelope", "index is missing", "/index", |s| remove(s.event()?, "index")),
    fault("index is null", "envelope", "index is missing", "/index", |s| {
        set(s.event()?, "index", Value::Null)
    }),
    fault("index is 0", "envelope", "index is 0", "/index", |s| set(s.event()?, "index", 0)),
    fault("index is negative", "envelope", "index is -3", "/index", |s| set(s.event()?, "index", -3)),
    fault("index is a fraction", "envelope", "index is 2.5", "/index", |s| set(s.event()?, "index", 2.5)),
    fault("index is a text", "envelope", "index is \"8\"", "/index", |s| set(s.event()?, "index", "8")),
    fault("index is 2^31", "envelope", "index is 2147483648", "/index", |s| {
        set(s.event()?, "index", 2_147_483_648_u64)
    }),
    fault("index is a truth value", "envelope", "index is true", "/index", |s| {
        set(s.event()?, "index", true)
    }),
    fault("id with zeros in front", "envelope", "a position is a decimal number", "/id", |s| {
        let event = s.event()?;
        let id = format!("00{}", event["id"].as_str()?);
        set(event, "id", id)
    }),
    fault("id is 0", "envelope", "a position is", "/id", |s| set(s.event()?, "id", "0")),
    fault("id is negative", "envelope", "a position is", "/id", |s| set(s.event()?, "id", "-8")),
    fault("id has a sign", "envelope", "a position is", "/id", |s| {
        let event = s.event()?;
        let id = format!("+{}", event["id"].as_str()?);
        set(event, "id", id)
    }),
    fault("id is a fraction", "envelope", "a position is", "/id", |s| set(s.event()?, "id", "8.0")),
    fault("id is 2^53", "envelope", "a position is", "/id", |s| set(s.event()?, "id", "9007199254740992")),
    fault("id is a word", "envelope", "a position is", "/id", |s| set(s.event()?, "id", "eight")),
    fault("id has a space", "envelope", "a position is", "/id", |s| {
        let event = s.event()?;
        let id = format!("{} ", event["id"].as_str()?);
        set(event, "id", id)
    }),
    fault("no data", "envelope", "data is missing", "/data", |s| remove(s.event()?, "data")),
    fault("no time", "envelope", "time is missing", "/time", |s| remove(s.event()?, "time")),
    fault("time is null", "envelope", "time is missing", "/time", |s| set(s.event()?, "time", Value::Null)),
    fault("data is null", "envelope", "data is null", "/data", |s| set(s.event()?, "data", Value::Null)),
    fault("data is an array", "envelope", "data is an array", "/data", |s| {
        set(s.event()?, "data", json!([]))
    }),
    fault("data is a text", "envelope", "data is", "/data", |s| set(s.event()?, "data", "{}")),
    fault("data in base 64", "envelope", "data is missing", "/data", |s| {
        remove(s.event()?, "data")?;
        set(s.event()?, "data_base64", "e30=")
    }),
    fault("a heartbeat of a stream", "envelope", "expected /servers/NAME", "/source", |s| {
        set(s.control()?, "source", format!("/streams/{STREAM}"))
    }),
    fault("a greeting of a stream", "envelope", "expected /servers/NAME", "/source", |s| {
        set(s.frames[0].0.as_object_mut()?, "source", format!("/streams/{STREAM}"))
    }),
    fault("a heartbeat of a foreign sender", "envelope", "expected /servers/NAME", "/source", |s| {
        set(s.control()?, "source", "urn:x:y")
    }),
    fault("a heartbeat with a subject", "envelope", "a control message has no subject", "/subject", |s| {
        set(s.control()?, "subject", "x")
    }),
    fault("a heartbeat with an index", "envelope", "a control message has no index", "/index", |s| {
        set(s.control()?, "index", 4)
    }),
    fault("a heartbeat without an id", "envelope", "id is missing", "/id", |s| remove(s.control()?, "id")),
    fault("a heartbeat without data", "envelope", "data is missing", "/data", |s| {
        remove(s.control()?, "data")
    }),
    fault("a heartbeat without a time", "envelope", "time is missing", "/time", |s| {
        remove(s.control()?, "time")
    }),
    fault("a heartbeat with a time that is none", "envelope", "no RFC 3339 time", "/time", |s| {
        set(s.control()?, "time", "now")
    }),
];

/// What makes a text no event.
pub const TEXT: &[Fault] = &[
    fault("not JSON", "envelope", "not JSON", "", |s| s.text_of_event(|_| "{nonsense".to_owned())),
    fault("half an event", "envelope", "not JSON", "", |s| {
        s.text_of_event(|text| text[..text.len() / 2].to_owned())
    }),
    fault("an event and more", "envelope", "not JSON", "", |s| s.text_of_event(|text| text + "}")),
    fault("two events in one message", "envelope", "not JSON", "", |s| {
        s.text_of_event(|text| format!("{text}\n{text}"))
    }),
    fault("a comma too much", "envelope", "not JSON", "", |s| {
        s.text_of_event(|text| text.replacen('{', "{,", 1))
    }),
    fault("single quotes", "envelope", "not JSON", "", |s| s.text_of_event(|text| text.replace('"', "'"))),
    fault("not a number", "envelope", "not JSON", "", |s| {
        s.text_of_event(|text| text.replacen("\"metrics\":{", "\"metrics\":{\"x\":NaN,", 1))
    }),
    fault("a number that is too large", "envelope", "a number is too large", "", |s| {
        s.text_of_event(|text| text.replacen("\"metrics\":{", "\"metrics\":{\"x\":1e400,", 1))
    }),
    fault("half a surrogate pair", "envelope", "not JSON", "", |s| {
        s.text_of_event(|text| text.replacen("1.0", "\\ud800", 1))
    }),
    fault("a byte order mark", "envelope", "not JSON", "", |s| {
        s.text_of_event(|text| format!("\u{feff}{text}"))
    }),
    fault("an array of events", "envelope", "one JSON object", "", |s| {
        s.text_of_event(|text| format!("[{text}]"))
    }),
    fault("a text of an event", "envelope", "a JSON object", "", |s| {
        s.text_of_event(|text| Value::String(text).to_string())
    }),
    fault("null", "envelope", "a JSON object", "", |s| s.text_of_event(|_| "null".to_owned())),
    fault("a key twice in the envelope", "envelope", "\"id\" stands twice", "", |s| {
        s.text_of_event(|text| text.replacen('{', "{\"id\":\"1\",", 1))
    }),
    fault("an unknown key twice in the envelope", "envelope", "\"x\" stands twice", "", |s| {
        s.text_of_event(|text| text.replacen('{', "{\"x\":1,\"x\":1,", 1))
    }),
    fault("a key twice in the payload", "envelope", "\"metrics\" stands twice", "", |s| {
        s.text_of_event(|text| text.replacen("\"metrics\":{", "\"metrics\":{},\"metrics\":{", 1))
    }),
    fault("a metric twice", "envelope", "\"a\" stands twice", "", |s| {
        s.text_of_event(|text| text.replacen("\"metrics\":{", "\"metrics\":{\"a\":1,\"a\":2,", 1))
    }),
    fault("a key twice, once escaped", "envelope", "stands twice", "", |s| {
        s.text_of_event(|text| text.replacen('{', "{\"i\\u0064\":\"1\",", 1))
    }),
    fault("too large by an attribute", "envelope", "at most 65536 are allowed", "", |s| {
        set(s.event()?, "padding", "x".repeat(70_000))
    }),
    fault("too large by its payload", "envelope", "at most 65536 are allowed", "", |s| {
        set(s.middle()?, "padding", "x".repeat(70_000))
    }),
];

#[test]
fn what_cloud_events_demands() {
    caught(SPEC);
}

#[test]
fn what_the_contract_adds() {
    caught(OURS);
}

#[test]
fn texts_that_are_no_events() {
    caught(TEXT);
}
