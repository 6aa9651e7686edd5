//! Judging an event by itself: fields that only the server sets, the schema of its type, its time and its values.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::incoming::Incoming;
use super::kind::Kind;
use super::sound::Sound;
use super::values;
use crate::contract::{Message, MessageType, can_be_now, schema};
use crate::json_schema::{self, Schema, SchemaError};

/// How far the clock of a publisher may be ahead.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// How long before the first event was observed the impact may have begun: what was not seen for years is real, and a time that a
/// program writes for none, as the year 1 or 1970, is not.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// Fields of payloads that the server sets, or that only a played scenario has.
const OF_SERVER: [&str; 7] = ["offset_s", "origin", "observed_at", "late_s", "index", "speed", "run"];

/// The schemas of the four types, compiled.
pub struct Checker {
    schemas: HashMap<MessageType, Schema>,
}

impl Checker {
    /// Compiles the schemas of the contract.
    ///
    /// # Errors
    /// Never: a test compiles them.
    pub fn new() -> Result<Self, SchemaError> {
        let mut schemas = HashMap::new();
        for kind in MessageType::ALL.iter().filter(|kind| !kind.is_control()) {
            schemas.insert(*kind, Schema::compile(&schema::payload(*kind))?);
        }
        Ok(Self { schemas })
    }

    /// The event, judged by itself, whatever its incident is.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn judge(&self, mut event: Incoming, now: Timestamp) -> Result<Sound, Vec<Fault>> {
        let mut faults = of_server(&event);
        // A server that was started without a clock believes its publishers.
        let latest = now.checked_add(AHEAD).ok().filter(|_| can_be_now(now)).unwrap_or(Timestamp::MAX);
        let early = |pointer: &str, name: &str| {
            let detail =
                format!("{name} is more than five minutes ahead of the server's clock, which shows {now:.0}");
            Fault::new(Kind::TimeInFuture, pointer, detail)
        };
        if event.time > latest {
            faults.push(early("/time", "time"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let digest = event.digest();
        // The data of the types that depend on their incident are needed as they were sent.
        let data = match event.kind {
            MessageType::AgentAction | MessageType::SystemMetrics => std::mem::take(&mut event.data),
            _ => event.data.clone(),
        };
        let data = Value::Object(completed(&event, data));
        let message = self.message(event.kind, &data)?;
        faults = values::faults(&message);
        if let Message::IncidentStarted(started) = &message {
            let began = started.impact_started_at;
            if began > latest {
                faults.push(early("/data/impact_started_at", "impact_started_at"));
            }
            faults.extend(too_long_ago(&event, began));
        }
        if faults.is_empty() { Ok(Sound::new(event, digest, data, message)) } else { Err(faults) }
    }

    /// The message of a payload. One that is proven to match needs no schema: see [`Message::proves`].
    fn message(&self, kind: MessageType, data: &Value) -> Result<Message, Vec<Fault>> {
        let read = Message::from_value(kind, data);
        let proven = read.as_ref().is_ok_and(|message| message.proves(data));
        if !proven && let Some(fault) = self.schemas.get(&kind).and_then(|schema| schema.fault(data)) {
            return Err(mismatches(&fault));
        }
        read.map_err(|error| vec![Fault::new(Kind::Schema, "/data", error.to_string())])
    }
}

/// Whether the impact began so long ago that the durations would say nothing.
fn too_long_ago(event: &Incoming, began: Timestamp) -> Option<Fault> {
    if event.time.duration_since(began) > LONGEST {
        let detail = format!(
            "impact_started_at is more than ten years before the `time` of the event, {:.0}; leave it out if it is not known",
            event.time
        );
        return Some(Fault::new(Kind::Value, "/data/impact_started_at", detail));
    }
    let detail = "the first event of an incident is of a time before 1970, as of a program that has none";
    (event.time < Timestamp::UNIX_EPOCH).then(|| Fault::new(Kind::Value, "/time", detail))
}

fn of_server(event: &Incoming) -> Vec<Fault> {
    let mut faults = Vec::new();
    match event.data.get("synthetic") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => {
            let detail = "only scenarios that this server plays are synthetic";
            faults.push(Fault::new(Kind::SyntheticNotPublishable, "/data/synthetic", detail));
        }
        Some(_) => {
            faults.push(Fault::new(Kind::Schema, "/data/synthetic", "synthetic must be false or absent"));
        }
    }
    for name in OF_SERVER {
        if event.data.contains_key(name) {
            let detail = format!("the server sets {name}");
            faults.push(Fault::new(Kind::FieldOfServer, format!("/data/{name}"), detail));
        }
    }
    faults
}

/// One fault for each thing that is wrong.
fn mismatches(fault: &json_schema::Fault) -> Vec<Fault> {
    match fault {
        json_schema::Fault::All(faults) => faults.iter().flat_map(mismatches).collect(),
        one => {
            let mismatch = one.explain();
            vec![Fault::new(Kind::Schema, format!("/data{}", mismatch.pointer), mismatch.text)]
        }
    }
}

/// The data of an event with the fields that the server sets, of which those that depend on the incident have any value.
pub(super) fn completed(event: &Incoming, mut data: Map<String, Value>) -> Map<String, Value> {
    data.insert("synthetic".to_owned(), Value::Bool(false));
    match event.kind {
        MessageType::IncidentStarted => {
            data.entry("impact_started_at").or_insert_with(|| format!("{:.6}", event.time).into());
        }
        MessageType::SystemMetrics => {
            data.entry("metrics").or_insert_with(|| json!({}));
        }
        MessageType::IncidentResolved => {
            data.entry("outcome").or_insert_with(|| "resolved".into());
            let durations = data.entry("durations").or_insert_with(|| json!({}));
            if let Value::Object(durations) = durations {
                durations.entry("resolve_s").or_insert_with(|| 0.into());
            }
            data.entry("actions").or_insert_with(|| json!({ "total": 0, "failed": 0 }));
        }
        _ => {}
    }
    data
}
