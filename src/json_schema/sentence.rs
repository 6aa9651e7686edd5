//! The words for each way in which a value can differ from its schema.

use boon::ErrorKind;
use serde_json::Value;

use super::exact::{HAS_TWICE, is_limit};
use super::leaf::{Leaf, What};
use super::pattern::FORMAT;
use super::words::{choice, counted, cut, list, quoted, shown, type_name};

/// What is wrong, for the kinds of errors that have no causes and no shape of their own in [`What`].
pub(super) fn other(kind: &ErrorKind<'_, '_>, got: Option<&Value>) -> What {
    // What the value is, if it is short enough to help.
    let is = || is(got);
    let has = |count: usize, noun: &str| format!("has {}", counted(count, noun));
    let sentence = match kind {
        ErrorKind::Format { want, err, .. } if is_limit(want) => match err.to_string() {
            text if text.starts_with(HAS_TWICE) => text,
            text => format!("{}; expected {text}", is()),
        },
        ErrorKind::Format { want, .. } => format!("{}; expected {}", is(), format_name(want)),
        ErrorKind::MinProperties { got, want } => format!("{}; expected at least {want}", has(*got, "field")),
        ErrorKind::MaxProperties { got, want } => format!("{}; expected at most {want}", has(*got, "field")),
        ErrorKind::MinItems { got, want } => format!("{}; expected at least {want}", has(*got, "item")),
        ErrorKind::MaxItems { got, want } => format!("{}; expected at most {want}", has(*got, "item")),
        ErrorKind::AdditionalItems { got } => {
            format!("has {} too many at its end", counted(*got, "item"))
        }
        ErrorKind::MinLength { want, .. } => {
            format!("{}; expected at least {}", is(), counted(*want, "character"))
        }
        ErrorKind::MaxLength { want, got } => {
            format!("has {got} characters; expected at most {want}")
        }
        ErrorKind::Minimum { want, .. } => format!("{}; expected at least {want}", is()),
        ErrorKind::Maximum { want, .. } => format!("{}; expected at most {want}", is()),
        ErrorKind::ExclusiveMinimum { want, .. } => format!("{}; expected more than {want}", is()),
        ErrorKind::ExclusiveMaximum { want, .. } => format!("{}; expected less than {want}", is()),
        ErrorKind::MultipleOf { want, .. } => format!("{}; expected a multiple of {want}", is()),
        ErrorKind::UniqueItems { got: [first, second] } => {
            format!("{HAS_TWICE}, as numbers {} and {}; expected different items", first + 1, second + 1)
        }
        ErrorKind::Contains => "has no item of the kind that must be in it".to_owned(),
        ErrorKind::MinContains { got, want } => {
            format!("{} of the kind that must be in it; expected at least {want}", has(got.len(), "item"))
        }
        ErrorKind::MaxContains { got, want } => {
            format!("{} of a kind of which it may have at most {want}", has(got.len(), "item"))
        }
        ErrorKind::ContentEncoding { want, .. } => format!("{}; expected a text in {want}", is()),
        ErrorKind::ContentMediaType { want, .. } => format!("{}; expected a text of type {want}", is()),
        ErrorKind::Not => format!("{}, which the contract excludes", is()),
        ErrorKind::OneOf(Some((first, second))) => {
            format!(
                "fits two alternatives of the contract, numbers {} and {}; expected exactly one",
                first + 1,
                second + 1
            )
        }
        ErrorKind::AdditionalProperties { got } => {
            let names: Vec<String> = got.iter().map(|name| quoted(name)).collect();
            return What::Sentence(match names.as_slice() {
                [name] => format!("the field {name} is not allowed"),
                names => format!("the fields {} are not allowed", list(names, "and")),
            });
        }
        ErrorKind::Dependency { prop, missing } | ErrorKind::DependentRequired { prop, missing } => {
            let names: Vec<String> = missing.iter().map(|name| (*name).to_owned()).collect();
            return What::Sentence(format!(
                "{}, but {} is there and requires it",
                missing_text(&names),
                quoted(prop)
            ));
        }
        ErrorKind::RefCycle { url, .. } => {
            return What::Sentence(format!("the contract's schema refers to itself without end at {url}"));
        }
        // The rest has causes, or a shape in `What`, and does not come here. What it would be is true of all faults.
        _ => format!("{}, which the contract does not allow", is()),
    };
    What::Predicate(sentence)
}

