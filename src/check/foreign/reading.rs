//! Reads a message of another program by its profile.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde_json::Value;

use super::super::envelope::{self, shown};
use super::super::finding::{Finding, quoted};
use super::super::frame::{Foreign, ForeignRole, Frame};
use super::super::head::{Head, Sender};
use super::super::names::short;
use super::super::observation::ServerEvent;
use super::super::profile::{Bookmark, Envelope, FieldPlace, Profile, TimeFormat};
use super::super::rules::RuleId;
use super::super::strict_json;
use crate::contract::parse_time;
use crate::contract_file::{Contract, Mismatch};

/// From here on not every whole number is a binary fraction of 64 bits, as which a number is read that is no integer of as many.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// Numbers from here on are no sequence numbers: counting on from them must not overflow.
const LIMIT: u64 = 1 << 63;

/// Reads a message into `frame`, which is blank. Never fails: what is wrong stands in the frame.
pub(in crate::check) fn read(
    profile: &Profile,
    contract: Option<&Contract>,
    mut frame: Frame,
    text: &str,
    event: Option<&ServerEvent>,
) -> Frame {
    frame.digest = hash(&(text, event.map(|event| (&event.id, &event.name))));
    let value = match strict_json::parse(text) {
        Ok(value) => value,
        Err(_) if !profile.is_json && contract.is_none() => Value::String(text.to_owned()),
        Err(what) => {
            let rule = if profile.envelope.is_some() { RuleId::Envelope } else { RuleId::Schema };
            let finding = Finding::new(what).at(&frame);
            frame.faults.push((rule, finding));
            return frame;
        }
    };
    if !profile.varies.is_empty() {
        frame.digest = hash(&(without(&value, &profile.varies).to_string(), event.map(|event| &event.name)));
    }
    let mut fields = Fields { profile, value: &value, event, faults: Vec::new() };
    if profile.envelope == Some(Envelope::CloudEvents) {
        match &value {
            Value::Object(event) => {
                fields
                    .faults
                    .extend(envelope::cloud_event(event).err().map(|wrong| (RuleId::Envelope, wrong)));
            }
            other => {
                let text = format!("the message is {}; expected an object with an event", shown(other));
                fields.faults.push((RuleId::Envelope, Finding::new(text)));
            }
        }
    }
    let mut kind = fields.text("type", profile.kind.as_ref());
    if let Some(contract) = contract.filter(|_| role(profile, kind.as_deref()) != ForeignRole::Control) {
        match contract.judge_text(text, &value) {
            // The contract knows the type if the profile does not say where it is.
            Ok(name) if profile.kind.is_none() => kind = Some(name.to_owned()),
            Ok(_) => {}
            // What the profile misses is missing in the contract's words too.
            Err(mismatch) => {
                fields.faults.retain(|(rule, _)| *rule != RuleId::Schema);
                fields.faults.push((RuleId::Schema, mismatched(mismatch)));
            }
        }
    }
    let role = role(profile, kind.as_deref());
    let faults = if role == ForeignRole::Control {
        frame.head = Some(Head { kind: kind.unwrap_or_default(), sender: Sender::Server, ..Head::default() });
        frame.foreign =
            Some(Box::new(Foreign { role, identity: frame.digest, bookmark: Bookmark::default() }));
        fields.faults
    } else {
        let (head, bookmark) = fields.event(kind.unwrap_or_default());
        let known = match (head.position, bookmark.id.as_deref()) {
            (Some(n), _) => hash(&(&bookmark.key, n)),
            (None, Some(id)) if profile.is_unique => hash(&(&bookmark.key, id)),
            (None, _) => frame.digest,
        };
        let faults = fields.faults;
        frame.head = Some(head);
        frame.foreign = Some(Box::new(Foreign { role, identity: known, bookmark }));
        faults
    };
    // One mistake is told once: the first one.
    let first = faults.into_iter().next();
    frame.faults.extend(first.map(|(rule, wrong)| (rule, wrong.at(&frame))));
    frame
}

/// The finding about a message that does not match the user's contract.
pub(in crate::check) fn mismatched(mismatch: Mismatch) -> Finding {
    let of = mismatch.message.map(|name| format!("{name}: ")).unwrap_or_default();
    Finding::new(format!("{of}{}", mismatch.text)).field(mismatch.pointer)
}

fn role(profile: &Profile, kind: Option<&str>) -> ForeignRole {
    let is_in = |types: &[String]| kind.is_some_and(|kind| types.iter().any(|known| known == kind));
    if is_in(&profile.ignore) {
        ForeignRole::Control
    } else if is_in(&profile.begins) {
        ForeignRole::Begin
    } else if is_in(&profile.ends) {
        ForeignRole::End
    } else {
        ForeignRole::Middle
    }
}

/// The fields of a message, and what is wrong with them.
struct Fields<'a> {
    profile: &'a Profile,
    value: &'a Value,
    event: Option<&'a ServerEvent>,
    faults: Vec<(RuleId, Finding)>,
}

