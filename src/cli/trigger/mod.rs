//! `incident trigger`

mod checklist;
mod moments;
mod plain;
mod reporter;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use hyper::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::clock::ServerClock;
use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::names::ScenarioName;
use super::remote::{Remote, incident_path};
use super::say::say;
use super::{format, runtime, signals};
use crate::client::{ClientError, Follower, Item, request};
use crate::contract::{Follows, Outcome};
use crate::player::Speed;
use crate::report::{Board, IncidentState, IncidentStatus};
use crate::scenario::Micros;

use checklist::Checklist;
use plain::Plain;
use reporter::Reporter;

/// Start an incident on a running server and follow it to its end
#[derive(Debug, clap::Args)]
pub(super) struct Trigger {
    /// The scenario to play
    #[arg(required_unless_present = "cancel", value_parser = ScenarioName)]
    scenario: Option<String>,

    #[command(flatten)]
    remote: Remote,

    /// Print the incident's id and leave it running
    #[arg(long)]
    no_wait: bool,

    /// Give up when it is not resolved after this long
    #[arg(long, value_name = "DURATION")]
    timeout: Option<Micros>,

    /// Play this many times faster than the scenario says
    #[arg(long, value_name = "FACTOR")]
    speed: Option<Speed>,

    /// Seed that decides noise and failures
    #[arg(long, value_parser = clap::value_parser!(u64).range(..1 << 53))]
    seed: Option<u64>,

    /// Print the incident's events as NDJSON
    #[arg(long)]
    json: bool,

    /// When it has ended, write its post-incident report to this file, as Markdown
    #[arg(long, value_name = "FILE", conflicts_with = "no_wait", value_hint = clap::ValueHint::FilePath)]
    report: Option<PathBuf>,

    /// Cancel this incident instead of starting one
    #[arg(long, value_name = "INCIDENT", conflicts_with_all = ["scenario", "no_wait", "timeout", "speed", "seed", "json", "report"])]
    cancel: Option<String>,
}

/// The server's answer to a trigger.
#[derive(Debug, Deserialize)]
struct Accepted {
    id: String,
    stream: String,
    position: u64,
}

/// How the progress is shown.
trait Show {
    /// After each event.
    fn event(&mut self, incident: &IncidentState);
    /// Several times a second.
    fn tick(&mut self, incident: &IncidentState, now: Timestamp);
    /// Something about the connection.
    fn note(&mut self, text: &str);
    /// No more events come.
    fn end(&mut self);
}

