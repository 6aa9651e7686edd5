//! Times, money and measures as people read them: one way for the terminal and the report.

/// `01:20`, `1:02:33`; negative with a sign.
pub fn clock(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let (hours, minutes, seconds) = parts(seconds);
    if hours > 0 {
        format!("{sign}{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{sign}{minutes:02}:{seconds:02}")
    }
}

/// Hours, minutes and seconds, the last one begun left out: as every clock of the program counts.
pub(super) fn parts(seconds: f64) -> (u64, u64, u64) {
    let whole = whole(seconds.abs());
    (whole / 3600, whole / 60 % 60, whole % 60)
}

/// Full seconds.
pub(super) fn whole(seconds: f64) -> u64 {
    seconds.floor() as u64
}

/// `7 s`, `1 min 8 s`, `6 h 24 min`, in full seconds, from an hour on in full minutes.
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

/// `$4,310`, `4,310 CHF`.
pub fn money(currency: &str, amount: f64) -> String {
    let grouped = grouped(amount);
    match currency {
        "USD" => format!("${grouped}"),
        "EUR" => format!("€{grouped}"),
        "GBP" => format!("£{grouped}"),
        other => format!("{grouped} {other}"),
    }
}

/// `50,000`; nothing is below 0.
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

/// A value without a tail of digits.
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

/// A metric's value in the unit that the incident announced for it.
pub fn metric(number: f64, unit: &str) -> String {
    in_unit(number, &value(number), unit)
}

/// The same with the thousands grouped: for a text that is read, not glanced at.
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

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
