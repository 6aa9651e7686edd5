//! `incident list`: the scenarios, or the open incidents of a server.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;
use colored::Colorize;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::out::{painted, print_json, say};
use super::remote::{Remote, url_is_given};
use super::runtime::runtime;
use super::table::{Fits, Table};
use super::times::Times;
use super::token_args::TokenArgs;
use super::trust_args::TrustArgs;
use super::{fit, format, mistakes, scenarios};
use crate::client::Endpoints;
use crate::report::{IncidentState, words};
use crate::scenario::{Loaded, Scenario};
use crate::shell::{self, word};
use crate::visible::visible;

/// List the scenarios, or with --running the open incidents of a server
///
/// Without flags these are the scenarios that `incident serve` would play here. On a terminal they are a table; in a pipe
/// the columns are separated by tabs: name, severity, length in seconds, title; with --running: id, REAL or
/// DRILL, severity, phase, seconds since the start (empty if they are not known), title.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident list                                      The scenarios in scenarios/, else the built-in ones
  incident list --url ws://HOST:7911/ws              The scenarios of a server
  incident list --running                            The open incidents of a server")]
pub(super) struct List {
    /// List the open incidents of the server
    #[arg(long, conflicts_with = "scenarios")]
    running: bool,

    /// List the scenarios of this file or folder
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    scenarios: Option<PathBuf>,

    /// URL of the server that is asked: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough. Several servers
    /// with the same stream are URL,URL,…: when one does not answer or is not ready, the next one is asked [default with
    /// --running: the server on this machine]
    #[arg(
        long,
        env = "INCIDENT_URL",
        hide_env_values = true,
        value_name = "URL[,URL…]",
        value_hint = ValueHint::Url,
        help_heading = "Server"
    )]
    url: Option<Endpoints>,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    token: TokenArgs,

    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// What is listed.
struct Listed {
    rows: Vec<Value>,
    /// Where they are from.
    origin: String,
    times: Times,
    /// How many open incidents are too large for the server to list them.
    left_out: u64,
}

impl List {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        // The variable is meant for the commands that need a server.
        if self.scenarios.is_some() && url_is_given() {
            let error = anyhow!("--scenarios lists files here, --url the scenarios of a server");
            return Err(Failure::new(Exit::Usage, error).hint("leave out one of them"));
        }
        let Listed { rows, origin, times, left_out } = match (self.running, &self.scenarios, &self.url) {
            (true, ..) => self.incidents()?,
            (false, None, Some(_)) => self.ask("/api/scenarios", "scenarios")?,
            (false, ..) => self.here(color)?,
        };
        if self.json {
            print_json(&if self.running {
                json!({ "incidents": rows, "time": format!("{:.6}", times.now), "times": times.apart, "left_out": left_out })
            } else {
                json!({ "scenarios": rows })
            })?;
            return Ok(Exit::Fine);
        }
        if left_out > 0 {
            let what = format::count(left_out, "open incident");
            let are = if left_out == 1 { "is" } else { "are" };
            say(painted![
                "warning: ",
                what,
                " ",
                are,
                " too large for the server to list: watch one by its id"
            ]);
        }
        let table = if self.running { running(&rows, &times) } else { playable(&rows) };
        let people = std::io::stdout().is_terminal();
        if people {
            table.print_for_people(fit::of_stdout())?;
        } else {
            table.print_for_programs()?;
        }
        if people && !quiet {
            let footer = self.footer(&rows, &origin);
            for line in fit::wrapped(&visible(&footer), fit::of_stderr(), 0) {
                say(line.dimmed());
            }
        }
        Ok(Exit::Fine)
    }

    /// The scenarios that a server started here would play, as `GET /api/scenarios` names them.
    fn here(&self, color: ColorChoice) -> Result<Listed, Failure> {
        let Loaded { library, errors } = scenarios::read(self.scenarios.as_deref())?;
        if !errors.is_empty() {
            let summary = mistakes::summary(&errors);
            let files: Vec<String> =
                errors.iter().map(|error| shell::file(Path::new(error.origin()))).collect();
            let next = files.iter().fold("incident validate".to_owned(), |next, file| next + " " + file);
            let label = "warning:";
            let label =
                if color.wants(std::io::stderr().is_terminal()) { label.yellow() } else { label.normal() };
            say(painted![label, " ", summary, ", left out here: ", next]);
        }
        let rows = library.iter().map(Scenario::summary).collect();
        Ok(Listed { rows, origin: library.origin.clone(), times: Times::default(), left_out: 0 })
    }

    fn incidents(&self) -> Result<Listed, Failure> {
        let mut listed = self.ask("/api/incidents", "incidents")?;
        listed.rows.retain(|incident| incident["state"] == "open");
        Ok(listed)
    }

    /// Asks the server for a list.
    fn ask(&self, path: &str, name: &str) -> Result<Listed, Failure> {
        let mut remote = Remote::new(self.url.clone(), self.trust.clone(), self.token.clone());
        remote.read_files()?;
        let answer = runtime()?.block_on(remote.url.request(Method::GET, path, None))?;
        let listed = answer.get(name).and_then(Value::as_array);
        match listed.filter(|listed| listed.iter().all(|one| one["id"].is_string())) {
            Some(rows) => {
                let times = Times::told(&answer);
                let left_out = answer["left_out"].as_u64().unwrap_or_default();
                Ok(Listed { rows: rows.clone(), origin: remote.url.current().to_string(), times, left_out })
            }
            None => {
                let error = anyhow!("{} has no list of {name}", remote.url.current().http(path));
                Err(Failure::new(Exit::Connection, error).hint("check --url: it must be an incident server"))
            }
        }
    }

    /// `5 scenarios from scenarios/. Play one: incident trigger NAME`
    fn footer(&self, listed: &[Value], origin: &str) -> String {
        let url = self.url.as_ref().filter(|_| self.scenarios.is_none());
        let flags = url.map(|url| format!(" --url {}", word(&url.to_string()))).unwrap_or_default();
        let flags = flags + &self.trust.flags() + &self.token.flags();
        let noun = if self.running { "open incident" } else { "scenario" };
        let number = format::count(listed.len() as u64, noun);
        let next = match &self.scenarios {
            _ if listed.is_empty() => String::new(),
            _ if self.running => format!(". Watch one: incident watch{flags} --incident ID"),
            // No server that runs has these files.
            Some(path) => {
                format!(". Play one: incident serve --scenarios {} --trigger NAME", shell::file(path))
            }
            None => format!(". Play one: incident trigger NAME{flags}"),
        };
        format!("{number} {} {origin}{next}", if self.running { "on" } else { "from" })
    }
}

