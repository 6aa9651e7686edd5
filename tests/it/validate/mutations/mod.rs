//! Proof that the validator sees: good streams with one fault at a time. Each fault has to break the rule that is meant
//! for it and no other, and the finding has to name it. Variations that are allowed have to pass.

mod agreement;
mod arrivals;
mod asked;
mod beginning;
mod connections;
mod ends;
mod envelope;
mod expectations;
mod fields;
mod files;
mod further;
mod lifecycle;
mod live;
mod money;
mod numbering;
mod others;
mod payloads;
mod phases;
mod server;
mod strangers;
mod tally;
mod variations;

use std::collections::HashSet;

use incident::check::{Finding, Judgement, MAIN, Observation, RULES};
use incident::contract::MessageType;
use serde_json::{Map, Value};

use super::good;
use super::sound::{Stream, failed};

/// A kind of fault.
pub struct Fault {
    name: &'static str,
    /// The one rule that it breaks.
    rule: &'static str,
    /// What the finding says, among other words.
    says: &'static str,
    /// Where in the event it is.
    pointer: &'static str,
    make: fn(&mut Stream) -> Option<()>,
    /// Whether a recording, which has no arrival times and no connection, shows it.
    is_recorded: bool,
    /// Whether it breaks the rule in many places.
    is_many: bool,
    /// Whether it shows only in a later event.
    shows_later: bool,
}

/// A fault that breaks one rule in one place, wherever it is looked for. `make` makes it, or returns `None` for a stream
/// that lacks what is to be broken.
const fn fault(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    pointer: &'static str,
    make: fn(&mut Stream) -> Option<()>,
) -> Fault {
    Fault { name, rule, says, pointer, make, is_recorded: true, is_many: false, shows_later: false }
}

impl Fault {
    /// It needs arrival times or a connection.
    const fn live(mut self) -> Self {
        self.is_recorded = false;
        self
    }

    /// The rule is broken in many places.
    const fn many(mut self) -> Self {
        self.is_many = true;
        self
    }

    /// The finding is about a later event.
    const fn later(mut self) -> Self {
        self.shows_later = true;
        self
    }

    /// What is wrong with what the judge found.
    fn misjudged(&self, judgement: Judgement, changed: &[usize]) -> Result<(), String> {
        let failed = failed(judgement);
        let [(rule, findings)] = failed.as_slice() else { return Err(shown(&failed)) };
        let names = |finding: &Finding| {
            finding.message.contains(self.says)
                && match self.pointer.strip_suffix('*') {
                    Some(start) => finding.pointer.starts_with(start),
                    None => finding.pointer == self.pointer,
                }
        };
        let place = findings.iter().find(|finding| names(finding)).ok_or_else(|| shown(&failed))?;
        if *rule != self.rule || (findings.len() > 1) != self.is_many {
            return Err(shown(&failed));
        }
        match changed {
            [line] if !self.shows_later && place.line != Some(*line) => {
                Err(format!("line {line} is wrong, but {}", shown(&failed)))
            }
            _ => Ok(()),
        }
    }
}

fn shown(failed: &[(&str, Vec<Finding>)]) -> String {
    let mut text = String::new();
    for (rule, findings) in failed {
        for finding in findings.iter().take(3) {
            let Finding { message, line, pointer, .. } = finding;
            text += &format!("\n    {rule} at {line:?} {pointer}: {message}");
        }
        text += &format!(" ({})", findings.len());
    }
    if text.is_empty() { "nothing was found".to_owned() } else { text }
}

/// The texts of the first connection with their lines.
fn texts(stream: &Stream) -> impl Iterator<Item = (usize, String)> {
    let observations = stream.observations().into_iter();
    let main = observations.filter(|observed| observed.connection == MAIN);
    main.filter_map(|observed| match observed.what {
        Observation::Text(text) => Some((observed.line, text)),
        _ => None,
    })
}

/// Makes each fault in every good stream that has what it needs, and judges what is observed and what is recorded.
fn caught(faults: &[Fault]) {
    let mut all_missed = Vec::new();
    let good = good::streams().iter().map(|(name, good)| (name, good, texts(good)));
    let good: Vec<_> = good
        .map(|(name, good, known)| (name, good, known.map(|(_, text)| text).collect::<HashSet<_>>()))
        .collect();
    for fault in faults {
        let (mut made, mut missed) = (0, Vec::new());
        for (name, good, known) in &good {
            let mut stream = (*good).clone();
            if (fault.make)(&mut stream).is_none() {
                continue;
            }
            made += 1;
            let changed = texts(&stream).filter(|(_, text)| !known.contains(text));
            let lines: Vec<usize> = changed.map(|(line, _)| line).collect();
            let mut miss = |how: &str, what: Result<(), String>| {
                if let Err(what) = what {
                    missed.push(format!("{} ({}) in {name}, {how}: {what}", fault.name, fault.rule));
                }
            };
            miss("observed", fault.misjudged(stream.judgement(), &lines));
            // One recording is enough: it differs only by what it lacks.
            if fault.is_recorded && made == 1 {
                // A recording begins with its first frame, a transcript with two other lines.
                let lines: Vec<usize> = lines.iter().map(|line| line - 2).collect();
                miss("recorded", fault.misjudged(stream.recorded_fast(), &lines));
            }
        }
        assert!(made > 0, "no stream has what {:?} needs", fault.name);
        let misses = missed.len();
        // One stream is enough to see what is wrong.
        all_missed.extend(missed.into_iter().next().map(|first| format!("{misses}/{made} times {first}")));
    }
    assert!(all_missed.is_empty(), "{} were misjudged:\n{}", all_missed.len(), all_missed.join("\n"));
}

