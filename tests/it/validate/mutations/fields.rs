//! Every field of every kind of event, changed in every way: at most one rule finds fault with each, and one does where the
//! contract forbids it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use incident::check::{Frame, Judge, MAIN, Observation, Observed, Purpose, Reader, Verdict};
use incident::contract::{MessageType, schema};
use incident::json_schema::Schema;
use serde_json::{Value, json};

use super::agreement::places;
use super::good;
use crate::validate::sound::{Stream, expectations, text};

/// How a field is changed.
const WAYS: [&str; 6] = ["missing", "null", "another type", "huge", "negative", "another value"];

/// The value of a field, changed in a way; `None` if that way it is not changed. The outer `None` removes it.
#[expect(clippy::option_option, reason = "a field that is removed has no value")]
fn changed(value: &Value, way: &str, other: Option<&Value>) -> Option<Option<Value>> {
    let new = match (way, value) {
        ("missing", _) => return Some(None),
        ("null", _) => Value::Null,
        ("another type", Value::String(_)) => json!(7),
        ("another type", Value::Number(_) | Value::Bool(_)) => json!("x"),
        ("another type", Value::Object(_)) => json!([]),
        ("another type", Value::Array(_)) => json!({}),
        ("huge", Value::Number(number)) if number.is_f64() => json!(1e12),
        ("huge", Value::Number(_)) => json!(4_000_000_000_u64),
        ("huge", Value::String(text)) => json!(text.repeat(100)),
        ("huge", Value::Array(items)) => json!([items.clone(), items.clone()].concat()),
        ("negative", Value::Number(_)) => json!(-1),
        ("another value", _) => other?.clone(),
        _ => return None,
    };
    (new != *value).then_some(Some(new))
}

fn set(frame: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (value, frame.pointer_mut(parent)) {
        (Some(value), _) => *frame.pointer_mut(pointer).unwrap() = value,
        (None, Some(Value::Object(map))) => drop(map.remove(key)),
        (None, Some(Value::Array(items))) => drop(items.remove(key.parse().unwrap())),
        (None, _) => panic!("{pointer}"),
    }
}

/// A stream whose frames are read once.
struct ReadStream {
    stream: Stream,
    frames: Vec<Frame>,
}

impl ReadStream {
    fn new(stream: Stream, reader: &Reader) -> Self {
        let read = |(place, (frame, at)): (usize, &(Value, f64))| {
            reader.read(place + 3, Some(Duration::from_secs_f64(*at)), &text(frame))
        };
        let frames = stream.frames.iter().enumerate().map(read).collect();
        Self { stream, frames }
    }

    /// What the rules find if a frame is another one.
    fn judge(&self, place: usize, frame: &Value, reader: &Reader) -> BTreeMap<&'static str, Vec<String>> {
        let at = Duration::from_secs_f64(self.stream.frames[place].1);
        let mut judge = Judge::new(self.stream.context(), true, |_| true);
        let see = |judge: &mut Judge, line, at: f64, what| {
            let at = Some(Duration::from_secs_f64(at));
            judge.see(&Observed { line, at, connection: MAIN, what }, reader);
        };
        see(&mut judge, 2, 0.0, Observation::Opened(Purpose::Follow));
        for (n, known) in self.frames.iter().enumerate() {
            let frame = if n == place { reader.read(n + 3, Some(at), &text(frame)) } else { known.clone() };
            judge.take(MAIN, frame);
        }
        let ended = self.stream.frames.last().unwrap().1;
        let must_resolve = self.stream.must_resolve.clone();
        see(&mut judge, self.frames.len() + 3, ended, Observation::Stopped(must_resolve));
        let rules = judge.finish().rules.into_iter();
        let failed = rules.filter_map(|(rule, verdict)| match verdict {
            Verdict::Failed(findings, _) => {
                Some((rule.name, findings.into_iter().map(|one| one.message).collect()))
            }
            _ => None,
        });
        failed.collect()
    }

    /// The frames to change: the first two and the last two events, one in the middle, and the first one of each kind
    /// that has the same fields.
    fn interesting(&self) -> Vec<usize> {
        let events = self.stream.events();
        let ends = [0, 1, 2, events.len() / 2, events.len() - 2, events.len() - 1].map(|n| events[n]);
        let mut kinds = BTreeSet::new();
        let mut chosen: BTreeSet<usize> = ends.into();
        for (place, (frame, _)) in self.stream.frames.iter().enumerate() {
            let keys: Vec<&String> = frame["data"].as_object().unwrap().keys().collect();
            if kinds.insert(format!("{} {keys:?} {}", frame["type"], frame["data"]["status"])) {
                chosen.insert(place);
            }
        }
        chosen.into_iter().collect()
    }

    /// A value that the same field has elsewhere in the stream.
    fn elsewhere(&self, place: usize, pointer: &str) -> Option<&Value> {
        let here = self.stream.frames[place].0.pointer(pointer)?;
        let kind = &self.stream.frames[place].0["type"];
        let same = self.stream.frames.iter().filter(|(frame, _)| frame["type"] == *kind);
        let mut values = same.filter_map(|(frame, _)| frame.pointer(pointer));
        values.find(|value| *value != here)
    }
}

fn streams() -> Vec<(&'static str, Stream)> {
    let mut streams: Vec<_> = good::streams().to_vec();
    streams[0].1.expect = Some(expectations());
    let mut both = streams[1].1.clone();
    both.interleaved().unwrap();
    streams.push(("two at the same time", both));
    streams
}

#[test]
#[ignore = "exploration"]
fn explore() {
    use std::fmt::Write;
    let reader = Reader::new();
    let mut out = String::new();
    let mut count = 0;
    for (name, stream) in streams() {
        let read = ReadStream::new(stream, &reader);
        for place in read.interesting() {
            let frame = &read.stream.frames[place].0;
            let mut all = Vec::new();
            places(frame, "", &mut all);
            for pointer in all.iter().filter(|pointer| !pointer.is_empty()) {
                for way in WAYS {
                    let value = frame.pointer(pointer).unwrap();
                    let Some(new) = changed(value, way, read.elsewhere(place, pointer)) else { continue };
                    let mut other = frame.clone();
                    set(&mut other, pointer, new);
                    count += 1;
                    let found = read.judge(place, &other, &reader);
                    let kind = frame["type"].as_str().unwrap();
                    let ok = MessageType::from_name(other["type"].as_str().unwrap_or_default()).is_some_and(
                        |kind| {
                            Schema::compile(&schema::payload(kind))
                                .unwrap()
                                .mismatch(&other["data"])
                                .is_none()
                        },
                    );
                    let rules: Vec<_> = found.keys().collect();
                    let messages: Vec<String> =
                        found.values().flatten().map(|m| m.chars().take(90).collect()).take(4).collect();
                    writeln!(
                        out,
                        "{}\t{}\t{name}\t{place}\t{kind}\t{pointer}\t{way}\t{rules:?}\t{messages:?}",
                        rules.len(),
                        if ok { "schema-ok" } else { "schema-bad" }
                    )
                    .unwrap();
                }
            }
        }
    }
    std::fs::write(std::env::var("EXPLORE").unwrap(), out).unwrap();
    println!("{count}");
}
