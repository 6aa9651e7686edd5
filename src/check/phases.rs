//! The rule `phases`, for one incident.

use std::collections::HashSet;

use super::announced::Announced;
use super::finding::{Finding, quoted};
use super::frame::Frame;
use super::rules::{Found, RuleId};
use crate::contract::{IncidentStarted, Message};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

#[derive(Debug, Default)]
pub(super) struct Phases {
    /// How many phases are over or current.
    reached: usize,
    /// Whether an event was found in a wrong phase.
    pub(super) is_doubtful: bool,
}

impl Phases {
    /// Checks the phases as they are announced. Returns whether they are as they should be.
    pub(super) fn announce(started: &IncidentStarted, frame: &Frame, found: &mut Found) -> bool {
        if started.phases.is_empty() {
            return true;
        }
        found.judged(RuleId::Phases);
        let mut fault = |place: usize, text: String| {
            let pointer = format!("/data/phases/{place}");
            found.add(RuleId::Phases, Finding::new(text).at(frame).field(pointer));
            false
        };
        let mut names = HashSet::new();
        for (place, phase) in started.phases.iter().enumerate() {
            let name = quoted(&phase.name);
            if !names.insert(&phase.name) {
                return fault(place, format!("two phases are called {name}; each has a name of its own"));
            }
            if let Some(end) = phase.end_s.filter(|end| *end < phase.start_s) {
                return fault(
                    place,
                    format!("phase {name} ends at {end} s, before it starts at {} s", phase.start_s),
                );
            }
            let Some(before) = place.checked_sub(1).map(|before| &started.phases[before]) else { continue };
            let earliest = before.end_s.unwrap_or(before.start_s);
            if phase.start_s < earliest - MILLISECOND {
                let text = format!(
                    "phase {name} starts at {} s, before the phase ahead of it has ended, at {earliest} s",
                    phase.start_s
                );
                return fault(place, text);
            }
            if before.end_s.is_some_and(|end| phase.start_s > end + MILLISECOND) {
                let text = format!(
                    "between the phases {} and {name} is a gap, from {earliest} s to {} s",
                    quoted(&before.name),
                    phase.start_s
                );
                return fault(place, text);
            }
        }
        true
    }

    /// Checks the phase of an event. `offset_s` is `None` if the second of the event is not to be trusted.
    pub(super) fn see(
        &mut self,
        announced: &Announced,
        message: &Message,
        offset_s: Option<f64>,
        frame: &Frame,
        found: &mut Found,
    ) {
        // In a real incident the phases may not be known.
        if !announced.is_sound || (announced.phases.is_empty() && !announced.is_generated) {
            return;
        }
        let Some(name) = message.phase() else { return };
        found.judged(RuleId::Phases);
        let known = announced.place_of(name);
        let text = match known {
            None => format!("phase {} was not announced", quoted(name)),
            Some(place) if place < self.reached => {
                let reached = quoted(&announced.phases[self.reached].name);
                format!("the phase goes back from {reached} to {}", quoted(name))
            }
            Some(place) => match offset_s.and_then(|offset_s| outside(announced, place, offset_s)) {
                Some(text) => text,
                None => {
                    self.reached = place;
                    return;
                }
            },
        };
        self.is_doubtful = true;
        found.add(RuleId::Phases, Finding::new(text).at(frame).field("/data/phase"));
    }
}

/// What is wrong with an event of this phase at this second. Only a scenario's phases are exact.
fn outside(announced: &Announced, place: usize, offset_s: f64) -> Option<String> {
    let phase = &announced.phases[place];
    let late = phase.end_s.is_some_and(|end| offset_s > end + MILLISECOND);
    (announced.is_generated && (late || offset_s < phase.start_s - MILLISECOND)).then(|| {
        let end = phase.end_s.map_or_else(|| "the end".to_owned(), |end| format!("{end} s"));
        let name = quoted(&phase.name);
        format!(
            "the event is in phase {name} at {offset_s} s; the phase lasts from {} s to {end}",
            phase.start_s
        )
    })
}
