//! `incident export`: writes what can be observed of a scenario, for the tools in which people look for a cause.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::ValueHint;
use jiff::{SignedDuration, Timestamp};
use serde_json::to_string_pretty;
use sha2::{Digest, Sha256};

use super::complete;
use super::exit::{Exit, Failure};
use super::format::time;
use super::numbers::{LARGEST, whole};
use super::out::{painted, print_file, say};
use super::outfile::OutFile;
use super::scenarios::named_or_file;
use super::settings_args::SettingsArgs;
use crate::scenario::{Micros, Observed, Scenario, SettingsError};
use crate::visible;
use crate::world::{export, openmetrics};

/// Write what can be observed of a scenario: metrics, logs, changes or alerts
///
/// It has what monitoring would show, with the healthy time before that `baseline` says, and nothing of what the agents know:
/// no cause, no beliefs, no summaries. The same scenario, seed, settings, step and start give the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident export api-overload --openmetrics --output api.om
  promtool tsdb create-blocks-from openmetrics api.om data/    A Prometheus of the whole incident
  incident export mine.toml --logs-ndjson | grep error         Lines of its logs")]
pub(super) struct Export {
    /// The scenario, as `incident list` prints its name, or its file
    #[arg(value_name = "SCENARIO", add = complete::here())]
    name: String,

    #[command(flatten)]
    what: What,

    /// Seed of the noise [default: the scenario's]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>(0, LARGEST))]
    seed: Option<u64>,

    #[command(flatten)]
    settings: SettingsArgs,

    /// The wall clock of second 0, as in 2026-11-26T10:00:00Z [default: so that the incident ends now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<Timestamp>,

    /// The longest time between two values of a metric
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    step: Micros,

    /// The file to write; - is stdout [default: -]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The metrics, as OpenMetrics text with times
    #[arg(long)]
    openmetrics: bool,

    /// The logs, a JSON object a line
    #[arg(long)]
    logs_ndjson: bool,

    /// The alerts, a JSON list as Alertmanager takes it
    #[arg(long)]
    alerts_json: bool,

    /// The changes, a JSON list
    #[arg(long)]
    changes_json: bool,
}

impl What {
    /// The key of the file that would give what is wanted, if there is nothing of it.
    fn is_missing(&self, world: &Observed) -> Option<&'static str> {
        let wanted = [
            (self.openmetrics && world.series.is_empty(), "[metrics]"),
            (self.logs_ndjson && world.logs.is_empty(), "[[logs]]"),
            (self.alerts_json && world.alerts.is_empty(), "[[alerts]] that fire"),
            (self.changes_json && world.changes.is_empty(), "[[changes]]"),
        ];
        wanted.into_iter().find(|(is_missing, _)| *is_missing).map(|(_, key)| key)
    }
}

impl Export {
    pub(super) fn run(self, quiet: bool) -> Result<Exit, Failure> {
        let usage = |error: anyhow::Error| Failure::new(Exit::Usage, error);
        let scenario =
            named_or_file(&self.name)?.with(&self.settings.settings()?).map_err(|error| match error {
                SettingsError::File(error) => Failure::scenarios(vec![error]),
                SettingsError::NotOffered(_) => usage(error.into()),
            })?;
        if self.step < Micros(100_000) {
            return Err(usage(anyhow!("--step must be at least 100ms")));
        }
        let output = OutFile::or_stdout(self.output.as_deref())?;
        let seed = self.seed.unwrap_or(scenario.file.seed);
        let world = scenario.observed(seed, self.step).map_err(|error| {
            let help = error.help().to_owned();
            Failure::new(Exit::Scenario, error).hint(help)
        })?;
        let start = self.start.unwrap_or_else(|| {
            let now = Timestamp::now();
            let start = now.checked_sub(SignedDuration::from_micros(world.end)).unwrap_or(now);
            // A whole second is read more easily.
            Timestamp::from_second(start.as_second()).unwrap_or(start)
        });
        if !export::fits(&world, start) {
            let error = anyhow!(
                "--start is too near to the ends of time: what is exported has to lie in the years 1 to 9999"
            );
            return Err(
                usage(error).hint("choose another start, or leave --start out: then the incident ends now")
            );
        }
        let text = self.text(&world, start, &run_of(&scenario, seed))?;
        match output {
            Some(file) => file.write(&text)?,
            None => print_file(&text)?,
        }
        // Otherwise an empty file would look like a mistake of this program.
        if let Some(key) = self.what.is_missing(&world).filter(|_| !quiet) {
            say(painted!["there are none: ", self.name.as_str(), " has no ", key]);
        }
        Ok(Exit::Fine)
    }

    fn text(&self, world: &Observed, start: Timestamp, run: &str) -> Result<String, Failure> {
        let internal = |error: anyhow::Error| Failure::new(Exit::Internal, error);
        let mut out = BufWriter::new(Vec::new());
        if self.what.openmetrics {
            openmetrics::write(&mut out, world, start, run).map_err(|error| internal(error.into()))?;
        } else if self.what.logs_ndjson {
            export::write_logs(&mut out, world, start, run).map_err(|error| internal(error.into()))?;
        } else {
            let text = if self.what.alerts_json {
                to_string_pretty(&export::alerts(world, start, run))
            } else {
                to_string_pretty(&export::changes(world, start, run))
            };
            let text = text.map_err(|error| internal(error.into()))?;
            writeln!(out, "{text}").map_err(|error| internal(error.into()))?;
        }
        let bytes = out.into_inner().map_err(|error| internal(error.into_error().into()))?;
        let text = String::from_utf8(bytes).map_err(|error| internal(error.into()))?;
        // What is hidden in a text of the scenario is escaped, which changes nothing about the value.
        let lines = || text.lines().map(|line| format!("{}\n", visible::json(line)));
        Ok(if self.what.openmetrics { text } else { lines().collect() })
    }
}

/// What tells one export from another without saying which scenario it is.
fn run_of(scenario: &Scenario, seed: u64) -> String {
    let mut digest = Sha256::new();
    digest.update(&scenario.digest);
    digest.update(seed.to_le_bytes());
    for (key, value) in scenario.settings.iter() {
        digest.update(key);
        digest.update([0]);
        digest.update(value);
        digest.update([0]);
    }
    digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
