//! Numbers that are rounded when a text is read: whole numbers beyond 64 bits, and those with more digits than a binary fraction
//! keeps. What is compared with one of them to the last digit may be said wrongly, so it is not said.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Number, Value};

/// No shorter number is rounded.
const SHORTEST: usize = 17;

/// What the numbers of a text that are rounded were read as.
#[derive(Debug, Clone, Default)]
pub struct Rounded(Arc<[u64]>);

thread_local! {
    /// Those of the text that this thread judges just now.
    static CURRENT: RefCell<Rounded> = RefCell::default();
}

impl Rounded {
    /// Those of a text, which is JSON or YAML. What looks like a number within a string does no harm: no number is it.
    pub fn of(text: &str) -> Self {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        let words = text.split(|c: char| !is_part(c)).filter(|word| word.len() >= SHORTEST);
        Self(words.filter_map(rounded).map(f64::to_bits).collect())
    }

    /// Judges what was read of this text.
    pub fn judge<T>(text: &str, judge: impl FnOnce() -> T) -> T {
        CURRENT.set(Self::of(text));
        let result = judge();
        CURRENT.take();
        result
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn current() -> Self {
        CURRENT.with_borrow(Clone::clone)
    }

    pub(super) fn has(&self, number: &Number) -> bool {
        let is_whole = number.is_u64() || number.is_i64();
        !is_whole && number.as_f64().is_some_and(|number| self.0.contains(&number.to_bits()))
    }
}

impl Rounded {
    /// The first such number in a value.
    pub(super) fn within<'v>(&self, value: &'v Value) -> Option<&'v Number> {
        match value {
            Value::Number(number) => Some(number).filter(|number| self.has(number)),
            Value::Array(items) => items.iter().find_map(|item| self.within(item)),
            Value::Object(members) => members.values().find_map(|member| self.within(member)),
            _ => None,
        }
    }
}

/// What a number is read as, if it is another one than is written.
fn rounded(word: &str) -> Option<f64> {
    let word = word.strip_prefix('+').unwrap_or(word);
    if !word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
        return None;
    }
    if word.parse::<u64>().is_ok() || word.parse::<i64>().is_ok() {
        return None;
    }
    let read = word.parse::<f64>().ok().filter(|read| read.is_finite())?;
    (digits(word) != digits(&format!("{read:e}"))).then_some(read)
}

/// The digits of a number without zeros at both ends, and the power of ten of the first one. The sign is left out: it is never lost.
fn digits(text: &str) -> Option<(String, i64)> {
    let text = text.trim_start_matches('-');
    let (number, power) = match text.split_once(['e', 'E']) {
        Some((number, power)) => (number, power.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all = format!("{whole}{fraction}");
    let zeros = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0').to_owned();
    let first = power + i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
    let first = if digits.is_empty() { 0 } else { first };
    Some((digits, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_as_another_number_is_rounded() {
        for text in [
            "18446744073709551617",
            "-9223372036854775809",
            "[1, 340282366920938463463374607431768211455]",
            r#"{"a":0.12345678901234567890}"#,
            "9.223372036854775807e18",
            "a: 18446744073709551617 # a comment",
        ] {
            assert_eq!(Rounded::of(text).0.len(), 1, "{text}");
        }
        for text in [
            "18446744073709551615",
            "-9223372036854775808",
            "100000000000000000000000000",
            "1.8446744073709552e19",
            "0.10000000000000000000",
            "00000000-0000-4000-8000-000000000000",
            "2026-11-22T10:00:00.000000Z",
            r#"{"a":0.1,"b":[125.68332230972723]}"#,
        ] {
            assert!(Rounded::of(text).0.is_empty(), "{text}: {:?}", Rounded::of(text));
        }
    }
}
