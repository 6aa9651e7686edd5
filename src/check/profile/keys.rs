//! The keys that a profile may have, for messages and for the reference in `docs/profiles.md`.

/// A key of a profile.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is, in words.
    pub kind: &'static str,
    /// Its default, in words.
    pub default: &'static str,
}

macro_rules! keys {
    ($($name:literal $kind:literal $default:literal;)+) => {
        /// All keys, in the order of the reference.
        pub const KEYS: &[Key] = &[$(Key { name: $name, kind: $kind, default: $default },)+];
    };
}

keys! {
    "json" "true or false" "true";
    "envelope" "\"cloudevents\"" "none";
    "type" "a place" "none";
    "id" "a place" "none";
    "unique" "true or false" "false";
    "sequence" "a place" "none";
    "gapless" "true or false" "false";
    "first" "a whole number from 0" "any";
    "key" "a place" "the whole stream";
    "subject" "a place" "the key";
    "time" "a place" "none";
    "time_format" "\"rfc3339\", \"unix_s\" or \"unix_ms\"" "\"rfc3339\"";
    "rising" "true or false" "true";
    "optional" "a list of names of fields" "[]";
    "begins" "a list of types" "[]";
    "ends" "a list of types" "[]";
    "ignore" "a list of types" "[]";
    "silence" "a duration such as \"30s\"" "none";
    "replays" "true or false" "true";
    "varies" "a list of JSON pointers" "[]";
    "send" "a list of texts" "[]";
    "headers" "a table of texts" "none";
    "subprotocols" "a list of names" "[]";
    "query" "a text" "none";
    "resume" "a table" "none";
}
