//! Adding the actions of people and programs to an incident while it is played.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::control::Player;
use super::course::Course;
use super::error::AddError;
use super::pace::Past;
use crate::contract::{Message, MessageType, check_size};
use crate::ingest::{Fault, Remembered};
use crate::journal::{Appended, Batch, JournalError, Key, Place, Record};

/// An action to be added to an incident that is played.
#[derive(Debug, Clone)]
pub struct Addition {
    /// Under which it is stored once.
    pub key: Key,
    /// The payload of an `agent_action`, with `origin`; `synthetic`, `offset_s` and `phase` are set here.
    pub data: Map<String, Value>,
    /// The index that the incident's newest event must have.
    pub after_index: Option<u64>,
}

/// Whether actions are added together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adding {
    /// All or none.
    Together,
    /// Each that fits.
    Each,
}

/// Why no action of a request was added.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotAdded {
    /// The number of the action that does not fit, from 0; `None` if no action does.
    pub action: Option<usize>,
    /// Why.
    pub error: AddError,
}

impl From<AddError> for NotAdded {
    fn from(error: AddError) -> Self {
        Self { action: None, error }
    }
}

impl From<JournalError> for NotAdded {
    fn from(error: JournalError) -> Self {
        Self::from(AddError::from(error))
    }
}

/// What became of each action, in order. With [`Adding::Together`] each of them is added.
type Outcomes = Vec<Result<Appended, AddError>>;

impl Player {
    /// Adds actions to an incident that this player plays. They get the next indexes, and the plan goes on after them.
    ///
    /// # Errors
    /// The player does not play the incident, the journal takes nothing now, or, with [`Adding::Together`], an action does not
    /// fit. Then nothing was added.
    pub async fn add(
        &self,
        id: &str,
        additions: Vec<Addition>,
        adding: Adding,
    ) -> Result<Outcomes, NotAdded> {
        let Some(entry) = self.context.running.get(id) else { return Err(self.absent(id).await.into()) };
        let mut course = entry.append_lock.lock().await;
        if entry.ended.is_cancelled() {
            return Err(AddError::NotPlayed.into());
        }
        if course.is_doubtful {
            let span = self.context.journal.incident(id).await?.ok_or(AddError::NotPlayed)?;
            course.added = Past::added(&self.context.journal, id, span.start).await?;
            course.is_doubtful = false;
        }
        let (origin, speed) = entry.clock.ok_or(AddError::Later)?;
        let screen_us = (origin.elapsed().as_secs_f64() * speed.get() * 1e6) as u64;
        if course.term.is_none() {
            return Err(AddError::Later.into());
        }
        let mut newest = course.index()?;
        let mut remembered = course.added.remembered.clone();
        let mut outcomes: Vec<Option<AddError>> = Vec::with_capacity(additions.len());
        let mut fitting = Vec::with_capacity(additions.len());
        for (number, addition) in additions.into_iter().enumerate() {
            match judged(&mut course, id, addition, newest, screen_us, &remembered) {
                Ok(new) => {
                    newest += 1;
                    remembered.see(&new.1);
                    fitting.push(new);
                    outcomes.push(None);
                }
                Err(error) if adding == Adding::Each => outcomes.push(Some(error)),
                Err(error) => return Err(NotAdded { action: Some(number), error }),
            }
        }
        let mut appended = self.store(&mut course, fitting, adding).await?.into_iter();
        let outcomes = outcomes.into_iter().map(|outcome| match outcome {
            Some(error) => Err(error),
            // There is one for each that fits.
            None => appended.next().unwrap_or(Err(AddError::Later)),
        });
        Ok(outcomes.collect())
    }

    /// Why this player takes no action for an incident that it does not play.
    async fn absent(&self, id: &str) -> AddError {
        let journal = &self.context.journal;
        if !journal.is_shared() {
            return AddError::NotPlayed;
        }
        if self.leading.borrow().is_none() {
            return AddError::Elsewhere;
        }
        match journal.incident(id).await {
            // Another server has just started it, and this player is about to pick it up, unless nobody can play it.
            Ok(Some(span)) if span.end.is_none() => match journal.plan(id).await {
                Ok(Some(_)) => AddError::Later,
                Ok(None) => AddError::NotPlayed,
                Err(error) => error.into(),
            },
            Ok(_) => AddError::NotPlayed,
            Err(error) => error.into(),
        }
    }

