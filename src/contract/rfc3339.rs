//! Times from outside: RFC 3339 and nothing else. `jiff` also reads other forms of ISO 8601, years before 0 and names of zones,
//! which neither the schemas nor the readers of other programs take.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// Reads a time as RFC 3339 has it, such as `2026-11-22T10:00:00Z`. Digits beyond nanoseconds are cut off, and a leap second is
/// the second before it. `None` for any other text, and for a time that is not in the years 0 to 9999 of UTC: it could not be
/// written in this form.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if !marks.iter().all(|(place, mark)| bytes.get(*place) == Some(mark)) {
        return None;
    }
    if !matches!(bytes.get(10), Some(b'T' | b't')) {
        return None;
    }
    let (year, month, day) = (number(bytes, 0, 4)?, number(bytes, 5, 2)?, number(bytes, 8, 2)?);
    let (hour, minute, second) = (number(bytes, 11, 2)?, number(bytes, 14, 2)?, number(bytes, 17, 2)?);
    let (nanosecond, zone) = fraction(bytes.get(19..)?)?;
    let leaps = second == 60;
    let small = |number: i16| i8::try_from(number).ok();
    let second = if leaps { 59 } else { small(second)? };
    let civil =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, second, nanosecond)
            .ok()?;
    let utc = Offset::UTC.to_timestamp(civil).ok()?.checked_sub(offset(zone)?).ok()?;
    // A leap second ends a day of UTC.
    if leaps && (utc.as_second().rem_euclid(86_400)) != 86_399 {
        return None;
    }
    (Offset::UTC.to_datetime(utc).year() >= 0).then_some(utc)
}

/// The number of so many digits at a place.
fn number(bytes: &[u8], place: usize, digits: usize) -> Option<i16> {
    let digits = bytes.get(place..place + digits)?;
    digits
        .iter()
        .try_fold(0, |number: i16, byte| byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0')))
}

/// The nanoseconds of a fraction, if there is one, and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let Some(after) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (digits, zone) = after.split_at(digits);
    let digits = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some((digits.fold(0, |number, digit| number * 10 + i32::from(digit - b'0')), zone))
}

/// How far the zone's clocks are ahead of UTC.
fn offset(zone: &[u8]) -> Option<SignedDuration> {
    let sign = match zone {
        [b'Z' | b'z'] => return Some(SignedDuration::ZERO),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (number(zone, 1, 2)?, number(zone, 4, 2)?);
    (hours < 24 && minutes < 60).then(|| SignedDuration::from_mins(sign * i64::from(hours * 60 + minutes)))
}
