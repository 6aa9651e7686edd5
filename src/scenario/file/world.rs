//! What can be seen of the incident beside its metrics and alerts: logs and changes.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::scenario::duration::{Micros, Moment};

/// A line that a service logs, once or again and again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "Log")]
#[serde(deny_unknown_fields)]
pub struct LogFile {
    /// When it is logged, in incident time, which may be before second 0: give this …
    #[schemars(with = "Option<Moment>")]
    pub at: Option<Spanned<Moment>>,
    /// … or when it is logged first, …
    #[schemars(with = "Option<Moment>")]
    pub from: Option<Spanned<Moment>>,
    /// … until when, and …
    #[schemars(with = "Option<Moment>")]
    pub to: Option<Spanned<Moment>>,
    /// … how often.
    #[schemars(with = "Option<Micros>")]
    pub every: Option<Spanned<Micros>>,
    /// The service that logs it.
    #[schemars(with = "String")]
    pub service: Spanned<String>,
    /// `debug`, `info`, `warn`, `error` …
    #[serde(default = "info")]
    #[schemars(with = "String")]
    pub level: Spanned<String>,
    /// The line. `{METRIC}` stands for the metric's value at that moment.
    #[schemars(with = "String")]
    pub line: Spanned<String>,
}

impl LogFile {
    /// When it is logged, in microseconds of incident time.
    pub fn moments(&self) -> impl Iterator<Item = i64> {
        let at = self.at.as_ref().map(|at| at.get_ref().0);
        let every = self.every.as_ref().map_or(0, |every| every.get_ref().0.max(1_000));
        let range = self.from.as_ref().zip(self.to.as_ref()).filter(|_| every > 0);
        let range = range.into_iter().flat_map(move |(from, to)| {
            let (from, to) = (from.get_ref().0, to.get_ref().0);
            // A moment of an incident is at most a year from second 0.
            (from..to).step_by(usize::try_from(every).unwrap_or(usize::MAX))
        });
        at.into_iter().chain(range)
    }
}

/// A change that somebody made: a release, a configuration, a migration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "Change")]
#[serde(deny_unknown_fields)]
pub struct ChangeFile {
    /// When it was made, in incident time, which may be before second 0.
    #[schemars(with = "Moment")]
    pub at: Spanned<Moment>,
    /// The service that was changed.
    #[schemars(with = "String")]
    pub service: Spanned<String>,
    /// What was changed, in one line.
    #[schemars(with = "String")]
    pub line: Spanned<String>,
}

fn info() -> Spanned<String> {
    Spanned::new(0..0, "info".to_owned())
}
