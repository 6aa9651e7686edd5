//! The events of a plan that are still to be played. A thousand incidents may be played at once, and most of their events
//! are not due for a while: only the next few are held as they are, the others deflated.

use std::collections::VecDeque;
use std::io;

use super::stored::PlannedEvent;
use crate::deflated::{Deflated, Deflater};

/// About the bytes of events that are deflated together, and so held as they are when they are next. Larger pieces are
/// deflated better, and take more when they are not.
const PIECE: usize = 3 * 1024;

/// The rest of a plan, in order.
#[derive(Debug, Default)]
pub struct Upcoming {
    /// The next events: none only if no event is left.
    next: Vec<PlannedEvent>,
    /// The events behind them, in pieces: each is the JSON text of a list.
    behind: VecDeque<Deflated>,
}

impl Upcoming {
    /// These events. It takes a while if there are many.
    ///
    /// # Errors
    /// None is known: events are always text.
    pub fn of(events: &[PlannedEvent]) -> io::Result<Self> {
        let mut deflater = Deflater::default();
        let mut upcoming = Self::default();
        for piece in pieces(events) {
            if upcoming.next.is_empty() {
                upcoming.next = piece.to_vec();
            } else {
                upcoming.behind.push_back(deflater.deflate(&serde_json::to_string(piece)?)?);
            }
        }
        upcoming.behind.shrink_to_fit();
        Ok(upcoming)
    }

    /// The next event; `None` if none is left.
    pub fn first(&self) -> Option<&PlannedEvent> {
        self.next.first()
    }

    /// The events that are due; the next one even if it is not.
    ///
    /// # Errors
    /// None is known: what was deflated were events.
    pub fn due(&mut self, is_due: impl Fn(&PlannedEvent) -> bool) -> io::Result<&[PlannedEvent]> {
        while self.next.last().is_some_and(&is_due) && self.inflate()? {}
        let due = self.next.iter().take_while(|event| is_due(event)).count();
        let due = due.max(1).min(self.next.len());
        Ok(&self.next[..due])
    }

    /// So many of the events that were due are played now.
    ///
    /// # Errors
    /// None is known: what was deflated were events.
    pub fn advance(&mut self, played: usize) -> io::Result<()> {
        self.next.drain(..played.min(self.next.len()));
        if self.next.is_empty() {
            self.inflate()?;
        }
        Ok(())
    }

    /// Adds the next piece to the next events. `false` if there is none.
    fn inflate(&mut self) -> io::Result<bool> {
        let Some(piece) = self.behind.front() else { return Ok(false) };
        let mut events: Vec<PlannedEvent> = serde_json::from_str(&piece.text()?)?;
        self.behind.pop_front();
        if self.next.is_empty() {
            events.shrink_to_fit();
            self.next = events;
        } else {
            self.next.append(&mut events);
        }
        Ok(true)
    }
}

/// The events in pieces of about [`PIECE`] bytes, each with at least one.
fn pieces(mut events: &[PlannedEvent]) -> impl Iterator<Item = &[PlannedEvent]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |event: &&PlannedEvent| {
            let fits = bytes < PIECE;
            bytes += event.data().get().len();
            fits
        };
        let (piece, rest) = events.split_at(events.iter().take_while(fits).count());
        events = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::MessageType;
    use crate::plan::Plan;

    /// So many events, due every second. One is much longer than the others, and their texts are not as this version
    /// would write them.
    fn plan(events: u64) -> Plan {
        let mut plan = Plan::new("a".to_owned(), 0);
        for second in 0..events {
            let length = if second == 40 { 50_000 } else { 200 };
            let data = format!(
                "{{ \"unknown\": 1.50, \"offset_s\":{second}, \"text\": \"{}\" }}",
                "ü".repeat(length)
            );
            let data = serde_json::value::RawValue::from_string(data).expect("it is JSON");
            plan.push(second * 1_000_000, MessageType::SystemMetrics, data);
        }
        plan
    }

    fn upcoming(plan: &Plan) -> Upcoming {
        Upcoming::of(plan.events()).expect("events are text")
    }

    #[test]
    fn every_event_comes_once_and_as_it_was() {
        let plan = plan(100);
        let mut upcoming = upcoming(&plan);
        for event in plan.events() {
            assert_eq!(upcoming.first(), Some(event));
            assert_eq!(upcoming.due(|_| false).expect("an event"), std::slice::from_ref(event));
            upcoming.advance(1).expect("events");
        }
        assert!(upcoming.first().is_none() && upcoming.due(|_| true).expect("none").is_empty());
    }

    #[test]
    fn what_is_due_may_be_in_several_pieces_and_stays_until_it_is_played() {
        let plan = plan(100);
        for (from, until) in [(0, 1), (3, 70), (69, 70), (0, 100), (99, 100)] {
            let mut upcoming = upcoming(&plan);
            upcoming.due(|event| event.due < from * 1_000_000).expect("events");
            upcoming.advance(from as usize).expect("events");
            let wanted = &plan.events()[from as usize..until as usize];
            for _ in 0..2 {
                let due = upcoming.due(|event| event.due < until * 1_000_000).expect("events");
                assert_eq!(due, wanted);
            }
            upcoming.advance(wanted.len()).expect("events");
            assert_eq!(upcoming.first(), plan.events().get(until as usize));
        }
    }

    #[test]
    fn only_the_next_events_are_held_as_they_are() {
        let plan = plan(1_000);
        let mut upcoming = upcoming(&plan);
        let mut most = 0;
        while upcoming.first().is_some() {
            most = most.max(upcoming.next.len());
            upcoming.advance(1).expect("events");
        }
        assert!((2..=20).contains(&most), "{most} events were held");
    }
}
