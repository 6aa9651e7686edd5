//! What is left to be played of an incident that an earlier process has begun.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::course::Course;
use super::error::PlayError;
use super::pace::{Past, Reached};
use super::playable;
use super::score::Score;
use super::speed::Speed;
use crate::plan::Plan;

/// An open incident, as its stored plan says.
pub(super) struct Continuation {
    pub(super) score: Score,
    pub(super) course: Course,
    pub(super) speed: Speed,
    /// Its second 0.
    pub(super) began: Timestamp,
    /// When the first event came, or was due if it is not kept, counted from second 0.
    pub(super) begun: Duration,
    /// How far the process had come that has appended the newest event, counted from second 0.
    pub(super) reached: Reached,
    /// When the next event is due.
    pub(super) next: Duration,
    /// Bytes of the plan.
    pub(super) bytes: usize,
}

impl Continuation {
    /// Reads the plan of an incident that has `played` events of it. A plan may be long, so this is done on a thread of its own.
    ///
    /// # Errors
    /// The runtime ends; or, within, why the plan can't be followed.
    pub(super) async fn read(
        id: String,
        text: Arc<str>,
        played: usize,
        past: Past,
    ) -> Result<Result<Self, String>, PlayError> {
        let read = spawn_blocking(move || Self::of(&id, &text, played, past)).await;
        // The task does not panic, so it was cancelled.
        read.map_err(|_| PlayError::Stopping)
    }

    fn of(id: &str, text: &str, played: usize, past: Past) -> Result<Self, String> {
        let plan = Plan::read(text).map_err(|error| format!("its stored plan can't be read: {error}"))?;
        let started = plan.started().ok_or("its stored plan does not begin with incident_started")?;
        let speed = Speed::new(started.speed.unwrap_or(1.0)).map_err(|error| error.to_string())?;
        playable::check(id, &plan, played)?;
        let Past { added, pace } = past;
        let reached = pace.reached(played as u64, &plan, speed, &added);
        let (score, course) = Score::of(&plan, played, added).map_err(|error| error.to_string())?;
        let lead = speed.wall(plan.lead());
        let begun = pace.begun().unwrap_or_default().max(lead);
        let next = speed.wall(plan.due(played as u64 + 1));
        let (began, bytes) = (started.impact_started_at, plan.bytes());
        Ok(Self { score, course, speed, began, begun, reached, next, bytes })
    }
}
