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

/// All ways.
const ANY: &[&str] = &WAYS;
const LEFT_OUT: &[&str] = &["missing", "null"];

/// What the contract leaves free, and nobody can notice: type, field (`*` is any name or place, `**` any number of them) and the ways in which it
/// may be changed, as long as the schema is kept.
const FREE: &[(&str, &str, &[&str])] = &[
    // A time is optional, and may be any between those of its neighbours.
    ("*", "/time", &["missing", "null", "another value"]),
    // Control messages have any id, any name of a server, and may be of a type that is not known.
    ("heartbeat", "/id", ANY),
    ("heartbeat", "/source", &["huge"]),
    ("heartbeat", "/type", &["huge"]),
    ("stream_opened", "/id", &["huge"]),
    ("stream_opened", "/source", &["huge"]),
    ("stream_opened", "/data/heartbeat_ms", &["huge"]),
    // Words for people, and measured values.
    ("*", "/data/summary", ANY),
    ("incident_started", "/data/title", ANY),
    ("incident_started", "/data/services/**", ANY),
    ("incident_started", "/data/agents/*/role", ANY),
    ("incident_started", "/data/metrics/*/unit", ANY),
    ("incident_started", "/data/target_s", ANY),
    ("incident_resolved", "/data/followups/**", ANY),
    ("system_metrics", "/data/metrics/**", ANY),
    ("agent_action", "/data/evidence/**", ANY),
    ("agent_action", "/data/action", ANY),
    // What is announced twice is announced.
    ("incident_started", "/data/agents", &["huge"]),
    ("incident_started", "/data/metrics", &["huge"]),
    // Without a run the incident is a replay of a real one. Its speed, and how long a phase takes, show only on arrival.
    ("incident_started", "/data/run/**", ANY),
    ("incident_started", "/data/speed", ANY),
    ("incident_started", "/data/phases/*/play_s", ANY),
    ("incident_started", "/data/phases/*/end_s", ANY),
    // Another agent may act.
    ("agent_action", "/data/agent", &["another value"]),
    // Without a phase it does not change.
    ("*", "/data/phase", LEFT_OUT),
    // A step has as many events as it likes, and hypotheses come and go.
    ("agent_action", "/data/step", ANY),
    ("agent_action", "/data/attempt", ANY),
    ("agent_action", "/data/caused_by", &["missing", "null", "another value"]),
    ("agent_action", "/data/confidence", ANY),
    ("agent_action", "/data/hypotheses", &["missing", "another value"]),
    ("agent_action", "/data/hypotheses/*", &["missing", "another value"]),
    ("agent_action", "/data/hypotheses/*/id", &["huge"]),
    ("agent_action", "/data/hypotheses/*/p", &["another value"]),
    ("agent_action", "/data/forecast/**", ANY),
    // A sample need not have everything. Between samples there may have been more users.
    ("system_metrics", "/data/cost", LEFT_OUT),
    ("system_metrics", "/data/users_affected", ANY),
    ("incident_resolved", "/data/users_peak", &["huge"]),
    ("incident_resolved", "/data/root_cause", LEFT_OUT),
    // Nothing says what an incident costs that is over.
    ("incident_resolved", "/data/cost/per_minute", &["huge"]),
];

/// What is free in a real incident only: a drill knows it.
const FREE_IF_REAL: &[(&str, &str, &[&str])] = &[
    ("agent_action", "/data/agent", &["huge"]),
    // A milestone may be reached without an event.
    ("agent_action", "/data/marks/**", &["missing"]),
    // The rates change at any time.
    ("system_metrics", "/data/cost/per_minute", ANY),
    ("system_metrics", "/data/cost/total", &["another value"]),
    ("system_metrics", "/data/cost", &["another value"]),
    ("incident_resolved", "/data/cost/total", &["huge"]),
    ("incident_resolved", "/data/cost", LEFT_OUT),
    ("incident_resolved", "/data/users_peak", LEFT_OUT),
    ("incident_resolved", "/data/root_cause", &["huge"]),
];

fn matches(pattern: &str, pointer: &str) -> bool {
    let (mut pattern, mut pointer) = (pattern.split('/').skip(1), pointer.split('/').skip(1));
    loop {
        match (pattern.next(), pointer.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(wanted), Some(name)) if wanted == "*" || wanted == name => {}
            _ => return false,
        }
    }
}

fn is_free(table: &[(&str, &str, &[&str])], kind: &str, pointer: &str, way: &str) -> bool {
    table.iter().any(|(of, pattern, ways)| {
        (*of == "*" || *of == kind) && matches(pattern, pointer) && ways.contains(&way)
    })
}

/// The pointer with places of items as `*`.
fn general(pointer: &str) -> String {
    let names = pointer.split('/').map(|name| if name.parse::<u32>().is_ok() { "*" } else { name });
    names.collect::<Vec<_>>().join("/")
}

/// Our drills and a real incident, with what is expected of the first; and a drill beside another.
fn streams() -> Vec<(&'static str, Stream)> {
    let mut streams: Vec<_> = good::streams().to_vec();
    streams[0].1.expect = Some(expectations());
    let mut both = streams[1].1.clone();
    both.interleaved().unwrap();
    streams.push(("two at the same time", both));
    streams
}

#[test]
fn a_changed_field_is_blamed_once_wherever_it_is_forbidden() {
    let reader = Reader::new();
    let schemas: BTreeMap<&str, Schema> = MessageType::ALL
        .iter()
        .map(|kind| (kind.as_str(), Schema::compile(&schema::payload(*kind)).unwrap()))
        .collect();
    let (mut judged, mut wrong) = (0, Vec::new());
    // How often a field of a type was changed in a way: the first times show the most.
    let mut often: BTreeMap<String, u32> = BTreeMap::new();
    for (name, stream) in streams() {
        let read = ReadStream::new(stream, &reader);
        let is_real = name == "real";
        for place in read.interesting() {
            let frame = &read.stream.frames[place].0;
            let kind = frame["type"].as_str().unwrap().to_owned();
            let mut all = Vec::new();
            places(frame, "", &mut all);
            // A whole payload is many fields.
            for pointer in all.iter().filter(|pointer| !pointer.is_empty() && *pointer != "/data") {
                for way in WAYS {
                    let key =
                        format!("{kind} {} {way} {is_real} {}", general(pointer), name.contains("same"));
                    let times = often.entry(key).or_default();
                    let value = frame.pointer(pointer).unwrap();
                    let Some(new) = changed(value, way, read.elsewhere(place, pointer)) else { continue };
                    *times += 1;
                    if *times > 2 {
                        continue;
                    }
                    judged += 1;
                    let mut other = frame.clone();
                    set(&mut other, pointer, new);
                    let found = read.judge(place, &other, &reader);
                    let keeps_schema = schemas
                        .get(other["type"].as_str().unwrap_or_default())
                        .is_none_or(|schema| schema.mismatch(&other["data"]).is_none());
                    let may_pass = keeps_schema
                        && (is_free(FREE, &kind, pointer, way)
                            || (is_real && is_free(FREE_IF_REAL, &kind, pointer, way)));
                    if found.len() > 1 || (found.is_empty() && !may_pass) {
                        wrong.push(format!("{name} {place}: {kind} {pointer} {way}: {found:?}"));
                    }
                }
            }
        }
    }
    assert!(judged > 2_000, "{judged}");
    let some: Vec<&String> = wrong.iter().take(40).collect();
    assert!(wrong.is_empty(), "{} of {judged} were misjudged: {some:#?}", wrong.len());
}
