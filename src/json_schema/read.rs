//! The errors of the validator, detached from it.

use boon::{ErrorKind, InstanceToken, Type, ValidationError};
use serde_json::Value;

use super::choose::chosen;
use super::decimal::is_multiple;
use super::exact::Patterns;
use super::fault::Fault;
use super::leaf::{Leaf, What};
use super::pattern::WRONG;
use super::sentence;
use super::words::shown;

/// A validator's error about `value`; `None` if it is none: the validator divides binary numbers to find multiples.
/// `patterns` has the patterns that the validator got in another form.
pub(super) fn read(error: &ValidationError<'_, '_>, value: &Value, patterns: &Patterns) -> Option<Fault> {
    let path: Vec<String> = error.instance_location.tokens.iter().map(token).collect();
    let causes = || error.causes.iter().filter_map(|cause| read(cause, value, patterns)).collect::<Vec<_>>();
    let got = at(value, &path);
    let what = match &error.kind {
        ErrorKind::AnyOf | ErrorKind::OneOf(None) if !error.causes.is_empty() => {
            let branches = causes();
            // An alternative without a fault fits.
            return (branches.len() == error.causes.len()).then_some(Fault::Any { path, branches });
        }
        ErrorKind::PropertyName { prop } => {
            // The causes are about the name, which stands for the value there.
            let prop = prop.strip_prefix(WRONG).unwrap_or(prop);
            let name = Value::String(prop.to_owned());
            let why = error.causes.iter().filter_map(|cause| read(cause, &name, patterns)).collect();
            What::Sentence(sentence::property_name(prop, chosen(&Fault::All(why))))
        }
        ErrorKind::Type { want, .. } => {
            What::Type { got: got.cloned().unwrap_or_default(), want: want.iter().map(type_name).collect() }
        }
        ErrorKind::Const { want } => What::Values { got: got.cloned(), want: vec![shown(want)] },
        ErrorKind::Enum { want } => {
            What::Values { got: got.cloned(), want: want.iter().map(shown).collect() }
        }
        ErrorKind::Required { want } => What::Missing(want.iter().map(|&name| name.to_owned()).collect()),
        ErrorKind::FalseSchema => What::Forbidden,
        // Its causes are about each item that could have been the one.
        ErrorKind::Contains | ErrorKind::MinContains { .. } => sentence::other(&error.kind, got),
        ErrorKind::MultipleOf { got, want }
            if is_multiple(&got.to_string(), &want.to_string()) == Some(true) =>
        {
            return None;
        }
        _ if !error.causes.is_empty() => {
            let causes = causes();
            return (!causes.is_empty()).then_some(Fault::All(causes));
        }
        ErrorKind::Pattern { want, .. } => {
            sentence::pattern(got, patterns.get(*want).map_or(want, String::as_str))
        }
        kind => sentence::other(kind, got),
    };
    Some(Fault::One(Leaf { path, what }))
}

fn token(token: &InstanceToken<'_>) -> String {
    match token {
        InstanceToken::Prop(name) => name.to_string(),
        InstanceToken::Item(index) => index.to_string(),
    }
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, token| match value {
        Value::Object(object) => object.get(token),
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Null => "null",
        Type::Boolean => "boolean",
        Type::Number => "number",
        Type::Integer => "integer",
        Type::String => "string",
        Type::Array => "array",
        Type::Object => "object",
    }
}
