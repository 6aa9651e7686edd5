//! One thing that is wrong at one place of a value.

use serde_json::Value;

/// One thing that is wrong at one place.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The tokens of a JSON pointer into the value.
    pub(super) path: Vec<String>,
    /// What is wrong there.
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// The value has another type: names of JSON types.
    Type { got: Value, want: Vec<&'static str> },
    /// The value is none of the allowed ones, which are JSON texts.
    Values { got: Option<Value>, want: Vec<String> },
    /// Fields are missing.
    Missing(Vec<String>),
    /// A value stands where none may be.
    Forbidden,
    /// Anything else, as what follows the value's name in a sentence.
    Predicate(String),
    /// Anything else, as a sentence.
    Sentence(String),
}
