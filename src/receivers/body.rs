//! The body of a request, read member by member. What is wrong with a member is noted, and reading goes on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::alert::{Fault, Labels};
use crate::contract::parse_time;
use crate::unread_json::sentence;

/// The most mistakes that are told.
const MOST: usize = 20;

/// An object of the body, where it is, and where its mistakes are noted.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    at: String,
}

/// The mistakes of a body.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, pointer: impl Into<String>, what: impl Into<String>) {
        if self.0.len() < MOST {
            self.0.push(Fault { pointer: pointer.into(), what: what.into() });
        }
    }
}

/// Reads a body as an object.
pub(super) fn object<'a>(bytes: &[u8], value: &'a mut Value) -> Result<Object<'a>, Vec<Fault>> {
    let fault = |what: String| vec![Fault { pointer: String::new(), what }];
    *value = serde_json::from_slice(bytes).map_err(|error| fault(sentence("the body", &error)))?;
    let members = value.as_object().ok_or_else(|| fault("the body is not a JSON object".to_owned()))?;
    Ok(Object { members, at: String::new() })
}

impl<'a> Object<'a> {
    pub(super) fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"))
    }

    /// A member; `null` counts as none.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A text; none is fine.
    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        let value = self.get(name)?;
        let text = value.as_str();
        if text.is_none() {
            faults.add(self.pointer(name), format!("{name} is not a text"));
        }
        text
    }

    /// A text that has to be there and not empty.
    pub(super) fn needed(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        match self.get(name).map(Value::as_str) {
            Some(Some(text)) if !text.is_empty() => Some(text),
            Some(Some(_)) => {
                faults.add(self.pointer(name), format!("{name} is empty"));
                None
            }
            Some(None) => {
                faults.add(self.pointer(name), format!("{name} is not a text"));
                None
            }
            None => {
                faults.add(self.pointer(name), format!("{name} is missing"));
                None
            }
        }
    }

    /// A time; the year 1, with which Go writes that there is none, counts as none.
    pub(super) fn time(&self, name: &str, faults: &mut Faults) -> Option<Timestamp> {
        let text = self.text(name, faults)?;
        if text.is_empty() || text.starts_with("0001-01-01T") {
            return None;
        }
        let time = parse_time(text);
        if time.is_none() {
            faults.add(self.pointer(name), format!("{name} is not a time as in RFC 3339"));
        }
        time
    }

    /// The same where the sender's own documents have zones without a colon: `2015-07-17T08:42:58.315+0000`.
    pub(super) fn iso_time(&self, name: &str, faults: &mut Faults) -> Option<Timestamp> {
        let text = self.text(name, faults)?;
        if let Some((at, minutes)) = text.split_at_checked(text.len().saturating_sub(2))
            && let Some(time) = parse_time(&format!("{at}:{minutes}"))
        {
            return Some(time);
        }
        self.time(name, faults)
    }

    /// A whole number from 0; 0 if there is none.
    pub(super) fn count(&self, name: &str, faults: &mut Faults) -> u64 {
        let Some(value) = self.get(name) else { return 0 };
        value.as_u64().unwrap_or_else(|| {
            faults.add(self.pointer(name), format!("{name} is not a whole number from 0"));
            0
        })
    }

    /// An object of texts; an empty one if there is none.
    pub(super) fn labels(&self, name: &str, faults: &mut Faults) -> Labels {
        let Some(value) = self.get(name) else { return Labels::new() };
        let Some(members) = value.as_object() else {
            faults.add(self.pointer(name), format!("{name} is not an object"));
            return Labels::new();
        };
        let mut labels = Labels::new();
        for (key, value) in members {
            match value.as_str() {
                Some(text) => {
                    labels.insert(key.clone(), text.to_owned());
                }
                None => faults.add(self.pointer(name), format!("the value of {key:?} is not a text")),
            }
        }
        labels
    }

    /// An object of anything, as texts by name: what is not a text is written as JSON.
    pub(super) fn words(&self, name: &str) -> Labels {
        let members = self.get(name).and_then(Value::as_object);
        let words = members.into_iter().flatten().map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text)
        });
        words.collect()
    }

    /// An object of numbers. What is not a number is left out: a value that could not be measured.
    pub(super) fn numbers(&self, name: &str) -> BTreeMap<String, f64> {
        let members = self.get(name).and_then(Value::as_object);
        let numbers = members.into_iter().flatten();
        numbers.filter_map(|(key, value)| Some((key.clone(), value.as_f64()?))).collect()
    }

    /// An object that has to be there.
    pub(super) fn object(&self, name: &str, faults: &mut Faults) -> Option<Object<'a>> {
        let members = self.get(name).and_then(Value::as_object);
        if members.is_none() {
            let wrong = if self.has(name) { "is not an object" } else { "is missing" };
            faults.add(self.pointer(name), format!("{name} {wrong}"));
        }
        Some(Object { members: members?, at: self.pointer(name) })
    }

    /// A list of objects; `None` if there is no list.
    pub(super) fn objects(&self, name: &str, faults: &mut Faults) -> Option<Vec<Object<'a>>> {
        let items = self.get(name)?.as_array();
        if items.is_none() {
            faults.add(self.pointer(name), format!("{name} is not a list"));
        }
        let mut found = Vec::new();
        for (place, item) in items?.iter().enumerate() {
            let at = format!("{}/{place}", self.pointer(name));
            match item.as_object() {
                Some(members) => found.push(Object { members, at }),
                None => faults.add(at, "this is not an object"),
            }
        }
        Some(found)
    }

    /// A URL that a person may follow.
    pub(super) fn link(&self, name: &str, kind: &'static str) -> Option<(&'static str, String)> {
        let text = self.get(name)?.as_str()?;
        let is_web = text.starts_with("http://") || text.starts_with("https://");
        (is_web && text.len() <= 2_000).then(|| (kind, text.to_owned()))
    }
}
