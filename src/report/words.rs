//! Formats times, money and values for people, in the same way for the terminal and the report.

/// A time as on a clock: `01:20`, `1:02:33`; with a minus sign if negative.
pub fn clock(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let (hours, minutes, seconds) = parts(seconds);
    if hours > 0 {
        format!("{sign}{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{sign}{minutes:02}:{seconds:02}")
    }
}

/// A moment of an incident: `T+01:20`, `T−00:05` before its impact, `T+?` if nobody knows it. The dashboard does the same.
pub fn moment(offset_s: Option<f64>) -> String {
    match offset_s {
        None => "T+?".to_owned(),
        Some(offset_s) if offset_s < 0.0 => format!("T−{}", clock((-offset_s).ceil())),
        Some(offset_s) => format!("T+{}", clock(offset_s)),
    }
}

/// Hours, minutes and full seconds. Every clock of the program counts full seconds.
pub(super) fn parts(seconds: f64) -> (u64, u64, u64) {
    let whole = whole(seconds.abs());
    (whole / 3600, whole / 60 % 60, whole % 60)
}

/// The number of full seconds.
pub(super) fn whole(seconds: f64) -> u64 {
    seconds.floor() as u64
}

/// A duration: `7 s`, `1 min 8 s`, `6 h 24 min`. In full seconds; from one hour on in full minutes.
pub fn duration(seconds: f64) -> String {
    let (hours, minutes, seconds) = parts(seconds);
    match (hours, minutes, seconds) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// An amount of money: `$4,310`, `4,310 CHF`.
pub fn money(currency: &str, amount: f64) -> String {
    let grouped = grouped(amount);
    match currency {
        "USD" => format!("${grouped}"),
        "EUR" => format!("€{grouped}"),
        "GBP" => format!("£{grouped}"),
        other => format!("{grouped} {other}"),
    }
}

/// A number with its thousands grouped: `50,000`. Negative numbers become 0.
pub fn grouped(amount: f64) -> String {
    let digits = format!("{:.0}", amount.max(0.0));
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A value with about three significant digits.
pub fn value(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A metric's value with its unit.
pub fn metric(number: f64, unit: &str) -> String {
    in_unit(number, &value(number), unit)
}

/// A metric's value with its unit, and with grouped thousands from 1,000 on.
pub(super) fn measure(number: f64, unit: &str) -> String {
    if number >= 1000.0 { in_unit(number, &grouped(number), unit) } else { metric(number, unit) }
}

fn in_unit(number: f64, written: &str, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:.1}%", number * 100.0),
        "1/s" => format!("{written}/s"),
        "%" => format!("{written}%"),
        "" | "count" => written.to_owned(),
        _ => format!("{written} {unit}"),
    }
}

/// A probability: `94%`.
pub fn percent(p: f64) -> String {
    format!("{:.0}%", p * 100.0)
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
