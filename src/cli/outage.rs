//! A connection that is lost, until the next one has brought something: a server that greets and says nothing more is not back.

use std::time::{Duration, Instant};

use crate::client::Item;

/// How long there is no connection, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Since when there is none; not while a connection has yet to show that it works.
    since: Option<Instant>,
    /// How long there was none before the last greeting.
    before: Duration,
    is_loss_told: bool,
    is_return_told: bool,
}

impl Outage {
    /// The connection is lost, or could not be made. Returns whether that has yet to be told: each attempt that fails comes here.
    pub(super) fn lost(&mut self) -> bool {
        self.since.get_or_insert_with(Instant::now);
        !std::mem::replace(&mut self.is_loss_told, true)
    }

    /// A server has greeted. Returns whether that has yet to be told: it may do no more than that, again and again.
    pub(super) fn greeted(&mut self) -> bool {
        self.before += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
        self.is_loss_told && !std::mem::replace(&mut self.is_return_told, true)
    }

    /// Ends it if something new has come: the connection works.
    pub(super) fn hears(&mut self, item: Option<&Item>) {
        if matches!(item, Some(Item::Event { .. } | Item::Gap { .. } | Item::Heartbeat(_))) {
            *self = Self::default();
        }
    }

    /// How long there was no connection, if there is none now.
    pub(super) fn away(&self) -> Option<Duration> {
        self.since.map(|since| self.before + since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_ends_it() {
        let mut outage = Outage::default();
        assert!(outage.lost() && !outage.lost() && outage.greeted());
        assert_eq!(outage.away(), None);
        assert!(!outage.lost() && !outage.greeted(), "it is told once");
        outage.before = Duration::from_secs(9);
        outage.lost();
        assert!(outage.away() >= Some(Duration::from_secs(9)), "{outage:?}");
        outage.greeted();
        outage.hears(Some(&Item::NotAnEvent(String::new())));
        assert!(!outage.lost() && !outage.greeted());
        outage.hears(Some(&Item::Gap { from: 1, to: 1 }));
        assert!(outage.lost() && outage.away() < Some(Duration::from_secs(9)), "{outage:?}");
    }
}
