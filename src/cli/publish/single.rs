//! One event, made from flags: `incident publish started`, `action`, `note`, `metrics`, `resolved`.

use std::collections::HashSet;

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::sending::About;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format::probability;
use crate::cli::numbers::{LARGEST, whole};
use crate::contract::{MessageType, PERSON, SPEC_VERSION, now};

/// One event, made from flags.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Single {
    Started(Started),
    Action(Action),
    Note(Note),
    Metrics(Metrics),
    Resolved(Resolved),
}

/// Begin an incident
#[derive(Debug, clap::Args)]
pub(super) struct Started {
    #[command(flatten)]
    about: About,

    /// The incident's title
    #[arg(long, value_parser = filled)]
    title: String,

    /// How bad it is: SEV1 (worst) to SEV5
    #[arg(long, default_value = "SEV3", value_parser = ["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"])]
    severity: String,

    /// An affected service; can be given several times
    #[arg(long = "service", value_name = "SERVICE", value_parser = filled)]
    services: Vec<String>,
}

/// Say what an agent or a person does or has found
#[derive(Debug, clap::Args)]
pub(super) struct Action {
    #[command(flatten)]
    about: About,

    /// One line for a person
    #[arg(value_name = "SUMMARY", value_parser = filled)]
    summary: String,

    /// Who acts
    #[arg(long, default_value = "operator", value_parser = filled)]
    agent: String,

    /// The kind of the action, in `snake_case`
    #[arg(long = "action", value_name = "ACTION", default_value = "note", value_parser = snake_case)]
    kind: String,

    /// Whether it has begun, completed or failed
    #[arg(long, default_value = "completed", value_parser = ["in_progress", "completed", "failed"])]
    status: String,

    /// How sure the agent is, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = probability)]
    confidence: Option<f64>,

    /// A milestone that the incident reaches; can be given several times
    #[arg(long = "mark", value_name = "MARK", value_parser = ["detected", "diagnosed", "mitigated"])]
    marks: Vec<String>,
}

/// Add the note of a person
#[derive(Debug, clap::Args)]
pub(super) struct Note {
    #[command(flatten)]
    about: About,

    /// The person's name: the agent of the note is person:NAME
    #[arg(long, value_name = "NAME", value_parser = person)]
    by: String,

    /// What happened, or what was done; several words need no quotes
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
}

/// Report a sample of metrics
#[derive(Debug, clap::Args)]
pub(super) struct Metrics {
    #[command(flatten)]
    about: About,

    /// Metrics: NAME=VALUE
    #[arg(value_name = "NAME=VALUE", value_parser = metric, required_unless_present_any = ["users", "cost"])]
    values: Vec<(String, f64)>,

    /// Users affected now
    #[arg(long, value_name = "COUNT", value_parser = whole::<u64>(0, LARGEST))]
    users: Option<u64>,

    /// The cost so far
    #[arg(long, value_name = "TOTAL", requires = "currency", value_parser = amount)]
    cost: Option<f64>,

    /// The cost per minute now
    #[arg(long, value_name = "COST", default_value = "0", requires = "cost", value_parser = amount)]
    per_minute: f64,

    /// The currency of the cost, as in USD
    #[arg(long, value_name = "CODE", requires = "cost", value_parser = currency)]
    currency: Option<String>,
}

/// End an incident
#[derive(Debug, clap::Args)]
pub(super) struct Resolved {
    #[command(flatten)]
    about: About,

    /// One line for a person
    #[arg(value_name = "SUMMARY", value_parser = filled)]
    summary: String,

    /// How it ended
    #[arg(long, default_value = "resolved", value_parser = ["resolved", "cancelled"])]
    outcome: String,

    /// Id of the hypothesis that proved true
    #[arg(long, value_name = "ID", value_parser = filled)]
    root_cause: Option<String>,
}

fn metric(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, as in error_rate=0.02")?;
    let number: f64 = value.parse().map_err(|_| format!("{value:?} is not a number"))?;
    if name.is_empty() {
        return Err("the name before = is missing: expected NAME=VALUE, as in error_rate=0.02".to_owned());
    }
    // Rust also reads `inf` and `nan`, and takes what is too large for infinite.
    if !number.is_finite() {
        let is_written = value.contains(|c: char| c.is_ascii_digit());
        let why = if is_written { "is too large: its limit is about 1.8e308" } else { "is not a number" };
        return Err(format!("{value:?} {why}"));
    }
    Ok((name.to_owned(), number))
}

