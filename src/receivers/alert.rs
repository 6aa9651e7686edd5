//! The model that all senders have in common: alerts, and what one request delivers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// What the source of every event of a receiver begins with.
pub const SOURCE: &str = "/receivers/";

/// The label that marks the alerts of a drill, with the value `true`.
pub const SYNTHETIC: &str = "synthetic";

/// Labels or annotations: values by name.
pub type Labels = BTreeMap<String, String>;

/// One alert, as a sender tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// What identifies it at its sender.
    pub fingerprint: String,
    /// Its labels.
    pub labels: Labels,
    /// What else its sender says about it.
    pub annotations: Labels,
    /// Whether it fires; otherwise it is resolved.
    pub firing: bool,
    /// Since when it fires: with the fingerprint, this names one firing of the alert.
    pub starts_at: Timestamp,
    /// When it was resolved.
    pub ends_at: Option<Timestamp>,
    /// Where to look: what it is, and the URL.
    pub links: Vec<(&'static str, String)>,
    /// What was measured.
    pub values: BTreeMap<String, f64>,
}

impl Alert {
    /// Whether it has all of these labels.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        labels.iter().all(|(name, value)| self.labels.get(name) == Some(value))
    }

    /// The value of a label, else of an annotation.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.labels.get(name).or_else(|| self.annotations.get(name)).map(String::as_str)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.word("alertname").or_else(|| self.word("summary")).unwrap_or("alert")
    }
}

/// What one request delivers.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The sender's name for the group.
    pub group: String,
    /// The labels that all alerts of the group have by definition, for a readable id.
    pub group_labels: Labels,
    /// How many alerts of the group the sender has left out.
    pub left_out: u64,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// What a person or program did about an alert.
    pub note: Option<Note>,
}

/// What a person or program did about the alert with this fingerprint.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The alert; `None`: whichever is open.
    pub fingerprint: Option<String>,
    /// The kind of the action.
    pub action: &'static str,
    /// One line.
    pub summary: String,
    /// What names this note: the same note twice is written once.
    pub id: String,
    /// Where to look.
    pub links: Vec<(&'static str, String)>,
}

/// What is wrong with a body, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer to the member.
    pub pointer: String,
    /// What is wrong with it.
    pub what: String,
}

/// The first hexadecimal digits of a digest of texts.
pub(super) fn digest(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let text: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    text[..digits.min(text.len())].to_owned()
}
