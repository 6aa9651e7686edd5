//! Serde for whole numbers on the wire. In JSON Schema `1.0` is the whole number 1, and programs whose numbers are all
//! floating-point write it so.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// The largest whole number that every JSON reader keeps exactly (RFC 8259, section 6).
pub(crate) const MAX: u64 = (1 << 53) - 1;

pub(crate) fn deserialize<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<u64>,
{
    Whole::deserialize(deserializer).map(|Whole(number)| number)
}

/// The same for a number that may be absent.
pub(crate) fn optional<'de, D, N>(deserializer: D) -> Result<Option<N>, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<u64>,
{
    Option::<Whole<N>>::deserialize(deserializer).map(|found| found.map(|Whole(number)| number))
}

struct Whole<N>(N);

impl<'de, N: TryFrom<u64>> Deserialize<'de> for Whole<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<N>(PhantomData<N>);
        impl<N: TryFrom<u64>> Visitor<'_> for Number<N> {
            type Value = Whole<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let bits = 8 * size_of::<N>() as u32;
                let most = if bits < 53 { (1 << bits) - 1 } else { MAX };
                write!(f, "a whole number from 0 to {most}")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<N>, E> {
                let fitting =
                    Some(number).filter(|number| *number <= MAX).and_then(|number| number.try_into().ok());
                fitting.map(Whole).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole<N>, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole<N>, E> {
                if number.fract() == 0.0 && (0.0..=MAX as f64).contains(&number) {
                    return self.visit_u64(number as u64);
                }
                Err(E::invalid_value(Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_any(Number(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Small(#[serde(deserialize_with = "deserialize")] u32);

    #[test]
    fn a_whole_number_is_read_however_it_is_written() {
        for text in ["7", "7.0", "7e0", "70e-1"] {
            assert_eq!(serde_json::from_str::<Small>(text).ok(), Some(Small(7)), "{text}");
        }
        for text in ["7.5", "-1", "-1.0", "4294967296", "1e300", "18446744073709551616", "\"7\"", "null"] {
            let error = serde_json::from_str::<Small>(text).map_err(|error| error.to_string());
            let error = error.expect_err(text);
            assert!(error.contains("expected a whole number from 0 to 4294967295"), "{text}: {error}");
        }
    }
}
