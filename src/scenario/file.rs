//! The scenario file as TOML types. Unknown keys are errors everywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::{Expect, Interpolate, Keyframes, Micros};
use crate::contract::{Mark, Position, Severity};

/// A whole scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Its name in `incident trigger NAME`: lower-case letters, digits and dashes.
    pub id: Spanned<String>,
    /// One line that names the incident.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// The services that suffer.
    pub services: Vec<String>,
    /// What the countdown runs to, incident time.
    pub target: Micros,
    /// Decides noise, jitter and failures unless the trigger brings another. Below 2^53.
    #[serde(default, deserialize_with = "seed")]
    pub seed: u64,
    /// Screen time between two samples of the metrics.
    #[serde(default = "two_seconds")]
    pub metrics_every: Spanned<Micros>,
    /// How far a step may be shifted, either way; incident time.
    #[serde(default)]
    pub jitter: Micros,
    /// Where the facts of a real incident come from.
    pub provenance: Option<Provenance>,
    /// Name to role.
    #[serde(deserialize_with = "agents")]
    pub agents: Ordered<String>,
    /// They tile the incident.
    #[serde(deserialize_with = "phases")]
    pub phases: Vec<PhaseFile>,
    /// Name to curve.
    #[serde(default)]
    pub metrics: Ordered<Metric>,
    /// Users and money.
    pub impact: Option<Impact>,
    /// Competing causes.
    #[serde(default)]
    pub hypotheses: Vec<Hypothesis>,
    /// What the agents do.
    #[serde(deserialize_with = "steps")]
    pub steps: Vec<Step>,
    /// How it ends.
    pub resolution: Resolution,
    /// What `incident validate` asserts.
    pub expect: Option<Spanned<Expect>>,
}

fn two_seconds() -> Spanned<Micros> {
    Spanned::new(0..0, Micros(2_000_000))
}

// Checked while reading: the reader's errors know the place of a value that has none of its own later.

fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let seed = u64::deserialize(deserializer)?;
    if seed < Position::LIMIT { Ok(seed) } else { Err(de::Error::custom("the seed is not below 2^53")) }
}

fn agents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ordered<String>, D::Error> {
    let agents = Ordered::deserialize(deserializer)?;
    if agents.0.is_empty() {
        return Err(de::Error::custom("no agents: somebody has to act"));
    }
    Ok(agents)
}

fn phases<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PhaseFile>, D::Error> {
    let phases = Vec::deserialize(deserializer)?;
    if phases.is_empty() {
        return Err(de::Error::custom("no phases: an incident has at least one"));
    }
    Ok(phases)
}

fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    let steps = Vec::deserialize(deserializer)?;
    if steps.is_empty() {
        return Err(de::Error::custom("no steps: nobody does anything"));
    }
    Ok(steps)
}

/// Where the facts of a real incident come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The operator's own text.
    pub url: String,
    /// The moment of second 0.
    pub t0: toml::value::Datetime,
    /// What was added, as paths into this file.
    #[serde(default)]
    pub inferred: Vec<String>,
}

/// One phase. It ends where the next begins; the last ends with the resolution.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseFile {
    /// Unique.
    pub name: Spanned<String>,
    /// When it begins, incident time.
    pub at: Spanned<Micros>,
    /// How long it takes on screen; as long as it took if not given.
    pub play: Option<Spanned<Micros>>,
}

/// A curve over time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// `ratio` (0 to 1), `ms`, `1/s` …
    pub unit: String,
    /// Relative standard deviation of the seeded noise.
    #[serde(default)]
    pub noise: f64,
    /// The curve.
    pub keys: Keyframes,
    /// Between keyframes.
    #[serde(default)]
    pub interpolate: Interpolate,
}

/// Users and money.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Users affected over time.
    pub users: Option<Spanned<Keyframes>>,
    /// What it costs.
    pub cost: Option<CostFile>,
}

/// What the incident costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostFile {
    /// ISO 4217 code.
    pub currency: Spanned<String>,
    /// Phase to cost a minute of incident time; a phase that is not named costs nothing.
    pub per_minute: BTreeMap<Spanned<String>, f64>,
}

