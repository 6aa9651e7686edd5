//! Formats that the validator gets wrong: it takes an email address of nobody and a day such as `+123-01-01`, refuses templates with
//! a variable for a port, and judges `period`, which JSON Schema does not have.

use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr};

use boon::Format;
use serde_json::Value;

/// The formats, for the validator.
pub(super) const FORMATS: [Format; 6] = [
    Format { name: "date", func: |value| text(value, "date", is_date) },
    Format { name: "time", func: |value| text(value, "time", is_time) },
    Format { name: "date-time", func: |value| text(value, "date-time", is_date_time) },
    Format { name: "email", func: |value| text(value, "email", is_email) },
    Format { name: "uri-template", func: |value| text(value, "uri-template", is_uri_template) },
    Format { name: "period", func: |_| Ok(()) },
];

fn text(value: &Value, name: &str, judge: fn(&str) -> bool) -> Result<(), Box<dyn Error>> {
    match value {
        Value::String(text) if !judge(text) => Err(format!("no {name}").into()),
        _ => Ok(()),
    }
}

/// The number that stands at these bytes, if only digits do.
fn number(text: &str, from: usize, to: usize) -> Option<u32> {
    let digits = text.get(from..to).filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()))?;
    digits.parse().ok()
}

/// `full-date` of RFC 3339.
fn is_date(text: &str) -> bool {
    let parts = (number(text, 0, 4), number(text, 5, 7), number(text, 8, 10));
    let (Some(year), Some(month), Some(day)) = parts else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    dashes && (1..=days).contains(&day)
}

/// `full-time` of RFC 3339. A leap second is the last one of a day, in UTC.
fn is_time(text: &str) -> bool {
    let parts = (number(text, 0, 2), number(text, 3, 5), number(text, 6, 8));
    let (Some(hour), Some(minute), Some(second)) = parts else { return false };
    if text.as_bytes()[2] != b':' || text.as_bytes()[5] != b':' || hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    let rest = &text[8..];
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    let zone = match (rest, rest.get(..1)) {
        ("Z" | "z", _) => 0,
        (_, Some(sign @ ("+" | "-"))) if rest.len() == 6 && rest.as_bytes()[3] == b':' => {
            let (Some(hours), Some(minutes)) = (number(rest, 1, 3), number(rest, 4, 6)) else { return false };
            if hours > 23 || minutes > 59 {
                return false;
            }
            let zone = i64::from(hours * 60 + minutes);
            if sign == "+" { zone } else { -zone }
        }
        _ => return false,
    };
    let minute = (i64::from(hour * 60 + minute) - zone).rem_euclid(24 * 60);
    second < 60 || minute == 24 * 60 - 1
}

/// `date-time` of RFC 3339.
fn is_date_time(text: &str) -> bool {
    let (Some(date), Some(time)) = (text.get(..10), text.get(11..)) else { return false };
    matches!(text.as_bytes()[10], b'T' | b't') && is_date(date) && is_time(time)
}

/// `Mailbox` of RFC 5321, with its limits.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_local = match quoted {
        Some(quoted) => is_quoted(quoted),
        None => local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom)),
    };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_domain = match literal {
        Some(literal) => match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        },
        None => is_hostname(domain) && !domain.ends_with('.'),
    };
    text.len() <= 254 && local.len() <= 64 && is_local && is_domain
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// What stands between the quotes of a local part.
fn is_quoted(text: &str) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => rest.next(),
            '"' => None,
            c => Some(c),
        };
        if !c.is_some_and(|c| matches!(c, ' '..='~')) {
            return false;
        }
    }
    true
}

fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// RFC 6570. Letters beyond ASCII may stand in it.
fn is_uri_template(text: &str) -> bool {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '{' => match rest[1..].split_once('}') {
                Some((expression, after)) if is_expression(expression) => after,
                _ => return false,
            },
            '%' if number_16(rest.get(1..3)) => &rest[3..],
            // `'` is not allowed in the letter of the RFC, and is in its errata.
            '%' | '}' | '"' | '<' | '>' | '\\' | '^' | '`' | '|' | '\0'..=' ' | '\u{7f}' => return false,
            c => &rest[c.len_utf8()..],
        };
    }
    true
}

fn number_16(digits: Option<&str>) -> bool {
    digits.is_some_and(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))
}

fn is_expression(text: &str) -> bool {
    let names = text.strip_prefix(|c| "+#./;?&=,!@|".contains(c)).unwrap_or(text);
    names.split(',').all(|name| {
        let name = name.strip_suffix('*').unwrap_or_else(|| match name.split_once(':') {
            Some((name, most)) if is_most(most) => name,
            _ => name,
        });
        name.split('.').all(is_name)
    })
}

/// How many characters of a value are taken: from 1 to 9999.
fn is_most(text: &str) -> bool {
    text.len() <= 4 && !text.starts_with('0') && text.parse::<u32>().is_ok() && !text.starts_with('+')
}

fn is_name(text: &str) -> bool {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '%' if number_16(rest.get(1..3)) => &rest[3..],
            c if c.is_ascii_alphanumeric() || c == '_' => &rest[1..],
            _ => return false,
        };
    }
    !text.is_empty()
}
