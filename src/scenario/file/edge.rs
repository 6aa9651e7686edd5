//! An edge between two steps: what a step, or the resolution, comes after.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
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

/// A step's id, or the id and the outcome on which the edge is taken.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the two forms, for the schema")]
enum EdgeForms {
    Id(String),
    Table(EdgeTable),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EdgeTable {
    /// The id of the earlier step.
    #[schemars(with = "String")]
    step: Spanned<String>,
    /// `any` (the default), `completed`, `failed`, or an outcome that the step draws.
    #[serde(default)]
    #[schemars(with = "String")]
    on: On,
}

impl JsonSchema for Edge {
    fn schema_name() -> Cow<'static, str> {
        "Edge".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        EdgeForms::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Form {
            Text(String),
            Table(EdgeTable),
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
                EdgeTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(Form::Table)
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