impl Fields<'_> {
    /// What an event says of itself.
    fn event(&mut self, kind: String) -> (Head, Bookmark) {
        let profile = self.profile;
        let mut id = self.text("id", profile.id.as_ref());
        let mut sequence = self.sequence();
        let faults = self.faults.len();
        let key = self.text("key", profile.key.as_ref());
        let is_of_some_key = self.faults.len() > faults;
        let subject = match &profile.subject {
            Some(place) => self.text("subject", Some(place)),
            None => key.clone(),
        };
        let (mut time, mut written) = self.time();
        if is_of_some_key {
            // Which one is not known: with those of no key it has nothing to do.
            (id, sequence, time, written) = (None, None, None, None);
        }
        let bookmark = Bookmark {
            sequence: sequence.map(|n| n.to_string()),
            id: id.clone(),
            key: key.clone(),
            time: written,
        };
        let head = Head {
            sender: Sender::Stream(key.map(|key| short(&key).into_owned()).unwrap_or_default()),
            id: id.unwrap_or_default(),
            kind,
            position: sequence,
            subject: subject.map(|subject| short(&subject).into_owned()),
            index: None,
            time,
        };
        (head, bookmark)
    }

    /// The value of a field. That it is missing is a fault if it is required.
    fn value(&mut self, name: &str, place: Option<&FieldPlace>) -> Option<Value> {
        let place = place?;
        let id = self.event.and_then(|event| event.id.as_deref());
        let label = self.event.and_then(|event| event.name.as_deref());
        let found = match place {
            // A recording or a WebSocket has no such fields: then nothing is said about them.
            FieldPlace::EventId | FieldPlace::EventName if self.event.is_none() => return None,
            _ => place.value(self.value, id, label).map(Cow::into_owned),
        };
        if found.is_none() && self.profile.requires(name) {
            let fault = match place {
                FieldPlace::EventId => {
                    let text = "the event has no id of its own";
                    let hint = "a client that reconnects after this event would get it again";
                    (RuleId::Connection, Finding::new(text).hint(hint))
                }
                FieldPlace::EventName | FieldPlace::Pointer(_) => {
                    let finding = Finding::new(format!("the {name} is missing")).field(place.pointer());
                    (
                        RuleId::Schema,
                        finding.hint("if a message may lack it, add it to `optional` of the profile"),
                    )
                }
            };
            self.faults.push(fault);
        }
        found
    }

    fn wrong(&mut self, name: &str, place: Option<&FieldPlace>, found: &Value, wanted: &str) {
        let text = format!("the {name} is {}; expected {wanted}", shown(found));
        let pointer = place.map(FieldPlace::pointer).unwrap_or_default();
        self.faults.push((RuleId::Schema, Finding::new(text).field(pointer)));
    }

    /// A field that is a text, or a number that stands for one.
    fn text(&mut self, name: &str, place: Option<&FieldPlace>) -> Option<String> {
        match self.value(name, place)? {
            Value::String(text) => Some(text),
            // Beyond 64 bits the last digits are lost, and different numbers are the same.
            Value::Number(number)
                if number.as_f64().is_some_and(|size| number.is_f64() && size.abs() >= LARGEST) =>
            {
                self.wrong(
                    name,
                    place,
                    &Value::Number(number),
                    "a text, or a number whose digits are all read: up to 64 bits",
                );
                None
            }
            Value::Number(number) => Some(number.to_string()),
            other => {
                self.wrong(name, place, &other, "a text or a number");
                None
            }
        }
    }

    fn sequence(&mut self) -> Option<u64> {
        let place = self.profile.sequence.as_ref();
        let value = self.value("sequence", place)?;
        let plain = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = match &value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => Some(text.as_str()).filter(plain).and_then(|text| text.parse().ok()),
            _ => None,
        };
        let number = number.filter(|number| *number < LIMIT);
        if number.is_none() {
            self.wrong("sequence", place, &value, "a whole number from 0 and below 2^63");
        }
        number
    }

    /// The time, and how it is written.
    fn time(&mut self) -> (Option<Timestamp>, Option<String>) {
        let place = self.profile.time.as_ref();
        let Some(value) = self.value("time", place) else { return (None, None) };
        let (time, wanted) = match self.profile.time_format {
            TimeFormat::Rfc3339 => {
                let text = value.as_str();
                // Beyond that a time in some zone would be of the year 10000.
                let wanted = if text.is_some_and(|text| text.starts_with("9999-12-3")) {
                    "a time before 9999-12-30T22:00:01Z: no later one can be read"
                } else {
                    "an RFC 3339 time such as 2026-11-22T10:00:00Z"
                };
                (text.and_then(parse_time), wanted)
            }
            TimeFormat::UnixS => (unix(&value, 1e9), "seconds since 1970"),
            TimeFormat::UnixMs => (unix(&value, 1e6), "milliseconds since 1970"),
        };
        if time.is_none() {
            self.wrong("time", place, &value, wanted);
        }
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (time, time.map(|_| written))
    }
}

/// A time since 1970, in units of so many nanoseconds. Also as a text.
fn unix(value: &Value, unit: f64) -> Option<Timestamp> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let nanoseconds = number? * unit;
    // 2^53 µs would be in 2255: a rounded nanosecond matters to no rule.
    Timestamp::from_nanosecond(nanoseconds as i128).ok().filter(|_| nanoseconds.is_finite())
}

/// The value without the fields that differ between clients.
fn without(value: &Value, pointers: &[String]) -> Value {
    let mut value = value.clone();
    for pointer in pointers {
        if let Some(field) = value.pointer_mut(pointer) {
            *field = Value::Null;
        }
    }
    value
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// How a finding calls an event: by its sequence number, its id, or its number on the connection.
pub(super) fn label(frame: &Frame, count: u64) -> String {
    let Some(foreign) = &frame.foreign else { return format!("event {count}") };
    match (&foreign.bookmark.sequence, &foreign.bookmark.id) {
        (Some(n), _) => format!("sequence number {n}"),
        (None, Some(id)) => format!("id {}", quoted(id)),
        (None, None) => format!("event {count}"),
    }
}
