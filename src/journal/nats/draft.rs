//! The batches that wait, judged against the stream up to a position: what is published behind that position, and the
//! answers if it is stored there.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::admission::{self, IncidentProgress, Lookup};
use super::super::clock::{Clock, Moment};
use super::super::error::JournalError;
use super::super::lease::Term;
use super::super::record::{Appended, Batch, Key, KeyedEvent, Place, Record, Stored};
use super::super::time_source::HIDDEN;
use super::api::Outgoing;
use super::fold::Fold;
use super::message::{Entry, WriterMark};
use super::names::Names;
use super::plans;
use crate::contract::Role;

/// The answer to a batch.
pub(super) type Answer = Result<Vec<Appended>, JournalError>;

/// What is published in one attempt, and what it answers.
#[derive(Debug)]
pub(super) struct Draft {
    /// The head that the stream must have.
    pub(super) after: u64,
    /// The chain of the event there.
    pub(super) base: u64,
    /// Whether it was judged by events that were acknowledged and not read back.
    pub(super) is_ahead: bool,
    /// In the order of their positions.
    pub(super) messages: Vec<Outgoing>,
    /// What the messages say, each with its chain.
    pub(super) entries: Vec<(Entry, u64)>,
    /// In the order of the batches, if the messages are stored.
    pub(super) answers: Vec<Answer>,
    /// The plans of the incidents that begin, with their ids.
    pub(super) plans: Vec<(String, Arc<str>)>,
    /// What the next batches are judged by, once this draft is acknowledged.
    pub(super) ahead: Option<Ahead>,
}

impl Draft {
    /// Whether an answer could be another one for a server that has read further.
    pub(super) fn has_gap(&self) -> bool {
        let is_gap =
            |answer: &Answer| matches!(answer, Err(JournalError::Gap { .. } | JournalError::Refused(_)));
        self.answers.iter().any(is_gap)
    }
}

/// What the stream has beyond the fold: its head, and the events between, which were acknowledged and not read back.
#[derive(Debug)]
pub(super) struct Ahead {
    head: u64,
    chain: u64,
    newest_us: Option<i64>,
    progress: HashMap<Arc<str>, Reached>,
    positions: HashMap<(Arc<str>, u64), u64>,
    keys: HashMap<(String, String), KeyedEvent>,
}

impl Ahead {
    fn nothing(fold: &Fold) -> Self {
        Self {
            head: fold.head,
            chain: fold.chain,
            newest_us: fold.newest_us,
            progress: HashMap::new(),
            positions: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    /// Without what the fold has, too; nothing if it has all.
    fn beyond(mut self, fold: &Fold) -> Option<Self> {
        self.progress.retain(|_, reached| reached.position > fold.head);
        self.positions.retain(|_, position| *position > fold.head);
        self.keys.retain(|_, event| event.position > fold.head);
        (self.head > fold.head).then_some(self)
    }
}

/// An incident as the earlier batches leave it.
#[derive(Debug, Clone, Copy)]
struct Reached {
    progress: IncidentProgress,
    start: u64,
    moment: Moment,
    /// Position of its newest event.
    position: u64,
}

/// Judges batches against the fold and what is acknowledged behind it.
pub(super) fn judge(
    fold: &Fold,
    acknowledged: Option<Ahead>,
    clock: &Clock,
    names: &Names,
    writer: WriterMark,
    term: Term,
    batches: &[Batch],
) -> Draft {
    let acknowledged = acknowledged.and_then(|ahead| ahead.beyond(fold));
    let is_ahead = acknowledged.is_some();
    let ahead = acknowledged.unwrap_or_else(|| Ahead::nothing(fold));
    let (after, base) = (ahead.head, ahead.chain);
    let (messages, entries, plans) = (Vec::new(), Vec::new(), Vec::new());
    let mut drafting = Drafting { fold, clock, names, writer, ahead, messages, entries, plans };
    let answers = batches.iter().map(|batch| drafting.take(batch, term)).collect();
    let Drafting { ahead, messages, entries, plans, .. } = drafting;
    Draft { after, base, is_ahead, messages, entries, answers, plans, ahead: Some(ahead) }
}

/// The fold with what the earlier batches add to it.
struct Drafting<'a> {
    fold: &'a Fold,
    clock: &'a Clock,
    names: &'a Names,
    writer: WriterMark,
    ahead: Ahead,
    messages: Vec<Outgoing>,
    entries: Vec<(Entry, u64)>,
    plans: Vec<(String, Arc<str>)>,
}

impl Drafting<'_> {
    fn take(&mut self, batch: &Batch, term: Term) -> Answer {
        admission::check_lease(batch, term)?;
        let admitted = match admission::admit_expected(batch, self) {
            Ok(admitted) => admitted?,
            Err(never) => match never {},
        };
        let Ok(appended) = admission::insert_new(batch.records.clone(), &admitted, |record, index| {
            Ok::<_, Infallible>(self.insert(record, index))
        });
        Ok(appended)
    }

