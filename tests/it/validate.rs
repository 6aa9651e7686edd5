//! The validator's rules: each passes on a sound stream, and each is the only one to fail on streams that are
//! broken in its way.

use std::time::Duration;

use incident::check::{Context, Outcome, Probe, RULES, Transcript, check};
use incident::contract::{
    Follows, Frame, Heartbeat, Message, MessageType, ServerState, Source, StreamId, StreamOpened,
};
use incident::scenario::{Expect, Scenario};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const DATABASE_OUTAGE: &str = include_str!("../../scenarios/database-outage.toml");
const HEARTBEAT: f64 = 5.0;

/// A stream that is about to be broken: frames with their arrival in seconds.
struct Stream {
    frames: Vec<(Value, f64)>,
    probes: Vec<Probe>,
    expect: Option<Expect>,
    complete: bool,
    arrivals: bool,
}

/// What a client receives of `database-outage` in real time: a greeting, the events at their due times from the
/// tenth second on, heartbeats between.
fn sound() -> Stream {
    let scenario = Scenario::parse("database-outage.toml", DATABASE_OUTAGE).unwrap();
    let timeline = scenario.compile(42).unwrap();
    let stream = StreamId::generate(1_700_000_000_000, 7);
    let epoch: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let at = |seconds: f64| epoch + SignedDuration::from_micros((seconds * 1e6) as i64);
    let server = Source::Server("test".to_owned());
    let encode = |source: &Source, id: u64, subject: Option<&str>, seconds: f64, message: &Message| {
        let data = message.data();
        let frame = Frame::new(source, id, message.kind(), subject, at(seconds), &data);
        (serde_json::from_str(&frame.encode()).unwrap(), seconds)
    };
    let opened = Message::StreamOpened(StreamOpened {
        contract: "1.0".to_owned(),
        stream: stream.to_string(),
        head: 0,
        oldest: 1,
        follows: Follows::Started { from: 1, to: 0 },
        heartbeat_ms: (HEARTBEAT * 1000.0) as u64,
        server_time: epoch,
    });
    let mut frames = vec![encode(&server, 1, None, 0.0, &opened)];
    let mut beats = 1;
    let events = Source::Stream(stream.clone());
    for (event, n) in timeline.events.iter().zip(1..) {
        let seconds = 10.0 + event.due as f64 / 1e6;
        while f64::from(beats) * HEARTBEAT <= seconds {
            let beat = Heartbeat {
                stream: stream.to_string(),
                head: n - 1,
                state: ServerState::Playing,
                reason: None,
            };
            let beat = Message::Heartbeat(beat);
            frames.push(encode(&server, beats as u64 + 1, None, f64::from(beats) * HEARTBEAT, &beat));
            beats += 1;
        }
        frames.push(encode(&events, n, Some("database-outage-x7k2p"), seconds, &event.message));
    }
    Stream { frames, probes: Vec::new(), expect: None, complete: true, arrivals: true }
}

impl Stream {
    /// Places of the frames of a type.
    fn all(&self, kind: MessageType) -> Vec<usize> {
        let places = self.frames.iter().enumerate().filter(|(_, (frame, _))| frame["type"] == kind.as_str());
        places.map(|(place, _)| place).collect()
    }

    /// Places of the events of a step.
    fn step(&self, step: &str) -> usize {
        self.frames.iter().position(|(frame, _)| frame["data"]["step"] == step).unwrap()
    }

    fn data(&mut self, place: usize) -> &mut Value {
        &mut self.frames[place].0["data"]
    }

    fn resolution(&self) -> usize {
        self.all(MessageType::IncidentResolved)[0]
    }

    /// Adds `by` to the position of every event from a frame on.
    fn shift_positions(&mut self, from: usize, by: i64) {
        for (frame, _) in &mut self.frames[from..] {
            if frame["source"].as_str().unwrap().starts_with("/streams/") {
                let n: i64 = frame["id"].as_str().unwrap().parse().unwrap();
                frame["id"] = (n + by).to_string().into();
            } else if let Some(head) = frame["data"]["head"].as_i64() {
                frame["data"]["head"] = (head + by).into();
            }
        }
    }

    /// The probe that a server gives which keeps its promise.
    fn probe(&self, after: u64) -> Probe {
        let n = |frame: &Value| frame["id"].as_str().unwrap().parse::<u64>().unwrap();
        let events = self.frames.iter().map(|(frame, _)| frame);
        let events = events.filter(|frame| frame["source"].as_str().unwrap().starts_with("/streams/"));
        let frames = events.filter(|frame| n(frame) > after).map(Value::to_string).collect();
        Probe { after, frames }
    }

