//! The incidents that publishers add to, as far as the worker remembers them.

use std::collections::HashMap;

use crate::ingest::Incident;
use crate::journal::{Journal, JournalError, ReadLimit};

/// Incidents that are remembered. The others are read from the journal again when an event comes.
const MOST: usize = 1_000;

/// How much one read returns.
const READ: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// Who tells an incident.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// Its publishers.
    Real(Box<Incident>),
    /// The player of this server: it is a drill.
    Played,
}

/// The remembered incidents.
#[derive(Default)]
pub(super) struct Known {
    by_subject: HashMap<String, (Subject, u64)>,
    /// Counts the uses, so that the incident used longest ago is forgotten first.
    uses: u64,
}

impl Known {
    /// Reads an incident from the journal unless it is remembered.
    pub(super) async fn load(&mut self, journal: &Journal, subject: &str) -> Result<(), JournalError> {
        self.uses += 1;
        if let Some((_, used)) = self.by_subject.get_mut(subject) {
            *used = self.uses;
            return Ok(());
        }
        let read = read(journal, subject).await?;
        self.by_subject.insert(subject.to_owned(), (read, self.uses));
        Ok(())
    }

    /// An incident that was loaded.
    pub(super) fn get_mut(&mut self, subject: &str) -> Option<&mut Subject> {
        self.by_subject.get_mut(subject).map(|(subject, _)| subject)
    }

    /// Puts an incident back as it was.
    pub(super) fn restore(&mut self, subject: String, as_it_was: Subject) {
        self.by_subject.insert(subject, (as_it_was, self.uses));
    }

    /// Forgets incidents: the journal may have them otherwise.
    pub(super) fn forget<'a>(&mut self, subjects: impl IntoIterator<Item = &'a str>) {
        for subject in subjects {
            self.by_subject.remove(subject);
        }
    }

    /// Forgets the incidents that were used longest ago, and what says nothing about an incident that is told.
    pub(super) fn trim(&mut self) {
        self.by_subject.retain(|_, (subject, _)| match subject {
            Subject::Real(incident) => incident.index() > 0,
            Subject::Played => false,
        });
        if self.by_subject.len() > MOST {
            let mut uses: Vec<u64> = self.by_subject.values().map(|(_, used)| *used).collect();
            uses.sort_unstable();
            let oldest = uses[uses.len() - MOST / 2];
            self.by_subject.retain(|_, (_, used)| *used >= oldest);
        }
    }
}

async fn read(journal: &Journal, subject: &str) -> Result<Subject, JournalError> {
    let mut incident = Incident::default();
    let Some(span) = journal.incident(subject).await? else { return Ok(Subject::Real(Box::new(incident))) };
    if span.end.is_none() && journal.plan(subject).await?.is_some() {
        return Ok(Subject::Played);
    }
    let (mut position, end) = (span.start - 1, span.end.unwrap_or(u64::MAX));
    while position < end {
        let events = journal.read(position, READ).await?;
        let Some(last) = events.last() else { break };
        position = last.position;
        for event in events.into_iter().filter(|event| *event.subject == *subject) {
            let Ok(message) = event.message() else { continue };
            // A drill without its plan, as in a journal that was salvaged, does not become real. One that a receiver tells never
            // had a plan.
            if message.is_synthetic() && message.origin().is_none() && span.end.is_none() {
                return Ok(Subject::Played);
            }
            let at = message.observed_at().map_or(event.time, |observed| observed.min(event.time));
            incident.see(&message, event.index, at);
        }
    }
    Ok(Subject::Real(Box::new(incident)))
}
