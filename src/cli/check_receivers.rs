//! `incident check-receivers`: checks a file with receivers, and shows what would come of a sample of a body.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;
use colored::Colorize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::format::count;
use super::out::{painted, print, print_json};
use super::receivers_file;
use crate::contract::{Message, now};
use crate::input_file;
use crate::receivers::{self, Decision, Delivery, Fault, Kind, Receiver, State};

/// The largest sample.
const SAMPLE_BYTES: u64 = 4 * 1024 * 1024;

/// Check a file with receivers, and show what would come of a sample of a body
///
/// A server with `incident serve --receivers FILE` turns alerts of Alertmanager, Grafana and PagerDuty's clients into
/// incidents. This command reads the file as the server does, with the secrets that it names. With a sample it shows which
/// incident would begin, how severe it would be, and which events would be written by a server that knows nothing yet.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident check-receivers receivers.toml
  incident check-receivers receivers.toml --payload sample.json")]
pub(super) struct CheckReceivers {
    /// The file with receivers
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// A body as the sender posts it, as JSON
    #[arg(long, value_name = "SAMPLE", value_hint = ValueHint::FilePath)]
    payload: Option<PathBuf>,

    /// The receiver that gets the sample [default: the first whose kind fits it]
    #[arg(long, value_name = "NAME", requires = "payload")]
    receiver: Option<String>,

    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl CheckReceivers {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        let file = receivers_file::read(&self.file)?;
        let receivers: Vec<Receiver> = file.setups.into_iter().map(|setup| setup.receiver).collect();
        let tried = match &self.payload {
            Some(path) => Some(self.attempt(path, &receivers)?),
            None => None,
        };
        if self.json {
            print_json(&as_json(&receivers, tried.as_ref()))?;
        } else if !quiet {
            print_receivers(&self.file, &receivers)?;
            if let Some((receiver, decision)) = &tried {
                print_decision(receiver, decision)?;
            }
        }
        Ok(Exit::Fine)
    }

    /// What the sample would do.
    fn attempt<'a>(
        &self,
        path: &Path,
        receivers: &'a [Receiver],
    ) -> Result<(&'a Receiver, Decision), Failure> {
        let text = input_file::read(path, SAMPLE_BYTES).and_then(input_file::text).map_err(|error| {
            let error = anyhow!("the sample {} cannot be read: {error}", path.display());
            Failure::new(Exit::Usage, error).hint("name a file with the JSON that the sender posts")
        })?;
        let receiver = self.choose(text.as_bytes(), receivers)?;
        let delivery = delivered(receiver.kind, text.as_bytes()).map_err(|faults| {
            let faults: Vec<String> = faults
                .iter()
                .map(|fault| match fault.pointer.as_str() {
                    "" => fault.what.clone(),
                    pointer => format!("{} (at {pointer})", fault.what),
                })
                .collect();
            let error =
                anyhow!("{}: {} can't read this: {}", path.display(), receiver.name, faults.join("; "));
            Failure::new(Exit::Invalid, error).hint(
                "mend what is named; a server would refuse this body with 422, or with 400 as PagerDuty does",
            )
        })?;
        let decided = State::default().decide(receiver, &delivery, now());
        Ok((receiver, decided.map_err(|error| Failure::new(Exit::Invalid, error))?))
    }

    fn choose<'a>(&self, bytes: &[u8], receivers: &'a [Receiver]) -> Result<&'a Receiver, Failure> {
        if let Some(name) = &self.receiver {
            let found = receivers.iter().find(|receiver| receiver.name == *name);
            return found.ok_or_else(|| {
                let names: Vec<&str> = receivers.iter().map(|receiver| receiver.name.as_str()).collect();
                let error = anyhow!("no receiver is called {name:?}");
                Failure::new(Exit::Usage, error).hint(format!("the file has {}", names.join(", ")))
            });
        }
        let kind = kind_of(bytes);
        receivers.iter().find(|receiver| kind.is_none_or(|kind| receiver.kind == kind)).ok_or_else(|| {
            let kind = kind.map_or("?", Kind::as_str);
            let error = anyhow!("the sample is one of {kind}, and no receiver has this kind");
            Failure::new(Exit::Usage, error).hint("name another sample, or the receiver with --receiver NAME")
        })
    }
}