/// A text that does not match a pattern.
pub(super) fn pattern(got: Option<&Value>, want: &str) -> What {
    What::Predicate(format!("{}; expected a text that matches {}", is(got), quoted(want)))
}

fn is(got: Option<&Value>) -> String {
    got.map_or_else(|| "is something else".to_owned(), |got| format!("is {}", shown(got)))
}

/// The sentence for one fault.
pub(super) fn text(leaf: &Leaf) -> String {
    let name = subject(&leaf.path);
    match &leaf.what {
        What::Type { got, want } => {
            let mut want: Vec<String> = want.iter().map(|name| type_name(name).to_owned()).collect();
            want.dedup();
            // A number that is not whole: its type says less than its value.
            let got = match got {
                Value::Number(number) if want.iter().any(|want| want == "a whole number") => {
                    number.to_string()
                }
                got => kind_of(got).to_owned(),
            };
            format!("{name} is {got}; expected {}", list(&want, "or"))
        }
        What::Values { got, want } => {
            let got = got.as_ref().map_or_else(|| "something else".to_owned(), shown);
            format!("{name} is {got}; expected {}", choice(want))
        }
        What::Missing(names) => {
            let missing = missing_text(names);
            if leaf.path.is_empty() { missing } else { format!("{missing} in {name}") }
        }
        What::Forbidden if leaf.path.is_empty() => "the contract allows no message at all".to_owned(),
        What::Forbidden => format!("{name} is not allowed here"),
        What::Predicate(predicate) => format!("{name} {predicate}"),
        What::Sentence(sentence) => sentence.clone(),
    }
}

/// The sentence for a field's name that is not allowed.
pub(super) fn property_name(name: &str, why: Leaf) -> String {
    let reason = match why.what {
        What::Predicate(reason) => reason,
        What::Values { want, .. } => format!("is {}; expected {}", shown(&name.into()), choice(&want)),
        _ => "is not allowed".to_owned(),
    };
    format!("the name of the field {} {reason}", quoted(name))
}

fn missing_text(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    match names.as_slice() {
        [name] => format!("the field {name} is missing"),
        names => format!("the fields {} are missing", list(names, "and")),
    }
}

/// The value's name in a sentence: its field, or its number in the list that is a field.
fn subject(path: &[String]) -> String {
    match path {
        [] => "the message".to_owned(),
        [name] => quoted(name),
        [.., list, item] => match item.parse::<usize>() {
            Ok(index) if list.parse::<usize>().is_err() => {
                format!("item {} of {}", index + 1, quoted(list))
            }
            _ => quoted(item),
        },
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn format_name(name: &str) -> String {
    match name {
        "date-time" => "a date and time such as 2026-01-31T12:00:00Z".to_owned(),
        "date" => "a date such as 2026-01-31".to_owned(),
        "time" => "a time such as 12:00:00Z".to_owned(),
        "duration" => "a duration such as PT1H30M".to_owned(),
        "email" | "idn-email" => "an email address".to_owned(),
        "hostname" | "idn-hostname" => "a host name".to_owned(),
        "ipv4" => "an IPv4 address".to_owned(),
        "ipv6" => "an IPv6 address".to_owned(),
        "uri" | "iri" => "an absolute URI".to_owned(),
        "uri-reference" | "iri-reference" => "a URI".to_owned(),
        "uuid" => "a UUID".to_owned(),
        "regex" | FORMAT => "a regular expression".to_owned(),
        other => format!("the format {}", cut(other)),
    }
}