    fn expect(&mut self, toml: &str) {
        self.expect = Some(toml::from_str(toml).unwrap());
    }

    /// The rules that fail, with their first finding.
    fn failures(&self) -> Vec<(&'static str, String)> {
        let mut transcript = Transcript { probes: self.probes.clone(), ..Transcript::default() };
        for (frame, arrival) in &self.frames {
            let raw = frame.as_str().map_or_else(|| frame.to_string(), str::to_owned);
            transcript.push(raw, Some(Duration::from_secs_f64(*arrival)));
        }
        let context = Context {
            expect: self.expect.clone().map(|expect| (expect, "test.toml:1".to_owned())),
            arrivals: self.arrivals,
            complete: self.complete,
            tolerance: Duration::from_millis(250),
        };
        let outcomes = check(&transcript, &context, |_| true);
        let failed = outcomes.into_iter().filter_map(|(rule, outcome)| match outcome {
            Outcome::Failed(findings) => Some((rule.name, findings[0].message.clone())),
            Outcome::Passed(_) | Outcome::NotChecked(_) => None,
        });
        failed.collect()
    }
}

/// Breaks a sound stream in several ways, each of which has to fail exactly one rule.
fn only<const N: usize>(rule: &str, ways: [(&str, fn(&mut Stream)); N]) {
    const { assert!(N >= 2, "a rule is shown on at least two broken streams") };
    for (way, break_it) in ways {
        let mut stream = sound();
        break_it(&mut stream);
        let failures = stream.failures();
        let names: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [rule], "{way}: {failures:?}");
    }
}

#[test]
fn a_sound_stream_passes_every_rule() {
    let mut stream = sound();
    stream.probes = vec![stream.probe(30), stream.probe(70)];
    stream.expect = Scenario::parse("x.toml", DATABASE_OUTAGE).unwrap().file.expect.map(|expect| expect.into_inner());
    let mut transcript = Transcript { probes: stream.probes.clone(), ..Transcript::default() };
    for (frame, arrival) in &stream.frames {
        transcript.push(frame.to_string(), Some(Duration::from_secs_f64(*arrival)));
    }
    let context = Context {
        expect: stream.expect.clone().map(|expect| (expect, "x.toml:1".to_owned())),
        arrivals: true,
        complete: true,
        tolerance: Duration::from_millis(250),
    };
    let outcomes = check(&transcript, &context, |_| true);
    assert_eq!(outcomes.len(), RULES.len());
    for (rule, outcome) in outcomes {
        assert!(matches!(outcome, Outcome::Passed(_)), "{}: {outcome:?}", rule.name);
    }
}

#[test]
fn nothing_is_checked_on_an_empty_stream() {
    let context = Context { expect: None, arrivals: true, complete: true, tolerance: Duration::ZERO };
    for (rule, outcome) in check(&Transcript::default(), &context, |_| true) {
        assert!(matches!(outcome, Outcome::NotChecked(_)), "{}: {outcome:?}", rule.name);
    }
}

#[test]
fn envelope() {
    only(
        "envelope",
        [
            ("another version", |stream| stream.frames[9].0["specversion"] = "0.3".into()),
            ("an attribute in capitals", |stream| stream.frames[9].0["traceId"] = "x".into()),
            ("a position with zeros in front", |stream| {
                let id = stream.frames[9].0["id"].as_str().unwrap().to_owned();
                stream.frames[9].0["id"] = format!("00{id}").into();
            }),
            ("not JSON", |stream| stream.frames.insert(9, ("{nonsense".into(), 12.0))),
            ("too large", |stream| stream.frames[9].0["padding"] = "x".repeat(70_000).into()),
            ("no time", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.frames[beat].0.as_object_mut().unwrap().remove("time");
            }),
        ],
    );
}

#[test]
fn schema() {
    only(
        "schema",
        [
            ("a confidence above 1", |stream| {
                let place = stream.step("alert");
                stream.data(place)["confidence"] = json!(1.5);
            }),
            ("a number as text", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.data(beat)["head"] = "1".into();
            }),
            ("a type that nobody knows", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.frames[beat].0["type"] = "weather".into();
            }),
        ],
    );
}

