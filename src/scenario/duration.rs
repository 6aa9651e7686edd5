//! Durations and moments as authors write them: `8s`, `1m30s`, `250ms`, `24h`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A duration, or a moment counted from the incident's start, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

const UNITS: [(&str, u64); 5] =
    [("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000)];

impl Micros {
    /// The longest duration that is accepted, and the longest incident: a year.
    pub(super) const LONGEST: Self = Self(366 * 86_400_000_000);

    /// In seconds.
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// From seconds, to the nearest microsecond; negative and not-a-number become 0.
    pub fn from_secs(secs: f64) -> Self {
        Self((secs * 1e6).round() as u64)
    }
}

impl FromStr for Micros {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}: a duration is like \"8s\", \"1m30s\", \"250ms\", \"24h\"");
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong("empty duration"));
        }
        let mut total: u64 = 0;
        let mut smallest = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let number: f64 = number.parse().map_err(|_| wrong(&format!("{text:?} is not a duration")))?;
            let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(wrong(&match unit {
                    "" => format!("{text:?} has no unit"),
                    _ => format!("{unit:?} is not a unit of time"),
                }));
            };
            if scale >= smallest {
                return Err(wrong(&format!("the units of {text:?} do not fall")));
            }
            smallest = scale;
            let part = number * scale as f64;
            if part > Self::LONGEST.0 as f64 || total + part.round() as u64 > Self::LONGEST.0 {
                return Err(format!("{text:?} is more than a year"));
            }
            total += part.round() as u64;
            rest = tail;
        }
        // The wire tells milliseconds: nothing may lie between two.
        Ok(Self((total + 500) / 1_000 * 1_000))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, scale) in [
            ("d", 86_400_000_000),
            ("h", 3_600_000_000),
            ("m", 60_000_000),
            ("s", 1_000_000),
            ("ms", 1_000),
            ("us", 1),
        ] {
            if rest >= scale {
                write!(f, "{}{unit}", rest / scale)?;
                rest %= scale;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Micros;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration like \"8s\", \"1m30s\", \"250ms\", \"24h\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Micros, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl std::ops::Add for Micros {
    type Output = Self;

    /// Stops at the largest number: a chain of many long steps is refused later, by [`Micros::LONGEST`].
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
