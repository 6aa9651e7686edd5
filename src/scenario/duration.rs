//! Durations as authors and users write them: `8s`, `1m 30s`, `250ms`, `24h`. Scenario files and flags share the type.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A duration, or a moment counted from the incident's start, in microseconds.
///
/// Text is read by [jiff](jiff::fmt::friendly) and rounded to whole milliseconds.
///
/// ```
/// use incident::scenario::Micros;
///
/// for text in ["90s", "1m30s", "1m 30s", "1 min, 30 secs", "1.5 minutes", "00:01:30", "PT1M30S"] {
///     assert_eq!(text.parse(), Ok(Micros(90_000_000)), "{text}");
/// }
/// assert_eq!(Micros(90_000_000).to_string(), "1m30s");
/// assert!("90".parse::<Micros>().is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

/// A moment of an incident in microseconds from second 0, before it if negative: `90s`, `-12m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It has another form, no unit, an unknown unit, or units in the wrong order.
    #[error("{0:?} is not a duration: {ALLOWED}")]
    Form(String),
    /// A month or a year has no fixed length.
    #[error("{0:?} has months or years, which have no fixed length: {ALLOWED}")]
    Calendar(String),
    /// It is below zero.
    #[error("{0:?} is negative: {ALLOWED}")]
    Negative(String),
    /// It is above [`Micros::LONGEST`].
    #[error("{0:?} is more than a year")]
    TooLong(String),
}

const ALLOWED: &str = "write numbers with the units d, h, m, s and ms, the largest first, as in \"8s\", \"1m30s\", \"250ms\" or \"24h\"";

const PER_DAY: u64 = 86_400_000_000;

impl Micros {
    /// The longest duration that is accepted, and the longest incident: a year.
    pub const LONGEST: Self = Self(crate::plan::LONGEST_US);

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
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let span: Span = text.trim().parse().map_err(|_| DurationError::Form(text.to_owned()))?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(DurationError::Calendar(text.to_owned()));
        }
        let too_long = || DurationError::TooLong(text.to_owned());
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| too_long())?;
        if duration.is_negative() {
            return Err(DurationError::Negative(text.to_owned()));
        }
        // Messages carry whole milliseconds: no moment may lie between two of them.
        let millis = u64::try_from((duration.as_nanos() + 500_000) / 1_000_000).map_err(|_| too_long())?;
        let micros = millis.checked_mul(1_000).map(Self).filter(|micros| *micros <= Self::LONGEST);
        micros.ok_or_else(too_long)
    }
}

impl FromStr for Moment {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let text = text.trim();
        let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest.trim_start()));
        let Micros(micros) = rest.parse()?;
        // A year of microseconds fits.
        Ok(Self(sign * micros.cast_signed()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        Micros(self.0.unsigned_abs()).fmt(f)
    }
}

impl fmt::Display for Micros {
    /// The shortest form that is read back: `1d6h`, `1m30s`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0 / PER_DAY, self.0 % PER_DAY);
        if days > 0 {
            write!(f, "{days}d")?;
        }
        if rest == 0 && days > 0 {
            return Ok(());
        }
        // jiff prints no unit above hours of a duration.
        let printer = SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::None);
        f.write_str(&printer.unsigned_duration_to_string(&Duration::from_micros(rest)))
    }
}

impl From<Micros> for Duration {
    fn from(duration: Micros) -> Self {
        Self::from_micros(duration.0)
    }
}

impl From<Duration> for Micros {
    /// Durations of more than 584,000 years become that.
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Micros;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration like \"8s\", \"1m30s\", \"250ms\" or \"24h\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Micros, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration like \"8s\" or \"1m30s\", or \"-12m\" for a time before second 0")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
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

impl JsonSchema for Micros {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration: numbers with the units d, h, m, s and ms, as in \"8s\", \"1m30s\" or \"250ms\"",
            "type": "string",
            "pattern": pattern(""),
            "allOf": [{ "pattern": SOMETHING }],
        })
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment of the incident: a duration from second 0, before it with a minus, as in \"90s\" or \"-12m\"",
            "type": "string",
            "pattern": pattern("(-\\s*)?"),
            "allOf": [{ "pattern": SOMETHING }],
        })
    }
}

/// What [`pattern`] leaves open, because each of its parts may be missing: there is a number, and a unit or digits at the end.
const SOMETHING: &str = "[0-9].*[0-9A-SU-Za-su-z]\\s*$";

/// The form of a duration behind a sign, as a regular expression that every editor knows. Which form has a length of at most a year,
/// only this program says.
fn pattern(sign: &str) -> String {
    const FRACTION: &str = "[.,][0-9]{1,9}";
    const WEEKS: &str = "w((ee)?ks?)?";
    const DAYS: &str = "d(ays?)?";
    const UNITS: [&str; 5] = [
        "h((ou)?rs?)?",
        "m(in(ute)?s?)?",
        "s(ec(ond)?s?)?",
        "m(s(ecs?)?|illi(second)?s?)",
        "([u\u{b5}]s(ecs?)?|micro(second)?s?)",
    ];
    const NANOS: &str = "([0-9]+\\s*n(s(ecs?)?|ano(second)?s?))?";
    // Only the last number has a fraction.
    let units = |names: &[&str], space: &str, between: &str, smallest: &str| {
        names.iter().rev().fold(smallest.to_owned(), |smaller, name| {
            format!("([0-9]+{FRACTION}{space}{name}|([0-9]+{space}{name}{between})?{smaller})")
        })
    };
    let between = "(,\\s)?\\s*";
    let clock = format!("[0-9]+:[0-9]+:[0-9]+({FRACTION})?");
    let words = units(&UNITS, "\\s*", between, NANOS);
    let iso = units(&["[Hh]", "[Mm]", "[Ss]"], "", "", "");
    format!(
        "^\\s*{sign}\\+?(([0-9]+\\s*{WEEKS}{between})?([0-9]+\\s*{DAYS}{between})?({clock}|{words})\
         |[Pp]([0-9]+[Ww])?([0-9]+[Dd])?([Tt]{iso})?)\\s*$"
    )
}