/// All kinds of faults.
fn all() -> impl Iterator<Item = &'static Fault> {
    let groups = [
        envelope::SPEC,
        envelope::OURS,
        envelope::TEXT,
        payloads::STARTED,
        payloads::ACTION,
        payloads::OTHERS,
        beginning::FAULTS,
        ends::FAULTS,
        numbering::FAULTS,
        arrivals::FAULTS,
        lifecycle::FAULTS,
        phases::FAULTS,
        money::FAULTS,
        tally::FAULTS,
        connections::FAULTS,
        others::FAULTS,
        further::FAULTS,
        asked::FAULTS,
        expectations::FAULTS,
    ];
    groups.into_iter().flatten()
}

#[test]
fn there_are_many_kinds_of_faults_for_every_rule() {
    let names: HashSet<&str> = all().map(|fault| fault.name).collect();
    assert_eq!(names.len(), all().count(), "each kind has a name of its own");
    assert!(names.len() >= 120, "{}", names.len());
    for rule in RULES {
        let kinds = all().filter(|fault| fault.rule == rule.name).count();
        assert!(kinds >= 2, "rule {} has {kinds} kinds of faults", rule.name);
    }
}

#[test]
fn the_good_streams_are_good() {
    for (name, good) in good::streams() {
        let seen = failed(good.judgement());
        assert!(seen.is_empty(), "{name}: {}", shown(&seen));
        let seen = failed(good.recorded());
        assert!(seen.is_empty(), "{name}, recorded: {}", shown(&seen));
    }
}

/// What mutations look for in a stream.
impl Stream {
    fn is_drill(&self) -> Option<()> {
        self.frames.iter().any(|(frame, _)| frame["data"]["run"].is_object()).then_some(())
    }

    /// The place of the `n`th sample.
    fn sample(&self, n: usize) -> Option<usize> {
        self.all(MessageType::SystemMetrics).get(n).copied()
    }

    /// The attributes of a sample in the middle.
    fn event(&mut self) -> Option<&mut Map<String, Value>> {
        let place = self.sample(7)?;
        self.frames[place].0.as_object_mut()
    }

    /// The payload of a sample in the middle.
    fn middle(&mut self) -> Option<&mut Map<String, Value>> {
        let place = self.sample(7)?;
        self.data(place).as_object_mut()
    }

    fn text_of_event(&mut self, change: impl FnOnce(String) -> String) -> Option<()> {
        let place = self.sample(7)?;
        let text = self.frames[place].0.to_string();
        self.frames[place].0 = change(text).into();
        Some(())
    }

    /// The payload of the first event of a type.
    fn first(&mut self, kind: MessageType) -> Option<&mut Map<String, Value>> {
        let place = *self.all(kind).first()?;
        self.data(place).as_object_mut()
    }

    fn started(&mut self) -> Option<&mut Map<String, Value>> {
        self.first(MessageType::IncidentStarted)
    }

    fn end(&mut self) -> Option<&mut Map<String, Value>> {
        self.first(MessageType::IncidentResolved)
    }

    /// The first heartbeat.
    fn beat(&mut self) -> Option<&mut Map<String, Value>> {
        self.first(MessageType::Heartbeat)
    }

    /// The place of the first action that has a field, and of which nothing else depends.
    fn action_with(&self, field: &str) -> Option<usize> {
        let places = self.all(MessageType::AgentAction).into_iter();
        places.into_iter().find(|place| !self.frames[*place].0["data"][field].is_null())
    }

    /// The payload of the first action that has a field.
    fn action(&mut self, field: &str) -> Option<&mut Map<String, Value>> {
        let place = self.action_with(field)?;
        self.data(place).as_object_mut()
    }
}

/// Sets a field.
#[expect(clippy::unnecessary_wraps, reason = "what makes a fault ends with it")]
fn set(map: &mut Map<String, Value>, field: &str, value: impl Into<Value>) -> Option<()> {
    map.insert(field.to_owned(), value.into());
    Some(())
}

/// Removes a field that is there.
fn remove(map: &mut Map<String, Value>, field: &str) -> Option<()> {
    map.remove(field).map(drop)
}
