//! What has arrived while a server is listened to: what its connections are waited for with, and resume after.

use std::collections::HashMap;

use tokio::time::Instant;

use super::strangers::Bookmarks;
use crate::check::Note;
use crate::contract::{MessageType, StreamOpened};

/// The progress of the listening.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) opened: Option<StreamOpened>,
    /// The first and the highest position that arrived.
    pub(super) first: Option<u64>,
    pub(super) received: u64,
    pub(super) last_event: Option<Instant>,
    pub(super) subject: Option<String>,
    /// When the incident that is waited for ended.
    pub(super) over: Option<Instant>,
    pub(super) is_cut: bool,
    /// The highest position of each twin.
    pub(super) twins: HashMap<u32, u64>,
    /// What arrived of another program's stream.
    pub(super) bookmarks: Bookmarks,
}

impl Progress {
    /// The last position of the announced replay.
    fn announced(&self) -> u64 {
        let range = self.opened.as_ref().map(|opened| opened.follows.range());
        range.filter(|(from, to)| from <= to).map_or(0, |(_, to)| to)
    }

    pub(super) fn replay_is_complete(&self) -> bool {
        self.received >= self.announced()
    }

    /// Takes a message.
    pub(super) fn take(&mut self, note: Note, moment: Instant, triggered: bool) {
        if let Some(event) = note.foreign {
            self.last_event = Some(moment);
            if event.ends {
                self.over = self.over.or(Some(moment));
            }
            self.bookmarks.take(event);
            return;
        }
        if let Some(opened) = note.opened {
            self.opened.get_or_insert(opened);
        }
        if let Some(position) = note.position {
            self.first = self.first.or(Some(position));
            self.received = self.received.max(position);
            self.last_event = Some(moment);
        }
        if note.kind == MessageType::IncidentResolved.as_str() && self.over.is_none() {
            let waited_for = if triggered {
                self.subject.as_ref() == Some(&note.subject)
            } else {
                // An incident whose end is only replayed ended before the listening began.
                note.position.is_none_or(|position| position > self.announced())
            };
            if waited_for {
                self.subject = Some(note.subject);
                self.over = Some(moment);
            }
        }
    }
}
