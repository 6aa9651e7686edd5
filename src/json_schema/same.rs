//! Which values are the same, to the last digit of their numbers: for `const`, `enum` and `uniqueItems`.

use std::collections::HashMap;

use serde_json::{Number, Value};

/// From here on not every whole number is a binary fraction of 64 bits.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether a value has a number of which the validator takes others for the same.
pub(super) fn is_rough(value: &Value) -> bool {
    any_number(value, &mut |number| number.as_f64().is_some_and(|size| size.abs() >= EXACT))
}

fn any_number(value: &Value, is: &mut impl FnMut(&Number) -> bool) -> bool {
    match value {
        Value::Number(number) => is(number),
        Value::Array(items) => items.iter().any(|item| any_number(item, is)),
        Value::Object(members) => members.values().any(|member| any_number(member, is)),
        _ => false,
    }
}

/// Whether two values are the same if their numbers are read as binary fractions, as the validator reads them.
pub(super) fn are_roughly_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_roughly_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in = |(name, value)| other.get(name).is_some_and(|other| are_roughly_same(value, other));
            one.len() == other.len() && one.iter().all(is_in)
        }
        _ => one == other,
    }
}

pub(super) fn are_same(one: &Value, other: &Value) -> bool {
    are_roughly_same(one, other) && text_of(one) == text_of(other)
}

/// The places of the first item that is there before, and of that.
pub(super) fn twice(items: &[Value]) -> Option<(usize, usize)> {
    let mut places = HashMap::new();
    items.iter().enumerate().find_map(|(place, item)| Some((places.insert(text_of(item), place)?, place)))
}

/// A text that only this value has.
fn text_of(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => match whole(number) {
            Some(whole) => *text += &whole.to_string(),
            // Not a number in JSON, so that nothing else is the same.
            None => *text += &format!("~{:?}", number.as_f64()),
        },
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, member) in members {
                *text += &Value::from(name.as_str()).to_string();
                text.push(':');
                write(member, text);
                text.push(',');
            }
            text.push('}');
        }
        other => *text += &other.to_string(),
    }
}

/// A whole number, if it has at most 126 bits.
pub(super) fn whole(number: &Number) -> Option<i128> {
    let fits = |value: &f64| value.fract() == 0.0 && value.abs() < 2_f64.powi(126);
    let integer = number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from));
    integer.or_else(|| number.as_f64().filter(fits).map(|value| value as i128))
}
