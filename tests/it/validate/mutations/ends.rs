//! Faults in the first and the last event of an incident, on which the judging of all others depends.

use super::{Fault, caught, fault, remove, set};

pub const FAULTS: &[Fault] = &[
    fault("a start that is not JSON", "envelope", "not JSON", "", |s| {
        let place = *s.events().first()?;
        s.frames[place].0 = "{}}".into();
        Some(())
    }),
    fault("a start that is too large", "envelope", "at most 65536", "", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "padding", "x".repeat(70_000))
    }),
    fault("a start without an id", "envelope", "id is missing", "/id", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "id")
    }),
    fault("a start without a source", "envelope", "source is missing", "/source", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "source")
    }),
    fault("a start without a subject", "envelope", "subject is missing", "/subject", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "subject")
    }),
    fault("a start with an empty subject", "envelope", "subject is empty", "/subject", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "subject", "")
    }),
    fault("a start without an index", "envelope", "index is missing", "/index", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "index")
    }),
    fault("a start without a type", "envelope", "type is missing", "/type", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "type")
    }),
    fault("a start without data", "envelope", "data is missing", "/data", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "data")
    }),
    fault("a start with a time that is none", "envelope", "no RFC 3339 time", "/time", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "time", "soon")
    }),
    fault("a start of an unknown type", "schema", "weather", "/type", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "type", "weather")
    }),
    fault("a start whose payload is empty", "schema", "incident_started", "/data", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "data", serde_json::json!({}))
    }),
    fault("a start of another stream", "greeting", "stream \"OTHER\"", "/source", |s| {
        let place = *s.events().first()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "source", "/streams/OTHER")
    }),
    fault("a resolution that is not JSON", "envelope", "not JSON", "", |s| {
        let place = *s.events().last()?;
        s.frames[place].0 = "{}}".into();
        Some(())
    }),
    fault("a resolution that is too large", "envelope", "at most 65536", "", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "padding", "x".repeat(70_000))
    }),
    fault("a resolution without an id", "envelope", "id is missing", "/id", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "id")
    }),
    fault("a resolution without a source", "envelope", "source is missing", "/source", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "source")
    }),
    fault("a resolution without a subject", "envelope", "subject is missing", "/subject", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "subject")
    }),
    fault("a resolution with an empty subject", "envelope", "subject is empty", "/subject", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "subject", "")
    }),
    fault("a resolution without an index", "envelope", "index is missing", "/index", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "index")
    }),
    fault("a resolution without a type", "envelope", "type is missing", "/type", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "type")
    }),
    fault("a resolution without data", "envelope", "data is missing", "/data", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        remove(event, "data")
    }),
    fault("a resolution with a time that is none", "envelope", "no RFC 3339 time", "/time", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "time", "soon")
    }),
    fault("a resolution of an unknown type", "schema", "weather", "/type", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "type", "weather")
    }),
    fault("a resolution whose payload is empty", "schema", "incident_resolved", "/data", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "data", serde_json::json!({}))
    }),
    fault("a resolution of another stream", "greeting", "stream \"OTHER\"", "/source", |s| {
        let place = *s.events().last()?;
        let event = s.frames[place].0.as_object_mut()?;
        set(event, "source", "/streams/OTHER")
    }),
];

#[test]
fn the_first_and_the_last_event() {
    caught(FAULTS);
}
