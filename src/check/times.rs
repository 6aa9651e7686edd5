//! What the times of a stream show about the clock of its server. None of it breaks a rule: a clock can be set.

use jiff::Timestamp;

use super::announced::Announced;
use super::frame::Frame;
use crate::contract::Message;

/// A longer distance between the time of an event and its planned second shows that the clock was set, in seconds.
const STEP_S: f64 = 60.0;

/// The most warnings that are kept.
const KEPT: usize = 20;

/// What is worth knowing beside the findings, one sentence each: mostly about the clock of a server.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    sentences: Vec<String>,
    /// The largest fall of the time from one incident to another, in seconds, and its place.
    fall: Option<(f64, String)>,
    falls: u64,
}

impl Warnings {
    /// Between two incidents the time falls if the server's clock is set back.
    pub(super) fn set_back(&mut self, fall_s: f64, frame: &Frame) {
        self.falls += 1;
        if self.fall.as_ref().is_none_or(|(most, _)| fall_s > *most) {
            self.fall = Some((fall_s, frame.place().spot.to_string()));
        }
    }

    pub(super) fn add(&mut self, sentence: Option<String>) {
        self.sentences.extend(sentence.filter(|_| self.sentences.len() < KEPT));
    }

    pub(super) fn finish(&mut self) -> Vec<String> {
        let fall = self.fall.take().map(|(fall_s, place)| {
            let falls = self.falls;
            let times = if falls > 1 { format!(" (the largest of {falls} falls)") } else { String::new() };
            format!(
                "the time falls by {} from one incident to another at {place}{times}: the server's clock was set back",
                span(fall_s)
            )
        });
        fall.into_iter().chain(std::mem::take(&mut self.sentences)).collect()
    }
}

/// The times of one incident.
#[derive(Debug, Default)]
pub(super) struct Times {
    events: u64,
    first: Option<Timestamp>,
    /// Whether two events have different times.
    moves: bool,
    /// Whether the server was down meanwhile: then events are late.
    was_down: bool,
    /// The distance from a planned second that is farthest, in seconds.
    farthest_s: f64,
}

impl Times {
    pub(super) fn see(&mut self, announced: &Announced, message: &Message, time: Timestamp) {
        self.events += 1;
        self.moves |= *self.first.get_or_insert(time) != time;
        self.was_down |= matches!(message, Message::AgentAction(action) if action.late_s.is_some());
        let Some(offset_s) = message.offset_s() else { return };
        let since_s = time.duration_since(announced.impact_started_at).as_secs_f64();
        let distance_s = since_s - announced.screen_s(offset_s) / announced.speed;
        if distance_s.abs() > self.farthest_s.abs() {
            self.farthest_s = distance_s;
        }
    }

    /// What they show about the clock.
    pub(super) fn warning(&self, id: &str) -> Option<String> {
        if self.was_down {
            return None;
        }
        if self.events >= 10 && !self.moves {
            let events = self.events;
            return Some(format!(
                "all {events} events of {id} have the same time: the clock of the server stood still"
            ));
        }
        (self.farthest_s.abs() > STEP_S).then(|| {
            let side = if self.farthest_s > 0.0 { "after" } else { "before" };
            format!(
                "the times of {id} contradict its seconds: an event is dated {} {side} its planned second. The server's \
                 clock was set or stood still, or the server was suspended",
                span(self.farthest_s.abs())
            )
        })
    }
}

/// Seconds for people.
fn span(seconds: f64) -> String {
    match seconds {
        days if days >= 172_800.0 => format!("{:.0} days", seconds / 86_400.0),
        hours if hours >= 7_200.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds => format!("{seconds:.1} s"),
    }
}
