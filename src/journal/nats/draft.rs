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
    /// In the order of their positions.
    pub(super) messages: Vec<Outgoing>,
    /// What the messages say, each with its chain.
    pub(super) entries: Vec<(Entry, u64)>,
    /// In the order of the batches, if the messages are stored.
    pub(super) answers: Vec<Answer>,
    /// The plans of the incidents that begin, with their ids.
    pub(super) plans: Vec<(String, Arc<str>)>,
}

impl Draft {
    /// Whether an answer could be another one for a server that has read further.
    pub(super) fn has_gap(&self) -> bool {
        let is_gap =
            |answer: &Answer| matches!(answer, Err(JournalError::Gap { .. } | JournalError::Refused(_)));
        self.answers.iter().any(is_gap)
    }
}

/// Judges batches against the fold.
pub(super) fn judge(
    fold: &Fold,
    clock: &Clock,
    names: &Names,
    writer: WriterMark,
    term: Term,
    batches: &[Batch],
) -> Draft {
    let mut drafting = Drafting {
        fold,
        clock,
        names,
        writer,
        head: fold.head,
        chain: fold.chain,
        newest_us: fold.newest_us,
        progress: HashMap::new(),
        positions: HashMap::new(),
        keys: HashMap::new(),
        messages: Vec::new(),
        entries: Vec::new(),
        plans: Vec::new(),
    };
    let answers = batches.iter().map(|batch| drafting.take(batch, term)).collect();
    let Drafting { messages, entries, plans, .. } = drafting;
    Draft { after: fold.head, messages, entries, answers, plans }
}

/// The fold with what the earlier batches add to it.
struct Drafting<'a> {
    fold: &'a Fold,
    clock: &'a Clock,
    names: &'a Names,
    writer: WriterMark,
    head: u64,
    chain: u64,
    newest_us: Option<i64>,
    progress: HashMap<Arc<str>, Ahead>,
    positions: HashMap<(Arc<str>, u64), u64>,
    keys: HashMap<(String, String), KeyedEvent>,
    messages: Vec<Outgoing>,
    entries: Vec<(Entry, u64)>,
    plans: Vec<(String, Arc<str>)>,
}

/// An incident as the earlier batches leave it.
#[derive(Clone, Copy)]
struct Ahead {
    progress: IncidentProgress,
    start: u64,
    moment: Moment,
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
        let position = self.head + 1;
        let ahead = self.progress.get(subject.as_str()).copied();
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
            self.keys.insert((source, id), KeyedEvent { position, index, digest });
        }
        let subject: Arc<str> = subject.into();
        let end = (kind.role() == Role::End).then_some(position);
        let ahead = Ahead { progress: IncidentProgress { index, end }, start, moment };
        self.progress.insert(Arc::clone(&subject), ahead);
        self.positions.insert((Arc::clone(&subject), index), position);
        let stored = Stored { position, time: moment.time, subject, index, kind, data };
        let entry = Entry { stored, start, writer: self.writer, key, plan: mark };
        self.chain = entry.chain(self.chain);
        let mut headers = entry.headers(self.chain);
        if self.messages.is_empty() {
            headers.insert("Nats-Expected-Last-Sequence", self.head.to_string());
        }
        self.messages.push(Outgoing {
            subject: self.names.incident(&entry.stored.subject),
            headers,
            payload: entry.stored.data.get().to_owned().into(),
        });
        self.head = position;
        self.newest_us = Some(entry.stored.time.as_microsecond());
        self.entries.push((entry, self.chain));
        position
    }

    /// The moment of an event. Another server's clock may be ahead of this one: over the stream, the time does not fall for
    /// that.
    fn moment(&self, last: Option<Moment>) -> Moment {
        let own = self.clock.stamp(last);
        let newest = self.newest_us.and_then(|newest| Timestamp::from_microsecond(newest).ok());
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
        let ahead = self.progress.get(subject).map(|ahead| ahead.progress);
        Ok(ahead.unwrap_or_else(|| self.fold.progress(subject)))
    }

    fn position(&self, subject: &str, index: u64) -> Result<Option<u64>, Infallible> {
        let ahead = self.positions.get(&(Arc::from(subject), index)).copied();
        Ok(ahead.or_else(|| self.fold.position(subject, index)))
    }

    fn by_key(&self, key: &Key) -> Result<Option<KeyedEvent>, Infallible> {
        let name = (key.source.clone(), key.id.clone());
        Ok(self.keys.get(&name).copied().or_else(|| self.fold.named(&name)))
    }
}

/// About the bytes of a batch on its way to the servers.
pub(super) fn weight(batch: &Batch) -> usize {
    const HEADERS: usize = 512;
    batch.records.iter().map(|record| record.data.get().len() + record.subject.len() + HEADERS).sum()
}

/// How long an attempt may go without an answer until its callers are told that the journal can't be used.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
