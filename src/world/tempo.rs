//! How the seconds of a drill pass: its plan and its newest event say where it is, whatever became of the wall clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::contract::{Message, ScreenMap};
use crate::plan::Plan;

/// A longer distance between the time of an event and the time at which it was due shows that the clock was set.
pub(super) const STEP: Duration = Duration::from_secs(60);

/// The tempo of a drill that has begun. All its moments are distances from second 0, as clocks measure them.
#[derive(Debug, Clone)]
pub struct Tempo {
    /// Second 0, as it was dated when the drill began.
    pub began: Timestamp,
    speed: f64,
    map: ScreenMap,
    /// The moments of the events, as far as they are known.
    dues: Vec<u64>,
}

impl Tempo {
    /// The tempo of a plan that has begun; `None` if it has not.
    pub fn of(plan: &Plan) -> Option<Self> {
        let started = plan.started()?;
        let speed = started.speed.filter(|speed| *speed > 0.0).unwrap_or(1.0);
        let dues = plan.events().iter().map(|event| event.due).collect();
        Some(Self { began: started.impact_started_at, speed, map: ScreenMap::of(&started.phases), dues })
    }

    /// A moment of screen time in microseconds, which may lie before second 0.
    pub(super) fn wall(&self, screen_us: i64) -> SignedDuration {
        SignedDuration::from_micros((screen_us as f64 / self.speed).round() as i64)
    }

    /// When an event of this second is due.
    pub fn due(&self, offset_s: f64) -> Duration {
        self.of_screen(self.screen(offset_s))
    }

    /// When an event happened of which all that is known is what it says.
    pub fn of_event(&self, event: &Message) -> Duration {
        let late = match event {
            Message::AgentAction(action) => action.late_s.unwrap_or_default(),
            _ => 0.0,
        };
        let late = Duration::try_from_secs_f64(late.max(0.0)).unwrap_or_default();
        self.due(event.offset_s().unwrap_or_default()).saturating_add(late)
    }

    /// When an event happened that was due then and is dated so: as the dates say, unless the clock was set in between.
    pub fn happened(&self, due: Duration, dated: Timestamp) -> Duration {
        let dated = Duration::try_from(dated.duration_since(self.began)).ok();
        dated.filter(|dated| dated.abs_diff(due) <= STEP).unwrap_or(due)
    }

    /// Where the drill is if the newest event is of this second and was appended so long ago, as a clock says that may have been set
    /// since: not beyond the next event, which would be there.
    pub fn at_most_next(&self, offset_s: f64, dated: Timestamp, ago: Duration) -> Duration {
        let newest = self.screen(offset_s);
        let due = self.of_screen(newest);
        let now = self.happened(due, dated).saturating_add(ago).max(due);
        // Seconds are rounded to milliseconds: this event may be due a little later than it says.
        let beyond = self.screen(offset_s + 0.001);
        match self.dues.iter().find(|due| **due > beyond) {
            Some(next) => now.min(self.of_screen(*next)),
            None => now,
        }
    }

    fn screen(&self, offset_s: f64) -> u64 {
        self.map.screen((offset_s.max(0.0) * 1e6).round() as u64)
    }

    /// How long after second 0 it is so much screen time, in microseconds.
    pub fn of_screen(&self, screen_us: u64) -> Duration {
        Duration::from_micros((screen_us as f64 / self.speed).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::contract::MessageType;

    const SECOND: Duration = Duration::from_secs(1);

    /// A drill at double speed with events at the seconds 0, 10 and 100, and the time of its second 0.
    fn drill() -> (Tempo, Timestamp) {
        let mut plan = Plan::new("a".to_owned(), 0);
        let started = r#"{"synthetic":true,"offset_s":0,"title":"A","severity":"SEV2","services":["b"],"phases":[],"agents":[],
            "impact_started_at":"2026-01-01T00:00:00Z","speed":2.0}"#;
        let data = RawValue::from_string(started.to_owned()).expect("it is JSON");
        for due in [0, 10_000_400, 100_000_000] {
            plan.push(due, MessageType::IncidentStarted, data.clone());
        }
        let tempo = Tempo::of(&plan).expect("it has begun");
        let began = tempo.began;
        (tempo, began)
    }

    #[test]
    fn a_drill_is_where_the_clock_says_unless_that_contradicts_its_events() {
        let (tempo, began) = drill();
        assert_eq!(tempo.due(10.0), 5 * SECOND);
        for (dated, wanted) in [(0, 0), (5, 5), (20, 20), (65, 65), (66, 5), (-1, 5), (600, 5), (-600, 5)] {
            let happened = tempo.happened(5 * SECOND, began + SignedDuration::from_secs(dated));
            assert_eq!(happened, wanted * SECOND, "dated {dated}");
        }
    }

    #[test]
    fn a_drill_is_between_its_newest_event_and_the_next_one() {
        let (tempo, began) = drill();
        let at = |seconds: i64| began + SignedDuration::from_secs(seconds);
        let is = |dated: i64, ago: u32| tempo.at_most_next(10.0, at(dated), ago * SECOND);
        assert_eq!(is(5, 3), 8 * SECOND);
        assert_eq!(is(5, 600), 50 * SECOND, "the next event would be there");
        assert_eq!(is(605, 3), 8 * SECOND);
        assert_eq!(is(-595, 0), 5 * SECOND);
        assert_eq!(tempo.at_most_next(100.0, at(50), 7 * SECOND), 57 * SECOND, "nothing follows");
    }
}
