//! Steps: what the agents do, how long it takes, how it may fail.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::edge::Edge;
use super::one_of::OneOf;
use super::ordered::Ordered;
use crate::contract::Mark;
use crate::scenario::duration::Micros;

/// Something an agent does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// When it begins, in incident time: give this …
    #[schemars(with = "Option<Micros>")]
    pub at: Option<Spanned<Micros>>,
    /// … or the step that it comes after.
    pub after: Option<Edge>,
    /// How long after that step.
    #[schemars(with = "Option<Micros>")]
    pub delay: Option<Spanned<Micros>>,
    /// The agent that does it.
    #[schemars(with = "String")]
    pub agent: Spanned<String>,
    /// What kind of action, `snake_case`.
    pub action: String,
    /// One line for people.
    pub summary: String,
    /// How sure the agent is, 0 to 1: give this …
    #[schemars(with = "Option<f64>")]
    pub confidence: Option<Spanned<f64>>,
    /// … or the hypothesis whose belief at that moment is the confidence.
    #[schemars(with = "Option<String>")]
    pub hypothesis: Option<Spanned<String>>,
    /// What the conclusion rests on.
    #[serde(default)]
    pub evidence: Vec<EvidenceFile>,
    /// Milestones that its completion reaches.
    #[schemars(with = "Option<OneOrMany>")]
    pub marks: Option<Spanned<Marks>>,
    /// A prediction.
    #[schemars(with = "Option<ForecastFile>")]
    pub forecast: Option<Spanned<ForecastFile>>,
    /// How long it takes: the step begins `in_progress` and ends `completed` or `failed`.
    pub takes: Option<Micros>,
    /// The probability that an attempt fails.
    #[schemars(with = "Option<f64>")]
    pub fails: Option<Spanned<f64>>,
    /// How a failed attempt is repeated.
    #[schemars(with = "Option<Retry>")]
    pub retry: Option<Spanned<Retry>>,
    /// Ways to complete, of which the seed draws one: name to probability.
    #[schemars(with = "Option<Ordered<f64>>")]
    pub draws: Option<Spanned<Ordered<f64>>>,
    /// How the step is done again and again.
    #[schemars(with = "Option<Repeat>")]
    pub repeat: Option<Spanned<Repeat>>,
    /// Summaries of the events that end an attempt, if they differ from `summary`: of `completed`, `failed`, or of a way
    /// to complete that is drawn.
    #[serde(default)]
    pub outcome: Ordered<String>,
}

impl Step {
    /// The milestones that its completion reaches.
    pub fn marks(&self) -> &[Mark] {
        self.marks.as_ref().map_or(&[], |marks| &marks.get_ref().0)
    }

    /// The summary of an outcome, if it has one of its own.
    pub fn outcome(&self, name: &str) -> Option<&String> {
        self.outcome.0.iter().find(|(outcome, _)| outcome.get_ref() == name).map(|(_, summary)| summary)
    }

    /// The probability of a way to complete.
    pub fn chance(&self, way: &str) -> f64 {
        let mut ways = self.draws.iter().flat_map(|draws| &draws.get_ref().0);
        ways.find(|(name, _)| name.get_ref() == way).map_or(0.0, |(_, chance)| *chance)
    }

    /// The names of the ways to complete that are drawn, in the order of the file.
    pub fn ways(&self) -> impl Iterator<Item = &str> + Clone {
        self.draws.iter().flat_map(|draws| draws.get_ref().0.iter().map(|(name, _)| name.get_ref().as_str()))
    }
}

/// How a step is done again: every so often, so many times or until another step ends. If neither is given, until the
/// incident ends.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// From one beginning to the next.
    pub every: Micros,
    /// How many times it may follow the first.
    pub times: Option<u32>,
    /// The step with whose end it stops.
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
}

/// A prediction with its spread.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Forecast")]
pub struct ForecastFile {
    /// What is predicted. `time_to_resolve` counts from the incident's start.
    pub quantity: String,
    /// The unit of the values.
    pub unit: String,
    /// One in ten outcomes is lower.
    pub p10: Option<f64>,
    /// The middle outcome.
    pub p50: f64,
    /// One in ten outcomes is higher.
    pub p90: Option<f64>,
}

/// What a conclusion rests on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Evidence")]
pub struct EvidenceFile {
    /// `metric`, `alert`, `log` …
    pub kind: String,
    /// Its name there.
    #[schemars(with = "String")]
    pub r#ref: Spanned<String>,
    /// Its text.
    pub text: Option<String>,
    /// Its value.
    #[schemars(with = "Option<f64>")]
    pub value: Option<Spanned<f64>>,
}

/// How a failed attempt is repeated.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many attempts may follow the first.
    pub times: u32,
    /// The wait before each of them.
    #[serde(default)]
    pub backoff: Micros,
}

/// A milestone, or several.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the two forms, for the schema")]
enum OneOrMany {
    One(Mark),
    Many(Vec<Mark>),
}

/// The milestones of a step.
#[derive(Debug, Clone)]
pub struct Marks(Vec<Mark>);

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> de::Visitor<'de> for OneOrMany {
            type Value = Vec<Mark>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"detected\", \"diagnosed\", \"mitigated\" or a list of these")
            }
            fn visit_str<E: de::Error>(self, mark: &str) -> Result<Vec<Mark>, E> {
                Mark::deserialize(de::value::StrDeserializer::new(mark)).map(|mark| vec![mark])
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Mark>, A::Error> {
                let mut marks = Vec::new();
                while let Some(OneOf(mark)) = seq.next_element()? {
                    marks.push(mark);
                }
                Ok(marks)
            }
        }
        deserializer.deserialize_any(OneOrMany).map(Self)
    }
}