    /// Stores actions that fit, with one append. If the journal refuses that because of one of them, each by itself.
    async fn store(
        &self,
        course: &mut Course,
        fitting: Vec<(Record, Message)>,
        adding: Adding,
    ) -> Result<Outcomes, NotAdded> {
        if fitting.is_empty() {
            return Ok(Vec::new());
        }
        let (records, messages): (Vec<Record>, Vec<Message>) = fitting.into_iter().unzip();
        match self.append(course, records.clone(), &messages).await {
            Ok(appended) => Ok(appended.into_iter().map(Ok).collect()),
            Err(error) if error.is_temporary() || adding == Adding::Together => {
                let action = records.iter().position(|record| is_of(&error, record));
                Err(NotAdded { action, error: error.into() })
            }
            Err(_) => {
                let mut outcomes = Vec::with_capacity(records.len());
                for (record, message) in records.into_iter().zip(messages) {
                    let appended = self.append(course, vec![record], &[message]).await;
                    outcomes.push(
                        appended
                            .map_err(AddError::from)
                            .and_then(|appended| appended.first().copied().ok_or(AddError::NotPlayed)),
                    );
                }
                Ok(outcomes)
            }
        }
    }

    async fn append(
        &self,
        course: &mut Course,
        records: Vec<Record>,
        messages: &[Message],
    ) -> Result<Vec<Appended>, JournalError> {
        // A player that has lost the lease does not know what the next one has added: the journal refuses its batch.
        let batch = Batch { records, term: course.term, ..Batch::default() };
        let appended = match self.context.journal.append(batch).await {
            Ok(appended) => appended,
            Err(error) => {
                course.is_doubtful |= error.is_temporary();
                return Err(error);
            }
        };
        for (appended, message) in appended.iter().zip(messages).filter(|(appended, _)| appended.new) {
            course.added.indexes.push(appended.index);
            course.added.remembered.see(message);
            if let Message::AgentAction(action) = message {
                course.added.actions.count(action.status);
            }
        }
        Ok(appended)
    }
}

/// Whether an append failed because of this record.
fn is_of(error: &JournalError, record: &Record) -> bool {
    match (error, &record.place) {
        (JournalError::KeyReused { publisher, id, .. }, Place::Next(key)) => {
            key.source == *publisher && key.id == *id
        }
        _ => false,
    }
}

/// An action as it is stored, if it fits an incident whose newest event has this index.
fn judged(
    course: &mut Course,
    id: &str,
    addition: Addition,
    newest: u64,
    screen_us: u64,
    remembered: &Remembered,
) -> Result<(Record, Message), AddError> {
    let Addition { key, mut data, after_index } = addition;
    if after_index.is_some_and(|expected| expected != newest) {
        return Err(AddError::Moved { current: newest });
    }
    let (second, phase) = course.moment(screen_us);
    data.insert("synthetic".to_owned(), true.into());
    data.insert("offset_s".to_owned(), second.into());
    if let Some(phase) = phase {
        data.insert("phase".to_owned(), phase.into());
    }
    let refused = |error: serde_json::Error| AddError::Journal(JournalError::Refused(error.to_string()));
    let (kind, value) = (MessageType::AgentAction, Value::Object(data));
    let message = Message::from_value(kind, &value).map_err(refused)?;
    let Message::AgentAction(action) = &message else { return Err(AddError::NotPlayed) };
    if action.caused_by.is_some_and(|cause| cause > newest) {
        return Err(AddError::Cause { current: newest });
    }
    let mut faults = Vec::new();
    remembered.judge(&message, &mut faults);
    if let Some(Fault { pointer, detail, .. }) = faults.into_iter().next() {
        return Err(AddError::TooMuch { pointer, detail });
    }
    let data = to_raw_value(&value).map_err(refused)?;
    check_size(id, kind, data.get().len()).map_err(JournalError::Refused)?;
    let record = Record { subject: id.to_owned(), place: Place::Next(key), kind, data, plan: None };
    Ok((record, message))
}