#[test]
fn order() {
    only(
        "order",
        [
            ("two events change places", |stream| {
                let samples = stream.all(MessageType::SystemMetrics);
                stream.frames.swap(samples[4], samples[5]);
                stream.arrivals = false;
            }),
            ("time falls back", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[10];
                stream.frames[place].0["time"] = "2026-11-22T09:59:59.000000Z".into();
            }),
            ("the incident goes back", |stream| {
                let place = stream.step("status");
                let offset = stream.data(place)["offset_s"].as_f64().unwrap();
                stream.data(place)["offset_s"] = json!(offset - 5.0);
                // It arrives as late as it was planned to, so that only the order is wrong.
                stream.data(place)["late_s"] = json!(5.0);
            }),
        ],
    );
}

#[test]
fn gap() {
    only(
        "gap",
        [
            ("an event is left out", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.frames.remove(place);
            }),
            ("positions jump", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.shift_positions(place, 3);
            }),
            ("an index jumps", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                for (frame, _) in &mut stream.frames[place..] {
                    if let Some(index) = frame["data"]["index"].as_u64() {
                        frame["data"]["index"] = (index + 1).into();
                    }
                }
            }),
        ],
    );
}

#[test]
fn duplicate() {
    only(
        "duplicate",
        [
            ("an event comes twice", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                let again = stream.frames[place].clone();
                stream.frames.insert(place + 1, again);
            }),
            ("an event is stored twice", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                let again = stream.frames[place].clone();
                stream.frames.insert(place + 1, again);
                stream.shift_positions(place + 1, 1);
            }),
        ],
    );
}

#[test]
fn lifecycle() {
    only(
        "lifecycle",
        [
            ("the end is missing", |stream| {
                let place = stream.resolution();
                stream.frames.truncate(place);
            }),
            ("the start is missing", |stream| {
                let place = stream.all(MessageType::IncidentStarted)[0];
                stream.frames.remove(place);
            }),
            ("a phase that was not announced", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.data(place)["phase"] = "panic".into();
            }),
            ("a phase comes again", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[60];
                stream.data(place)["phase"] = "detect".into();
            }),
            ("an agent that was not announced", |stream| {
                let place = stream.step("status");
                stream.data(place)["agent"] = "nobody".into();
            }),
            ("an effect before its cause", |stream| {
                let place = stream.step("forecast");
                stream.data(place)["caused_by"] = 100_000.into();
            }),
            ("a step that never ends", |stream| {
                let place = stream.step("status");
                stream.data(place)["status"] = "in_progress".into();
                let end = stream.resolution();
                stream.data(end)["actions"]["total"] = 10.into();
            }),
            ("something after the end", |stream| {
                let sample = stream.all(MessageType::SystemMetrics).pop().unwrap();
                let (mut more, arrival) = stream.frames[sample].clone();
                let end = stream.frames.last().unwrap().0.clone();
                more["id"] = (end["id"].as_str().unwrap().parse::<u64>().unwrap() + 1).to_string().into();
                more["data"]["index"] = (end["data"]["index"].as_u64().unwrap() + 1).into();
                stream.frames.push((more, arrival));
            }),
        ],
    );
}

#[test]
fn cost() {
    only(
        "cost",
        [
            ("the total falls", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.data(place)["cost"]["total"] = json!(1.0);
            }),
            ("it grows faster than its rate", |stream| {
                let last = stream.all(MessageType::SystemMetrics).pop().unwrap();
                let total = stream.data(last)["cost"]["total"].as_f64().unwrap();
                stream.data(last)["cost"]["total"] = json!(total + 500.0);
                let end = stream.resolution();
                stream.data(end)["cost"]["total"] = json!(total + 500.0);
            }),
            ("the final cost is another", |stream| {
                let end = stream.resolution();
                stream.data(end)["cost"]["total"] = json!(99_999.0);
            }),
            ("the currency changes", |stream| {
                let end = stream.resolution();
                stream.data(end)["cost"]["currency"] = "EUR".into();
            }),
        ],
    );
}

#[test]
fn confidence() {
    only(
        "confidence",
        [
            ("beliefs over 1", |stream| {
                let place = stream.step("pool");
                stream.data(place)["hypotheses"][0]["p"] = json!(0.9);
                stream.data(place)["hypotheses"][1]["p"] = json!(0.3);
            }),
            ("a forecast that falls", |stream| {
                let place = stream.step("forecast");
                stream.data(place)["forecast"]["p10"] = json!(500.0);
            }),
            ("another claim", |stream| {
                let place = stream.step("cause");
                stream.data(place)["hypotheses"][0]["claim"] = "Cosmic rays".into();
            }),
        ],
    );
}