/// A text that says something.
fn filled(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn snake_case(text: &str) -> Result<String, String> {
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    let is = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if begins && text.chars().all(is) {
        return Ok(text.to_owned());
    }
    Err("it is not in snake_case, as rolled_back is: lower-case letters, digits and _".to_owned())
}

fn amount(text: &str) -> Result<f64, String> {
    let amount = text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| "it must be a number, 0 or more".to_owned())
}

fn currency(text: &str) -> Result<String, String> {
    if text.len() == 3 && text.chars().all(|c| c.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    Err("it is not a code of ISO 4217, as USD is".to_owned())
}

fn person(name: &str) -> Result<String, String> {
    let name = name.strip_prefix(PERSON).unwrap_or(name).trim();
    if name.is_empty() { Err("the name is empty".to_owned()) } else { Ok(name.to_owned()) }
}

impl Single {
    /// What the event is about, and the event without `source`.
    ///
    /// # Errors
    /// The flags contradict each other.
    pub(super) fn event(&self) -> Result<(&About, Value), Failure> {
        match self {
            Self::Note(note) => note.check()?,
            Self::Metrics(metrics) => metrics.check()?,
            _ => {}
        }
        let (about, kind, data) = match self {
            Self::Started(started) => (&started.about, MessageType::IncidentStarted, started.data()),
            Self::Action(action) => (&action.about, MessageType::AgentAction, action.data()),
            Self::Note(note) => (&note.about, MessageType::AgentAction, note.data()),
            Self::Metrics(metrics) => (&metrics.about, MessageType::SystemMetrics, metrics.data()),
            Self::Resolved(resolved) => (&resolved.about, MessageType::IncidentResolved, resolved.data()),
        };
        let id = about.id.clone();
        let event = json!({
            "specversion": SPEC_VERSION,
            "id": id.unwrap_or_else(|| format!("{:016x}{:016x}", crate::random::bits(), crate::random::bits())),
            "type": kind.as_str(),
            "subject": about.subject,
            "time": about.time.unwrap_or_else(now).to_string(),
            "data": data,
        });
        Ok((about, event))
    }
}

impl Started {
    fn data(&self) -> Value {
        json!({ "title": self.title, "severity": self.severity, "services": self.services })
    }
}

impl Action {
    fn data(&self) -> Value {
        let Self { summary, agent, kind, status, confidence, marks, .. } = self;
        let mut data = json!({ "agent": agent, "action": kind, "status": status, "summary": summary });
        add(&mut data, "confidence", confidence.map(Value::from));
        add(&mut data, "marks", (!marks.is_empty()).then(|| marks.clone().into()));
        data
    }
}

impl Note {
    fn check(&self) -> Result<(), Failure> {
        if self.text.iter().all(|word| word.trim().is_empty()) {
            return Err(Failure::new(Exit::Usage, anyhow!("the note is empty")).hint("say what happened"));
        }
        Ok(())
    }

    fn data(&self) -> Value {
        let (agent, summary) = (format!("{PERSON}{}", self.by), self.text.join(" "));
        json!({ "agent": agent, "action": "note", "status": "completed", "summary": summary })
    }
}

impl Metrics {
    fn check(&self) -> Result<(), Failure> {
        let mut names = HashSet::new();
        match self.values.iter().find(|(name, _)| !names.insert(name)) {
            Some((name, _)) => Err(Failure::new(Exit::Usage, anyhow!("the metric {name:?} has two values"))
                .hint("give each metric once, or publish two samples")),
            None => Ok(()),
        }
    }

    fn data(&self) -> Value {
        let metrics: Map<String, Value> =
            self.values.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
        let mut data = json!({ "metrics": metrics });
        add(&mut data, "users_affected", self.users.map(Value::from));
        let cost = self
            .cost
            .map(|total| json!({ "currency": self.currency, "total": total, "per_minute": self.per_minute }));
        add(&mut data, "cost", cost);
        data
    }
}

impl Resolved {
    fn data(&self) -> Value {
        let mut data = json!({ "outcome": self.outcome, "summary": self.summary });
        add(&mut data, "root_cause", self.root_cause.clone().map(Value::from));
        data
    }
}

fn add(data: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(data), Some(value)) = (data.as_object_mut(), value) {
        data.insert(name.to_owned(), value);
    }
}
