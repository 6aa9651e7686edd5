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

    /// The digits for a smaller power of ten.
    fn at(self, power: i32) -> Option<i128> {
        let more = u32::try_from(self.power.checked_sub(power)?).ok()?;
        self.digits.checked_mul(10_i128.checked_pow(more)?)
    }
}

/// Whether a JSON number is a multiple of another; `None` if they are too far apart to tell.
pub(super) fn is_multiple(number: &str, of: &str) -> Option<bool> {
    let (number, of) = (Decimal::read(number)?, Decimal::read(of)?);
    let power = number.power.min(of.power);
    number.at(power)?.checked_rem(of.at(power)?).map(|rest| rest == 0)
}
