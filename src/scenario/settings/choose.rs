//! Whether a caller's settings are among those that the scenario offers.

use super::chosen::{Settings, VARIANT};
use crate::scenario::diagnostic::ScenarioError;
use crate::scenario::file::{ParameterFile, ParameterValue, ScenarioFile};
use crate::scenario::suggest::{did_you_mean, listed, shortened};

/// Why a scenario can't be played with these settings.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// The scenario doesn't offer these settings, or not with these values.
    #[error("{}", in_turn(.0))]
    NotOffered(Vec<NotOffered>),
    /// With these values the file has mistakes.
    #[error("with these settings the scenario has mistakes: {}", .0.to_string().replace('\n', "; "))]
    File(ScenarioError),
}

impl SettingsError {
    /// The most settings of which is told what is wrong with them.
    pub const MOST: usize = 100;
}

/// What is wrong, up to a number of settings.
fn in_turn(wrong: &[NotOffered]) -> String {
    let told = wrong.iter().take(SettingsError::MOST).map(|setting| setting.why.clone());
    let more = wrong.len().saturating_sub(SettingsError::MOST);
    told.chain((more > 0).then(|| format!("and {more} more"))).collect::<Vec<_>>().join("; ")
}

impl From<ScenarioError> for SettingsError {
    fn from(error: ScenarioError) -> Self {
        Self::File(error)
    }
}

/// A setting that the scenario doesn't offer, or not with this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    /// `variant`, or the name of a parameter.
    pub key: String,
    /// What is wrong, and what may be chosen.
    pub why: String,
}

/// The settings in their plain form: numbers as the file would have them.
///
/// # Errors
/// Every setting that the file does not offer.
pub(in crate::scenario) fn choose(
    file: &ScenarioFile,
    settings: &Settings,
) -> Result<Settings, SettingsError> {
    let (mut chosen, mut wrong) = (Vec::new(), Vec::new());
    for (key, value) in settings.iter() {
        let value = match key {
            VARIANT => variant(file, value),
            _ => parameter(file, key, value),
        };
        match value {
            Ok(value) => chosen.push((key.to_owned(), value)),
            Err(why) => wrong.push(NotOffered { key: key.to_owned(), why }),
        }
    }
    if wrong.is_empty() { Ok(chosen.into_iter().collect()) } else { Err(SettingsError::NotOffered(wrong)) }
}

fn variant(file: &ScenarioFile, name: &str) -> Result<String, String> {
    let names: Vec<&str> = file.variant.0.iter().map(|(name, _)| name.get_ref().as_str()).collect();
    if names.contains(&name) { Ok(name.to_owned()) } else { Err(unknown("variant", name, &names)) }
}

fn unknown(what: &str, name: &str, names: &[&str]) -> String {
    let name = shortened(name);
    match (did_you_mean(&name, names.iter().copied()), names) {
        (_, []) => format!("the scenario has no {what}s, so there is no {what} {name:?}"),
        (Some(near), _) => format!("the scenario has no {what} {name:?}: did you mean {near:?}?"),
        (None, _) => format!("the scenario has no {what} {name:?}: it has {}", listed(names)),
    }
}

fn parameter(file: &ScenarioFile, name: &str, value: &str) -> Result<String, String> {
    let mut parameters = file.parameters.0.iter();
    let Some((_, parameter)) = parameters.find(|(known, _)| known.get_ref() == name) else {
        let names: Vec<&str> = file.parameters.0.iter().map(|(name, _)| name.get_ref().as_str()).collect();
        return Err(unknown("parameter", name, &names));
    };
    let wrong = |wanted: &str| format!("parameter {name:?} is {wanted}, not {:?}", shortened(value));
    let value = match parameter.default {
        ParameterValue::Text(_) => ParameterValue::Text(value.to_owned()),
        ParameterValue::Whole(_) => {
            ParameterValue::Whole(value.trim().parse().map_err(|_| wrong("a whole number"))?)
        }
        ParameterValue::Number(_) => {
            let number = value.trim().parse().ok().filter(|number: &f64| number.is_finite());
            ParameterValue::Number(number.ok_or_else(|| wrong("a number"))?)
        }
        ParameterValue::Bool(_) => {
            ParameterValue::Bool(value.trim().parse().map_err(|_| wrong("true or false"))?)
        }
    };
    match bounds(parameter, &value) {
        Some(wanted) => Err(wrong(&wanted)),
        None => Ok(value.to_string()),
    }
}

/// What a value that lies outside of a parameter's bounds should be.
pub(in crate::scenario) fn bounds(parameter: &ParameterFile, value: &ParameterValue) -> Option<String> {
    if !parameter.one_of.is_empty() && !parameter.one_of.contains(value) {
        let offered: Vec<String> = parameter.one_of.iter().map(ToString::to_string).collect();
        let offered: Vec<&str> = offered.iter().map(String::as_str).collect();
        return Some(format!("one of {}", listed(&offered)));
    }
    let number = match value {
        ParameterValue::Whole(number) => *number as f64,
        ParameterValue::Number(number) => *number,
        ParameterValue::Text(_) | ParameterValue::Bool(_) => return None,
    };
    match (parameter.min, parameter.max) {
        (Some(min), _) if number < min => Some(format!("at least {min}")),
        (_, Some(max)) if number > max => Some(format!("at most {max}")),
        _ => None,
    }
}
