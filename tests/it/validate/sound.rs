//! Streams as a client receives them, made to be broken.

use std::sync::OnceLock;
use std::time::Duration;

use incident::check::{
    Closing, Context, Expected, Finding, Judge, Judgement, Limits, MAIN, MustResolve, Observation, Observed,
    Promise, Purpose, Reader, Rule, Verdict, judge_lines,
};
use incident::contract::MessageType;
use incident::scenario::{Expect, Scenario, Settings};
use serde_json::{Value, json};

use super::good;

pub use good::{DATABASE_OUTAGE, EPOCH, STREAM};

/// A stream that is about to be broken: frames with their arrival in seconds. A text instead of an object is sent as it
/// is, and a number is a binary message of so many bytes.
#[derive(Clone)]
pub struct Stream {
    pub frames: Vec<(Value, f64)>,
    /// What other connections get.
    pub others: Vec<Other>,
    /// How the server ends the connection, and when.
    pub closing: Option<(f64, Closing)>,
    pub expect: Option<Expect>,
    pub must_resolve: MustResolve,
    pub arrivals: bool,
    pub limits: Limits,
    /// When the listening ended, where that is not with the last frame.
    pub ended: Option<f64>,
}

/// What another connection gets.
#[derive(Clone)]
pub struct Other {
    pub purpose: Purpose,
    pub refused: Option<u16>,
    /// The greeting, where `frames` has only events.
    pub greeting: Option<String>,
    /// Texts. A number is a binary message of so many bytes.
    pub frames: Vec<String>,
    /// How the server ends the connection, and how long after the listening has ended.
    pub closing: Option<(f64, Closing)>,
}

impl Other {
    fn new(purpose: Purpose, frames: Vec<String>) -> Self {
        Self { purpose, refused: None, greeting: None, frames, closing: None }
    }
}

/// What a client receives of `database-outage` in real time.
pub fn sound() -> Stream {
    good::streams()[0].1.clone()
}

/// The text of a frame.
pub fn text(frame: &Value) -> String {
    frame.as_str().map_or_else(|| frame.to_string(), str::to_owned)
}

fn reader() -> &'static Reader {
    static READER: OnceLock<Reader> = OnceLock::new();
    READER.get_or_init(Reader::new)
}

fn is_event(frame: &Value) -> bool {
    frame["source"].as_str().is_some_and(|source| source.starts_with("/streams/"))
}

fn position(frame: &Value) -> Option<u64> {
    frame["id"].as_str().filter(|_| is_event(frame))?.parse().ok()
}

impl Stream {
    pub fn new(frames: Vec<(Value, f64)>) -> Self {
        Self {
            frames,
            others: Vec::new(),
            closing: None,
            expect: None,
            must_resolve: MustResolve::All,
            arrivals: true,
            limits: Limits::default(),
            ended: None,
        }
    }

    /// Places of the frames of a type.
    pub fn all(&self, kind: MessageType) -> Vec<usize> {
        let places = self.frames.iter().enumerate().filter(|(_, (frame, _))| frame["type"] == kind.as_str());
        places.map(|(place, _)| place).collect()
    }

    /// Places of all events.
    pub fn events(&self) -> Vec<usize> {
        (0..self.frames.len()).filter(|place| is_event(&self.frames[*place].0)).collect()
    }

    pub fn data(&mut self, place: usize) -> &mut Value {
        &mut self.frames[place].0["data"]
    }

    pub fn resolution(&self) -> usize {
        self.all(MessageType::IncidentResolved)[0]
    }

    /// The incident's name.
    pub fn subject(&self) -> String {
        self.frames[self.events()[0]].0["subject"].as_str().unwrap().to_owned()
    }

    /// Adds `by` to the position of every event from a frame on, and to the heads of control messages.
    pub fn shift_positions(&mut self, from: usize, by: i64) {
        for (frame, _) in &mut self.frames[from..] {
            if let Some(n) = position(frame) {
                frame["id"] = n.checked_add_signed(by).unwrap().to_string().into();
            } else if let Some(head) = frame["data"]["head"].as_i64() {
                frame["data"]["head"] = (head + by).into();
            }
        }
    }

    /// Adds `by` to the index of every event from a frame on.
    pub fn shift_indexes(&mut self, from: usize, by: i64) {
        for (frame, _) in &mut self.frames[from..] {
            if let Some(index) = frame["index"].as_u64() {
                frame["index"] = index.checked_add_signed(by).unwrap().into();
            }
        }
    }

    /// What a connection gets that resumes after a position, from a server that keeps its promise.
    pub fn resume(&self, after: u64) -> Other {
        let events = self.frames.iter().map(|(frame, _)| frame);
        let events = events.filter(|frame| position(frame).is_some_and(|n| n > after));
        let frames: Vec<String> = events.map(text).collect();
        let mut greeting = self.frames[0].0.clone();
        let head = after.max(self.frames.iter().filter_map(|(frame, _)| position(frame)).max().unwrap_or(0));
        greeting["data"]["head"] = head.into();
        greeting["data"]["follows"] = json!({ "kind": "resumed", "from": after + 1, "to": head });
        Other { greeting: Some(greeting.to_string()), ..Other::new(Purpose::Resume(after), frames) }
    }

    /// What another client gets.
    pub fn twin(&self) -> Other {
        let frames = self.frames.iter().map(|(frame, _)| text(frame)).collect();
        Other::new(Purpose::Twin, frames)
    }

