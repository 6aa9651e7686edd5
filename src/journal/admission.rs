//! Admission: decides for every engine which records of a batch are new, which are repeats, and whether the journal can
//! take the batch at all.

use std::collections::HashMap;

use super::error::JournalError;
use super::record::{Appended, Batch, Key, KeyedEvent, Place, Record};
use crate::contract::{MAX_INDEX, Role};

/// How many events of an incident the journal has, and whether the incident has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct IncidentProgress {
    /// Index of its newest event, 0 before the first.
    pub(super) index: u64,
    /// Position of its resolution, if it has ended.
    pub(super) end: Option<u64>,
}

/// What admission asks an engine about the stored events.
pub(super) trait Lookup {
    /// Why the engine cannot answer.
    type Error;

    /// How far an incident has come.
    fn progress(&self, subject: &str) -> Result<IncidentProgress, Self::Error>;

    /// Position of an event whose index is at most that of [`Lookup::progress`]; `None` if retention dropped the event.
    fn position(&self, subject: &str, index: u64) -> Result<Option<u64>, Self::Error>;

    /// The event with this key, if it is still kept.
    fn by_key(&self, key: &Key) -> Result<Option<KeyedEvent>, Self::Error>;
}

/// What becomes of one record of an admitted batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It is new and gets the next position and this index.
    New { index: u64 },
    /// The journal has the event already.
    Repeat { position: u64, index: u64 },
    /// It repeats an earlier record of the same batch: the one with this number, from 0.
    RepeatOf { earlier: usize },
}

/// Decides about a batch as a whole. The outer error says that the engine could not answer, the inner one that the
/// batch is refused.
pub(super) fn admit<K: Lookup>(
    batch: &[Record],
    lookup: &K,
) -> Result<Result<Vec<Admitted>, JournalError>, K::Error> {
    let mut admission = BatchAdmission { lookup, ahead: HashMap::new(), keys: HashMap::new() };
    let mut admitted = Vec::with_capacity(batch.len());
    for (place, record) in batch.iter().enumerate() {
        match admission.decide(place, record)? {
            Ok(decision) => admitted.push(decision),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(admitted))
}

/// Inserts the new records of an admitted batch. `insert` is called with each new record and its index, and returns the
/// record's position.
pub(super) fn insert_new<E>(
    batch: Vec<Record>,
    admitted: &[Admitted],
    mut insert: impl FnMut(Record, u64) -> Result<u64, E>,
) -> Result<Vec<Appended>, E> {
    let mut appended: Vec<Appended> = Vec::with_capacity(batch.len());
    for (record, decision) in batch.into_iter().zip(admitted) {
        appended.push(match *decision {
            Admitted::New { index } => Appended { position: insert(record, index)?, index, new: true },
            Admitted::Repeat { position, index } => Appended { position, index, new: false },
            Admitted::RepeatOf { earlier } => Appended { new: false, ..appended[earlier] },
        });
    }
    Ok(appended)
}

/// Refuses a batch that was appended under an older lease than the newest.
pub(super) fn check_lease(batch: &Batch, newest: super::lease::Term) -> Result<(), JournalError> {
    match batch.term {
        Some(term) if term != newest => Err(JournalError::LeaseLost),
        _ => Ok(()),
    }
}

/// Decides about a batch as a whole, as [`admit`], and refuses one whose caller expects other events than are stored.
pub(super) fn admit_expected<K: Lookup>(
    batch: &Batch,
    lookup: &K,
) -> Result<Result<Vec<Admitted>, JournalError>, K::Error> {
    let admitted = match admit(&batch.records, lookup)? {
        Ok(admitted) => admitted,
        refused => return Ok(refused),
    };
    for (subject, expected) in &batch.expected {
        let is_new = |(record, admitted): (&Record, &Admitted)| {
            record.subject == *subject && matches!(admitted, Admitted::New { .. })
        };
        if batch.records.iter().zip(&admitted).any(is_new) {
            let has = lookup.progress(subject)?.index;
            if has != *expected {
                return Ok(Err(JournalError::Moved { subject: subject.clone(), expected: *expected, has }));
            }
        }
    }
    Ok(Ok(admitted))
}

/// The admission of one batch, record by record.
struct BatchAdmission<'a, K> {
    lookup: &'a K,
    /// The incidents as the earlier records of the batch leave them.
    ahead: HashMap<&'a str, IncidentInBatch>,
    /// The keys of the earlier records: for each key the record's number in the batch and its digest.
    keys: HashMap<(&'a str, &'a str), (usize, [u8; 32])>,
}

