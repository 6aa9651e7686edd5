//! How many incidents had each outcome, for the summary of the rule `lifecycle`.

use crate::contract::Outcome;

#[derive(Debug, Default)]
pub(super) struct Outcomes {
    resolved: usize,
    cancelled: usize,
    /// They ended, with a resolution that can't be read.
    unknown: usize,
    open: usize,
}

impl Outcomes {
    pub(super) fn count(&mut self, outcome: Option<Outcome>, is_over: bool) {
        match outcome {
            Some(Outcome::Resolved) => self.resolved += 1,
            Some(Outcome::Cancelled) => self.cancelled += 1,
            None if is_over => self.unknown += 1,
            None => self.open += 1,
        }
    }

    /// The outcomes in words.
    pub(super) fn summary(&self) -> String {
        let Self { resolved, cancelled, unknown, open } = *self;
        let all = resolved + cancelled + unknown + open;
        if resolved == all {
            return match all {
                1 => "started, acted and resolved".to_owned(),
                many => format!("{many} incidents started, acted and resolved"),
            };
        }
        let ways =
            [(resolved, "resolved"), (cancelled, "cancelled"), (unknown, "over"), (open, "still open")];
        let ways = ways.iter().filter(|(count, _)| *count > 0).map(|(count, way)| match all {
            1 => (*way).to_owned(),
            _ => format!("{count} {way}"),
        });
        let s = if all == 1 { "" } else { "s" };
        format!("{all} incident{s}: {}", ways.collect::<Vec<_>>().join(", "))
    }
}
