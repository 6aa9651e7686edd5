//! The server's clock, as a client knows it.

use std::collections::HashMap;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::times::Times;
use crate::contract::{Envelope, StreamOpened};

/// An event's time that is further from the server's clock shows that the server's clock was set. A shorter distance may be
/// a late message.
const STEP: SignedDuration = SignedDuration::from_secs(60);

/// The most incidents with a time of their own. If there are more, each is told again by its next event.
const MOST: usize = 10_000;

/// The server's clock, kept on the steady clock of this machine: setting the wall clock here has no effect.
#[derive(Debug, Clone)]
pub(super) struct ServerClock {
    /// The server's time at a moment.
    set: (Timestamp, Instant),
    /// The incidents whose events are dated by another time than the server's, and how far that is ahead: the server's
    /// clock was set while they were open.
    apart: HashMap<String, SignedDuration>,
    /// Where the clock stands while the connection is lost.
    stopped: Option<Timestamp>,
    /// A replayed event came from the future: its incident goes on by a time that only the server knows.
    is_unsure: bool,
}

impl Default for ServerClock {
    fn default() -> Self {
        Self {
            set: (Timestamp::now(), Instant::now()),
            apart: HashMap::new(),
            stopped: None,
            is_unsure: false,
        }
    }
}

impl ServerClock {
    pub(super) fn set(&mut self, opened: &StreamOpened) {
        *self = Self { set: (opened.server_time, Instant::now()), ..Self::default() };
    }

    /// Takes in the time of an event that has just arrived. `live` says that it was not replayed: replayed events may be
    /// old, but not even they can come from the future.
    pub(super) fn heard(&mut self, event: &Envelope, live: bool) {
        let ahead = event.time.duration_since(self.running());
        if ahead > STEP || (live && ahead < -STEP) {
            if self.apart.len() >= MOST && !self.apart.contains_key(event.incident()) {
                self.apart.clear();
            }
            self.apart.insert(event.incident().to_owned(), ahead);
            // Nobody knows how old the event is, but a live one has just been written.
            self.is_unsure |= !live;
        } else {
            self.apart.remove(event.incident());
        }
    }

    /// Whether the server has to be asked for its times; says so once.
    pub(super) fn asks(&mut self) -> bool {
        std::mem::take(&mut self.is_unsure)
    }

    /// The server did not tell them: it has to be asked again.
    pub(super) fn is_untold(&mut self) {
        self.is_unsure = true;
    }

    /// Takes in the times that the server tells.
    pub(super) fn told(&mut self, times: &Times) {
        self.set = (times.now, Instant::now());
        for id in times.apart.keys().take(MOST) {
            self.apart.insert(id.clone(), times.in_incident(id).duration_since(times.now));
        }
    }

    /// Stops the clock: without a connection nobody knows whether the incident still goes on.
    pub(super) fn stop(&mut self) {
        self.stopped = Some(self.stopped.unwrap_or_else(|| self.running()));
    }

    /// Lets it go on.
    pub(super) fn go_on(&mut self) {
        self.stopped = None;
    }

    /// The time now, as the events of an incident are dated.
    pub(super) fn now_in(&self, incident: &str) -> Timestamp {
        let now = self.stopped.unwrap_or_else(|| self.running());
        let ahead = self.apart.get(incident).copied().unwrap_or_default();
        now.saturating_add(ahead).unwrap_or(now)
    }

    fn running(&self) -> Timestamp {
        let (time, at) = self.set;
        let since = SignedDuration::try_from(at.elapsed()).unwrap_or(SignedDuration::MAX);
        time.saturating_add(since).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(incident: &str, time: Timestamp) -> Envelope {
        let text = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/streams/S","type":"system_metrics","subject":"{incident}",
                "time":"{time}","index":1,"data":{{}}}}"#
        );
        serde_json::from_str(&text).expect("it is an event")
    }

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    fn is_close(one: Timestamp, other: Timestamp) -> bool {
        one.duration_since(other).abs() < STEP
    }

    #[test]
    fn each_incident_has_its_own_time_after_a_step() {
        let mut clock = ServerClock::default();
        let now = clock.running();
        clock.heard(&event("ahead", now + hours(40_000)), true);
        clock.heard(&event("behind", now - hours(2)), true);
        clock.heard(&event("usual", now), true);
        assert!(is_close(clock.now_in("ahead"), now + hours(40_000)));
        assert!(is_close(clock.now_in("behind"), now - hours(2)));
        assert!(is_close(clock.now_in("usual"), now));
        clock.heard(&event("ahead", now), true);
        assert!(is_close(clock.now_in("ahead"), now), "the clocks agree again");
    }

    #[test]
    fn a_server_does_not_make_it_keep_ever_more_times() {
        let mut clock = ServerClock::default();
        let now = clock.running();
        for incident in 0..2 * MOST {
            clock.heard(&event(&format!("i{incident}"), now + hours(2)), true);
            assert!(clock.apart.len() <= MOST);
        }
        assert!(is_close(clock.now_in(&format!("i{}", 2 * MOST - 1)), now + hours(2)));
    }

    /// The server's clock was set back, and the newest event is an hour old.
    #[test]
    fn how_old_a_replayed_event_from_the_future_is_the_server_says() {
        let mut clock = ServerClock::default();
        let now = clock.running();
        clock.heard(&event("old", now - hours(2)), false);
        assert!(!clock.asks());
        clock.heard(&event("ahead", now + hours(1)), false);
        assert!(clock.asks() && !clock.asks(), "once");
        clock.is_untold();
        assert!(clock.asks() && !clock.asks(), "once more");
        let ahead = (now + hours(2)).to_string();
        let answer = serde_json::json!({ "time": now.to_string(), "times": { "ahead": ahead } });
        clock.told(&Times::told(&answer));
        assert!(is_close(clock.now_in("ahead"), now + hours(2)));
        assert!(is_close(clock.now_in("old"), now));
    }

    #[test]
    fn a_replayed_event_may_be_old() {
        let mut clock = ServerClock::default();
        let now = clock.running();
        clock.heard(&event("old", now - hours(2)), false);
        assert!(is_close(clock.now_in("old"), now));
        clock.heard(&event("future", now + hours(2)), false);
        assert!(is_close(clock.now_in("future"), now + hours(2)));
    }
}
