//! Values over incident time: `{ 0s = 0.002, 6s = 0.31 }`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::duration::Micros;

/// At least one `(moment, value)`, in strictly rising order of the moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyframes(Vec<(Micros, f64)>);

/// How a value moves from one keyframe to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interpolate {
    /// In a straight line.
    #[default]
    Linear,
    /// It keeps its value, and jumps at the next keyframe.
    Step,
    /// Slowly at first, faster in the middle, and slowly again (smoothstep: 3p² − 2p³). It never leaves the range of both.
    Smooth,
}

impl Keyframes {
    /// The value at a moment. Before the first keyframe it is the first value, after the last the last.
    pub fn at(&self, time: Micros, interpolate: Interpolate) -> f64 {
        let next = self.0.partition_point(|(key, _)| *key <= time);
        let Some(&(from, low)) = next.checked_sub(1).and_then(|last| self.0.get(last)) else {
            return self.0[0].1;
        };
        match (self.0.get(next), interpolate) {
            (None, _) | (_, Interpolate::Step) => low,
            (Some(&(to, high)), _) => {
                let part = (time.0 - from.0) as f64 / (to.0 - from.0) as f64;
                let part = match interpolate {
                    Interpolate::Smooth => part * part * (3.0 - 2.0 * part),
                    _ => part,
                };
                low + part * (high - low)
            }
        }
    }

    /// The moment of the first keyframe.
    pub fn first(&self) -> Micros {
        self.0[0].0
    }

    /// The keyframes in order.
    pub fn iter(&self) -> impl Iterator<Item = (Micros, f64)> {
        self.0.iter().copied()
    }

    /// The highest value.
    pub fn max(&self) -> f64 {
        self.0.iter().fold(f64::NEG_INFINITY, |max, (_, value)| max.max(*value))
    }

    /// The lowest value.
    pub fn min(&self) -> f64 {
        self.0.iter().fold(f64::INFINITY, |min, (_, value)| min.min(*value))
    }
}

impl<'de> Deserialize<'de> for Keyframes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> de::Visitor<'de> for Table {
            type Value = Keyframes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keyframes like { 0s = 1.5, 30s = 4 }")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Keyframes, A::Error> {
                let mut keys: Vec<(Micros, f64)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<Micros, f64>()? {
                    if !value.is_finite() {
                        return Err(de::Error::custom(format!("the value at {key} is not a finite number")));
                    }
                    keys.push((key, value));
                }
                keys.sort_by_key(|(key, _)| *key);
                if keys.is_empty() {
                    return Err(de::Error::custom("no keyframes: at least one is needed, as in { 0s = 1 }"));
                }
                if let Some(twice) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                    return Err(de::Error::custom(format!("two keyframes at {}", twice[0].0)));
                }
                Ok(Keyframes(keys))
            }
        }
        deserializer.deserialize_map(Table)
    }
}

impl JsonSchema for Keyframes {
    fn schema_name() -> Cow<'static, str> {
        "Keyframes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Values over incident time: { 0s = 0.002, 6s = 0.31 }",
            "type": "object",
            "minProperties": 1,
            // A duration, or a parameter.
            "propertyNames": generator.subschema_for::<Micros>(),
            "additionalProperties": { "type": "number" },
        })
    }
}
