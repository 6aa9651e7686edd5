//! Other envelopes and payloads.

use incident::contract::MessageType;
use serde_json::{Value, json};

use super::{Variation, pass};
use crate::validate::mutations::set;

pub(super) const VARIATIONS: &[Variation] = &[
    Variation {
        name: "unknown attributes",
        make: |s| {
            let event = s.event()?;
            set(event, "traceparent", "00-0af7651916cd43dd")?;
            set(event, "sampled", true)?;
            set(event, "partition", -7)?;
            set(event, "note", Value::Null)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "unknown fields in every payload",
        make: |s| {
            for (frame, _) in &mut s.frames {
                frame["data"]["extra"] = json!({ "any": [1, "x", null] });
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "null for every optional attribute",
        make: |s| {
            for (frame, _) in &mut s.frames {
                frame["dataschema"] = Value::Null;
                frame["datacontenttype"] = Value::Null;
                frame["extra"] = Value::Null;
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "null for an optional field",
        make: |s| {
            set(s.middle()?, "phase", Value::Null)?;
            set(s.middle()?, "users_affected", Value::Null)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a null subject and index on control messages",
        make: |s| {
            for place in s.all(MessageType::Heartbeat) {
                s.frames[place].0["subject"] = Value::Null;
                s.frames[place].0["index"] = Value::Null;
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "messages of another sender",
        make: |s| {
            let place = s.sample(7)?;
            let at = s.frames[place].1;
            let other = json!({ "specversion": "1.0", "id": "x-1", "source": "https://example.com/deploys", "type": "com.example.deployed" });
            s.frames.insert(place, (other, at));
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "binary data of another sender",
        make: |s| {
            let place = s.sample(7)?;
            let at = s.frames[place].1;
            let other = json!({ "specversion": "1.0", "id": "x-1", "source": "urn:example:x", "type": "weather", "datacontenttype": "image/png", "data_base64": "iVBORw0KGgo=" });
            s.frames.insert(place, (other, at));
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "control messages of an unknown type",
        make: |s| {
            let place = s.sample(7)?;
            let at = s.frames[place].1;
            let other = json!({ "specversion": "1.0", "id": "9", "source": "/servers/test", "type": "maintenance", "time": "2026-11-22T10:00:00Z", "data": { "at": "noon" } });
            s.frames.insert(place, (other, at));
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "time in other zones",
        make: |s| {
            let time = s.event()?["time"].as_str()?.replace("T10:", "T05:").replace('Z', "-05:00");
            set(s.event()?, "time", time)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "time in small letters",
        make: |s| {
            let time = s.event()?["time"].as_str()?.to_lowercase();
            set(s.event()?, "time", time)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "time with nanoseconds",
        make: |s| {
            let time = s.event()?["time"].as_str()?.split('.').next()?.trim_end_matches('Z').to_owned();
            let fraction = s.event()?["time"]
                .as_str()?
                .split('.')
                .nth(1)
                .map_or("0", |rest| rest.trim_end_matches('Z'))
                .to_owned();
            set(s.event()?, "time", format!("{time}.{fraction:0<9}Z"))
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "the keys in another order",
        make: |s| {
            for place in 0..s.frames.len() {
                let event = s.frames[place].0.as_object()?.clone();
                let keys: Vec<String> = event
                    .iter()
                    .rev()
                    .map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())))
                    .collect();
                s.frames[place].0 = format!("{{{}}}", keys.join(",")).into();
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "white space",
        make: |s| {
            for (frame, _) in &mut s.frames {
                *frame = serde_json::to_string_pretty(frame).ok()?.replace('\n', "\r\n\t").into();
            }
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "escaped letters",
        make: |s| s.text_of_event(|text| text.replacen("\"type\"", "\"t\\u0079pe\"", 1)),
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "texts in other scripts",
        make: |s| {
            set(s.event()?, "note", "障害 🔥 à")?;
            set(s.started()?, "title", "障害 🔥 \u{200b}à")
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "counts with a fraction of 0",
        make: |s| {
            let users = s.middle()?.get("users_affected")?.as_u64()?;
            set(s.middle()?, "users_affected", users as f64)?;
            let total = s.end()?["actions"]["total"].as_u64()?;
            set(s.end()?["actions"].as_object_mut()?, "total", total as f64)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "whole seconds without a fraction",
        make: |s| {
            s.is_drill()?;
            set(s.started()?, "offset_s", 0)?;
            set(s.started()?, "speed", 1)
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "an event of exactly 64 KiB",
        make: |s| {
            set(s.middle()?, "padding", "")?;
            let place = s.sample(7)?;
            let missing = 65_536 - s.frames[place].0.to_string().len();
            set(s.middle()?, "padding", "x".repeat(missing))
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a content type with parameters",
        make: |s| {
            set(s.event()?, "datacontenttype", "application/json; charset=utf-8")?;
            let place = s.sample(8)?;
            s.frames[place].0["datacontenttype"] = "application/vnd.example+json".into();
            Some(())
        },
        observed: true,
        recorded: true,
        unchecked: &[],
    },
    Variation {
        name: "a schema with an address",
        make: |s| set(s.event()?, "dataschema", "https://example.com/schema.json#/x"),
        observed: true,
        recorded: true,
        unchecked: &[],
    },
];

#[test]
fn other_envelopes_and_payloads() {
    pass(VARIATIONS);
}
