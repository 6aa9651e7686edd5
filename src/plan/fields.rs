//! A JSON object whose fields can be set one by one, while all others keep their text and their order.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// The fields of an object, in order.
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// The fields of a payload; no fields if it is not an object, which never happens.
    pub(super) fn parse(data: &RawValue) -> Self {
        serde_json::from_str(data.get()).unwrap_or(Self(Vec::new()))
    }

    /// Replaces the value of a field, or adds the field at the end.
    pub(super) fn set(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = to_raw_value(&value) {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = value,
                None => self.0.push((name.to_owned(), value)),
            }
        }
        self
    }

    /// Removes a field, if it is there.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The object as JSON text.
    ///
    /// # Panics
    /// Never: the keys are strings and the values are JSON already.
    pub(super) fn text(&self) -> Box<RawValue> {
        to_raw_value(self).expect("strings and raw JSON always serialise")
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
