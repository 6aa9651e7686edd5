//! Reads text frames. Reading needs no other frame, so that many can be read at the same time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::context::Context;
use super::finding::{Finding, quoted};
use super::foreign::reading;
use super::frame::Frame;
use super::head::Sender;
use super::observation::ServerEvent;
use super::payload::Payloads;
use super::profile::Profile;
use super::rules::RuleId;
use super::{envelope, strict_json};
use crate::contract::{MAX_EVENT_BYTES, MessageType, SEVERAL_LINES, strange_line};
use crate::contract_file::Contract;

/// Reads frames.
pub struct Reader {
    payloads: Payloads,
    /// How the stream of another program is read; `None` for our own.
    profile: Option<Arc<Profile>>,
    contract: Option<Arc<Contract>>,
    /// Whether the frames are lines of a file, which people have made or changed.
    of_a_file: bool,
}

impl Reader {
    /// A reader of frames of the contract.
    pub fn new() -> Self {
        Self { payloads: Payloads::new(), profile: None, contract: None, of_a_file: false }
    }

    /// A reader of the frames that a context is about.
    pub fn of(context: &Context) -> Self {
        Self { profile: context.profile.clone(), contract: context.contract.clone(), ..Self::new() }
    }

    /// The same of lines of a file: what is not an event is told with what people do to files, and how that is undone.
    pub fn of_lines(context: &Context) -> Self {
        Self { of_a_file: true, ..Self::of(context) }
    }

    /// What is wrong with a file that has this line.
    fn strange(&self, line: &str) -> Option<&'static str> {
        if self.of_a_file { strange_line(line) } else { None }
    }

    /// Reads one event of an event stream.
    pub(super) fn event(&self, line: usize, arrival: Option<Duration>, event: &ServerEvent) -> Frame {
        if let Some(profile) = &self.profile {
            return reading::read(
                profile,
                self.contract.as_deref(),
                blank(line, arrival, event.data.len(), 0),
                &event.data,
                Some(event),
            );
        }
        let mut frame = self.read(line, arrival, &event.data);
        if let Some(wrong) = fields_of_event(&frame, event) {
            frame.faults.push((RuleId::Connection, wrong.at(&frame)));
        }
        frame
    }

    /// Reads one frame. Never fails: what is wrong stands in the frame.
    pub fn read(&self, line: usize, arrival: Option<Duration>, text: &str) -> Frame {
        if let Some(profile) = &self.profile {
            return reading::read(
                profile,
                self.contract.as_deref(),
                blank(line, arrival, text.len(), 0),
                text,
                None,
            );
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut frame = blank(line, arrival, text.len(), hasher.finish());
        let mut faults = Vec::new();
        match strict_json::parse(text) {
            Err(what) => {
                let what = self.strange(text).map_or(what, ToOwned::to_owned);
                faults.push((RuleId::Envelope, Finding::new(what)));
            }
            Ok(Value::Object(event)) => {
                let (mut head, wrong) = envelope::read(&event);
                if text.len() > MAX_EVENT_BYTES {
                    let message =
                        format!("the event has {} bytes; at most {MAX_EVENT_BYTES} are allowed", text.len());
                    faults.push((RuleId::Envelope, Finding::new(message)));
                } else if let Some(wrong) = wrong {
                    head.forget(&wrong.pointer);
                    faults.push((RuleId::Envelope, wrong));
                }
                if let Some(kind) = MessageType::from_name(&head.kind)
                    && head.sender != Sender::Other
                    && let Some(data) = event.get("data")
                {
                    match self.payloads.read(kind, data) {
                        Ok(message) => {
                            // The schema says it in words alone.
                            if let Some(pointer) = message.broken_line() {
                                let what = format!("{}: {SEVERAL_LINES}", kind.as_str());
                                let broken = Finding::new(what).field(format!("/data{pointer}"));
                                faults.push((RuleId::Schema, broken));
                            }
                            frame.message = Some(message);
                        }
                        // The payload of an event whose envelope is wrong is a matter of its own.
                        Err(wrong) => faults.push((RuleId::Schema, wrong)),
                    }
                }
                frame.head = Some(head);
                // What our own contract finds fault with need not be told twice.
                if let (Some(contract), []) = (&self.contract, faults.as_slice())
                    && let Err(mismatch) = contract.judge_text(text, &Value::Object(event))
                {
                    faults.push((RuleId::Schema, reading::mismatched(mismatch)));
                }
            }
            Ok(_) => {
                let message = "the message is not a JSON object; every event is one JSON object";
                faults.push((RuleId::Envelope, Finding::new(self.strange(text).unwrap_or(message))));
            }
        }
        frame.faults = faults.into_iter().map(|(rule, wrong)| (rule, wrong.at(&frame))).collect();
        frame
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

fn blank(line: usize, arrival: Option<Duration>, bytes: usize, digest: u64) -> Frame {
    Frame {
        line,
        arrival,
        bytes,
        digest,
        head: None,
        message: None,
        faults: Vec::new(),
        is_faulty: false,
        foreign: None,
    }
}

/// What is wrong with the fields of an event of our own event stream: its `event` is the type, its `id` the position.
fn fields_of_event(frame: &Frame, event: &ServerEvent) -> Option<Finding> {
    let head = frame.head.as_ref().filter(|head| !head.kind.is_empty())?;
    let name = event.name.as_deref().unwrap_or_default();
    if name != head.kind {
        let text = format!("the event field is {}; expected {}, the type", quoted(name), quoted(&head.kind));
        return Some(Finding::new(text));
    }
    let (Sender::Stream(stream), Some(n)) = (&head.sender, head.position) else { return None };
    let wanted = format!("{stream}/{n}");
    match event.id.as_deref() {
        Some(id) if id == wanted => None,
        Some(id) => {
            Some(Finding::new(format!("the id field is {}; expected {}", quoted(id), quoted(&wanted))))
        }
        None => {
            let text = format!("the id field is missing; expected {}", quoted(&wanted));
            Some(Finding::new(text).hint("a client that reconnects after this event would get it again"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_of_a_file_it_is_told_how_to_repair_it() {
        let (sent, lines) = (Reader::new(), Reader { of_a_file: true, ..Reader::new() });
        for (text, tool) in [("{\"a\":1}\r{\"a\":2}", "tr '"), ("data: {}", "sed "), ("[1]", "jq ")] {
            let told = |reader: &Reader| format!("{:?}", reader.read(1, None, text).faults);
            assert!(told(&lines).contains(tool), "{text:?}: {}", told(&lines));
            assert!(!told(&sent).contains(tool), "{text:?}: {}", told(&sent));
        }
    }
}
