//! Slips of the pen in a value, which the parser tells in words of its own, or takes for something else: what to write instead. Who does it
//! literally has one mistake less.

use std::ops::Range;

use crate::scenario::diagnostic::Diagnostic;

/// The most digits behind the point of a share that is told.
const MOST_PLACES: usize = 17;

/// Keys whose values are durations or moments.
const DURATIONS: [&str; 16] = [
    "target",
    "at",
    "delay",
    "takes",
    "jitter",
    "metrics_every",
    "play",
    "every",
    "backoff",
    "for",
    "until",
    "from",
    "to",
    "min",
    "max",
    "baseline",
];

/// Keys whose values are from 0 to 1.
const SHARES: [&str; 3] = ["confidence", "fails", "noise"];

/// What others write for true and false.
const TRUTHS: [(&str, &str); 4] = [("yes", "true"), ("no", "false"), ("on", "true"), ("off", "false")];

/// How slips in numbers are told. The help repeats the digits.
pub(in crate::scenario) const IN_NUMBERS: [&str; 2] =
    ["`%` can't stand behind a number", "a comma can't stand within a number"];

/// A slip at the place of a mistake in the syntax.
pub(super) fn slip(message: &str, span: &Range<usize>, text: &str) -> Option<Diagnostic> {
    if message.starts_with("string values must be quoted") {
        return missing_comma(span, text);
    }
    let (number, place) = number_at(text, span.start)?;
    let key = key_before(text, place.start);
    if number.ends_with('%') {
        let help = percent(number, key)?;
        return Some(Diagnostic::new(place, IN_NUMBERS[0], "here").help(help));
    }
    let help = with_comma(number)?;
    Some(Diagnostic::new(place, IN_NUMBERS[1], "here").help(help))
}

/// How a text is written that has no quotes, or those of a word processor; a share that is written otherwise is a number.
pub(super) fn quoted(span: &Range<usize>, text: &str) -> Option<String> {
    let written = text.get(span.clone()).and_then(|written| written.lines().next()).map_or("", str::trim);
    if let Some(help) = percent(written, key_before(text, span.start)) {
        return Some(help);
    }
    if let Some((_, truth)) = TRUTHS.iter().find(|(word, _)| *word == written) {
        return Some(format!("write {truth}; or \"{written}\", if it is a text"));
    }
    let is_quote =
        |c: char| "\u{201c}\u{201d}\u{201e}\u{201f}\u{2018}\u{2019}\u{201a}\u{ab}\u{bb}".contains(c);
    let inner = written.trim_matches(is_quote);
    if inner.len() < written.len() {
        return Some(format!("write \"{inner}\", with the quotes of a keyboard"));
    }
    (!written.is_empty()).then(|| format!("write \"{written}\""))
}

/// What to write instead of a value of the wrong type.
pub(super) fn of_type(message: &str, span: &Range<usize>, text: &str) -> Option<String> {
    let written = text.get(span.clone()).unwrap_or_default();
    let inner = written.trim_matches('"').trim();
    if message.contains("expected one of `SEV1`") && ["1", "2", "3", "4", "5"].contains(&inner) {
        return Some(format!("write \"SEV{inner}\"; SEV1 is the worst, SEV5 the least"));
    }
    if message.ends_with("expected a boolean") && written.starts_with('"') {
        if ["true", "false"].contains(&inner) {
            return Some(format!("leave out the quotes: {inner}"));
        }
        let truth = TRUTHS.iter().find(|(word, _)| *word == inner);
        return truth.map(|(_, truth)| format!("write {truth}, without quotes"));
    }
    let is_share = message.ends_with("expected f64") && written.starts_with('"');
    percent(inner, key_before(text, span.start)).filter(|_| is_share)
}

/// A value that goes on with the next key.
fn missing_comma(span: &Range<usize>, text: &str) -> Option<Diagnostic> {
    let (written, rest) = (text.get(span.clone())?, text.get(span.end..)?.trim_start_matches([' ', '\t']));
    if !rest.starts_with('=') || rest.starts_with("==") || written.contains('\n') {
        return None;
    }
    let (value, key) = written.trim_end().rsplit_once([' ', '\t'])?;
    let place = span.start + value.len() + 1;
    let line = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
    let is_within = text[line..span.start].contains('{');
    let (message, help) = if is_within {
        ("a comma is missing", format!("put a comma before `{key}`"))
    } else {
        ("a line goes on after its value", format!("begin a new line before `{key}`"))
    };
    Some(Diagnostic::new(place..place + key.len(), message, "here").help(help))
}

/// What looks like a number around a place, or before it, behind the `=` of its key.
fn number_at(text: &str, at: usize) -> Option<(&str, Range<usize>)> {
    let is_part = |c: char| c.is_ascii_digit() || ".,%+-".contains(c);
    let is_within = text.get(at..)?.starts_with(is_part);
    let at = if is_within { at } else { text[..at].trim_end_matches([' ', '\t']).len() };
    let (before, after) = text.split_at(at);
    let start = before.trim_end_matches(is_part).len();
    let end = at + after.find(|c| !is_part(c)).unwrap_or(after.len());
    let number = text[start..end].trim_end_matches(',');
    let is_value = text[..start].trim_end_matches([' ', '\t']).ends_with('=');
    (is_value && number.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| (number, start..start + number.len()))
}

/// The key of the value that begins there.
fn key_before(text: &str, start: usize) -> &str {
    let before = text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t', '=']);
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    &before[before.trim_end_matches(is_part).len()..]
}

/// What to write instead of a number with a decimal comma, or with commas between its thousands.
fn with_comma(number: &str) -> Option<String> {
    let mut groups = number.split(',');
    let (whole, rest) = (groups.next()?, groups.collect::<Vec<_>>());
    let is_digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let are_thousands = !whole.starts_with('0') && rest.iter().all(|group| group.len() == 3);
    match rest.as_slice() {
        [] => None,
        all if !all.iter().all(is_digits) => None,
        all if are_thousands && is_digits(&whole) => Some(format!("write {whole}{}", all.concat())),
        [fraction] => Some(format!("write {}.{fraction}, with a point", whole.replace('.', ""))),
        _ => None,
    }
}

/// What to write instead of a number in percent.
fn percent(written: &str, key: &str) -> Option<String> {
    let number = written.strip_suffix('%')?.trim();
    let percent = number.parse::<f64>().ok().filter(|percent| percent.is_finite())?;
    if DURATIONS.contains(&key) {
        return Some(format!("write a duration, as in {key} = \"30s\""));
    }
    if SHARES.contains(&key) && !(0.0..=100.0).contains(&percent) {
        return Some(format!("{key} is from 0 to 1, which is 100%"));
    }
    if number.contains(['e', 'E']) {
        return None;
    }
    // The digits that are written, and no more than tell something.
    let places = number.split_once('.').map_or(0, |(_, fraction)| fraction.len()) + 2;
    let share = format!("{:.1$}", percent / 100.0, places.min(MOST_PLACES));
    Some(format!("write {written} as {}", share.trim_end_matches('0').trim_end_matches('.')))
}