    /// What a server answers to a position from which it can't resume, or that is none.
    pub fn wrong_position(&self, asked: &str, expected: Promise) -> Other {
        let purpose = Purpose::Position(asked.to_owned(), expected.clone());
        match expected {
            Promise::BadRequest => Other { refused: Some(400), ..Other::new(purpose, Vec::new()) },
            Promise::Reset(reason) => {
                let mut greeting = self.frames[0].0.clone();
                greeting["data"]["follows"] =
                    json!({ "kind": "reset", "reason": reason, "from": 1, "to": 0 });
                Other::new(purpose, vec![greeting.to_string()])
            }
        }
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
            if index == 1 && frame["data"]["run"].is_object() {
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

    /// Why a rule had nothing to check.
    pub fn unchecked(&self, name: &str) -> String {
        let outcome = self.outcomes().into_iter().find(|(rule, _)| rule.name == name);
        match outcome {
            Some((_, Verdict::NotChecked(why))) => why,
            other => panic!("{name}: {:?}", other.map(|(_, outcome)| outcome)),
        }
    }

    /// What every rule says.
    pub fn outcomes(&self) -> Vec<(&'static Rule, Verdict)> {
        self.judgement().rules
    }

    /// Everything that is observed, in order. The first line of a transcript is its header.
    pub fn observations(&self) -> Vec<Observed> {
        let mut observed = Vec::new();
        let mut add = |connection, at: f64, what| {
            let line = observed.len() + 2;
            observed.push(Observed { line, at: Some(Duration::from_secs_f64(at)), connection, what });
        };
        add(MAIN, 0.0, Observation::Opened(Purpose::Follow));
        for (frame, arrival) in &self.frames {
            let what = match frame.as_u64() {
                Some(bytes) => Observation::Binary(bytes as usize),
                None => Observation::Text(text(frame)),
            };
            add(MAIN, *arrival, what);
        }
        let last = self.frames.last().map_or(0.0, |(_, arrival)| *arrival);
        let ended = self.ended.unwrap_or(last);
        if let Some((at, closing)) = &self.closing {
            add(MAIN, *at, Observation::Closed(closing.clone()));
        }
        add(MAIN, ended, Observation::Stopped(self.must_resolve.clone()));
        for (other, number) in self.others.iter().zip(1..) {
            let purpose = other.purpose.clone();
            match other.refused {
                Some(status) => add(number, ended, Observation::Refused(purpose, status)),
                None => add(number, ended, Observation::Opened(purpose)),
            }
            let greeting = other.greeting.iter().filter(|_| other.refused.is_none());
            for frame in greeting.chain(&other.frames) {
                let what = match frame.parse() {
                    Ok(bytes) => Observation::Binary(bytes),
                    Err(_) => Observation::Text(frame.clone()),
                };
                add(number, ended, what);
            }
            if let Some((after, closing)) = &other.closing {
                add(number, ended + after, Observation::Closed(closing.clone()));
            }
        }
        observed
    }

    pub fn context(&self) -> Context {
        Context {
            expect: self.expect.clone().map(|expect| Expected {
                expect,
                origin: "test.toml:1".to_owned(),
                scenario: "database-outage".to_owned(),
                only_drills: false,
                source: None,
                settings: Settings::default(),
            }),
            arrivals: self.arrivals,
            began: Some(EPOCH.parse().unwrap()),
            limits: self.limits.clone(),
            ..Context::default()
        }
    }

    pub fn judgement(&self) -> Judgement {
        let mut judge = Judge::new(self.context(), true, |_| true);
        for observed in self.observations() {
            judge.see(&observed, reader());
        }
        judge.finish()
    }

    /// What every rule says of a recording of it.
    pub fn recorded(&self) -> Judgement {
        let lines = self.frames.iter().zip(1..).map(|((frame, _), line)| Ok::<_, ()>((line, text(frame))));
        judge_lines(lines, self.context_of_recording(), |_| true).unwrap()
    }

    /// The same by one reader that is there already: to make one takes much longer than to judge a stream.
    pub fn recorded_fast(&self) -> Judgement {
        let mut judge = Judge::new(self.context_of_recording(), false, |_| true);
        for ((frame, _), line) in self.frames.iter().zip(1..) {
            judge.take(MAIN, reader().read(line, None, &text(frame)));
        }
        judge.finish()
    }

    fn context_of_recording(&self) -> Context {
        let must_resolve = self.must_resolve.clone();
        Context { arrivals: false, began: None, must_resolve, ..self.context() }
    }

    /// The rules that fail, with their first finding.
    pub fn failures(&self) -> Vec<(&'static str, String)> {
        let failed = failed(self.judgement()).into_iter();
        failed.map(|(rule, mut findings)| (rule, findings.remove(0).message)).collect()
    }
}

/// The rules that fail, with what they found.
pub fn failed(judgement: Judgement) -> Vec<(&'static str, Vec<Finding>)> {
    let failed = judgement.rules.into_iter().filter_map(|(rule, outcome)| match outcome {
        Verdict::Failed(findings, _) => Some((rule.name, findings)),
        Verdict::Passed(_) | Verdict::NotChecked(_) => None,
    });
    failed.collect()
}

/// The `[expect]` of `database-outage`.
pub fn expectations() -> Expect {
    Scenario::parse("x.toml", DATABASE_OUTAGE).unwrap().file.expect.map(toml::Spanned::into_inner).unwrap()
}