/// An incident as the earlier records of the batch leave it.
struct IncidentInBatch {
    /// What the journal has of it.
    stored: IncidentProgress,
    /// Index of its newest event, the earlier records included.
    index: u64,
    /// Whether one of the earlier records ends it.
    ends: bool,
    /// Its new records so far, as their numbers in the batch, in order of their indexes.
    records: Vec<usize>,
}

type Decision = Result<Admitted, JournalError>;

impl<'a, K: Lookup> BatchAdmission<'a, K> {
    fn decide(&mut self, place: usize, record: &'a Record) -> Result<Decision, K::Error> {
        if let Err(refused) = record.check() {
            return Ok(Err(refused));
        }
        if let Place::Next(key) = &record.place
            && let Some(decision) = self.repeat_by_key(key, place)?
        {
            return Ok(decision);
        }
        let subject = record.subject.as_str();
        if !self.ahead.contains_key(subject) {
            let stored = self.lookup.progress(subject)?;
            self.ahead.insert(
                subject,
                IncidentInBatch { stored, index: stored.index, ends: false, records: Vec::new() },
            );
        }
        // The lines above have inserted it.
        let Some(ahead) = self.ahead.get_mut(subject) else { return Ok(Err(gap(subject, 0, 0))) };
        let index = match record.place {
            Place::At(index) => index,
            Place::Next(_) => ahead.index + 1,
        };
        if index <= ahead.stored.index {
            return Ok(match self.lookup.position(subject, index)? {
                Some(position) => Ok(Admitted::Repeat { position, index }),
                None => {
                    let why = format!("event {index} of {subject} was dropped by retention");
                    Err(JournalError::Refused(why))
                }
            });
        }
        if index <= ahead.index {
            let earlier = ahead.records[(index - ahead.stored.index) as usize - 1];
            return Ok(Ok(Admitted::RepeatOf { earlier }));
        }
        if index > ahead.index + 1 {
            return Ok(Err(gap(subject, index, ahead.index)));
        }
        if ahead.ends || ahead.stored.end.is_some() {
            let (subject, position) = (subject.to_owned(), ahead.stored.end);
            return Ok(Err(JournalError::Ended { subject, position }));
        }
        if (record.kind.role() == Role::Start) != (index == 1) {
            let kind = record.kind.as_str();
            let why = format!(
                "event {index} of {subject} cannot be {kind}: incident_started is the first event of an incident, and only the first"
            );
            return Ok(Err(JournalError::Refused(why)));
        }
        if index > MAX_INDEX {
            return Ok(Err(JournalError::Refused(format!("{subject} has {MAX_INDEX} events already"))));
        }
        ahead.index = index;
        ahead.ends = record.kind.role() == Role::End;
        ahead.records.push(place);
        Ok(Ok(Admitted::New { index }))
    }

    fn repeat_by_key(&mut self, key: &'a Key, place: usize) -> Result<Option<Decision>, K::Error> {
        let reused = |position| {
            let (publisher, id) = (key.source.clone(), key.id.clone());
            Err(JournalError::KeyReused { publisher, id, position })
        };
        if let Some((first, digest)) = self.keys.get(&(key.source.as_str(), key.id.as_str())) {
            let same = *digest == key.digest;
            return Ok(Some(if same { Ok(Admitted::RepeatOf { earlier: *first }) } else { reused(None) }));
        }
        if let Some(keyed) = self.lookup.by_key(key)? {
            let KeyedEvent { position, index, .. } = keyed;
            let same = keyed.is_repeated_by(&key.digest);
            return Ok(Some(if same {
                Ok(Admitted::Repeat { position, index })
            } else {
                reused(Some(position))
            }));
        }
        self.keys.insert((key.source.as_str(), key.id.as_str()), (place, key.digest));
        Ok(None)
    }
}

fn gap(subject: &str, index: u64, has: u64) -> JournalError {
    JournalError::Gap { subject: subject.to_owned(), index, has }
}