/// A competing cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// Unique.
    pub id: Spanned<String>,
    /// What it says.
    pub claim: String,
    /// Whether it is the cause. At most one is.
    #[serde(default)]
    pub truth: bool,
    /// How much it is believed, 0 to 1; not on the table before the first keyframe.
    pub belief: Spanned<Keyframes>,
}

/// Something an agent does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique.
    pub id: Spanned<String>,
    /// When, incident time …
    pub at: Option<Spanned<Micros>>,
    /// … or after which step.
    pub after: Option<After>,
    /// How long after that step.
    pub delay: Option<Spanned<Micros>>,
    /// Who.
    pub agent: Spanned<String>,
    /// What kind of action, `snake_case`.
    pub action: String,
    /// One line for a person.
    pub summary: String,
    /// How sure the agent is, 0 to 1 …
    pub confidence: Option<Spanned<f64>>,
    /// … or whose belief at this moment says it.
    pub hypothesis: Option<Spanned<String>>,
    /// What the conclusion rests on.
    #[serde(default)]
    pub evidence: Vec<EvidenceFile>,
    /// Milestones that its completion reaches.
    #[serde(default, deserialize_with = "one_or_many")]
    pub marks: Vec<Mark>,
    /// A prediction.
    pub forecast: Option<Spanned<ForecastFile>>,
    /// How long it takes: it begins `in_progress` and ends `completed` or `failed`.
    pub takes: Option<Micros>,
    /// The probability that an attempt fails.
    pub fails: Option<Spanned<f64>>,
    /// What follows a failed attempt.
    pub retry: Option<Spanned<Retry>>,
    /// Summaries of the events that end an attempt, where they differ from `summary`.
    #[serde(default)]
    pub outcome: Outcomes,
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
    /// Which one.
    pub r#ref: String,
    /// What it said.
    pub text: Option<String>,
    /// What it measured.
    pub value: Option<Spanned<f64>>,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many more attempts.
    pub times: u32,
    /// The wait before each.
    #[serde(default)]
    pub backoff: Micros,
}

/// Summaries by outcome.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "plain words")]
pub struct Outcomes {
    pub completed: Option<String>,
    pub failed: Option<String>,
}

/// How it ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// When, incident time …
    pub at: Option<Spanned<Micros>>,
    /// … or after which step.
    pub after: Option<After>,
    /// How long after that step.
    pub delay: Option<Spanned<Micros>>,
    /// One line for a person.
    pub summary: String,
    /// The hypothesis that proved true.
    pub root_cause: Option<Spanned<String>>,
    /// What is left to do.
    #[serde(default)]
    pub followups: Vec<String>,
}

/// An edge to an earlier step: `after = "cause"` or `after = { step = "cause", on = "failed" }`.
#[derive(Debug, Clone)]
pub struct After {
    /// The step.
    pub step: Spanned<String>,
    /// Which of its outcomes.
    pub on: On,
}

/// Which outcome of a step leads on. A step that is tried again has its outcome with the last attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum On {
    #[default]
    Any,
    Completed,
    Failed,
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Edge {
            step: Spanned<String>,
            #[serde(default)]
            on: On,
        }
        enum Either {
            Step(String),
            Edge(Edge),
        }
        struct StepOrEdge;
        impl<'de> de::Visitor<'de> for StepOrEdge {
            type Value = Either;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step's id or { step = \"ID\", on = \"completed\" }")
            }
            fn visit_str<E: de::Error>(self, step: &str) -> Result<Either, E> {
                Ok(Either::Step(step.to_owned()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Either, A::Error> {
                Edge::deserialize(de::value::MapAccessDeserializer::new(map)).map(Either::Edge)
            }
        }
        // An untagged enum would lose the places; a visitor keeps them.
        impl<'de> Deserialize<'de> for Either {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(StepOrEdge)
            }
        }
        let value = Spanned::<Either>::deserialize(deserializer)?;
        let span = value.span();
        Ok(match value.into_inner() {
            Either::Step(step) => Self { step: Spanned::new(span, step), on: On::Any },
            Either::Edge(edge) => Self { step: edge.step, on: edge.on },
        })
    }
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

/// A table in the order of the file, with the places of its keys.
#[derive(Debug, Clone)]
pub struct Ordered<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Table<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Table(PhantomData))
    }
}
