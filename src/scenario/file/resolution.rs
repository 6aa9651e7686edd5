//! How an incident ends.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::edge::Edge;
use crate::scenario::duration::Micros;

/// How the incident ends.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// When it is resolved, in incident time: give this …
    #[schemars(with = "Option<Micros>")]
    pub at: Option<Spanned<Micros>>,
    /// … or the step after which it is resolved.
    pub after: Option<Edge>,
    /// How long after that step.
    #[schemars(with = "Option<Micros>")]
    pub delay: Option<Spanned<Micros>>,
    /// One line for people.
    #[schemars(regex(pattern = r"^[^\n\r]*$"))]
    pub summary: String,
    /// The hypothesis that proved true.
    #[schemars(with = "Option<String>")]
    pub root_cause: Option<Spanned<String>>,
    /// What is left to do.
    #[serde(default)]
    pub followups: Vec<String>,
}
