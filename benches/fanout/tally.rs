//! What arrived at the clients, all together.

use anyhow::Context;

use crate::common::message;

/// A message whose time was not read yet. The clock never shows it.
const UNREAD: i64 = i64::MIN;

/// The count while it goes on.
#[derive(Default)]
pub(crate) struct Tally {
    /// Clients whose handshake is done.
    pub(crate) open: usize,
    pub(crate) delivered: u64,
    /// Messages that never arrived at clients that are still there. Nothing but a peer may lose any.
    pub(crate) lost: u64,
    /// Clients that were cut off. Nothing but a peer may do so.
    pub(crate) cut: usize,
    bytes: u64,
    /// When each message was appended, by position - 1: read from its text only once.
    sent: Vec<i64>,
    /// Microseconds from append to reading.
    latencies: Vec<u32>,
}

/// What arrived in the end.
pub(crate) struct Received {
    pub(crate) delivered: u64,
    pub(crate) bytes: u64,
    pub(crate) lost: u64,
    pub(crate) cut: usize,
    /// Microseconds, sorted.
    latencies: Vec<u32>,
}

impl Tally {
    /// Counts a message that was read at `now`, in microseconds since 1970.
    pub(crate) fn count(&mut self, id: u64, text: &[u8], now: i64) -> anyhow::Result<()> {
        let place = usize::try_from(id)?.checked_sub(1).context("positions begin with 1")?;
        if place >= self.sent.len() {
            self.sent.resize(place + 1, UNREAD);
        }
        if self.sent[place] == UNREAD {
            self.sent[place] = message::sent_at(text).context("an event has no time")?;
        }
        self.delivered += 1;
        self.bytes += text.len() as u64;
        // The wall clock may be set back meanwhile.
        self.latencies.push(u32::try_from(now - self.sent[place]).unwrap_or_default());
        Ok(())
    }

    pub(crate) fn received(self) -> Received {
        let mut latencies = self.latencies;
        latencies.sort_unstable();
        let Self { delivered, bytes, lost, cut, .. } = self;
        Received { delivered, bytes, lost, cut, latencies }
    }
}

impl Received {
    /// Latency in milliseconds that this share of the deliveries did not exceed.
    pub(crate) fn latency_ms(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * share) as usize).map_or(0.0, |us| f64::from(*us) / 1e3)
    }
}
