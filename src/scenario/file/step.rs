//! Steps: what the agents do, how long it takes, how it may fail.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::edge::Edge;
use crate::contract::Mark;
use crate::scenario::duration::Micros;

/// Something an agent does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique.
    pub id: Spanned<String>,
    /// When it begins, in incident time: give this …
    pub at: Option<Spanned<Micros>>,
    /// … or the step that it comes after.
    pub after: Option<Edge>,
    /// How long after that step.
    pub delay: Option<Spanned<Micros>>,
    /// The agent that does it.
    pub agent: Spanned<String>,
    /// What kind of action, `snake_case`.
    pub action: String,
    /// One line for people.
    pub summary: String,
    /// How sure the agent is, 0 to 1: give this …
    pub confidence: Option<Spanned<f64>>,
    /// … or the hypothesis whose belief at that moment is the confidence.
    pub hypothesis: Option<Spanned<String>>,
    /// What the conclusion rests on.
    #[serde(default)]
    pub evidence: Vec<EvidenceFile>,
    /// Milestones that its completion reaches.
    #[serde(default, deserialize_with = "one_or_many")]
    pub marks: Vec<Mark>,
    /// A prediction.
    pub forecast: Option<Spanned<ForecastFile>>,
    /// How long it takes: the step begins `in_progress` and ends `completed` or `failed`.
    pub takes: Option<Micros>,
    /// The probability that an attempt fails.
    pub fails: Option<Spanned<f64>>,
    /// How a failed attempt is repeated.
    pub retry: Option<Spanned<Retry>>,
    /// Summaries of the events that end an attempt, if they differ from `summary`.
    #[serde(default)]
    pub outcome: OutcomeSummaries,
}

/// A prediction with its spread.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFile {
    /// `metric`, `alert`, `log` …
    pub kind: String,
    /// Its name there.
    pub r#ref: String,
    /// Its text.
    pub text: Option<String>,
    /// Its value.
    pub value: Option<Spanned<f64>>,
}

/// How a failed attempt is repeated.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many attempts may follow the first.
    pub times: u32,
    /// The wait before each of them.
    #[serde(default)]
    pub backoff: Micros,
}

/// The summary of each outcome of a step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "plain words")]
pub struct OutcomeSummaries {
    pub completed: Option<String>,
    pub failed: Option<String>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Mark>, D::Error> {
    struct OneOrMany;
    impl<'de> de::Visitor<'de> for OneOrMany {
        type Value = Vec<Mark>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("\"detected\", \"diagnosed\", \"mitigated\" or a list of these")
        }
        fn visit_str<E: de::Error>(self, mark: &str) -> Result<Vec<Mark>, E> {
            Mark::deserialize(de::value::StrDeserializer::new(mark)).map(|mark| vec![mark])
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Vec<Mark>, A::Error> {
            Vec::deserialize(de::value::SeqAccessDeserializer::new(seq))
        }
    }
    deserializer.deserialize_any(OneOrMany)
}
