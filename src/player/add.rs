//! Adding the actions of people and programs to an incident while it is played.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::control::Player;
use super::course::Added;
use super::error::AddError;
use crate::contract::{Message, MessageType};
use crate::journal::{Appended, JournalError, Key, Place, Record};

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

impl Player {
    /// Adds actions to an incident that this player plays, all or none. They get the next indexes, and the plan goes on after
    /// them.
    ///
    /// # Errors
    /// The player does not play the incident, an action does not fit it, or the journal does not take them.
    pub async fn add(&self, id: &str, additions: Vec<Addition>) -> Result<Vec<Appended>, AddError> {
        let entry = self.context.running.get(id).ok_or(AddError::NotPlayed)?;
        let mut course = entry.append_lock.lock().await;
        if entry.ended.is_cancelled() {
            return Err(AddError::NotPlayed);
        }
        if course.is_doubtful {
            let span = self.context.journal.incident(id).await?.ok_or(AddError::NotPlayed)?;
            course.added = Added::read(&self.context.journal, id, span.start).await?;
            course.is_doubtful = false;
        }
        let (origin, speed) = entry.clock.ok_or(AddError::Later)?;
        let screen_us = (origin.elapsed().as_secs_f64() * speed.get() * 1e6) as u64;
        let newest = course.index()?;
        let (mut records, mut statuses) = (Vec::new(), Vec::new());
        for (newest, Addition { key, mut data, after_index }) in (newest..).zip(additions) {
            if after_index.is_some_and(|expected| expected != newest) {
                return Err(AddError::Moved { current: newest });
            }
            let (second, phase) = course.moment(screen_us);
            data.insert("synthetic".to_owned(), true.into());
            data.insert("offset_s".to_owned(), second.into());
            if let Some(phase) = phase {
                data.insert("phase".to_owned(), phase.into());
            }
            let refused =
                |error: serde_json::Error| AddError::Journal(JournalError::Refused(error.to_string()));
            let value = Value::Object(data);
            let Message::AgentAction(action) =
                Message::from_value(MessageType::AgentAction, &value).map_err(refused)?
            else {
                return Err(AddError::NotPlayed);
            };
            if action.caused_by.is_some_and(|cause| cause > newest) {
                return Err(AddError::Cause { current: newest });
            }
            statuses.push(action.status);
            records.push(Record {
                subject: id.to_owned(),
                place: Place::Next(key),
                kind: MessageType::AgentAction,
                data: to_raw_value(&value).map_err(refused)?,
                plan: None,
            });
        }
        let appended = match self.context.journal.append(records).await {
            Ok(appended) => appended,
            Err(error) => {
                course.is_doubtful = error.is_temporary();
                return Err(error.into());
            }
        };
        for (appended, status) in appended.iter().zip(statuses).filter(|(appended, _)| appended.new) {
            course.added.indexes.push(appended.index);
            course.added.actions.count(status);
        }
        Ok(appended)
    }
}