impl Trigger {
    pub(super) fn run(mut self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stderr());
        self.remote.read_files()?;
        runtime()?.block_on(async {
            match &self.cancel {
                Some(id) => self.cancel(id).await,
                None => self.start(quiet).await,
            }
        })
    }

    async fn cancel(&self, id: &str) -> Result<Exit, Failure> {
        let path = incident_path(id)?;
        match request(&self.remote.url, Method::DELETE, &path, None).await {
            Ok(answer) => {
                let now = answer["cancelled_now"].as_bool().unwrap_or(true);
                let outcome = answer["outcome"].as_str().unwrap_or("over");
                let before = if now { "" } else { " already" };
                say(format_args!("{id} is{before} {outcome}"));
                Ok(Exit::Fine)
            }
            Err(ClientError::Status { status: 404, said, problem: true, .. }) => {
                Err(Failure::new(Exit::Usage, anyhow!(said)))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn start(&self, quiet: bool) -> Result<Exit, Failure> {
        let mut reporter = self.report.as_deref().map(Reporter::open).transpose()?;
        let mut body = json!({ "scenario": self.scenario });
        if let Some(seed) = self.seed {
            body["seed"] = seed.into();
        }
        if let Some(speed) = self.speed {
            body["speed"] = speed.get().into();
        }
        let answer = match request(&self.remote.url, Method::POST, "/api/incidents", Some(&body)).await {
            Err(ClientError::Status { status: 404 | 422, said, problem: true, .. }) => {
                return Err(Failure::new(Exit::Usage, anyhow!(said)));
            }
            answer => answer?,
        };
        let accepted: Accepted = serde_json::from_value(answer).map_err(|error| {
            Failure::new(Exit::Connection, anyhow!("the server's answer can't be read: {error}"))
        })?;
        if self.no_wait {
            writeln!(std::io::stdout(), "{}", accepted.id)?;
            return Ok(Exit::Fine);
        }
        let mut show: Box<dyn Show> = if quiet {
            Box::new(Plain::silent())
        } else if std::io::stderr().is_terminal() && !self.json {
            Box::new(Checklist::new())
        } else {
            Box::new(Plain::new())
        };
        let deadline = self.timeout.map(|timeout| Duration::from_micros(timeout.0));
        let follow = self.follow(&accepted, show.as_mut(), reporter.as_mut());
        let ended = tokio::select! {
            ended = follow => ended,
            () = signals::shutdown() => Ok(None),
            () = async { tokio::time::sleep(deadline.unwrap_or_default()).await }, if deadline.is_some() => {
                show.end();
                let timeout = self.timeout.unwrap_or_default();
                let error = anyhow!("{} did not resolve within {timeout}; it goes on", accepted.id);
                return Err(Failure::new(Exit::Unresolved, error).hint(self.watch_on(&accepted.id)));
            }
        };
        show.end();
        match ended? {
            Some(incident) => {
                // Somebody may have stopped reading the result: the report is written all the same.
                let exit = self.conclude(&incident);
                if let Some(reporter) = reporter {
                    reporter.write(&self.remote, &incident.id, quiet).await?;
                }
                exit
            }
            None => {
                say(format_args!("{} goes on. Watch it: {}", accepted.id, self.watch_on(&accepted.id)));
                Ok(Exit::Fine)
            }
        }
    }

    /// Follows the incident from its first event: however fast it runs, nothing is missed.
    async fn follow(
        &self,
        accepted: &Accepted,
        show: &mut dyn Show,
        mut reporter: Option<&mut Reporter>,
    ) -> Result<Option<IncidentState>, Failure> {
        let after = format!("{}/{}", accepted.stream, accepted.position.saturating_sub(1));
        let mut follower = Follower::connect(self.remote.url.clone(), Some(after), true).await?;
        let mut board = Board::default();
        let mut clock = ServerClock::default();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            let item = tokio::select! {
                item = follower.next() => item?,
                _ = ticks.tick() => {
                    if let Some(incident) = board.get(&accepted.id) {
                        show.tick(incident, clock.now());
                    }
                    continue;
                }
            };
            match item {
                Some(Item::Opened(opened)) => {
                    clock.set(&opened);
                    if matches!(opened.follows, Follows::Reset { .. })
                        && let Some(ended) = self.ended_unseen(accepted).await?
                    {
                        return Ok(Some(ended));
                    }
                }
                Some(Item::Event { envelope, raw }) if envelope.incident() == accepted.id => {
                    if let Some(reporter) = &mut reporter {
                        reporter.take(&envelope);
                    }
                    if self.json {
                        writeln!(std::io::stdout(), "{raw}")?;
                    }
                    if let Some(incident) = board.fold(&envelope) {
                        show.event(incident);
                        if incident.state != IncidentStatus::Open {
                            return Ok(Some(incident.clone()));
                        }
                    }
                }
                Some(Item::Lost { reason, retry_in }) => {
                    show.note(&format!(
                        "connection lost ({reason}), retrying in {:.1} s",
                        retry_in.as_secs_f64()
                    ));
                }
                Some(Item::Back { replayed, lost: Some(lost), .. }) => {
                    show.note(&format!("back: replayed {replayed}, lost {lost}"));
                    if lost > 0
                        && let Some(ended) = self.ended_unseen(accepted).await?
                    {
                        return Ok(Some(ended));
                    }
                }
                Some(Item::Back { lost: None, .. }) => {
                    let error = anyhow!("the server began a new log: {} is not in it", accepted.id);
                    return Err(Failure::new(Exit::Unresolved, error).hint("trigger it again"));
                }
                Some(Item::Gap { from, to }) => show.note(&format!("positions {from} to {to} never came")),
                Some(Item::Event { .. } | Item::Heartbeat(_) | Item::NotAnEvent(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// Events were lost: the resolution may be among them, and would be waited for for ever.
    async fn ended_unseen(&self, accepted: &Accepted) -> Result<Option<IncidentState>, Failure> {
        let state = self.remote.incident(&accepted.id).await?;
        Ok(state.filter(|incident| incident.state != IncidentStatus::Open))
    }

    /// What to do about an incident that is left alone.
    fn watch_on(&self, id: &str) -> String {
        let flags = self.remote.flags();
        let report = self.report.as_ref().map(|file| {
            format!(
                " (its report, once it has ended: incident report {id}{flags} --output {})",
                file.display()
            )
        });
        format!("incident watch --incident {id}{flags}{}", report.unwrap_or_default())
    }

    fn conclude(&self, incident: &IncidentState) -> Result<Exit, Failure> {
        let Some(resolution) = &incident.resolution else { return Ok(Exit::Internal) };
        let seconds = resolution.durations.resolve_s;
        let word = match resolution.outcome {
            Outcome::Resolved => "resolved",
            Outcome::Cancelled => "cancelled",
        };
        if std::io::stderr().is_terminal() {
            say(conclusion(incident, word, seconds));
        }
        // For programs, and for whoever did not see the checklist.
        let watched = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        if !self.json && !watched {
            let cost = incident.cost.as_ref().map_or(0.0, |cost| cost.total);
            writeln!(std::io::stdout(), "{} {word} {seconds:.1} {cost:.2}", incident.id)?;
        }
        Ok(if resolution.outcome == Outcome::Resolved { Exit::Fine } else { Exit::Unresolved })
    }
}

/// `Resolved in 02:58, 2 s under target · cost $8,122 · 10 actions, 3 failed`
fn conclusion(incident: &IncidentState, word: &str, seconds: f64) -> String {
    let mut text = format!("{}{} in {}", word[..1].to_uppercase(), &word[1..], format::clock(seconds));
    if let (Some(target), "resolved") = (incident.target_s, word) {
        let by = seconds - target;
        let side = if by > 0.0 { "over" } else { "under" };
        text += &match by.abs() {
            near if near < 0.5 => ", right on target".to_owned(),
            far if far < 60.0 => format!(", {far:.0} s {side} target"),
            far => format!(", {} {side} target", format::clock(far)),
        };
    }
    if let Some(cost) = &incident.cost {
        text += &format!(" · cost {}", format::money(&cost.currency, cost.total));
    }
    text + &format!(" · {} actions, {} failed", incident.actions.total, incident.actions.failed)
}
