//! What a caller may choose: parameters with their defaults, and variants of the scenario.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::ordered::Ordered;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "plain words")]
pub enum ParameterValue {
    Text(String),
    Whole(i64),
    Number(f64),
    Bool(bool),
}

/// A parameter: `release = "2026.8.1"`, or a table with the default, what it is about, and what may be chosen.
#[derive(Debug, Clone)]
pub struct ParameterFile {
    /// The value if the caller chooses none. What may be chosen is of the same kind.
    pub default: ParameterValue,
    /// What it is, for lists.
    pub about: Option<String>,
    /// The smallest number.
    pub min: Option<f64>,
    /// The largest number.
    pub max: Option<f64>,
    /// The values that may be chosen; any if there are none.
    pub one_of: Vec<ParameterValue>,
}

/// A variant: what it changes in the file, what it adds, and what it removes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Variant")]
pub struct VariantFile {
    /// What happens in it, in one line.
    pub about: Option<String>,
    /// The keys that it changes, in the shape of the file; a step, phase, hypothesis or metric is found by its name.
    #[serde(default)]
    #[schemars(with = "Ordered<serde_json::Value>")]
    pub change: Ordered<de::IgnoredAny>,
    /// The entries that it adds to the lists of the file.
    #[serde(default)]
    #[schemars(with = "Ordered<Vec<serde_json::Value>>")]
    pub add: Ordered<Vec<de::IgnoredAny>>,
    /// The names of the entries that it removes from the lists of the file.
    #[serde(default)]
    #[schemars(with = "Ordered<Vec<String>>")]
    pub remove: Ordered<Vec<Spanned<String>>>,
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl de::Visitor<'_> for Value {
            type Value = ParameterValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ParameterValue, E> {
                Ok(ParameterValue::Text(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ParameterValue, E> {
                Ok(ParameterValue::Whole(number))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<ParameterValue, E> {
                let finite = number.is_finite().then_some(ParameterValue::Number(number));
                finite.ok_or_else(|| E::custom("a parameter's number is finite"))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<ParameterValue, E> {
                Ok(ParameterValue::Bool(value))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ParameterTable {
    /// The value if the caller chooses none. What may be chosen is of the same kind.
    default: ParameterValue,
    /// What it is, for lists.
    about: Option<String>,
    /// The smallest number.
    min: Option<f64>,
    /// The largest number.
    max: Option<f64>,
    /// The values that may be chosen; any if there are none.
    #[serde(default)]
    #[schemars(with = "Vec<ParameterValue>")]
    one_of: Option<Vec<ParameterValue>>,
}

/// The default of a parameter, or a table with it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the two forms, for the schema")]
enum ParameterForms {
    Default(ParameterValue),
    Table(ParameterTable),
}

impl JsonSchema for ParameterFile {
    fn schema_name() -> Cow<'static, str> {
        "Parameter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ParameterForms::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for ParameterFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueOrTable;
        impl<'de> de::Visitor<'de> for ValueOrTable {
            type Value = ParameterFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a parameter: its default, or { default = 100, about = \"…\", min = 1, max = 500 }",
                )
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ParameterFile, E> {
                Ok(ParameterValue::Text(text.to_owned()).into())
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ParameterFile, E> {
                Ok(ParameterValue::Whole(number).into())
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<ParameterFile, E> {
                ParameterValue::deserialize(de::value::F64Deserializer::new(number)).map(Into::into)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<ParameterFile, E> {
                Ok(ParameterValue::Bool(value).into())
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ParameterFile, A::Error> {
                let ParameterTable { default, about, min, max, one_of } =
                    ParameterTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                if one_of.as_ref().is_some_and(Vec::is_empty) {
                    return Err(de::Error::custom("`one_of` is empty, so that nothing may be chosen"));
                }
                Ok(ParameterFile { default, about, min, max, one_of: one_of.unwrap_or_default() })
            }
        }
        deserializer.deserialize_any(ValueOrTable)
    }
}

impl From<ParameterValue> for ParameterFile {
    fn from(default: ParameterValue) -> Self {
        Self { default, about: None, min: None, max: None, one_of: Vec::new() }
    }
}
