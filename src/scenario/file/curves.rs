//! What changes over incident time: metrics, impact and beliefs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::one_of::one_of;
use super::ordered::Ordered;
use crate::scenario::keyframes::{Interpolate, Keyframes};

/// A curve over time.
#[derive(Debug, Clone)]
pub struct Metric {
    /// `ratio` (0 to 1), `ms`, `1/s` …
    pub unit: String,
    /// Relative standard deviation of the seeded noise, 0 to 1.
    pub noise: f64,
    /// The values.
    pub keys: Keyframes,
    /// How the value moves between two keyframes.
    pub interpolate: Interpolate,
    /// The part of a metric that is given by region, service or the like.
    pub part: Option<Part>,
}

/// What one curve of several is the curve of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name of the whole metric.
    pub of: String,
    /// What the parts are: `region`, `service` …
    pub by: String,
    /// The name of this part.
    pub name: String,
}

/// The metrics of a file: one curve for each, or one for each of its parts, which are called `METRIC.PART`.
pub(super) fn metrics<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ordered<Metric>, D::Error> {
    let Ordered(entries) = Ordered::<MetricFile>::deserialize(deserializer)?;
    let metrics = entries.into_iter().flat_map(|(name, metric)| {
        let MetricFile { unit, noise, interpolate, curves } = metric;
        curves.into_iter().map(move |(part, keys)| {
            let (place, of) = (name.span(), name.get_ref().clone());
            let full = part.as_ref().map_or(of.clone(), |(_, part)| format!("{of}.{part}"));
            let part = part.map(|(by, name)| Part { of, by, name });
            (Spanned::new(place, full), Metric { unit: unit.clone(), noise, keys, interpolate, part })
        })
    });
    Ok(Ordered(metrics.collect()))
}

/// A metric as it is written, with its curve, or with the curve of each part.
#[derive(Debug, Deserialize)]
#[serde(try_from = "MetricTable")]
struct MetricFile {
    unit: String,
    noise: f64,
    interpolate: Interpolate,
    curves: Vec<(Option<(String, String)>, Keyframes)>,
}

/// A curve over time, or one for each region, service or the like.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Metric")]
#[serde(deny_unknown_fields)]
pub(super) struct MetricTable {
    /// `ratio` (0 to 1), `ms`, `1/s` …
    unit: String,
    /// Relative standard deviation of the seeded noise, 0 to 1.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    noise: f64,
    /// The values: give these …
    keys: Option<Keyframes>,
    /// … or what the parts are, `region` or `service`, …
    by: Option<String>,
    /// … and the values of each part, which becomes a metric called `METRIC.PART`.
    series: Option<Ordered<Keyframes>>,
    /// How the value moves between two keyframes.
    #[serde(default, deserialize_with = "one_of")]
    interpolate: Interpolate,
}

impl TryFrom<MetricTable> for MetricFile {
    type Error = String;

    fn try_from(table: MetricTable) -> Result<Self, String> {
        let MetricTable { unit, noise, keys, by, series, interpolate } = table;
        let curves = match (keys, by, series) {
            (Some(keys), None, None) => vec![(None, keys)],
            (None, by, Some(Ordered(series))) => {
                let by = by.ok_or("`series` without `by`: say what the parts are, as in by = \"region\"")?;
                parts(&series)?;
                let parts =
                    series.into_iter().map(|(name, keys)| (Some((by.clone(), name.into_inner())), keys));
                parts.collect()
            }
            (Some(_), _, Some(_)) => return Err("both `keys` and `series`: keep one of them".to_owned()),
            (Some(_), Some(_), None) => return Err("`by` without `series`".to_owned()),
            // In the words of serde, so that it is mended like every missing key.
            (None, _, None) => return Err("missing field `keys`".to_owned()),
        };
        Ok(Self { unit, noise, interpolate, curves })
    }
}

/// The names of parts become parts of names.
fn parts(series: &[(Spanned<String>, Keyframes)]) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let is_name = |name: &str| !name.is_empty() && name.len() <= 64 && name.bytes().all(plain);
    if series.is_empty() {
        return Err("no series: at least one is needed, as in { eu = { 0s = 1 } }".to_owned());
    }
    match series.iter().find(|(name, _)| !is_name(name.get_ref())) {
        Some((name, _)) => Err(format!(
            "{:?} cannot be the name of a part: 1 to 64 letters, digits, '_' and '-'",
            name.get_ref()
        )),
        None => Ok(()),
    }
}

/// Users affected, and cost.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Users affected over time: give this …
    #[schemars(with = "Option<Keyframes>")]
    pub users: Option<Spanned<Keyframes>>,
    /// … or the users of each part, which are added up, and are also metrics called `users.PART`.
    #[schemars(with = "Option<UsersTable>")]
    pub users_by: Option<Spanned<UsersBy>>,
    /// What the incident costs.
    pub cost: Option<CostFile>,
}

/// Users affected, by region, service or the like.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "UsersTable")]
pub struct UsersBy {
    /// What the parts are.
    pub by: String,
    /// The users of each part.
    pub series: Vec<(String, Keyframes)>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UsersTable {
    /// What the parts are: `region`, `service` …
    by: String,
    /// The users of each part.
    series: Ordered<Keyframes>,
}

impl TryFrom<UsersTable> for UsersBy {
    type Error = String;

    fn try_from(UsersTable { by, series: Ordered(series) }: UsersTable) -> Result<Self, String> {
        parts(&series)?;
        Ok(Self { by, series: series.into_iter().map(|(name, keys)| (name.into_inner(), keys)).collect() })
    }
}

impl Impact {
    /// The curves of users; their sum is affected.
    pub fn user_curves(&self) -> impl Iterator<Item = &Keyframes> + Clone {
        let whole = self.users.iter().map(Spanned::get_ref);
        let parts = self.users_by.iter().flat_map(|by| by.get_ref().series.iter().map(|(_, keys)| keys));
        whole.chain(parts)
    }

    /// The curves of users by part, as metrics.
    pub(in crate::scenario) fn metrics(&self) -> Vec<(Spanned<String>, Metric)> {
        let Some(users) = &self.users_by else { return Vec::new() };
        let (span, users) = (users.span(), users.get_ref());
        let metrics = users.series.iter().map(|(name, keys)| {
            let part = Part { of: "users".to_owned(), by: users.by.clone(), name: name.clone() };
            let metric = Metric {
                unit: "users".to_owned(),
                noise: 0.0,
                keys: keys.clone(),
                interpolate: Interpolate::Linear,
                part: Some(part),
            };
            (Spanned::new(span.clone(), format!("users.{name}")), metric)
        });
        metrics.collect()
    }
}

/// What the incident costs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "Cost")]
#[serde(deny_unknown_fields)]
pub struct CostFile {
    /// ISO 4217 code.
    #[schemars(with = "String")]
    pub currency: Spanned<String>,
    /// Phase to cost per minute of incident time; a phase without an entry costs nothing.
    #[schemars(with = "BTreeMap<String, f64>")]
    pub per_minute: BTreeMap<Spanned<String>, f64>,
}

/// A competing cause.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// Unique.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// The claim, in one line.
    pub claim: String,
    /// Whether it is the true cause. At most one hypothesis is.
    #[serde(default)]
    pub truth: bool,
    /// How much it is believed, 0 to 1. It is 0 before the first keyframe.
    #[schemars(with = "Keyframes")]
    pub belief: Spanned<Keyframes>,
}