#[test]
fn tally() {
    only(
        "tally",
        [
            ("actions miscounted", |stream| {
                let end = stream.resolution();
                stream.data(end)["actions"]["failed"] = 1.into();
            }),
            ("a duration that was not", |stream| {
                let end = stream.resolution();
                stream.data(end)["durations"]["detect_s"] = json!(2.0);
            }),
            ("a mark that nobody set", |stream| {
                let place = stream.step("cause");
                stream.data(place).as_object_mut().unwrap().remove("marks");
            }),
        ],
    );
}

#[test]
fn resume() {
    only(
        "resume",
        [
            ("the first event is lost", |stream| {
                let mut probe = stream.probe(40);
                probe.frames.remove(0);
                stream.probes.push(probe);
            }),
            ("the tail is lost", |stream| {
                let mut probe = stream.probe(40);
                probe.frames.pop();
                stream.probes.push(probe);
            }),
            ("an event changed", |stream| {
                let mut probe = stream.probe(40);
                probe.frames[5] = probe.frames[5].replace("metrics", "metrix");
                stream.probes.push(probe);
            }),
            ("an event that was seen comes again", |stream| {
                let mut probe = stream.probe(40);
                probe.after = 41;
                stream.probes.push(probe);
            }),
        ],
    );
}

#[test]
fn expect() {
    only(
        "expect",
        [
            ("detected late", |stream| stream.expect("detect = { max = \"5s\" }")),
            ("diagnosed early", |stream| stream.expect("diagnose = { min = \"2m\" }")),
            ("mitigated late", |stream| stream.expect("mitigate = { max = \"60s\" }")),
            ("resolved late", |stream| stream.expect("resolve = { max = \"179s\" }")),
            ("too few actions", |stream| stream.expect("actions = { min = 50 }")),
            ("too many failures", |stream| stream.expect("failed = { max = 1 }")),
            ("other phases", |stream| stream.expect("phases = [\"detect\", \"resolve\"]")),
            ("another order", |stream| stream.expect("order = [\"cause\", \"alert\"]")),
            ("a step that never completes", |stream| stream.expect("order = [\"alert\", \"page\"]")),
            ("another cause", |stream| stream.expect("root_cause = \"traffic\"")),
            ("too long a silence by plan", |stream| {
                stream.expect("max_silence = \"1900ms\"");
            }),
        ],
    );
}

#[test]
fn pacing() {
    only(
        "pacing",
        [
            ("one event is late", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.frames[place].1 += 0.6;
            }),
            ("the clock drifts", |stream| {
                for (_, arrival) in &mut stream.frames {
                    *arrival *= 1.01;
                }
            }),
        ],
    );
}

#[test]
fn silence() {
    only(
        "silence",
        [
            ("an event is late within its tolerance", |stream| {
                stream.expect("max_silence = \"2s\"");
                let place = stream.all(MessageType::SystemMetrics)[50];
                stream.frames[place].1 += 0.2;
            }),
            ("an event is early", |stream| {
                stream.expect("max_silence = \"2s\"");
                let place = stream.all(MessageType::SystemMetrics)[50];
                stream.frames[place].1 -= 0.2;
            }),
        ],
    );
}

#[test]
fn heartbeat() {
    only(
        "heartbeat",
        [
            ("nothing before the incident", |stream| {
                stream.frames.retain(|(frame, arrival)| frame["type"] != "heartbeat" || *arrival > 10.0);
                for (_, arrival) in &mut stream.frames[1..] {
                    *arrival += 5.0;
                }
            }),
            ("a tail is lost", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[5];
                let head = stream.data(beat)["head"].as_u64().unwrap();
                stream.data(beat)["head"] = (head + 2).into();
            }),
        ],
    );
}

#[test]
fn an_incident_that_was_left_early_is_no_failure_when_nobody_waited() {
    let mut stream = sound();
    let place = stream.resolution();
    stream.frames.truncate(place);
    stream.complete = false;
    assert_eq!(stream.failures(), []);
}

#[test]
fn every_rule_is_broken_by_a_test() {
    let tests = include_str!("validate.rs");
    for rule in RULES {
        assert!(tests.contains(&format!("fn {}()", rule.name)), "rule {} has no test of its own", rule.name);
    }
}
