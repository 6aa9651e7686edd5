//! How many incidents had each outcome, for the summary of the rule `lifecycle`.

use crate::contract::Outcome;

#[derive(Debug, Default)]
pub(super) struct Outcomes {
    resolved: usize,
    cancelled: usize,
    /// They ended, with a resolution that can't be read.
    unknown: usize,
    open: usize,
    /// Of all of them those whose start was not received.
    beginless: usize,
}

impl Outcomes {
    pub(super) fn count(&mut self, outcome: Option<Outcome>, is_over: bool, has_start: bool) {
        self.beginless += usize::from(!has_start);
        match outcome {
            Some(Outcome::Resolved) => self.resolved += 1,
            Some(Outcome::Cancelled) => self.cancelled += 1,
            None if is_over => self.unknown += 1,
            None => self.open += 1,
        }
    }

    /// How many have ended.
    pub(super) fn over(&self) -> u64 {
        (self.resolved + self.cancelled + self.unknown) as u64
    }

    /// The outcomes in words.
    pub(super) fn summary(&self) -> String {
        let Self { resolved, cancelled, unknown, open, beginless } = *self;
        let all = resolved + cancelled + unknown + open;
        if resolved == all && beginless == 0 {
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
        let without = match beginless {
            0 => String::new(),
            one if one == all => ", without the start".to_owned(),
            some => format!("; {some} without the start"),
        };
        format!("{all} incident{s}: {}{without}", ways.collect::<Vec<_>>().join(", "))
    }
}
