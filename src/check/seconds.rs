//! The planned seconds of one incident, for the rule `clock`.

use super::finding::{Finding, seconds};
use super::frame::Frame;
use super::rules::{Found, RuleId};
use crate::contract::Message;

/// Planned seconds are whole milliseconds.
pub(super) const MILLISECOND: f64 = 0.0011;

#[derive(Debug, Default)]
pub(super) struct Seconds {
    /// The last one that can be trusted.
    last: Option<f64>,
}

impl Seconds {
    /// The planned second of an event, if it can be right: not before the event ahead of it, not after the next two. A
    /// resolution says twice when it came; if both disagree, the rule `tally` says so.
    pub(super) fn see(
        &mut self,
        message: &Message,
        next: Option<(f64, f64)>,
        frame: &Frame,
        found: &mut Found,
    ) -> Option<f64> {
        let offset_s = message.offset_s()?;
        let before = self.last.unwrap_or(0.0);
        let text = if offset_s < before {
            format!("offset_s goes back from {} to {}", seconds(before), seconds(offset_s))
        } else if let Some((next, _)) = next
            .filter(|(next, later)| (before..offset_s).contains(next) && (*next..offset_s).contains(later))
        {
            let [offset_s, before, next] = [offset_s, before, next].map(seconds);
            format!(
                "offset_s is {offset_s}, but the event before is at {before} s and the next one at {next} s"
            )
        } else {
            self.last = Some(offset_s);
            return Some(offset_s).filter(|_| !is_contradicted(message));
        };
        if is_contradicted(message) {
            return None;
        }
        found.add(RuleId::Clock, Finding::new(text).at(frame).field("/data/offset_s"));
        None
    }
}

/// Whether a resolution says of itself that it came at another second.
fn is_contradicted(message: &Message) -> bool {
    let (Message::IncidentResolved(resolved), Some(second)) = (message, message.offset_s()) else {
        return false;
    };
    resolved.synthetic && (second - resolved.durations.resolve_s).abs() > MILLISECOND
}

/// The seconds of the next two events. After a resolution that agrees with itself comes none: it stands for both.
pub(super) fn next_two<'a>(mut later: impl Iterator<Item = &'a Message>) -> Option<(f64, f64)> {
    let next = later.next()?;
    let second = next.offset_s()?;
    match later.next() {
        Some(message) => Some((second, message.offset_s()?)),
        None if matches!(next, Message::IncidentResolved(_)) && !is_contradicted(next) => {
            Some((second, second))
        }
        None => None,
    }
}
