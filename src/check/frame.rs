//! A text frame, read: what it says of itself, its payload, and what is wrong with it alone. Reading needs no other
//! frame, so that many can be read at the same time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde_json::Value;

use super::finding::{Finding, Place};
use super::head::{Head, Sender};
use super::payload::Payloads;
use super::rules::RuleId;
use super::{envelope, strict_json};
use crate::contract::{MAX_EVENT_BYTES, Message, MessageType, StreamOpened};

/// A text frame that was read.
#[derive(Debug)]
pub struct Frame {
    pub(super) line: usize,
    pub(super) arrival: Option<Duration>,
    /// A hash of the text, to compare it with what another connection gets.
    pub(super) digest: u64,
    /// What it says of itself, as far as that can be read; `None` if it is not a JSON object.
    pub(super) head: Option<Head>,
    /// The payload, if it can be read.
    pub(super) message: Option<Message>,
    /// What is wrong with it.
    pub(super) faults: Vec<(RuleId, Finding)>,
    /// Whether a fault of it was reported.
    pub(super) is_faulty: bool,
}

/// What a frame says of itself, for those who listen until something arrives.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// The type.
    pub kind: String,
    /// The position, if it is an event.
    pub position: Option<u64>,
    /// The incident.
    pub subject: String,
    /// The stream and the positions that a greeting announces.
    pub opened: Option<StreamOpened>,
}

impl Finding {
    /// A finding about this frame.
    pub(super) fn at(self, frame: &Frame) -> Self {
        self.place(&frame.place())
    }
}

impl Frame {
    /// What it says of itself.
    pub(super) fn note(&self) -> Note {
        let Some(head) = &self.head else { return Note::default() };
        Note {
            kind: head.kind.clone(),
            position: head.position,
            subject: head.subject.clone().unwrap_or_default(),
            opened: match &self.message {
                Some(Message::StreamOpened(opened)) => Some(opened.clone()),
                _ => None,
            },
        }
    }

    /// Where in the stream the frame is, for people: `position 31, T+83.4 s`.
    pub(super) fn place(&self) -> Place {
        let offset = self.message.as_ref().and_then(Message::offset_s);
        let text = match (&self.head, offset) {
            (Some(Head { position: Some(n), .. }), Some(offset)) => format!("position {n}, T+{offset:.1} s"),
            (Some(Head { position: Some(n), .. }), None) => format!("position {n}"),
            (Some(head), _) if !head.kind.is_empty() => {
                format!("{} {}", super::finding::cut(&head.kind), super::finding::cut(&head.id))
            }
            _ => format!("line {}", self.line),
        };
        Place { line: self.line, text }
    }

    /// The type, if it is one of the contract.
    pub(super) fn kind(&self) -> Option<MessageType> {
        MessageType::from_name(&self.head.as_ref()?.kind)
    }
}

/// Reads frames.
pub struct Reader {
    payloads: Payloads,
}

impl Reader {
    /// A reader of frames of the contract.
    pub fn new() -> Self {
        Self { payloads: Payloads::new() }
    }

    /// Reads one frame. Never fails: what is wrong stands in the frame.
    pub fn read(&self, line: usize, arrival: Option<Duration>, text: &str) -> Frame {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut frame = Frame {
            line,
            arrival,
            digest: hasher.finish(),
            head: None,
            message: None,
            faults: Vec::new(),
            is_faulty: false,
        };
        let mut faults = Vec::new();
        match strict_json::parse(text) {
            Err(what) => faults.push((RuleId::Envelope, Finding::new(what))),
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
                        Ok(message) => frame.message = Some(message),
                        // The payload of an event whose envelope is wrong is a matter of its own.
                        Err(wrong) => faults.push((RuleId::Schema, wrong)),
                    }
                }
                frame.head = Some(head);
            }
            Ok(_) => {
                let message = "an event is a JSON object, and this is none";
                faults.push((RuleId::Envelope, Finding::new(message)));
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
