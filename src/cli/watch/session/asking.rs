//! What `watch` asks the server about incidents, and what it makes of the answers.

use std::collections::VecDeque;

use super::super::unseen::Answer;
use super::super::words::{already, exit_of};
use super::Session;
use crate::cli::exit::{Exit, Failure};
use crate::cli::known;
use crate::contract::is_addressable;
use crate::report::IncidentStatus;

impl Session<'_> {
    /// The incidents whose ends may come unseen. Of one whose id is no part of a path no server can be asked.
    pub(super) fn open(&self) -> VecDeque<String> {
        if let Some(wanted) = &self.watch.incident {
            return [wanted.clone()].into();
        }
        // The newest first.
        let open = self.known.incidents().iter().rev();
        let open = open.filter(|incident| incident.state == IncidentStatus::Open);
        let open = open.map(|incident| &incident.id).filter(|id| Some(*id) != self.unread.as_ref());
        self.unread.iter().chain(open).filter(|id| is_addressable(id)).cloned().collect()
    }

    /// Asks the server for what may have ended unseen.
    pub(in super::super) fn ask<F>(&mut self, question: impl FnOnce(String) -> F)
    where
        F: Future<Output = Option<(String, Answer)>> + 'static,
    {
        // The end may be among what is still to come.
        if !self.has_all {
            return;
        }
        if self.unseen.are_lost() {
            let open = self.open();
            self.unseen.begin(open);
        }
        self.unseen.ask(question);
    }

    /// Takes what the server says of an incident: at once, if its end has come and can't be read.
    pub(in super::super) fn answered(&mut self, id: String, answer: Answer) -> Result<Option<Exit>, Failure> {
        self.has_interface |= match &answer {
            Ok(state) => state.is_some(),
            Err(why) => why.exit() == Exit::Usage,
        };
        if self.unread.as_ref() == Some(&id) {
            return self.told_of(&id, answer);
        }
        self.unseen.answered(id, answer);
        Ok(None)
    }

    /// Everything has come. An incident that was open must be among it: if it is not, it has ended meanwhile, or the stream is that of
    /// another server than the one that was asked.
    pub(super) fn miss(&mut self) {
        let is_expected = std::mem::take(&mut self.is_expected);
        let has_come = self.watch.incident.as_deref().is_none_or(|id| self.known.get(id).is_some());
        if is_expected && !has_come {
            self.unseen.lost();
        }
    }

    /// Takes what the server has said of incidents whose ends may have been lost, when everything has come that it had then.
    ///
    /// # Errors
    /// The server does not know the incident any more that is waited for.
    pub(super) fn conclude(&mut self) -> Result<Option<Exit>, Failure> {
        for (id, answer) in self.unseen.take() {
            if let Some(exit) = self.told_of(&id, answer)? {
                return Ok(Some(exit));
            }
        }
        Ok(None)
    }

    fn told_of(&mut self, id: &str, answer: Answer) -> Result<Option<Exit>, Failure> {
        let is_wanted = self.watch.incident.as_deref() == Some(id);
        let known = self.known.get(id).map(|incident| incident.state);
        match answer {
            // Its end has come.
            _ if known.is_some_and(|state| state != IncidentStatus::Open) => {}
            Ok(Some(ended)) if ended.state != IncidentStatus::Open => {
                self.note(&already(&ended));
                let exit = exit_of(ended.state);
                self.known.put(ended);
                return Ok(Some(exit).filter(|_| self.watch.until_resolved));
            }
            // Something else has answered in the place of the server.
            Ok(None) if self.has_interface => self.unseen.ask_again(id.to_owned()),
            // The server knows no better than the event that can't be read.
            Ok(_) if self.unread.as_deref() == Some(id) => {
                if self.watch.until_resolved {
                    return Err(known::unread_end(id));
                }
                self.known.forget(id);
            }
            // Its end will not come here.
            Ok(Some(_)) if known.is_none() && (!is_wanted || self.watch.after.is_none()) => {
                if self.without.insert(id.to_owned()) {
                    self.note(&format!("the connection leads to a stream without {id}, which goes on: the server is asked for its end"));
                }
                self.unseen.ask_again(id.to_owned());
            }
            Ok(Some(open)) => self.known.put(open),
            Ok(None) if is_wanted && known.is_none() => {
                self.unconfirmed = self.watch.incident.as_deref();
                self.confirm()?;
            }
            Err(unknown) if unknown.exit() == Exit::Usage => match known {
                // It has never said that it knows it.
                None if self.is_unanswered => return Err(unknown),
                _ if is_wanted || self.watch.until_resolved => return Err(known::forgotten(id)),
                _ => {
                    self.known.forget(id);
                    self.note(&known::is_forgotten(id));
                }
            },
            Ok(None) | Err(_) => self.unseen.ask_again(id.to_owned()),
        }
        Ok(None)
    }
}
