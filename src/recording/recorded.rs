//! The incidents of a recording, as they can be played again.

use std::time::Duration;

use crate::plan::Plan;

/// The incidents of a recording that can be played.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The incidents in the order of their starts; at least one.
    pub incidents: Vec<Recorded>,
    /// What is not played as it was recorded, and why. Each warning names the file, and the line if there is one.
    pub warnings: Vec<String>,
}

/// One incident, from its start to its resolution or to the end of the recording.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The source of its events: the stream in which they were recorded.
    pub source: String,
    /// Its id in that stream.
    pub id: String,
    /// When it started, as wall-clock time since the first start in the recording.
    pub start: Duration,
    /// The speed at which it was recorded. The due times of the plan are the recorded times multiplied by it.
    pub speed: f64,
    /// The incident's events and when each is due.
    pub plan: Plan,
}

impl Recording {
    /// Wall-clock time from the first start to the last event.
    pub fn duration(&self) -> Duration {
        self.incidents.iter().map(Recorded::end).max().unwrap_or_default()
    }
}

impl Recorded {
    /// When it ended, as wall-clock time since the first start in the recording.
    fn end(&self) -> Duration {
        let screen_us = self.plan.duration() - self.plan.lead();
        self.start.saturating_add(Duration::from_secs_f64(screen_us as f64 / 1e6 / self.speed))
    }
}
