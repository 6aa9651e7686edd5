//! The incidents that publishers add to, as far as the worker remembers them.

use std::collections::HashMap;

use crate::contract::happened_at;
use crate::ingest::Incident;
use crate::journal::{Journal, JournalError, ReadLimit};

/// The most incidents that are remembered: all that may be open at a time, those of receivers too.
const MOST: usize = 20_000;

/// About the most bytes that they may take. The others are read from the journal again when an event comes.
const BYTES: usize = 64 * 1024 * 1024;

/// How many requests pass between two looks at how much is remembered.
const ROUNDS: u64 = 64;

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

/// The remembered incidents. A journal may be long and have many open incidents, so it is read once for all of them, not once
/// for each: everybody who publishes waits for that.
#[derive(Default)]
pub(super) struct Known {
    by_subject: HashMap<String, (Subject, u64)>,
    /// What was looked up for the present requests.
    looked_up: Vec<String>,
    /// Counts the uses, so that the incident used longest ago is forgotten first.
    uses: u64,
    /// Whether the incidents were read that were open at the start.
    has_begun: bool,
}

impl Known {
    /// Reads incidents from the journal unless they are remembered.
    pub(super) async fn load<'a>(
        &mut self,
        journal: &Journal,
        subjects: impl Iterator<Item = &'a str>,
    ) -> Result<(), JournalError> {
        self.uses += 1;
        let (mut unread, mut first) = (HashMap::new(), u64::MAX);
        if !self.has_begun {
            for span in journal.open_without_plan().await? {
                first = first.min(span.start);
                unread.insert(span.subject, Subject::Real(Box::default()));
            }
        }
        for subject in subjects {
            if let Some((_, used)) = self.by_subject.get_mut(subject) {
                *used = self.uses;
                continue;
            }
            if unread.contains_key(subject) {
                continue;
            }
            let found = match journal.incident(subject).await? {
                None => Subject::Real(Box::default()),
                Some(span) if span.end.is_some() => Subject::Real(Box::new(Incident::over())),
                Some(_) if journal.plan(subject).await?.is_some() => Subject::Played,
                Some(span) => {
                    first = first.min(span.start);
                    unread.insert(span.subject, Subject::Real(Box::default()));
                    continue;
                }
            };
            self.by_subject.insert(subject.to_owned(), (found, self.uses));
            self.looked_up.push(subject.to_owned());
        }
        if !unread.is_empty() {
            read(journal, first - 1, &mut unread).await?;
        }
        self.by_subject.extend(unread.into_iter().map(|(subject, read)| (subject, (read, self.uses))));
        self.has_begun = true;
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

    /// Forgets what can be looked up again at once: what is not open. From time to time forgets the incidents that were used
    /// longest ago, if they are too many.
    pub(super) fn trim(&mut self) {
        for subject in self.looked_up.drain(..) {
            let is_open = |known: &(Subject, u64)| matches!(&known.0, Subject::Real(real) if real.is_open());
            if !self.by_subject.get(&subject).is_some_and(is_open) {
                self.by_subject.remove(&subject);
            }
        }
        if self.uses.is_multiple_of(ROUNDS) {
            self.trim_to(MOST, BYTES);
        }
    }

    fn trim_to(&mut self, most: usize, bytes: usize) {
        let bytes_of = |subject: &Subject| match subject {
            Subject::Real(incident) => incident.bytes(),
            Subject::Played => 0,
        };
        self.by_subject.retain(|_, (subject, _)| matches!(subject, Subject::Real(real) if real.is_open()));
        let mut uses: Vec<(u64, usize)> =
            self.by_subject.values().map(|(subject, used)| (*used, bytes_of(subject))).collect();
        uses.sort_unstable_by(|one, other| other.cmp(one));
        let mut sum = 0;
        let fit = |(place, (_, size)): &(usize, &(u64, usize))| {
            sum += size;
            *place < most && sum <= bytes
        };
        let kept = uses.iter().enumerate().take_while(fit).count();
        if let Some((oldest, _)) = uses.get(kept) {
            self.by_subject.retain(|_, (_, used)| *used > *oldest);
        }
    }
}

/// Reads these open incidents, with one pass over the journal behind a position.
async fn read(
    journal: &Journal,
    after: u64,
    incidents: &mut HashMap<String, Subject>,
) -> Result<(), JournalError> {
    let mut position = after;
    loop {
        let events = journal.read(position, READ).await?;
        let Some(last) = events.last() else { return Ok(()) };
        position = last.position;
        for event in events {
            let Some(subject) = incidents.get_mut(&*event.subject) else { continue };
            let Subject::Real(incident) = subject else { continue };
            let Ok(message) = event.message() else { continue };
            // A drill without its plan, as in a journal that was salvaged, does not become real. One that a receiver tells never
            // had a plan.
            if message.is_synthetic() && message.origin().is_none() {
                *subject = Subject::Played;
                continue;
            }
            incident.see(&message, event.index, happened_at(&message, event.time), event.time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::MessageType;

    #[test]
    fn what_was_used_longest_ago_is_forgotten_first() {
        let mut known = Known::default();
        let data = serde_json::json!({
            "synthetic": false,
            "title": "Checkout errors",
            "severity": "SEV2",
            "services": ["checkout"],
            "impact_started_at": "2026-11-26T10:00:00Z",
        });
        let started = crate::contract::Message::from_value(MessageType::IncidentStarted, &data);
        let mut open = Incident::default();
        let then = jiff::Timestamp::UNIX_EPOCH;
        open.see(&started.expect("a message"), 1, then, then);
        for used in 0..10 {
            known.by_subject.insert(format!("s{used}"), (Subject::Real(Box::new(open.clone())), used));
        }
        known.by_subject.insert("over".to_owned(), (Subject::Real(Box::new(Incident::over())), 99));
        known.trim_to(20, usize::MAX);
        assert_eq!(known.by_subject.len(), 10, "what has ended needs no memory");
        known.trim_to(5, usize::MAX);
        let mut left: Vec<_> = known.by_subject.keys().cloned().collect();
        left.sort();
        assert_eq!(left, ["s5", "s6", "s7", "s8", "s9"]);
        known.trim_to(20, open.bytes() * 2);
        assert_eq!(known.by_subject.len(), 2);
        known.trim_to(20, 0);
        assert!(known.by_subject.is_empty());
    }
}