    fn insert(&mut self, record: Record, index: u64) -> u64 {
        let Record { subject, place, kind, data, plan } = record;
        let position = self.ahead.head + 1;
        let ahead = self.ahead.progress.get(subject.as_str()).copied();
        let known = self.fold.incident(&subject);
        let last = ahead.map(|ahead| ahead.moment).or_else(|| known.map(|incident| incident.last));
        let start = ahead.map(|ahead| ahead.start).or_else(|| known.map(|incident| incident.start));
        let start = start.unwrap_or(position);
        let moment = self.moment(last);
        let mark = plan.as_deref().filter(|_| index == 1).map(plans::mark);
        if let Some(plan) = plan.filter(|_| index == 1) {
            self.plans.push((subject.clone(), plan));
        }
        let key = match place {
            Place::Next(key) => Some(key),
            Place::At(_) => None,
        };
        if let Some(Key { source, id, digest }) = key.clone() {
            self.ahead.keys.insert((source, id), KeyedEvent { position, index, digest });
        }
        let subject: Arc<str> = subject.into();
        let end = (kind.role() == Role::End).then_some(position);
        let reached = Reached { progress: IncidentProgress { index, end }, start, moment, position };
        self.ahead.progress.insert(Arc::clone(&subject), reached);
        self.ahead.positions.insert((Arc::clone(&subject), index), position);
        let stored = Stored { position, time: moment.time, subject, index, kind, data };
        let entry = Entry { stored, start, writer: self.writer, key, plan: mark };
        let chain = entry.chain(self.ahead.chain);
        let mut headers = entry.headers(chain);
        if self.messages.is_empty() {
            headers.insert("Nats-Expected-Last-Sequence", self.ahead.head.to_string());
        }
        self.messages.push(Outgoing {
            subject: self.names.incident(&entry.stored.subject),
            headers,
            payload: entry.stored.data.get().to_owned().into(),
        });
        (self.ahead.head, self.ahead.chain) = (position, chain);
        self.ahead.newest_us = Some(entry.stored.time.as_microsecond());
        self.entries.push((entry, chain));
        position
    }

    /// The moment of an event. Another server's clock may be ahead of this one: over the stream, the time does not fall for
    /// that.
    fn moment(&self, last: Option<Moment>) -> Moment {
        let own = self.clock.stamp(last);
        let newest = self.ahead.newest_us.and_then(|newest| Timestamp::from_microsecond(newest).ok());
        let hidden = HIDDEN.as_micros().cast_signed();
        match newest {
            Some(newest)
                if newest > own.time
                    && i128::from(newest.as_microsecond() - own.time.as_microsecond()) <= hidden =>
            {
                Moment { time: newest, ..own }
            }
            _ => own,
        }
    }
}

impl Lookup for Drafting<'_> {
    type Error = Infallible;

    fn progress(&self, subject: &str) -> Result<IncidentProgress, Infallible> {
        let ahead = self.ahead.progress.get(subject).map(|ahead| ahead.progress);
        Ok(ahead.unwrap_or_else(|| self.fold.progress(subject)))
    }

    fn position(&self, subject: &str, index: u64) -> Result<Option<u64>, Infallible> {
        let ahead = self.ahead.positions.get(&(Arc::from(subject), index)).copied();
        Ok(ahead.or_else(|| self.fold.position(subject, index)))
    }

    fn by_key(&self, key: &Key) -> Result<Option<KeyedEvent>, Infallible> {
        let name = (key.source.clone(), key.id.clone());
        Ok(self.ahead.keys.get(&name).copied().or_else(|| self.fold.named(&name)))
    }
}

/// About the bytes of a batch on its way to the servers.
pub(super) fn weight(batch: &Batch) -> usize {
    const HEADERS: usize = 512;
    batch.records.iter().map(|record| record.data.get().len() + record.subject.len() + HEADERS).sum()
}

/// How long an attempt may go without an answer until its callers are told that the journal can't be used.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests;
