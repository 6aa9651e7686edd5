//! Whole numbers and addresses in flags: a wrong one is told what is expected.

use std::net::IpAddr;

/// The numbers below 2^53, which every program that reads JSON can tell apart.
pub(super) const LARGEST: u64 = (1 << 53) - 1;

/// A parser of whole numbers from `least` to `most`.
pub(super) fn whole<T: TryFrom<u64>>(
    least: u64,
    most: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("expected a whole number from {least} to {most}"))
    }
}

/// An address of this machine.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        let here = if text == "localhost" { ": localhost is 127.0.0.1 or ::1" } else { "" };
        format!("expected an IP address, as in 127.0.0.1, or 0.0.0.0 for all of this machine{here}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_the_range_is_told_the_range() {
        let small = whole::<u32>(1, 64);
        assert_eq!(small("64"), Ok(64));
        for wrong in ["x", "", "0", "65", "-1", "1.5", "1e3", "99999999999999999999"] {
            assert_eq!(small(wrong), Err("expected a whole number from 1 to 64".to_owned()), "{wrong}");
        }
        assert_eq!(whole::<u64>(0, LARGEST)("9007199254740991"), Ok(LARGEST));
        assert!(whole::<u64>(0, LARGEST)("9007199254740992").is_err());
    }
}
