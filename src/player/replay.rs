//! A recording played again: its incidents start as far apart as they did.
//!
//! A replay is one thing with absolute deadlines, as an incident is. A player that is given the same recording
//! while it would still be playing goes on with what a dead process left of it; afterwards it is a new replay. No
//! state is kept for that beside the journal: the name of each incident in each replay follows from the recording.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{sleep, sleep_until};

use super::origin::Origin;
use super::run::RETRY;
use super::{PlayError, Player, Speed, Start, name};
use crate::contract::{Message, now};
use crate::journal::JournalError;
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
    /// Whether another process began it.
    resumed: bool,
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
    /// Its name in a replay, counted from 0.
    fn name(&self, number: u64) -> String {
        match &self.recorded {
            Some(recorded) if number == 0 => recorded.clone(),
            _ => name::derived(&self.plan.scenario, &self.key, number),
        }
    }
}

impl Player {
    /// Plays a recording. Returns how many of its incidents another process had begun: [`Player::pick_up`] goes on
    /// with those.
    pub async fn replay(&self, replay: Replay) -> Result<usize, JournalError> {
        let turn = self.turn(&replay).await?;
        let all = replay.cues.len();
        let mut cues = Vec::with_capacity(all);
        for cue in replay.cues {
            let name = cue.name(turn.number);
            if !turn.resumed || self.journal.incident(&name).await?.is_none() {
                cues.push((name, cue));
            }
        }
        let begun = all - cues.len();
        let player = self.clone();
        self.tasks.spawn(async move {
            for (name, cue) in cues {
                let origin = turn.origin.later(cue.start);
                let start =
                    Start { plan: cue.plan, speed: cue.speed, name: Some(name), origin: Some(origin) };
                tokio::select! {
                    () = player.stop.cancelled() => return,
                    () = player.enter(start, origin) => {}
                }
            }
        });
        Ok(begun)
    }

    /// The replay that is under way in the journal, or the next one.
    async fn turn(&self, replay: &Replay) -> Result<Turn, JournalError> {
        let new = |number| Turn { number, origin: Origin::now(), resumed: false };
        let Some(first) = replay.cues.first() else { return Ok(new(0)) };
        let (mut number, mut last) = (0, None);
        while let Some(span) = self.journal.incident(&first.name(number)).await? {
            last = Some(span);
            number += 1;
        }
        let Some(last) = last else { return Ok(new(0)) };
        let begun = self.journal.read(last.start - 1, 1).await?.into_iter().next();
        let begun = begun.filter(|event| *event.subject == last.subject);
        match begun.and_then(|event| Message::parse(event.kind.as_str(), &event.data).ok()) {
            // It starts with the replay: the first incident's second 0 is the replay's.
            Some(Message::IncidentStarted(started))
                if started.speed.to_bits() == first.speed.get().to_bits() =>
            {
                let since = Duration::try_from(now().duration_since(started.impact_started_at));
                if since.is_ok_and(|since| since < replay.duration) {
                    let origin = Origin::of(started.impact_started_at);
                    return Ok(Turn { number: number - 1, origin, resumed: true });
                }
                Ok(new(number))
            }
            _ => Ok(new(number)),
        }
    }

    /// Starts an incident when it is due. A journal that takes nothing is waited for: nobody is there who would ask
    /// again.
    async fn enter(&self, mut start: Start, origin: Origin) {
        sleep_until(origin.deadline(Duration::ZERO)).await;
        let mut told = false;
        loop {
            let error = match self.enter_now(&mut start).await {
                Ok(begun) => {
                    self.tasks.spawn(begun.play(start));
                    return;
                }
                Err(PlayError::Stopping) => return,
                Err(error) => error,
            };
            let incident = start.name.as_deref().unwrap_or(&start.plan.scenario);
            match &error {
                PlayError::TooMany | PlayError::Journal(JournalError::Unavailable(_)) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(incident, %error, "the replay waits");
                    }
                    sleep(RETRY).await;
                }
                _ => {
                    tracing::error!(incident, %error, "the replay leaves an incident out");
                    return;
                }
            }
        }
    }

    async fn enter_now(&self, start: &mut Start) -> Result<super::Begun, PlayError> {
        // The journal may have it from elsewhere, or have had it: of one that retention took a part of, the start
        // can't be taken for new.
        if let Some(name) = &start.name
            && self.journal.incident(name).await?.is_some()
        {
            start.name = None;
        }
        self.begin(start).await
    }
}
