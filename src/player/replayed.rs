//! What the journal has of the replays of a recording. It says which incidents are left to begin, whatever the clock says.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::control::Player;
use super::elapsed::{self, LastAppended};
use super::origin::Origin;
use super::pace::{Past, Reached};
use super::replay::{Cue, Replay};
use crate::contract::{IncidentStarted, Message, Outcome};
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

/// An incident that a replay has begun, as it stood when this process began to continue it.
struct Stood<'a> {
    cue: &'a Cue,
    span: Span,
    newest: Option<Newest>,
}

/// The newest event of an incident.
struct Newest {
    index: u64,
    time: Timestamp,
    how: How,
}

/// How an incident of a replay went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Open,
    Ended,
    /// Somebody ended it: its newest event is none of its plan.
    CutShort,
}

impl Newest {
    /// Index of the newest event that may be one of the plan.
    fn planned(&self) -> u64 {
        if self.how == How::CutShort { self.index.saturating_sub(1) } else { self.index }
    }
}

impl Stood<'_> {
    fn is_open(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.how == How::Open)
    }

    /// The newest event, counted from the start of the replay; with what is known of the incident's past.
    fn appended(&self, past: Option<&Past>) -> Option<LastAppended> {
        let (newest, Cue { start, speed, plan, .. }) = (self.newest.as_ref()?, self.cue);
        let past = past.cloned().unwrap_or_default();
        let played = past.added.number_of(newest.planned());
        let Reached { at, is_behind } = past.pace.reached(played, plan, *speed, &past.added);
        let at = *start + at.saturating_sub(speed.wall(plan.lead()));
        let reached = Reached { at, is_behind };
        Some(LastAppended { time: newest.time, reached, next: self.cue.due(played + 1) })
    }
}

/// The incidents of which more than the newest event is to be read: those in which people may have added events, and the one that
/// ended last. It says how late the process was.
fn to_be_read<'a>(all: &'a [Stood<'_>]) -> Vec<(&'a str, u64, u64)> {
    let last = all.iter().filter_map(|stood| stood.span.end).max();
    let read = all.iter().filter_map(|Stood { span, newest, .. }| {
        let newest = newest.as_ref()?;
        let is_read = newest.how != How::Ended || span.end == last;
        is_read.then_some((span.subject.as_str(), span.start, newest.planned()))
    });
    read.collect()
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
        // It may have begun later than it was due.
        let lead = first.speed.wall(first.plan.lead());
        let began = newest.started.impact_started_at.checked_add(lead).unwrap_or(newest.event.time);
        let elapsed = elapsed::since(self.context.journal.clock(), began, last);
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
        let (mut stood, mut past) = (Vec::new(), 0);
        for (place, cue) in replay.cues.iter().enumerate() {
            if let Some(span) = self.begun(cue, run).await? {
                past = place + 1;
                let open = open.get(span.subject.as_str());
                let newest = self.newest_event(cue, &span, open.copied()).await?;
                stood.push(Stood { cue, span, newest });
            }
        }
        let is_over = past == replay.cues.len() && stood.iter().all(|stood| !stood.is_open());
        let pasts = Past::read_all(&self.context.journal, &to_be_read(&stood)).await?;
        let mut last =
            LastAppended { time: run.event.time, reached: Reached::default(), next: Duration::ZERO };
        let mut next = replay.cues.get(past).map_or(Duration::MAX, |cue| cue.start);
        for stood in &stood {
            let Some(own) = stood.appended(pasts.get(&stood.span.subject)) else { continue };
            if stood.is_open() {
                next = next.min(own.next);
            }
            if own.reached.at >= last.reached.at {
                last = own;
            }
        }
        Ok(Progress { past, begun: stood.len(), is_over, last: LastAppended { next, ..last } })
    }

    /// The newest event of an incident, when this process began to continue it; `None` if it had not begun then, or the event is not
    /// kept.
    async fn newest_event(
        &self,
        cue: &Cue,
        span: &Span,
        open: Option<&OpenIncident>,
    ) -> Result<Option<Newest>, JournalError> {
        if let Some(open) = open {
            return Ok(Some(Newest { index: open.index, time: open.time, how: How::Open }));
        }
        let Some(end) = span.end else { return Ok(None) };
        let ended = self.context.journal.read(end - 1, ReadLimit::events(1)).await?;
        Ok(ended.first().filter(|ended| ended.position == end).map(|ended| {
            let is_cancelled = match ended.message() {
                Ok(Message::IncidentResolved(resolved)) => resolved.outcome == Outcome::Cancelled,
                _ => false,
            };
            let is_short = is_cancelled || ended.index < cue.plan.events().len() as u64;
            let how = if is_short { How::CutShort } else { How::Ended };
            Newest { index: ended.index, time: ended.time, how }
        }))
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
