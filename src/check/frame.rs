//! A text frame that was read: what it says of itself, its payload, and what is wrong with it alone.

use std::time::Duration;

use super::finding::{Finding, Place, Spot};
use super::head::Head;
use super::profile::Bookmark;
use super::rules::RuleId;
use crate::contract::{Message, MessageType, StreamOpened};

/// A text frame that was read.
#[derive(Debug, Clone)]
pub struct Frame {
    pub(super) line: usize,
    pub(super) arrival: Option<Duration>,
    /// How many bytes it has.
    pub(super) bytes: usize,
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
    /// What else it says of itself, if a profile says how the stream is read.
    pub(super) foreign: Option<Box<Foreign>>,
}

/// What a frame of another program's stream says of itself. The key is the stream in its head, the sequence number the
/// position.
#[derive(Debug, Clone)]
pub(super) struct Foreign {
    pub(super) role: ForeignRole,
    /// A hash of what makes the event known: its key with its sequence number or id, else its content.
    pub(super) identity: u64,
    /// What a client needs to resume after it.
    pub(super) bookmark: Bookmark,
}

/// What a message of another program does with its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ForeignRole {
    /// Nothing: it is no event.
    Control,
    Begin,
    Middle,
    End,
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
    /// What a profile reads from an event of another program.
    pub foreign: Option<ForeignNote>,
}

/// What a profile reads from an event of another program.
#[derive(Debug, Clone)]
pub struct ForeignNote {
    /// The event's number on the main connection; `None` if it is not remembered for comparing, because it came before.
    pub count: Option<u64>,
    /// What makes the event known.
    pub identity: u64,
    /// Whether it ends its subject, live as far as is known.
    pub ends: bool,
    /// What a client needs to resume after it.
    pub bookmark: Bookmark,
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
            foreign: None,
        }
    }

    /// Where in the stream the frame is, for people: `position 31, T+83.4 s`.
    pub(super) fn place(&self) -> Place {
        let spot = match (&self.head, &self.foreign) {
            (Some(head), Some(foreign)) => Spot::Words(foreign.place(head)),
            (Some(Head { position: Some(n), .. }), None) => {
                Spot::Event(*n, self.message.as_ref().and_then(Message::offset_s))
            }
            (Some(head), None) if !head.kind.is_empty() => {
                Spot::Words(format!("{} {}", super::finding::cut(&head.kind), super::finding::cut(&head.id)))
            }
            _ => Spot::Words(format!("line {}", self.line)),
        };
        Place { line: self.line, spot }
    }

    /// The type, if it is one of the contract.
    pub(super) fn kind(&self) -> Option<MessageType> {
        MessageType::from_name(&self.head.as_ref()?.kind)
    }
}

impl Foreign {
    /// `sequence 31 of orders`, `id "a7"`, or the type.
    fn place(&self, head: &Head) -> String {
        let of = match self.bookmark.key.as_deref() {
            Some(key) => format!(" of {}", super::finding::cut(key)),
            None => String::new(),
        };
        match (head.position, self.bookmark.id.as_deref()) {
            (Some(n), _) => format!("sequence {n}{of}"),
            (None, Some(id)) => format!("id {}{of}", super::finding::cut(id)),
            (None, None) => format!("{}{of}", super::finding::cut(&head.kind)),
        }
    }
}
