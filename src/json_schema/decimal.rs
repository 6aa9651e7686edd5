//! Numbers as they are written, in decimals: 19.99 is 1999 times 0.01, although a division of binary numbers says something else.

/// A number: its digits, and by which power of ten they are multiplied.
#[derive(Clone, Copy)]
struct Decimal {
    digits: i128,
    power: i32,
}

impl Decimal {
    /// `None` if it has too many digits.
    fn read(text: &str) -> Option<Self> {
        let (number, power) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, power.parse().ok()?),
            None => (text, 0_i32),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, power: power.checked_sub(i32::try_from(fraction.len()).ok()?)? })
    }
}

/// Whether a JSON number is a multiple of another; `None` if one of them has too many digits to tell.
pub(super) fn is_multiple(number: &str, of: &str) -> Option<bool> {
    let (number, of) = (Decimal::read(number)?, Decimal::read(of)?);
    let (digits, by) = (number.digits.unsigned_abs(), of.digits.unsigned_abs());
    let apart = number.power.checked_sub(of.power)?;
    if apart < 0 {
        let unit = 10_u128.checked_pow(apart.unsigned_abs()).and_then(|power| by.checked_mul(power));
        // Of a unit that is too large to be counted only zero is a multiple.
        return match unit {
            Some(unit) => digits.checked_rem(unit).map(|rest| rest == 0),
            None => Some(digits == 0),
        };
    }
    // The number itself may be too large to be counted: only what remains of it is.
    let mut rest = digits.checked_rem(by)?;
    for _ in 0..apart {
        if rest == 0 {
            break;
        }
        rest = rest.checked_mul(10)?.checked_rem(by)?;
    }
    Some(rest == 0)
}

#[cfg(test)]
mod tests {
    use super::is_multiple;

    #[test]
    fn numbers_that_are_far_apart_are_divided_by_their_digits() {
        for (number, of, is) in [
            ("19.99", "0.01", true),
            ("1e39", "7", false),
            ("7e39", "7", true),
            ("1e300", "3", false),
            ("-3e300", "3", true),
            ("5e-324", "2", false),
            ("1", "3e-39", false),
            ("3", "3e-39", true),
            ("1e30", "1e-300", true),
            ("1.7976931348623157e308", "0.5", true),
            ("0", "1e-300", true),
            ("0.3", "1e300", false),
        ] {
            assert_eq!(is_multiple(number, of), Some(is), "{number} of {of}");
        }
    }
}
