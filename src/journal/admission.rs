//! What may follow what: the one decision, shared by all engines, about which records of a batch are new, which are
//! repeats, and whether the batch can go in at all.

use std::collections::HashMap;

use super::error::JournalError;
use super::record::{Appended, Batch, Key, Place, Record};
use crate::contract::{MAX_INDEX, Role};

/// How far an incident is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Index of its newest event, 0 before the first.
    pub(super) index: u64,
    /// Position of its resolution, if it has ended.
    pub(super) end: Option<u64>,
}

/// The event that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keyed {
    pub(super) position: u64,
    pub(super) index: u64,
    pub(super) digest: [u8; 32],
}

/// What an engine knows of the events that are in.
pub(super) trait Known {
    /// Why it can't be asked.
    type Error;

    /// How far an incident is.
    fn reached(&self, subject: &str) -> Result<Reached, Self::Error>;

    /// Position of an event of which [`Known::reached`] says that it was appended; `None` if retention dropped it.
    fn position(&self, subject: &str, index: u64) -> Result<Option<u64>, Self::Error>;

    /// The event with a key, if one is kept.
    fn keyed(&self, key: &Key) -> Result<Option<Keyed>, Self::Error>;
}

/// What becomes of one record of a batch that is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It gets the next position, and this index.
    New { index: u64 },
    /// The event is in already.
    Repeat { position: u64, index: u64 },
    /// It repeats the record at this place of the same batch.
    RepeatOf { place: usize },
}

/// Decides about a batch: all of it or nothing. The outer error is the engine's, the inner one the batch's.
pub(super) fn admit<K: Known>(
    batch: &[Record],
    known: &K,
) -> Result<Result<Vec<Admitted>, JournalError>, K::Error> {
    let mut desk = Desk { known, ahead: HashMap::new(), keys: HashMap::new() };
    let mut admitted = Vec::with_capacity(batch.len());
    for (place, record) in batch.iter().enumerate() {
        match desk.decide(place, record)? {
            Ok(decision) => admitted.push(decision),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(admitted))
}

/// Puts a batch in whose records are admitted. `insert` gets each new record with its index and gives its position.
pub(super) fn insert<E>(
    batch: Vec<Record>,
    admitted: &[Admitted],
    mut insert: impl FnMut(Record, u64) -> Result<u64, E>,
) -> Result<Vec<Appended>, E> {
    let mut appended: Vec<Appended> = Vec::with_capacity(batch.len());
    for (record, decision) in batch.into_iter().zip(admitted) {
        appended.push(match *decision {
            Admitted::New { index } => Appended { position: insert(record, index)?, index, new: true },
            Admitted::Repeat { position, index } => Appended { position, index, new: false },
            Admitted::RepeatOf { place } => Appended { new: false, ..appended[place] },
        });
    }
    Ok(appended)
}

/// Whether a batch's lease is the newest.
pub(super) fn check_lease(batch: &Batch, newest: super::lease::Term) -> Result<(), JournalError> {
    match batch.term {
        Some(term) if term != newest => Err(JournalError::LeaseLost),
        _ => Ok(()),
    }
}

struct Desk<'a, K> {
    known: &'a K,
    /// Incidents as they are with the records before.
    ahead: HashMap<&'a str, Ahead>,
    /// Keys of the records before: their places and digests.
    keys: HashMap<(&'a str, &'a str), (usize, [u8; 32])>,
}

/// An incident with the records before in the batch.
struct Ahead {
    /// What is in.
    stored: Reached,
    /// Index of its newest event with the records before.
    index: u64,
    /// The records before end it.
    ends: bool,
    /// Places of the records before, in order of their index.
    places: Vec<usize>,
}

type Decision = Result<Admitted, JournalError>;

impl<'a, K: Known> Desk<'a, K> {
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
            let stored = self.known.reached(subject)?;
            self.ahead
                .insert(subject, Ahead { stored, index: stored.index, ends: false, places: Vec::new() });
        }
        // It was put there a moment ago.
        let Some(ahead) = self.ahead.get_mut(subject) else { return Ok(Err(gap(subject, 0, 0))) };
        let index = match record.place {
            Place::At(index) => index,
            Place::Next(_) => ahead.index + 1,
        };
        if index <= ahead.stored.index {
            return Ok(match self.known.position(subject, index)? {
                Some(position) => Ok(Admitted::Repeat { position, index }),
                None => {
                    let why = format!("event {index} of {subject} was dropped by retention");
                    Err(JournalError::Refused(why))
                }
            });
        }
        if index <= ahead.index {
            let place = ahead.places[(index - ahead.stored.index) as usize - 1];
            return Ok(Ok(Admitted::RepeatOf { place }));
        }
        if index > ahead.index + 1 {
            return Ok(Err(gap(subject, index, ahead.index)));
        }
        if ahead.ends || ahead.stored.end.is_some() {
            let (subject, position) = (subject.to_owned(), ahead.stored.end);
            return Ok(Err(JournalError::Ended { subject, position }));
        }
        if index > MAX_INDEX {
            return Ok(Err(JournalError::Refused(format!("{subject} has {MAX_INDEX} events already"))));
        }
        ahead.index = index;
        ahead.ends = record.kind.role() == Role::End;
        ahead.places.push(place);
        Ok(Ok(Admitted::New { index }))
    }

    fn repeat_by_key(&mut self, key: &'a Key, place: usize) -> Result<Option<Decision>, K::Error> {
        let reused = |position| {
            let (publisher, id) = (key.source.clone(), key.id.clone());
            Err(JournalError::KeyReused { publisher, id, position })
        };
        if let Some((first, digest)) = self.keys.get(&(key.source.as_str(), key.id.as_str())) {
            let same = *digest == key.digest;
            return Ok(Some(if same { Ok(Admitted::RepeatOf { place: *first }) } else { reused(None) }));
        }
        if let Some(Keyed { position, index, digest }) = self.known.keyed(key)? {
            let same = digest == key.digest;
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
