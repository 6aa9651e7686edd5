//! A set of numbers that mostly follow one another, kept as ranges: a million positions in a row are one range.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Spans {
    /// First number of each range with its last one. Ranges neither overlap nor touch.
    ranges: BTreeMap<u64, u64>,
}

impl Spans {
    /// Adds a number. Returns whether it is new.
    pub(super) fn add(&mut self, n: u64) -> bool {
        let before = self.ranges.range(..=n).next_back().map(|(from, to)| (*from, *to));
        if before.is_some_and(|(_, to)| n <= to) {
            return false;
        }
        let from = match before {
            Some((from, to)) if to.checked_add(1) == Some(n) => from,
            _ => n,
        };
        let to = n.checked_add(1).and_then(|next| self.ranges.remove(&next)).unwrap_or(n);
        self.ranges.insert(from, to);
        true
    }

    /// Takes a number out.
    pub(super) fn remove(&mut self, n: u64) {
        let Some((from, to)) = self.ranges.range(..=n).next_back().map(|(from, to)| (*from, *to)) else {
            return;
        };
        if n > to {
            return;
        }
        self.ranges.remove(&from);
        if from < n {
            self.ranges.insert(from, n - 1);
        }
        if n < to {
            self.ranges.insert(n + 1, to);
        }
    }

    /// Forgets the lowest ranges if there are more than so many.
    pub(super) fn forget(&mut self, most: usize) {
        while self.ranges.len() > most {
            self.ranges.pop_first();
        }
    }

    pub(super) fn contains(&self, n: u64) -> bool {
        self.ranges.range(..=n).next_back().is_some_and(|(_, to)| n <= *to)
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.ranges.first_key_value().map(|(from, _)| *from)
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.ranges.last_key_value().map(|(_, to)| *to)
    }

    /// The ranges between `from` and `to` that are not in the set.
    pub(super) fn missing(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        let mut next = from;
        let start = self.ranges.range(..=from).next_back().map_or(from, |(start, _)| *start);
        for (&first, &last) in self.ranges.range(start..) {
            if first > to || next > to {
                break;
            }
            if first > next {
                missing.push((next, first - 1));
            }
            next = next.max(last.saturating_add(1));
        }
        if next <= to {
            missing.push((next, to));
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_join_to_ranges_and_the_holes_are_known() {
        let mut spans = Spans::default();
        for n in [5, 6, 9, 7, 1, 12] {
            assert!(spans.add(n));
        }
        assert!(!spans.add(6) && !spans.add(1));
        assert_eq!((spans.first(), spans.last()), (Some(1), Some(12)));
        assert_eq!(spans.missing(1, 12), [(2, 4), (8, 8), (10, 11)]);
        assert_eq!(spans.missing(3, 14), [(3, 4), (8, 8), (10, 11), (13, 14)]);
        assert_eq!(spans.missing(5, 7), []);
        spans.remove(6);
        assert_eq!(spans.missing(5, 7), [(6, 6)]);
        spans.remove(3);
        assert!(spans.add(6), "it was taken out");
        assert!(spans.add(8) && spans.add(u64::MAX));
        assert_eq!(spans.missing(5, 9), []);
    }
}
