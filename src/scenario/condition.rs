//! Conditions of alerts: one comparison of a metric with a number, and when it holds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use super::duration::Micros;
use super::keyframes::{Interpolate, Keyframes};

/// A comparison like `token_p95 > 1000`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The metric.
    pub metric: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub limit: f64,
}

/// How a metric is compared with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "plain words")]
pub enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// Longer first, so that `>=` is not read as `>`.
const COMPARISONS: [(&str, Comparison); 4] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
];

/// A text that is not a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a condition is METRIC > NUMBER, with >, >=, < or <=, as in \"error_rate > 0.05\"")]
pub struct ConditionError;

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let place = text.find(['<', '>']).ok_or(ConditionError)?;
        let (metric, rest) = (text[..place].trim(), &text[place..]);
        let found =
            COMPARISONS.iter().find_map(|(sign, comparison)| Some((rest.strip_prefix(sign)?, *comparison)));
        let (limit, comparison) = found.ok_or(ConditionError)?;
        let limit: f64 = limit.trim().parse().map_err(|_| ConditionError)?;
        if metric.is_empty() || !limit.is_finite() {
            return Err(ConditionError);
        }
        Ok(Self { metric: metric.to_owned(), comparison, limit })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign =
            COMPARISONS.iter().find(|(_, known)| *known == self.comparison).map_or("", |(sign, _)| sign);
        write!(f, "{} {sign} {}", self.metric, self.limit)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Condition;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition like \"error_rate > 0.05\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Condition, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Comparison {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
        }
    }
}

impl Condition {
    /// When the condition holds from second 0 to `end`: each time from its first moment to the first at which it does not
    /// hold. The curve counts as the file draws it, without noise, so that an alert does not flutter.
    pub(super) fn holds(
        &self,
        keys: &Keyframes,
        interpolate: Interpolate,
        end: Micros,
    ) -> Vec<(Micros, Micros)> {
        let holds = |time: Micros| self.comparison.holds(keys.at(time, interpolate), self.limit);
        // Between two neighbours of this list the curve is a straight line or a step: it crosses the limit at most once.
        let mut moments: Vec<Micros> = keys.iter().map(|(time, _)| time).filter(|time| *time < end).collect();
        moments.push(Micros(0));
        moments.push(end);
        moments.sort_unstable();
        moments.dedup();
        let mut found: Vec<(Micros, Micros)> = Vec::new();
        let mut since = holds(Micros(0)).then_some(Micros(0));
        for pair in moments.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            // The last moment before the next keyframe, at which a step may come.
            let last = Micros(to.0.saturating_sub(1).max(from.0));
            for (before, after) in [(from, last), (last, to)] {
                if since.is_some() == holds(after) {
                    continue;
                }
                let change = first_change(before, after, &holds);
                match since.take() {
                    Some(begin) => found.push((begin, change)),
                    None => since = Some(change),
                }
            }
        }
        found.extend(since.filter(|begin| *begin < end).map(|begin| (begin, end)));
        found
    }
}

/// The first moment after `before` at which the condition is as at `after`, to the microsecond.
fn first_change(before: Micros, after: Micros, holds: &impl Fn(Micros) -> bool) -> Micros {
    let wanted = holds(after);
    let (mut low, mut high) = (before.0, after.0);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(Micros(middle)) == wanted { high = middle } else { low = middle }
    }
    Micros(high)
}
