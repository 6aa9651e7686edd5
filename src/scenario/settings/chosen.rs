//! What a caller chooses of a scenario.

use std::collections::BTreeMap;

/// The key that names a variant.
pub const VARIANT: &str = "variant";

/// The most parameters of a file, and the most variants: each variant is checked when the file is read.
pub(in crate::scenario) const MOST: usize = 50;

/// What a caller chooses: `variant` and parameters, each with its value as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The choice of a variant.
    pub fn variant(name: &str) -> Self {
        Self(BTreeMap::from([(VARIANT.to_owned(), name.to_owned())]))
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The keys and values as a JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter().map(|(key, value)| (key.to_owned(), serde_json::Value::from(value))).collect()
    }

    /// All keys with their values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
