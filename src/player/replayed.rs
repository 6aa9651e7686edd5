//! What the journal has of the replays of a recording. It says which incidents are left to begin, whatever the clock says.

use std::collections::HashMap;
use std::time::Duration;

use super::control::Player;
use super::course::Added;
use super::elapsed::{self, LastAppended};
use super::origin::Origin;
use super::replay::{Cue, Replay};
use crate::contract::{IncidentStarted, Message};
use crate::journal::{JournalError, OpenIncident, ReadLimit, Span, Stored};

/// The journal forgets the names of what retention has dropped long ago: so many numbers without a replay are passed over.
const FORGOTTEN: u64 = 100;

/// One of the replays of a recording in a journal.
pub(super) struct ReplayRun {
    /// How many replays of the recording came before it.
    pub(super) number: u64,
    pub(super) origin: Origin,
    /// How many of its incidents, from the first one on, have had their turn.
    pub(super) past: usize,
    /// How many of them have begun; the others could not.
    pub(super) begun: usize,
}

impl ReplayRun {
    fn new(number: u64) -> Self {
        Self { number, origin: Origin::now(), past: 0, begun: 0 }
    }
}

/// The first event of an incident that a replay has begun.
struct Begun {
    number: u64,
    event: Stored,
    started: IncidentStarted,
}

/// How far a replay has come.
struct Progress {
    past: usize,
    begun: usize,
    is_over: bool,
    last: LastAppended,
}

impl Player {
    /// The replay that is not over in the journal, or a new one.
    pub(super) async fn replay_run(&self, replay: &Replay) -> Result<ReplayRun, JournalError> {
        let Some(first) = replay.cues.first() else { return Ok(ReplayRun::new(0)) };
        // The first incident starts with the replay.
        let (free, newest) = self.newest_replay(first).await?;
        let Some(newest) = newest else { return Ok(ReplayRun::new(free)) };
        if newest.started.speed.unwrap_or(1.0).to_bits() != first.speed.get().to_bits() {
            return Ok(ReplayRun::new(free));
        }
        let Progress { past, begun, is_over, last } = self.progress(replay, &newest).await?;
        if is_over {
            return Ok(ReplayRun::new(free));
        }
        let elapsed = elapsed::since(self.context.journal.clock(), newest.event.time, last);
        Ok(ReplayRun { number: newest.number, origin: Origin::ago(elapsed), past, begun })
    }

    /// The number for a new replay, and the newest replay whose first incident is kept.
    async fn newest_replay(&self, first: &Cue) -> Result<(u64, Option<Begun>), JournalError> {
        let (mut number, mut free) = (0, 0);
        let mut newest: Option<Begun> = None;
        while number <= free + FORGOTTEN {
            let mut has_name = false;
            for name in first.own_names(number) {
                let Some(span) = self.context.journal.incident(&name).await? else {
                    // Retention may have dropped what had this name.
                    has_name |= !self.context.journal.is_taken(&name).await?;
                    continue;
                };
                free = number + 1;
                if newest.as_ref().is_some_and(|newest| newest.event.position > span.start) {
                    continue;
                }
                if let Some((event, started)) = self.first_event(&span).await?
                    && first.is_played_as(&started)
                {
                    newest = Some(Begun { number, event, started });
                }
            }
            if !has_name {
                free = number + 1;
            }
            number += 1;
        }
        Ok((free, newest))
    }

    /// How far a replay that another process has begun had come when this one began to continue its incidents.
    async fn progress(&self, replay: &Replay, run: &Begun) -> Result<Progress, JournalError> {
        let now = self.context.journal.open_incidents().await?;
        // What was open at first has gone on since, and may have ended.
        let open = self.found.get().unwrap_or(&now);
        let open: HashMap<&str, &OpenIncident> =
            open.iter().map(|incident| (incident.subject.as_str(), incident)).collect();
        let mut begun = Vec::new();
        let mut past = 0;
        for (place, cue) in replay.cues.iter().enumerate() {
            if let Some(span) = self.begun(cue, run).await? {
                past = place + 1;
                begun.push((cue, span));
            }
        }
        let unfinished = begun.iter().filter_map(|(_, span)| open.get(span.subject.as_str()));
        let unfinished: Vec<_> = unfinished.map(|open| (open.subject.as_str(), open.start)).collect();
        // What was added beside the recording is no part of its timing.
        let added = Added::read_all(&self.context.journal, &unfinished).await?;
        let mut last = LastAppended { time: run.event.time, due: Duration::ZERO, next: Duration::ZERO };
        let mut next = replay.cues.get(past).map_or(Duration::MAX, |cue| cue.start);
        for (cue, span) in &begun {
            let (index, time) = match (open.get(span.subject.as_str()), span.end) {
                (Some(open), _) => {
                    let added = added.get(&open.subject).map(|added| added.indexes.as_slice());
                    let added = added.unwrap_or_default().iter().filter(|index| **index <= open.index);
                    let index = open.index.saturating_sub(added.count() as u64);
                    next = next.min(cue.due(index + 1));
                    (index, open.time)
                }
                (None, Some(end)) => {
                    let ended = self.context.journal.read(end - 1, ReadLimit::events(1)).await?;
                    let Some(ended) = ended.first() else { continue };
                    (ended.index, ended.time)
                }
                // It has begun in the meantime.
                (None, None) => continue,
            };
            let due = cue.due(index);
            if due >= last.due {
                last = LastAppended { time, due, next: due };
            }
        }
        let is_over = past == replay.cues.len() && unfinished.is_empty();
        let last = LastAppended { next: next.max(last.due), ..last };
        Ok(Progress { past, begun: begun.len(), is_over, last })
    }

    /// The incident that this replay has already started. Another one of the same name may have nothing to do with it.
    async fn begun(&self, cue: &Cue, run: &Begun) -> Result<Option<Span>, JournalError> {
        for name in cue.names(run.number) {
            let span = self.context.journal.incident(&name).await?;
            let Some(span) = span.filter(|span| span.start >= run.event.position) else { continue };
            // What retention has just dropped was there.
            let first = self.first_event(&span).await?;
            if first.is_none_or(|(_, started)| cue.is_played_as(&started)) {
                return Ok(Some(span));
            }
        }
        Ok(None)
    }

    /// The event with which an incident begins, if it is kept.
    async fn first_event(&self, span: &Span) -> Result<Option<(Stored, IncidentStarted)>, JournalError> {
        let read = self.context.journal.read(span.start - 1, ReadLimit::events(1)).await?;
        let Some(event) = read.into_iter().next().filter(|event| *event.subject == span.subject) else {
            return Ok(None);
        };
        Ok(match event.message() {
            Ok(Message::IncidentStarted(started)) => Some((event, started)),
            _ => None,
        })
    }
}
