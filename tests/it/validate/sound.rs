//! A stream as a client receives it, made to be broken.

use std::time::Duration;

use incident::check::{
    Context, Expected, Judge, Judgement, MAIN, MustResolve, Observation, Observed, Purpose, Reader, Rule,
    Verdict,
};
use incident::contract::{
    Follows, Heartbeat, IncidentEvent, Message, MessageType, ServerState, Source, StreamId, StreamOpened,
};
use incident::scenario::{Expect, Scenario};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::harness::{Timeline, encode};

pub const DATABASE_OUTAGE: &str = include_str!("../../../scenarios/database-outage.toml");
const HEARTBEAT: f64 = 5.0;

/// A stream that is about to be broken: frames with their arrival in seconds.
pub struct Stream {
    pub frames: Vec<(Value, f64)>,
    pub probes: Vec<Probe>,
    pub expect: Option<Expect>,
    pub must_resolve: MustResolve,
    pub arrivals: bool,
    /// When the listening ended, where that is not with the last frame.
    pub ended: Option<f64>,
}

/// What a client receives of `database-outage` in real time: a greeting, the events at their due times from the
/// tenth second on, heartbeats between.
pub fn sound() -> Stream {
    let scenario = Scenario::parse("database-outage.toml", DATABASE_OUTAGE).unwrap();
    let timeline = Timeline::compile(&scenario, 42);
    let stream = StreamId::generate(1_700_000_000_000, 7);
    let epoch: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let at = |seconds: f64| epoch + SignedDuration::from_micros((seconds * 1e6) as i64);
    let server = Source::Server("test".to_owned());
    let encode =
        |source: &Source, id: u64, of: Option<IncidentEvent<'_>>, seconds: f64, message: &Message| {
            let text = encode(source, id, of, at(seconds), message);
            (serde_json::from_str(&text).unwrap(), seconds)
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
        let of = IncidentEvent { subject: "database-outage-x7k2p", index: n };
        frames.push(encode(&events, n, Some(of), seconds, &event.message));
    }
    Stream {
        frames,
        probes: Vec::new(),
        expect: None,
        must_resolve: MustResolve::All,
        arrivals: true,
        ended: None,
    }
}

/// What a connection gets that resumes after a position.
#[derive(Clone)]
pub struct Probe {
    pub after: u64,
    pub frames: Vec<String>,
}

fn text(frame: &Value) -> String {
    frame.as_str().map_or_else(|| frame.to_string(), str::to_owned)
}

impl Stream {
    /// Places of the frames of a type.
    pub fn all(&self, kind: MessageType) -> Vec<usize> {
        let places = self.frames.iter().enumerate().filter(|(_, (frame, _))| frame["type"] == kind.as_str());
        places.map(|(place, _)| place).collect()
    }

    /// Places of the events of a step.
    pub fn step(&self, step: &str) -> usize {
        self.frames.iter().position(|(frame, _)| frame["data"]["step"] == step).unwrap()
    }

    pub fn data(&mut self, place: usize) -> &mut Value {
        &mut self.frames[place].0["data"]
    }

    pub fn resolution(&self) -> usize {
        self.all(MessageType::IncidentResolved)[0]
    }

    /// Adds `by` to the position of every event from a frame on.
    pub fn shift_positions(&mut self, from: usize, by: i64) {
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
    pub fn probe(&self, after: u64) -> Probe {
        let n = |frame: &Value| frame["id"].as_str().unwrap().parse::<u64>().unwrap();
        let events = self.frames.iter().map(|(frame, _)| frame);
        let events = events.filter(|frame| frame["source"].as_str().unwrap().starts_with("/streams/"));
        let frames = events.filter(|frame| n(frame) > after).map(Value::to_string).collect();
        Probe { after, frames }
    }

    pub fn expect(&mut self, toml: &str) {
        self.expect = Some(toml::from_str(toml).unwrap());
    }

    /// What the greeting says.
    pub fn greeting(&mut self) -> &mut Value {
        self.data(0)
    }

    /// What the server says next, and then nothing for `silence` seconds.
    pub fn cut(&mut self, place: usize, silence: f64) {
        self.frames.truncate(place);
        self.ended = Some(self.frames[place - 1].1 + silence);
    }

    /// A second incident, of another scenario, begins when the first is over and comes to its `count`th event.
    pub fn and_another(&mut self, count: usize) {
        let (last, over) = self.frames.last().unwrap().clone();
        let head: usize = last["id"].as_str().unwrap().parse().unwrap();
        let events = self.frames.iter().filter(|(frame, _)| frame["subject"].is_string());
        let more: Vec<_> = events.take(count).cloned().collect();
        for (mut frame, arrival) in more {
            let index = frame["index"].as_u64().unwrap() as usize;
            frame["id"] = (head + index).to_string().into();
            frame["subject"] = "another-aaaaa".into();
            frame["time"] = last["time"].clone();
            if index == 1 {
                frame["data"]["run"]["scenario"] = "another".into();
            }
            self.frames.push((frame, over + 1.0 + arrival - 10.0));
        }
    }

    /// The summary of a rule that has to pass.
    pub fn summary(&self, name: &str) -> String {
        let outcome = self.outcomes().into_iter().find(|(rule, _)| rule.name == name);
        match outcome {
            Some((_, Verdict::Passed(summary))) => summary,
            other => panic!("{name}: {:?}", other.map(|(_, outcome)| outcome)),
        }
    }

    /// What every rule says.
    pub fn outcomes(&self) -> Vec<(&'static Rule, Verdict)> {
        self.judgement().rules
    }

    /// Everything that is observed, in order.
    pub fn observations(&self) -> Vec<Observed> {
        let mut observed = Vec::new();
        let mut add = |connection, at: f64, what| {
            let line = observed.len() + 1;
            observed.push(Observed { line, at: Some(Duration::from_secs_f64(at)), connection, what });
        };
        add(MAIN, 0.0, Observation::Opened(Purpose::Follow));
        for (frame, arrival) in &self.frames {
            add(MAIN, *arrival, Observation::Text(text(frame)));
        }
        let last = self.frames.last().map_or(0.0, |(_, arrival)| *arrival);
        let ended = self.ended.unwrap_or(last);
        add(MAIN, ended, Observation::Stopped(self.must_resolve.clone()));
        for (probe, number) in self.probes.iter().zip(1..) {
            add(number, ended, Observation::Opened(Purpose::Resume(probe.after)));
            for frame in &probe.frames {
                add(number, ended, Observation::Text(frame.clone()));
            }
        }
        observed
    }

    pub fn judgement(&self) -> Judgement {
        let context = Context {
            expect: self.expect.clone().map(|expect| Expected {
                expect,
                origin: "test.toml:1".to_owned(),
                scenario: "database-outage".to_owned(),
            }),
            arrivals: self.arrivals,
            began: Some("2026-11-22T10:00:00Z".parse().unwrap()),
            ..Context::default()
        };
        let (mut judge, reader) = (Judge::new(context, true, |_| true), Reader::new());
        for observed in self.observations() {
            judge.see(&observed, &reader);
        }
        judge.finish()
    }

    /// The rules that fail, with their first finding.
    pub fn failures(&self) -> Vec<(&'static str, String)> {
        let failed = self.outcomes().into_iter().filter_map(|(rule, outcome)| match outcome {
            Verdict::Failed(findings, _) => Some((rule.name, findings[0].message.clone())),
            Verdict::Passed(_) | Verdict::NotChecked(_) => None,
        });
        failed.collect()
    }
}
