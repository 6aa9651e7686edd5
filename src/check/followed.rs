//! How many incidents are followed at the same time, so that a stream with endless incidents takes bounded memory.

/// The most incidents that are followed at the same time. Each takes a few kilobytes.
const MOST_OPEN: usize = 20_000;

/// The most incidents that are remembered. Those that are over take some 200 bytes.
const MOST: usize = 250_000;

#[derive(Debug, Default)]
pub(super) struct Followed {
    open: usize,
    /// Events of further incidents.
    others: u64,
}

impl Followed {
    /// Whether one more incident is followed beside the `known` ones. Otherwise its event is counted.
    pub(super) fn admits(&mut self, known: usize) -> bool {
        let admits = self.open < MOST_OPEN && known < MOST;
        self.open += usize::from(admits);
        self.others += u64::from(!admits);
        admits
    }

    pub(super) fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// What was not judged.
    pub(super) fn warning(&self) -> Option<String> {
        (self.others > 0).then(|| {
            format!(
                "{} events were judged only by their envelope, payload and position, because at most {MOST_OPEN} incidents are \
                 followed at the same time and {MOST} in all",
                self.others
            )
        })
    }
}
