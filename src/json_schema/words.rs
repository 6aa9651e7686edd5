//! Values and names from outside, as they stand in a sentence: as JSON, escaped, and cut.

use std::fmt::Write;

use serde_json::Value;

/// The longest value in a sentence, in characters.
const LONGEST: usize = 80;

/// The longest list of values in a sentence.
const MOST: usize = 12;

/// A value as JSON text, escaped and cut at 80 characters.
pub fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

/// A name in backticks, escaped and cut at 80 characters.
pub fn quoted(name: &str) -> String {
    format!("`{}`", cut(name))
}

/// A text whose control characters are escaped, cut at 80 characters.
pub fn cut(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        if is_harmless(c) {
            out.push(c);
        } else {
            // A `String` takes everything.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out
}

/// Whether a terminal shows the character and does nothing else: no control character, none that turns the direction.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(words: &[String], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} {conjunction} {last}", many.join(", ")),
    }
}

/// Values after `expected`: `"a"`, or `one of "a", "b"`, at most 12 of them.
pub fn choice(values: &[String]) -> String {
    match values {
        [] => "no value at all".to_owned(),
        [one] => one.clone(),
        many if many.len() > MOST => {
            format!("one of {} and {} more", many[..MOST].join(", "), many.len() - MOST)
        }
        many => format!("one of {}", many.join(", ")),
    }
}

/// `1 field`, `2 fields`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The name of a JSON type in a sentence.
pub fn type_name(name: &str) -> &'static str {
    match name {
        "null" => "null",
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a text",
        "array" => "a list",
        _ => "an object",
    }
}
