//! A connection that is lost, until the next one has brought something: a server that greets and says nothing more is not back.

use std::time::{Duration, Instant};

use crate::client::Item;

/// Who was told that the connection is back is told that it is lost again after so long without one; of a server that only greets, each
/// time after twice as long.
const AGAIN: Duration = Duration::from_secs(5);

/// The most answers in the place of the server that are told.
const MOST_ANSWERS: usize = 5;

/// How long there is no connection, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Since when there is none; not while a connection has yet to show that it works.
    since: Option<Instant>,
    /// How long there was none before the last greeting.
    before: Duration,
    is_loss_told: bool,
    is_return_told: bool,
    /// How long there was none when the return was told, and how often the loss was told again since then.
    until_return: Duration,
    again: u32,
    /// What has answered in the place of the server.
    answers: Vec<String>,
}

/// What is to be told when there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It is lost.
    Loss,
    /// Something answers in the place of the server.
    Answer,
}

impl Outage {
    /// The connection is lost, or could not be made; whether because something has answered. Returns what has yet to be told: each attempt
    /// that fails comes here.
    pub(super) fn lost(&mut self, reason: &str, is_answer: bool) -> Option<News> {
        self.since.get_or_insert_with(Instant::now);
        let is_new = is_answer
            && self.answers.len() < MOST_ANSWERS
            && !self.answers.iter().any(|answer| answer == reason);
        if is_new {
            self.answers.push(reason.to_owned());
        }
        let away = self.away().unwrap_or_default().saturating_sub(self.until_return);
        if self.is_return_told && away >= AGAIN.saturating_mul(2_u32.saturating_pow(self.again)) {
            (self.is_loss_told, self.is_return_told) = (false, false);
            self.again += 1;
        }
        if std::mem::replace(&mut self.is_loss_told, true) {
            return is_new.then_some(News::Answer);
        }
        Some(News::Loss)
    }

    /// A server has greeted. Returns whether that has yet to be told: it may do no more than that, again and again.
    pub(super) fn greeted(&mut self) -> bool {
        self.before += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
        let is_news = self.is_loss_told && !std::mem::replace(&mut self.is_return_told, true);
        if is_news {
            self.until_return = self.before;
        }
        is_news
    }

    /// Ends it if something new has come: the connection works.
    pub(super) fn hears(&mut self, item: Option<&Item>) {
        if matches!(item, Some(Item::Event { .. } | Item::Gap { .. } | Item::Heartbeat(_))) {
            *self = Self::default();
        }
    }

    /// This process stood still for so long, as a shell stops it, and tried nothing meanwhile.
    pub(super) fn stood_still(&mut self, duration: Duration) {
        self.since = self.since.map(|since| Instant::now().min(since + duration));
    }

    /// How long there was no connection, if there is none now.
    pub(super) fn away(&self) -> Option<Duration> {
        self.since.map(|since| self.before + since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(outage: &mut Outage) -> bool {
        outage.lost("refused", false).is_some()
    }

    #[test]
    fn only_what_comes_ends_it() {
        let mut outage = Outage::default();
        assert!(lost(&mut outage) && !lost(&mut outage) && outage.greeted());
        assert_eq!(outage.away(), None);
        assert!(!lost(&mut outage) && !outage.greeted(), "it is told once");
        outage.before = Duration::from_secs(4);
        lost(&mut outage);
        assert!(outage.away() >= Some(Duration::from_secs(4)), "{outage:?}");
        outage.greeted();
        outage.hears(Some(&Item::NotAnEvent(String::new())));
        assert!(!lost(&mut outage) && !outage.greeted());
        outage.hears(Some(&Item::Gap { from: 1, to: 1 }));
        assert!(lost(&mut outage) && outage.away() < Some(Duration::from_secs(4)), "{outage:?}");
    }

    #[test]
    fn a_loss_after_a_return_that_was_told_is_told_after_a_while_and_ever_less_often() {
        let mut outage = Outage::default();
        assert!(lost(&mut outage) && outage.greeted());
        let mut told = 0;
        for _ in 0..1000 {
            assert!(!outage.greeted(), "{outage:?}");
            outage.before += Duration::from_secs(1);
            if lost(&mut outage) {
                told += 1;
                assert!(!lost(&mut outage) && outage.greeted());
            }
        }
        assert!((5..10).contains(&told), "{told}");
    }

    #[test]
    fn a_time_in_which_nothing_could_be_tried_does_not_count() {
        let mut outage = Outage::default();
        outage.stood_still(Duration::from_secs(9));
        assert_eq!(outage.away(), None);
        lost(&mut outage);
        outage.since = Instant::now().checked_sub(Duration::from_secs(10));
        outage.stood_still(Duration::from_secs(8));
        assert!(outage.away().is_some_and(|away| away < Duration::from_secs(5)), "{outage:?}");
        outage.stood_still(Duration::from_secs(80));
        assert!(outage.away().is_some_and(|away| away < Duration::from_secs(5)), "{outage:?}");
    }

    #[test]
    fn each_answer_is_told_once() {
        let mut outage = Outage::default();
        assert_eq!(outage.lost("refused", false), Some(News::Loss));
        assert_eq!(outage.lost("another reason", false), None);
        for _ in 0..2 {
            outage.lost("HTTP 302", true);
            assert_eq!(outage.lost("HTTP 302", true), None);
        }
        let told = (0..100).filter(|answer| outage.lost(&answer.to_string(), true).is_some()).count();
        assert_eq!(told, MOST_ANSWERS - 1);
        outage.hears(Some(&Item::Gap { from: 1, to: 1 }));
        assert_eq!(outage.lost("HTTP 302", true), Some(News::Loss));
        assert_eq!(outage.lost("HTTP 302", true), None);
    }
}
