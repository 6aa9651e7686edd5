//! The numbers of many clients, added up.

/// The numbers of all clients of one transport.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Clients that are connected.
    pub clients: u64,
    /// Clients that were admitted since the start.
    pub admitted: u64,
    /// Events that were written to clients since the start …
    pub events: u64,
    /// … and their bytes, framing included.
    pub bytes: u64,
    /// Events that the slowest client has not been sent yet.
    pub lag: u64,
    /// Clients that are so far behind that they are served from the journal.
    pub behind: u64,
}

impl Tally {
    /// Adds the lag of a client that has been sent everything up to `cursor`. Memory has the events from `start` to
    /// `head`.
    pub fn count_lag(&mut self, cursor: u64, head: u64, start: u64) {
        self.lag = self.lag.max(head.saturating_sub(cursor));
        self.behind += u64::from(cursor + 1 < start);
    }

    /// Adds the numbers of other clients.
    pub fn add(&mut self, other: Self) {
        self.clients += other.clients;
        self.admitted += other.admitted;
        self.events += other.events;
        self.bytes += other.bytes;
        self.lag = self.lag.max(other.lag);
        self.behind += other.behind;
    }
}
