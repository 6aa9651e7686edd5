//! The body of `POST /api/incidents`, read member by member: whoever wrote it is told all of its mistakes at once.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::problem::Problem;
use crate::contract::Position;
use crate::player::Speed;
use crate::scenario::{Settings, did_you_mean};
use crate::unread_json::sentence;

/// The members that a body may have.
const MEMBERS: [&str; 4] = ["scenario", "seed", "speed", "settings"];

/// The most mistakes that are told.
const MOST: usize = 100;

/// What is to be played, as far as the body says it.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) scenario: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) speed: Option<Speed>,
    pub(super) settings: Settings,
}

/// What is wrong with a body, each with the JSON pointer of the member.
#[derive(Default)]
pub(super) struct Mistakes(Vec<(String, String)>);

impl Mistakes {
    pub(super) fn add(&mut self, pointer: impl Into<String>, what: impl Into<String>) {
        self.0.push((pointer.into(), what.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_problem(mut self) -> Problem {
        let more = self.0.len().saturating_sub(MOST);
        self.0.truncate(MOST);
        let mut details: Vec<String> = self.0.iter().map(|(_, what)| what.clone()).collect();
        if more > 0 {
            details.push(format!("and {more} more"));
        }
        let problem = Problem::bad_request(details.join("; "));
        self.0.into_iter().fold(problem, |problem, (pointer, what)| problem.at(pointer, what))
    }
}

/// Reads a body, and what is wrong with it.
///
/// # Errors
/// It is no JSON object, so that nothing can be said of its members.
pub(super) fn read(body: &[u8]) -> Result<(Wanted, Mistakes), Problem> {
    let not_json = |error| Problem::bad_request(sentence("the body", &error));
    let whole: Value = serde_json::from_slice(body).map_err(not_json)?;
    if !whole.is_object() {
        let detail = format!(
            "the body is {}; a trigger is an object such as {{\"scenario\": \"NAME\"}}",
            kind(&whole)
        );
        return Err(Problem::bad_request(detail));
    }
    let Members(members) = serde_json::from_slice(body).map_err(not_json)?;
    let (mut wanted, mut wrong, mut names) = (Wanted::default(), Mistakes::default(), HashSet::new());
    for (name, value) in &members {
        let pointer = format!("/{}", pointed(name));
        if !names.insert(name.as_str()) {
            wrong.add(pointer, format!("{name:?} is there twice"));
            continue;
        }
        match name.as_str() {
            "seed" | "speed" if value.is_null() => {}
            "scenario" => match value {
                Value::String(name) => wanted.scenario = Some(name.clone()),
                other => wrong.add(pointer, format!("scenario must be a string, not {}", kind(other))),
            },
            "seed" => match seed(value) {
                Ok(seed) => wanted.seed = Some(seed),
                Err(what) => wrong.add(pointer, what),
            },
            "speed" => match speed(value) {
                Ok(speed) => wanted.speed = Some(speed),
                Err(what) => wrong.add(pointer, what),
            },
            "settings" => match value {
                Value::Object(given) => {
                    wanted.settings =
                        given.iter().filter_map(|(key, value)| setting(key, value, &mut wrong)).collect();
                    for key in twice(body) {
                        let what = format!("the setting {key:?} is there twice");
                        wrong.add(format!("/settings/{}", pointed(&key)), what);
                    }
                }
                other => wrong.add(pointer, format!("settings must be an object, not {}", kind(other))),
            },
            unknown => wrong.add(pointer, not_known(unknown)),
        }
    }
    if !names.contains("scenario") {
        wrong.add("/scenario", "scenario is missing: it is the name of one that GET /api/scenarios lists");
    }
    Ok((wanted, wrong))
}

/// The keys of the settings that are there twice.
fn twice(body: &[u8]) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Body {
        settings: Members,
    }

    // Settings that are there twice themselves are told elsewhere.
    let Ok(Body { settings: Members(all) }) = serde_json::from_slice(body) else { return Vec::new() };
    let mut known = HashSet::new();
    all.into_iter().map(|(key, _)| key).filter(|key| !known.insert(key.clone())).collect()
}

fn not_known(name: &str) -> String {
    let hint = match did_you_mean(name, MEMBERS) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("the members are {}", MEMBERS.join(", ")),
    };
    format!("there is no member {name:?}: {hint}")
}

/// A seed as JavaScript can write it.
fn seed(value: &Value) -> Result<u64, String> {
    value
        .as_u64()
        .filter(|seed| *seed < Position::LIMIT)
        .ok_or_else(|| format!("seed must be a whole number from 0 and below 2^53, not {}", shown(value)))
}

fn speed(value: &Value) -> Result<Speed, String> {
    let number = value.as_f64().ok_or_else(|| format!("speed must be a number, not {}", kind(value)))?;
    Speed::new(number).map_err(|error| error.to_string())
}

/// A setting as a command line would have it. It has the kind of the parameter's default.
fn setting(key: &str, value: &Value, wrong: &mut Mistakes) -> Option<(String, String)> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let what =
                format!("the setting {key:?} must be a string, a number, true or false, not {}", kind(value));
            wrong.add(format!("/settings/{}", pointed(key)), what);
            return None;
        }
    };
    Some((key.to_owned(), text))
}

/// What a value is, in the words of JSON.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A number as it is, of anything else what it is.
fn shown(value: &Value) -> String {
    if value.is_number() { value.to_string() } else { kind(value).to_owned() }
}

/// A key as a part of a JSON pointer.
pub(super) fn pointed(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The members of an object: a map would keep one of two that have the same name.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Every;

        impl<'de> Visitor<'de> for Every {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = entries.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        reader.deserialize_map(Every)
    }
}
