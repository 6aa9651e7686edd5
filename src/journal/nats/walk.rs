//! Reads all events of a stream in order, and judges them as a server that starts over it, in little memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::api::{Api, Fault};
use super::message::{Entry, PlanMark};
use super::names::Names;
use crate::contract::Role;

/// How much one step reads.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// How often a page is asked for. A replica may be behind, or hang.
const TRIES: u32 = 8;
const AGAIN: Duration = Duration::from_millis(100);

/// Why a walk does not go on.
pub(super) enum Stop {
    /// An event is damaged, or missing.
    Damage { position: u64, what: String },
    /// The servers don't answer.
    Fault(Fault),
}

/// What the walk knows of an incident.
struct Progress {
    index: u64,
    is_over: bool,
}

/// A walk over the events.
pub(super) struct Walk {
    /// Position of the last sound event that was read.
    pub(super) at: u64,
    until: u64,
    /// The chain at `at`, if it is known: nothing is left of what is before the oldest event.
    pub(super) chain: Option<u64>,
    incidents: HashMap<Arc<str>, Progress>,
    /// The open incidents, each with the mark of its plan.
    pub(super) open: HashMap<Arc<str>, Option<PlanMark>>,
    /// A damage behind the events that the last step returned.
    next: Option<(u64, String)>,
}

impl Walk {
    /// A walk over the events after `after`, the first of which is the oldest one that is kept, up to `until`.
    pub(super) fn new(after: u64, until: u64) -> Self {
        let chain = (after == 0).then_some(super::message::ORIGIN);
        Self { at: after, until, chain, incidents: HashMap::new(), open: HashMap::new(), next: None }
    }

    /// How many incidents it has seen.
    pub(super) fn incidents(&self) -> usize {
        self.incidents.len()
    }

    /// The next events; none at the end.
    pub(super) async fn step(&mut self, api: &Api, names: &Names) -> Result<Vec<Entry>, Stop> {
        if let Some((position, what)) = self.next.take() {
            return Err(Stop::Damage { position, what });
        }
        let mut entries = Vec::new();
        if self.at >= self.until {
            return Ok(entries);
        }
        let which = json!({ "seq": self.at + 1, "batch": PAGE, "max_bytes": PAGE_BYTES });
        let mut tries = 0;
        let found = loop {
            tries += 1;
            match api.read(&names.events, &which).await {
                Ok(found) if found.first().is_some_and(|first| first.sequence == self.at + 1) => break found,
                Ok(_) | Err(_) if tries < TRIES => sleep(AGAIN * tries).await,
                Ok(_) => {
                    return Err(Stop::Damage { position: self.at + 1, what: "it is missing".to_owned() });
                }
                Err(fault) => return Err(Stop::Fault(fault)),
            }
        };
        for message in found {
            let position = message.sequence;
            if position > self.until {
                break;
            }
            let read = Entry::read(position, &message.headers, &message.payload);
            let taken = read.and_then(|(entry, claimed)| {
                if names.incident(&entry.stored.subject) != message.subject {
                    return Err("its subject is not that of its incident".to_owned());
                }
                self.take(&entry, claimed)?;
                Ok(entry)
            });
            match taken {
                Ok(entry) => entries.push(entry),
                Err(what) if entries.is_empty() => return Err(Stop::Damage { position, what }),
                Err(what) => {
                    self.next = Some((position, what));
                    break;
                }
            }
        }
        Ok(entries)
    }

    fn take(&mut self, entry: &Entry, claimed: u64) -> Result<(), String> {
        let stored = &entry.stored;
        if stored.position != self.at + 1 {
            return Err(format!("event {} is missing", self.at + 1));
        }
        if self.chain.is_some_and(|chain| entry.chain(chain) != claimed) {
            return Err("its chain does not continue that of the event before it".to_owned());
        }
        let role = stored.kind.role();
        match self.incidents.get(&stored.subject) {
            Some(known) if known.is_over || stored.index != known.index + 1 || role == Role::Start => {
                return Err(format!("{} does not go on with it", stored.subject));
            }
            _ => {}
        }
        let progress = Progress { index: stored.index, is_over: role == Role::End };
        self.incidents.insert(Arc::clone(&stored.subject), progress);
        match role {
            Role::Start => drop(self.open.insert(Arc::clone(&stored.subject), entry.plan.clone())),
            Role::End => drop(self.open.remove(&stored.subject)),
            Role::Middle | Role::Control => {}
        }
        self.at = stored.position;
        self.chain = Some(claimed);
        Ok(())
    }
}