/// Whose body it is; `None` if it looks like none.
fn kind_of(bytes: &[u8]) -> Option<Kind> {
    // Not read any further: a number in it may be too large, which is told later.
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).ok()?;
    if members.contains_key("routing_key") {
        return Some(Kind::PagerDuty);
    }
    match serde_json::from_str::<String>(members.get("version")?.get()).ok()?.as_str() {
        "4" => Some(Kind::Alertmanager),
        "1" => Some(Kind::Grafana),
        _ => None,
    }
}

fn delivered(kind: Kind, bytes: &[u8]) -> Result<Delivery, Vec<Fault>> {
    if kind != Kind::PagerDuty {
        return receivers::delivery(kind, bytes);
    }
    Ok(receivers::event(bytes, "a-new-key", now())?.delivery)
}

fn print_receivers(file: &Path, receivers: &[Receiver]) -> Result<(), Failure> {
    let said = format!(": {}", count(receivers.len() as u64, "receiver"));
    print(painted![file.display().to_string().bold(), said])?;
    for receiver in receivers {
        print(format!("  {:<20} {}", receiver.name, receiver.path()))?;
    }
    Ok(())
}

fn print_decision(receiver: &Receiver, decision: &Decision) -> Result<(), Failure> {
    print(painted![format!("The sample for {}", receiver.name).bold()])?;
    for (why, number) in &decision.ignored {
        print(format!("  ignored    {} ({})", count(*number, "alert"), why.as_str()))?;
    }
    if decision.drafts.is_empty() {
        print("  It would write nothing.")?;
    }
    for draft in &decision.drafts {
        if let Message::IncidentStarted(started) = &draft.message {
            print(painted!["  incident   ", draft.subject.bold()])?;
            if started.synthetic {
                print("  drill      its alerts have synthetic=\"true\"")?;
            }
            print(format!("  title      {}", started.title))?;
            print(format!("  severity   {}", started.severity.as_str()))?;
            let services = if started.services.is_empty() { "none" } else { &*started.services.join(", ") };
            print(format!("  services   {services}"))?;
        }
        print(format!("  {:<18} {}", draft.message.kind().as_str(), told(&draft.message)))?;
    }
    Ok(())
}

/// An event in one line.
fn told(message: &Message) -> String {
    match message {
        Message::IncidentStarted(started) => started.title.clone(),
        Message::AgentAction(action) => format!("{}: {}", action.action, action.summary),
        Message::SystemMetrics(sample) => {
            let values = sample.metrics.iter().map(|(name, value)| format!("{name}={value}"));
            let cost = sample.cost.iter().map(|cost| format!("{} {}/min", cost.currency, cost.per_minute));
            values.chain(cost).collect::<Vec<_>>().join(", ")
        }
        Message::IncidentResolved(resolved) => resolved.summary.clone(),
        Message::StreamOpened(_) | Message::Heartbeat(_) => String::new(),
    }
}

fn as_json(receivers: &[Receiver], tried: Option<&(&Receiver, Decision)>) -> Value {
    let receivers: Vec<Value> = receivers
        .iter()
        .map(|receiver| json!({ "name": receiver.name, "kind": receiver.kind.as_str(), "path": receiver.path() }))
        .collect();
    let Some((receiver, decision)) = tried else { return json!({ "receivers": receivers }) };
    let events: Vec<Value> = decision
        .drafts
        .iter()
        .map(|draft| {
            json!({ "subject": draft.subject, "type": draft.message.kind().as_str(), "data": draft.message.data() })
        })
        .collect();
    let ignored: serde_json::Map<String, Value> =
        decision.ignored.iter().map(|(why, count)| (why.as_str().to_owned(), json!(count))).collect();
    json!({ "receivers": receivers, "receiver": receiver.name, "events": events, "ignored": ignored })
}
