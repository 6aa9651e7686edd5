//! What this server has read of the incidents of its receivers.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::contract::Role;
use crate::journal::{Journal, JournalError, ReadLimit, Record};
use crate::receivers::{Draft, Receiver, State};

/// How much one read of the journal returns.
const PAGE: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// What the journal says, and how far it was read.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) state: State,
    /// Of each open incident the index of its newest event: what is decided holds behind that one alone.
    indexes: HashMap<String, u64>,
    /// `None` before the first delivery.
    pub(super) position: Option<u64>,
    /// The wall clock and the steady clock, as they were looked at last.
    clocks: Option<(Timestamp, Duration)>,
}

impl Desk {
    /// The time by the clock that dates events. How long ago something was goes by the steady clock: if the two have gone apart
    /// since the last look, the times in the state move with the wall clock.
    pub(super) fn now(&mut self, journal: &Journal) -> Timestamp {
        let (now, steady) = (journal.clock().now(), journal.clock().steady());
        if let Some((before, steady_before)) = self.clocks.replace((now, steady)) {
            let passed = SignedDuration::try_from(steady.saturating_sub(steady_before));
            let apart = now.duration_since(before).saturating_sub(passed.unwrap_or_default());
            if !apart.is_zero() {
                self.state.shift(apart);
            }
        }
        now
    }

    /// Whether something falls due.
    pub(super) fn is_due(&self, receivers: &[Receiver], now: Timestamp) -> bool {
        self.state.due(receivers).is_some_and(|due| due <= now)
    }

    /// What the incidents of these records must be like in the journal: as they were read.
    pub(super) fn expected(&self, records: &[Record]) -> Vec<(String, u64)> {
        let subjects: HashSet<&String> = records.iter().map(|record| &record.subject).collect();
        let index = |subject: &String| self.indexes.get(subject).copied().unwrap_or_default();
        subjects.into_iter().map(|subject| (subject.clone(), index(subject))).collect()
    }

    /// Gives up ids that the journal refuses: it has an incident of which nothing is kept, or one of another publisher.
    pub(super) fn pass_over(&mut self, drafts: &[Draft], error: &JournalError) {
        if let JournalError::Ended { subject, .. } = error {
            return self.state.pass_over(subject);
        }
        let begun = drafts.iter().filter(|draft| draft.message.kind().role() == Role::Start);
        begun.for_each(|draft| self.state.pass_over(&draft.subject));
    }

    /// Applies what the journal has and was not read yet. Whether that includes events of the incidents of these drafts.
    pub(super) async fn read_on(
        &mut self,
        journal: &Journal,
        drafts: &[Draft],
    ) -> Result<bool, JournalError> {
        let subjects: HashSet<&str> = drafts.iter().map(|draft| draft.subject.as_str()).collect();
        let mut has_changed = false;
        let now = self.now(journal);
        let mut position = match self.position {
            Some(position) => position,
            None => {
                // A first reading that failed may have got half way.
                (self.state, self.indexes) = (State::default(), HashMap::new());
                beginning(journal).await?
            }
        };
        loop {
            let page = journal.read(position, PAGE).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            for event in page.iter().filter(|event| State::concerns(&event.subject)) {
                has_changed |= subjects.contains(&*event.subject);
                if event.kind.role() == Role::End {
                    self.indexes.remove(&*event.subject);
                } else {
                    self.indexes.insert(event.subject.to_string(), event.index);
                }
                if let Ok(message) = event.message() {
                    self.state.fold(&event.subject, event.time, now, &message);
                }
            }
            if self.position.is_some() {
                self.position = Some(position);
            }
        }
        if self.position.is_none() {
            // No sender could be heard while no server ran.
            self.state.hear_all(now);
        }
        self.position = Some(position);
        Ok(has_changed)
    }
}

/// The position before the first event of an incident that may be a receiver's.
async fn beginning(journal: &Journal) -> Result<u64, JournalError> {
    let head = journal.extent().head;
    let spans = journal.incidents(usize::MAX).await?;
    let first = spans.iter().find(|span| State::concerns(&span.subject));
    Ok(first.map_or(head, |span| span.start.saturating_sub(1)))
}
