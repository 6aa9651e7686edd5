//! The incidents that publishers add to, as far as the worker remembers them.

use std::collections::{HashMap, HashSet};

use crate::contract::happened_at;
use crate::ingest::Incident;
use crate::journal::{Appended, Journal, JournalError, ReadLimit};

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

/// How many events behind the newest one an incident may be that is read on while everybody waits who publishes.
const FEW: u64 = 10_000;

/// Incidents that have not been read to their newest event: each as far as it was read, and a position up to which all of its events
/// are in that.
pub(super) type Unread = HashMap<String, (Subject, u64)>;

/// The remembered incidents.
#[derive(Default)]
pub(super) struct Known {
    by_subject: HashMap<String, (Subject, u64)>,
    /// The remembered incidents of which there may be events behind these positions that are not known yet.
    behind: HashMap<String, u64>,
    /// Incidents that were sent events about which the journal has not answered: it may store them until it has answered for others.
    doubtful: HashMap<String, u64>,
    /// What was looked up for the present requests.
    looked_up: Vec<String>,
    /// Counts the uses, so that the incident used longest ago is forgotten first.
    uses: u64,
}

impl Known {
    /// Which of these incidents take long to read, so that nobody should wait for it but those who publish into them.
    pub(super) async fn far<'a>(
        &mut self,
        journal: &Journal,
        subjects: impl Iterator<Item = &'a str>,
    ) -> Result<Unread, JournalError> {
        let (mut far, head) = (Unread::new(), journal.extent().head);
        for subject in subjects {
            if far.contains_key(subject) {
                continue;
            }
            let is_remembered = self.by_subject.contains_key(subject);
            if let Some((read, after)) = self.look_up(journal, subject).await?
                && (!is_remembered || head.saturating_sub(after) > FEW)
            {
                far.insert(subject.to_owned(), (read, after));
            }
        }
        Ok(far)
    }

    /// Reads incidents from the journal unless they are remembered, and what others have added to those that are, if it is little.
    pub(super) async fn load<'a>(
        &mut self,
        journal: &Journal,
        subjects: impl Iterator<Item = &'a str>,
    ) -> Result<(), JournalError> {
        for (subject, after) in self.doubtful.clone() {
            self.falls_behind(&subject, after);
        }
        let mut unread = Unread::new();
        for subject in subjects {
            if !unread.contains_key(subject)
                && let Some(read) = self.look_up(journal, subject).await?
            {
                unread.insert(subject.to_owned(), read);
            }
        }
        let head = journal.extent().head;
        for (subject, after) in self.behind.iter().filter(|(_, after)| head.saturating_sub(**after) <= FEW) {
            if let Some((known, _)) = self.by_subject.get(subject) {
                unread.entry(subject.clone()).or_insert_with(|| (known.clone(), *after));
            }
        }
        read_on(journal, &mut unread).await?;
        for (subject, (read, _)) in unread {
            self.behind.remove(&subject);
            self.by_subject.insert(subject, (read, self.uses));
        }
        Ok(())
    }

    /// What has to be read of an incident, if anything has: as far as it is known, and from where on.
    async fn look_up(
        &mut self,
        journal: &Journal,
        subject: &str,
    ) -> Result<Option<(Subject, u64)>, JournalError> {
        let behind = self.behind.get(subject).copied();
        // One of another version may have no plan any more.
        let mut was_played = false;
        let known = match self.by_subject.get_mut(subject) {
            Some((known, used)) => {
                *used = self.uses;
                let Some(after) = behind else { return Ok(None) };
                was_played = matches!(known, Subject::Played);
                matches!(known, Subject::Real(real) if real.is_open()).then(|| (known.clone(), after))
            }
            None => None,
        };
        let found = match journal.incident(subject).await? {
            None => Subject::Real(Box::default()),
            Some(span) if span.end.is_some() => Subject::Real(Box::new(Incident::over())),
            Some(_) if known.is_some() => return Ok(known),
            Some(_) if was_played => Subject::Played,
            Some(_) if journal.plan(subject).await?.is_some() => Subject::Played,
            Some(span) => return Ok(Some((Subject::Real(Box::default()), span.start.saturating_sub(1)))),
        };
        self.behind.remove(subject);
        self.by_subject.insert(subject.to_owned(), (found, self.uses));
        self.looked_up.push(subject.to_owned());
        Ok(None)
    }

    /// Remembers what was read elsewhere, unless more is remembered.
    pub(super) fn learn(&mut self, read: Unread) {
        for (subject, (read, until)) in read {
            let is_remembered = self.by_subject.contains_key(&subject);
            if !is_remembered || self.behind.get(&subject).is_some_and(|before| *before <= until) {
                // What has ended, or is played, has nothing more to be read.
                if matches!(&read, Subject::Real(real) if real.is_open()) {
                    self.behind.insert(subject.clone(), until);
                } else {
                    self.behind.remove(&subject);
                }
                self.by_subject.insert(subject, (read, self.uses));
            }
        }
    }

    /// Others may have added events to an incident behind this position.
    pub(super) fn falls_behind(&mut self, subject: &str, after: u64) {
        match self.behind.get_mut(subject) {
            Some(before) => *before = after.min(*before),
            None if self.by_subject.contains_key(subject) => {
                self.behind.insert(subject.to_owned(), after);
            }
            None => {}
        }
    }

    /// Events were sent behind this position, and may be stored or not, now or later.
    fn doubt(&mut self, subject: &str, after: u64) {
        self.falls_behind(subject, after);
        self.doubtful.entry(subject.to_owned()).or_insert(after);
    }

    /// The journal has stored these: what it had not answered for before is stored by now, or never.
    pub(super) fn has_stored(&mut self, appended: &[Appended]) {
        if appended.is_empty() {
            return;
        }
        for (subject, after) in std::mem::take(&mut self.doubtful) {
            self.falls_behind(&subject, after);
        }
    }

    /// An incident that was loaded.
    pub(super) fn get_mut(&mut self, subject: &str) -> Option<&mut Subject> {
        self.by_subject.get_mut(subject).map(|(subject, _)| subject)
    }

    /// The index of the newest event of each real one of these incidents, which were loaded.
    pub(super) fn indexes<'a>(&self, subjects: impl Iterator<Item = &'a str>) -> Vec<(String, u64)> {
        let subjects: HashSet<&str> = subjects.collect();
        let index = |subject: &str| match self.by_subject.get(subject)? {
            (Subject::Real(incident), _) => Some((subject.to_owned(), incident.index())),
            (Subject::Played, _) => None,
        };
        subjects.into_iter().filter_map(index).collect()
    }

    /// Puts incidents back as they were.
    pub(super) fn restore(&mut self, as_they_were: impl IntoIterator<Item = (String, Subject)>) {
        let used = self.uses;
        self.by_subject
            .extend(as_they_were.into_iter().map(|(subject, as_it_was)| (subject, (as_it_was, used))));
    }

    /// Takes back what was judged when the journal's head was at a position: the journal has not stored it, or has not answered.
    pub(super) fn take_back<'a>(
        &mut self,
        undo: HashMap<String, Subject>,
        as_of: u64,
        subjects: impl Iterator<Item = &'a str>,
        error: &JournalError,
    ) {
        self.restore(undo);
        match error {
            JournalError::Ended { subject, .. } => self.forget([subject.as_str()]),
            error if error.is_temporary() => subjects.for_each(|subject| self.doubt(subject, as_of)),
            _ => {}
        }
    }

    /// Forgets incidents: the journal has them otherwise.
    pub(super) fn forget<'a>(&mut self, subjects: impl IntoIterator<Item = &'a str>) {
        for subject in subjects {
            self.by_subject.remove(subject);
            self.behind.remove(subject);
        }
    }

    /// After each round. Forgets what can be looked up again at once: what is not open. From time to time forgets the incidents that
    /// were used longest ago, if they are too many.
    pub(super) fn trim(&mut self) {
        self.uses += 1;
        for subject in self.looked_up.drain(..) {
            let is_open = |known: &(Subject, u64)| matches!(&known.0, Subject::Real(real) if real.is_open());
            if !self.by_subject.get(&subject).is_some_and(is_open) {
                self.by_subject.remove(&subject);
                self.behind.remove(&subject);
            }
        }
        if self.uses.is_multiple_of(ROUNDS) {
            self.trim_to(MOST, BYTES);
            self.behind.retain(|subject, _| self.by_subject.contains_key(subject));
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

/// Reads the events of these open incidents that are not known, with one pass over the journal.
async fn read_on(journal: &Journal, incidents: &mut Unread) -> Result<(), JournalError> {
    let Some(first) = incidents.values().map(|(_, after)| *after).min() else { return Ok(()) };
    let mut position = first;
    while let Some(last) = read_page(journal, position, incidents).await? {
        position = last;
    }
    Ok(())
}

/// Reads a page of what is behind a position, and gives the position of its last event; `None` if there is nothing.
pub(super) async fn read_page(
    journal: &Journal,
    after: u64,
    incidents: &mut Unread,
) -> Result<Option<u64>, JournalError> {
    let events = journal.read(after, READ).await?;
    let last = events.last().map(|event| event.position);
    for event in events {
        let Some((subject, _)) = incidents.get_mut(&*event.subject) else { continue };
        let Subject::Real(incident) = subject else { continue };
        // The position up to which it is known is a lower bound.
        if event.index <= incident.index() {
            continue;
        }
        let Ok(message) = event.message() else { continue };
        // A drill without its plan, as in a journal that was salvaged, does not become real. One that a receiver tells never
        // had a plan.
        if message.is_synthetic() && message.origin().is_none() {
            *subject = Subject::Played;
            continue;
        }
        incident.see(&message, event.index, happened_at(&message, event.time), event.time);
    }
    Ok(last)
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

    /// A journal that does not answer may store what it was given only after the incident was read again.
    #[tokio::test]
    async fn what_was_not_answered_may_come_later() {
        use crate::journal::{Key, Memory, Place, Record, Retention, Trouble, TroubleKind};
        let stream = crate::contract::StreamId::generate(1_700_000_000_000, 4);
        let journal = Journal::new(Memory::new(stream, Retention::default()));
        let append = async |id: &str, kind, data| {
            let key = Key { source: "/a".to_owned(), id: id.to_owned(), digest: [1; 32] };
            let data = serde_json::value::to_raw_value(&data).expect("JSON");
            let record = Record { subject: "s".to_owned(), place: Place::Next(key), kind, data, plan: None };
            journal.append(record).await.expect("it is stored")
        };
        let action = async |id| {
            let data = serde_json::json!({
                "synthetic": false, "agent": "a", "action": "looked", "status": "completed", "summary": "x",
            });
            append(id, MessageType::AgentAction, data).await
        };
        let started = serde_json::json!({
            "synthetic": false, "title": "T", "severity": "SEV2", "services": ["s"],
            "impact_started_at": "2026-11-26T10:00:00Z",
        });
        append("1", MessageType::IncidentStarted, started).await;
        let mut known = Known::default();
        known.load(&journal, ["s"].into_iter()).await.expect("it is read");
        let unanswered = JournalError::Unavailable(Trouble::new(TroubleKind::Hung));
        known.take_back(HashMap::new(), 1, ["s"].into_iter(), &unanswered);
        for (id, index) in [(None, 1), (Some("2"), 2), (None, 2), (Some("3"), 3)] {
            if let Some(id) = id {
                action(id).await;
            }
            known.load(&journal, ["s"].into_iter()).await.expect("it is read");
            assert_eq!(known.indexes(["s"].into_iter()), [("s".to_owned(), index)]);
        }
        // It comes just before the first event about which the journal answers.
        action("4").await;
        known.has_stored(&action("5").await);
        known.load(&journal, ["s"].into_iter()).await.expect("it is read");
        assert_eq!(known.indexes(["s"].into_iter()), [("s".to_owned(), 5)]);
        assert!(known.behind.is_empty() && known.doubtful.is_empty(), "nothing is read once more");
    }
}
