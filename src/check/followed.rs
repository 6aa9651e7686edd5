//! How much is followed at the same time, so that a stream with endless streams and incidents in it takes bounded memory.

/// The most incidents that are followed at the same time.
const MOST_OPEN: usize = 20_000;

/// The most memory that they may take, in bytes. Each takes a few kilobytes, and more if its events are large.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// What an incident takes beside its events.
const EACH: usize = 4 * 1024;

/// An incident keeps its start and holds two events back.
const KEPT_EVENTS: usize = 3;

/// The most incidents that are remembered. Those that are over take some 200 bytes.
const MOST: usize = 250_000;

/// The most streams whose positions are followed. A live connection has one; a recording has one for each journal.
pub(super) const MOST_STREAMS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Followed {
    open: usize,
    /// What the open incidents may take.
    bytes: usize,
    /// Events of further incidents.
    others: u64,
    /// Events of further streams.
    of_streams: u64,
}

impl Followed {
    /// Whether one more incident is followed beside the `known` ones. Otherwise its event is counted.
    pub(super) fn admits(&mut self, known: usize) -> bool {
        let admits = self.open < MOST_OPEN && known < MOST;
        self.open += usize::from(admits);
        self.others += u64::from(!admits);
        admits
    }

    /// Whether an open incident that took `taken` bytes may have an event of so many bytes. If not, it is over with it.
    pub(super) fn has_room(&mut self, taken: &mut usize, event: usize) -> bool {
        let needs = (EACH + KEPT_EVENTS * event).max(*taken);
        if self.bytes + needs - *taken > MOST_BYTES {
            self.end(*taken);
            self.others += 1;
            return false;
        }
        self.bytes += needs - *taken;
        *taken = needs;
        true
    }

    /// An event is of an incident that is no longer followed.
    pub(super) fn leave_out(&mut self) {
        self.others += 1;
    }

    /// An event is of a stream that is not followed.
    pub(super) fn leave_out_stream(&mut self) {
        self.of_streams += 1;
    }

    /// An incident that took so many bytes is over.
    pub(super) fn end(&mut self, taken: usize) {
        self.open = self.open.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(taken);
    }

    /// What was not judged.
    pub(super) fn warning(&self) -> Option<String> {
        let mut said = Vec::new();
        if self.others > 0 {
            said.push(format!(
                "{} events were judged only by their envelope, payload and position, because at most {MOST_OPEN} incidents \
                 are followed at the same time, in {} MiB, and {MOST} in all",
                self.others,
                MOST_BYTES / (1024 * 1024)
            ));
        }
        if self.of_streams > 0 {
            said.push(format!(
                "{} events were judged only by their envelope and payload, because at most {MOST_STREAMS} streams are followed",
                self.of_streams
            ));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}