/// The table of scenarios.
fn playable(listed: &[Value]) -> Table {
    let mut table = Table::new([
        ("SCENARIO", Fits::Text(12)),
        ("SEVERITY", Fits::Whole),
        ("LENGTH", Fits::Whole),
        ("TITLE", Fits::Text(5)),
    ]);
    for scenario in listed {
        let seconds = scenario["screen_s"].as_f64().unwrap_or_default();
        let text = |name: &str| visible(scenario[name].as_str().unwrap_or_default()).into_owned();
        let length = (words::clock(seconds), format::seconds(seconds));
        table.row([text("id").into(), text("severity").into(), length.into(), text("title").into()]);
    }
    table
}

/// The mark of an incident, as on the page. Without its first event nothing is known of one that is not a drill.
fn kind(incident: &Value) -> &'static str {
    match incident["synthetic"].as_bool() {
        Some(true) => "DRILL",
        Some(false) if incident["severity"].is_string() => "REAL",
        _ => "",
    }
}

/// The second of an incident now, as the page counts it; `None` if nobody knows it.
fn second(incident: &Value, times: &Times) -> Option<f64> {
    match IncidentState::deserialize(incident) {
        Ok(state) => state.offset_at(times.in_incident(&state.id)),
        // Of another version of the server: at least that of the newest event.
        Err(_) => incident["offset_s"].as_f64(),
    }
}

/// The table of the incidents that are open.
fn running(listed: &[Value], times: &Times) -> Table {
    let mut table = Table::new([
        ("INCIDENT", Fits::Id(10)),
        ("KIND", Fits::Whole),
        ("SEVERITY", Fits::Whole),
        ("PHASE", Fits::Text(5)),
        ("AT", Fits::Whole),
        ("TITLE", Fits::Text(5)),
    ]);
    for incident in listed {
        let text = |name: &str| visible(incident[name].as_str().unwrap_or_default()).into_owned();
        let at = second(incident, times);
        let at = (words::moment(at), at.map(format::seconds).unwrap_or_default());
        let [id, severity, phase, title] = ["id", "severity", "phase", "title"].map(|name| text(name).into());
        table.row([id, kind(incident).to_owned().into(), severity, phase, at.into(), title]);
    }
    table
}
