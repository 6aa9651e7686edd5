//! Limits: of numbers, and of how long texts, lists and objects may be.

use std::cmp::Ordering;

use super::change::Breaks;
use super::report::{Pair, Report};
use super::shape::Shape;

/// A limit, and whether the limit itself is outside.
#[derive(Clone, Copy, PartialEq)]
struct Limit {
    value: f64,
    is_excluded: bool,
}

/// A kind of limit: how to read it and how to say it.
struct Kind {
    /// The keyword, and the one of the limit that is outside.
    keywords: [&'static str; 2],
    is_lower: bool,
    /// `character`, if it counts something.
    unit: &'static str,
}

const KINDS: [Kind; 8] = [
    Kind { keywords: ["minimum", "exclusiveMinimum"], is_lower: true, unit: "" },
    Kind { keywords: ["maximum", "exclusiveMaximum"], is_lower: false, unit: "" },
    Kind { keywords: ["minLength", ""], is_lower: true, unit: "character" },
    Kind { keywords: ["maxLength", ""], is_lower: false, unit: "character" },
    Kind { keywords: ["minItems", ""], is_lower: true, unit: "item" },
    Kind { keywords: ["maxItems", ""], is_lower: false, unit: "item" },
    Kind { keywords: ["minProperties", ""], is_lower: true, unit: "field" },
    Kind { keywords: ["maxProperties", ""], is_lower: false, unit: "field" },
];

impl Kind {
    fn read(&self, shape: &Shape) -> Option<Limit> {
        let number = |keyword: &str| shape.get(keyword)?.as_f64();
        let included = number(self.keywords[0]).map(|value| Limit { value, is_excluded: false });
        let excluded = number(self.keywords[1]).map(|value| Limit { value, is_excluded: true });
        let tighter = match (included, excluded) {
            (Some(one), Some(other)) if self.order(one, other) == Ordering::Greater => Some(one),
            (one, other) => other.or(one),
        };
        // To have at least nothing is no limit.
        tighter.filter(|limit| self.unit.is_empty() || !self.is_lower || limit.value > 0.0)
    }

    /// Greater is tighter.
    fn order(&self, one: Limit, other: Limit) -> Ordering {
        let order = one.value.total_cmp(&other.value);
        let order = if self.is_lower { order } else { order.reverse() };
        order.then(one.is_excluded.cmp(&other.is_excluded))
    }

    fn words(&self, limit: Limit) -> String {
        let words = match (self.is_lower, limit.is_excluded) {
            (true, false) => "at least",
            (true, true) => "more than",
            (false, false) => "at most",
            (false, true) => "less than",
        };
        match self.unit {
            "" => format!("{words} {}", limit.value),
            unit if limit.value.to_string() == "1" => format!("{words} 1 {unit}"),
            unit => format!("{words} {} {unit}s", limit.value),
        }
    }
}

pub(super) fn compare(report: &mut Report<'_>, pair: &Pair) {
    for kind in KINDS {
        let (old, new) = (kind.read(&pair.old), kind.read(&pair.new));
        let verb = if kind.unit.is_empty() { "be" } else { "have" };
        let end = if kind.is_lower { "lower" } else { "upper" };
        let name = &pair.name;
        let (breaks, text) = match (old, new) {
            (Some(old), None) => {
                let was = kind.words(old);
                (Breaks::Readers, format!("{name} has no {end} limit any more; it had to {verb} {was}"))
            }
            (None, Some(new)) => {
                let is = kind.words(new);
                (Breaks::Writers, format!("{name} must now {verb} {is}; it had no {end} limit"))
            }
            (Some(old), Some(new)) => {
                let (was, is) = (kind.words(old), kind.words(new));
                match kind.order(old, new) {
                    Ordering::Equal => continue,
                    Ordering::Greater => {
                        (Breaks::Readers, format!("{name} need only {verb} {is} now; it had to {verb} {was}"))
                    }
                    Ordering::Less => {
                        (Breaks::Writers, format!("{name} must now {verb} {is}; it had to {verb} {was}"))
                    }
                }
            }
            (None, None) => continue,
        };
        report.note(breaks, &pair.pointer, text);
    }
}
