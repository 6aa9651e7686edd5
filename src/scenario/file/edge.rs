//! An edge between two steps: what a step, or the resolution, comes after.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

/// An edge to an earlier step: `after = "cause"` or `after = { step = "cause", on = "failed" }`.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The id of the earlier step.
    pub step: Spanned<String>,
    /// The outcome of that step on which the edge is taken.
    pub on: On,
}

/// The outcome on which an edge is taken. The outcome of a step with retries is that of its last attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
#[expect(missing_docs, reason = "plain words")]
pub enum On {
    #[default]
    Any,
    Completed,
    Failed,
    /// The step completed, and drew this outcome.
    Drawn(String),
}

impl From<String> for On {
    fn from(word: String) -> Self {
        match word.as_str() {
            "any" => Self::Any,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            _ => Self::Drawn(word),
        }
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            step: Spanned<String>,
            #[serde(default)]
            on: On,
        }
        enum Form {
            Text(String),
            Table(Table),
        }
        struct TextOrTable;
        impl<'de> de::Visitor<'de> for TextOrTable {
            type Value = Form;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step's id or { step = \"ID\", on = \"completed\" }")
            }
            fn visit_str<E: de::Error>(self, step: &str) -> Result<Form, E> {
                Ok(Form::Text(step.to_owned()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Form, A::Error> {
                Table::deserialize(de::value::MapAccessDeserializer::new(map)).map(Form::Table)
            }
        }
        // An untagged enum would lose the places in the file; a visitor keeps them.
        impl<'de> Deserialize<'de> for Form {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextOrTable)
            }
        }
        let value = Spanned::<Form>::deserialize(deserializer)?;
        let span = value.span();
        Ok(match value.into_inner() {
            Form::Text(step) => Self { step: Spanned::new(span, step), on: On::Any },
            Form::Table(table) => Self { step: table.step, on: table.on },
        })
    }
}
