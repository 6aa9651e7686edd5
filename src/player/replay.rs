//! A recording played again: its incidents start as far apart as they did.
//!
//! A replay is one thing with absolute deadlines, as an incident is. A player that is given the same recording
//! while it would still be playing goes on with what a dead process left of it; afterwards it is a new replay. No
//! state is kept for that beside the journal: the names of an incident in each replay follow from the recording.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep_until;

use super::origin::Origin;
use super::{Begun, PlayError, Player, Speed, Start, name};
use crate::contract::{Message, now};
use crate::journal::{JournalError, Page};
use crate::plan::Plan;
use crate::recording::{Recorded, Recording};

/// A recording at a speed.
#[derive(Debug, Clone)]
pub struct Replay {
    cues: Vec<Cue>,
    duration: Duration,
}

/// One incident and when it starts.
#[derive(Debug, Clone)]
struct Cue {
    /// Its name in the first replay that a journal sees; `None` if another of the recording has it.
    recorded: Option<String>,
    /// What tells it from every other incident of any recording.
    key: String,
    /// Wall-clock time from the start of the replay.
    start: Duration,
    speed: Speed,
    plan: Plan,
}

/// An incident would be played at a speed that is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{incident} was recorded at speed {recorded}; {factor} times that is {} and out of range", recorded * factor)]
pub struct ReplayError {
    /// The incident.
    pub incident: String,
    /// The speed it was recorded at.
    pub recorded: f64,
    /// How many times faster it was to be played.
    pub factor: f64,
}

/// Which replay of a recording it is in its journal.
struct Turn {
    number: u64,
    origin: Origin,
    /// Position of its first event, if another process began it.
    resumed: Option<u64>,
}

impl Replay {
    /// Everything `factor` times faster than it was recorded.
    ///
    /// # Errors
    /// An incident whose speed is none then.
    pub fn new(recording: Recording, factor: Speed) -> Result<Self, ReplayError> {
        let duration = recording.duration().div_f64(factor.get());
        let mut names = HashSet::new();
        let cues = recording.incidents.into_iter().map(|incident| {
            let Recorded { source, id, start, speed: recorded, plan } = incident;
            let out_of_range = |_| ReplayError { incident: id.clone(), recorded, factor: factor.get() };
            let speed = Speed::new(recorded * factor.get()).map_err(out_of_range)?;
            let (key, start) = (format!("{source} {id}"), start.div_f64(factor.get()));
            Ok(Cue { recorded: names.insert(id.clone()).then_some(id), key, start, speed, plan })
        });
        Ok(Self { cues: cues.collect::<Result<_, _>>()?, duration })
    }

    /// How many incidents it has.
    pub fn incidents(&self) -> usize {
        self.cues.len()
    }

    /// How long it takes by the wall clock.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl Cue {
    /// Its names in a replay, counted from 0: the first that is free is taken.
    fn names(&self, number: u64) -> impl Iterator<Item = String> + '_ {
        let recorded = self.recorded.clone().filter(|_| number == 0);
        let derived = std::iter::once_with(move || name::derived(&self.plan.scenario, &self.key, number));
        recorded.into_iter().chain(derived)
    }
}

impl Player {
    /// Plays a recording. Returns how many of its incidents another process had begun: [`Player::pick_up`] goes on
    /// with those.
    pub async fn replay(&self, replay: Replay) -> Result<usize, JournalError> {
        let turn = self.turn(&replay).await?;
        let all = replay.cues.len();
        let mut left = Vec::with_capacity(all);
        for cue in replay.cues {
            if !self.has_begun(&cue, &turn).await? {
                left.push(cue);
            }
        }
        let begun = all - left.len();
        let player = self.clone();
        self.tasks.spawn(async move {
            for cue in left {
                tokio::select! {
                    () = player.stop.cancelled() => return,
                    () = player.enter(cue, &turn) => {}
                }
            }
        });
        Ok(begun)
    }

    /// The replay that is under way in the journal, or the next one.
    async fn turn(&self, replay: &Replay) -> Result<Turn, JournalError> {
        let new = |number| Turn { number, origin: Origin::now(), resumed: None };
        let Some(first) = replay.cues.first() else { return Ok(new(0)) };
        let (mut number, mut last) = (0, None);
        while let Some(name) = first.names(number).next()
            && let Some(span) = self.journal.incident(&name).await?
        {
            last = Some(span);
            number += 1;
        }
        let Some(last) = last else { return Ok(new(0)) };
        let begun = self.journal.read(last.start - 1, Page::of(1)).await?.into_iter().next();
        let begun = begun.filter(|event| *event.subject == last.subject);
        match begun.and_then(|event| Message::parse(event.kind.as_str(), &event.data).ok()) {
            // It starts with the replay: the first incident's second 0 is the replay's.
            Some(Message::IncidentStarted(started))
                if started.speed.to_bits() == first.speed.get().to_bits() =>
            {
                let since = Duration::try_from(now().duration_since(started.impact_started_at));
                if since.is_ok_and(|since| since < replay.duration) {
                    let origin = Origin::of(started.impact_started_at);
                    return Ok(Turn { number: number - 1, origin, resumed: Some(last.start) });
                }
                Ok(new(number))
            }
            _ => Ok(new(number)),
        }
    }

    /// Whether the journal has an incident from this replay. One of that name may be there from before.
    async fn has_begun(&self, cue: &Cue, turn: &Turn) -> Result<bool, JournalError> {
        let Some(first) = turn.resumed else { return Ok(false) };
        for name in cue.names(turn.number) {
            if self.journal.incident(&name).await?.is_some_and(|span| span.start >= first) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Starts an incident when it is due. A journal that takes nothing is waited for: nobody is there who would ask
    /// again.
    async fn enter(&self, cue: Cue, turn: &Turn) {
        let origin = turn.origin.later(cue.start);
        let names: Vec<String> = cue.names(turn.number).collect();
        let mut start = Start { plan: cue.plan, speed: cue.speed, name: None, origin: Some(origin) };
        sleep_until(origin.deadline(Duration::ZERO)).await;
        let mut told = false;
        loop {
            let error = match self.enter_as(&names, &mut start).await {
                Ok(begun) => {
                    self.tasks.spawn(begun.play(start));
                    return;
                }
                Err(PlayError::Stopping) => return,
                Err(error) => error,
            };
            let incident = names.first();
            match &error {
                PlayError::TooMany | PlayError::Journal(JournalError::Unavailable(_)) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(incident, %error, "the replay waits");
                    }
                    self.journal_back().await;
                }
                _ => {
                    tracing::error!(incident, %error, "the replay leaves an incident out");
                    return;
                }
            }
        }
    }

    /// Under the first name that is free, else a fresh one. Of an incident that retention took a part of the journal
    /// would take the start neither for new nor for a repeat, so it is asked before.
    async fn enter_as(&self, names: &[String], start: &mut Start) -> Result<Begun, PlayError> {
        start.name = None;
        for name in names {
            if self.journal.incident(name).await?.is_none() {
                start.name = Some(name.clone());
                break;
            }
        }
        self.begin(start).await
    }
}
