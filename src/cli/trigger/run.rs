//! Starts an incident and waits for its end, or cancels one.

use std::cell::Cell;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use hyper::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::alerts::AlertsOut;
use super::args::Trigger;
use super::checklist::Checklist;
use super::conclusion::conclude;
use super::file;
use super::follow::Accepted;
use super::plain::Plain;
use super::reporter::Reporter;
use super::show::{Ending, Show};
use crate::cli::cancel::cancel;
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::known::goes_on;
use crate::cli::out::{print, print_json, say_with_command};
use crate::cli::runtime::runtime;
use crate::cli::terminal::redraws;
use crate::cli::{scenarios, signals};
use crate::client::{ClientError, request};
use crate::report::IncidentStatus;
use crate::shell::{self, word};

/// What comes of some work until a time; `None` if it is not done by then.
async fn in_time<T>(until: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match until {
        Some(until) => timeout_at(until, work).await.ok(),
        None => Some(work.await),
    }
}

impl Trigger {
    pub(in crate::cli) fn run(mut self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stderr());
        self.remote.read_files_beside(self.alerts.receivers())?;
        runtime()?.block_on(async {
            match &self.cancel {
                Some(id) => cancel(&self.remote, id).await,
                None => self.start(quiet).await,
            }
        })
    }

    async fn start(&self, quiet: bool) -> Result<Exit, Failure> {
        if let Some(name) = self.scenario.as_deref().filter(|name| !scenarios::is_name(Path::new(name))) {
            return Err(file::refused(name));
        }
        let reporter = self.report.as_deref().map(Reporter::open).transpose()?;
        let until = self.timeout.map(|timeout| Instant::now() + Duration::from(timeout));
        let prepared = self.alerts.prepare(&self.remote, self.scenario.as_deref().unwrap_or_default());
        let out = match in_time(until, prepared).await {
            Some(prepared) => prepared?,
            None => return Err(self.unanswered("nothing was started")),
        };
        let mut body = json!({ "scenario": self.scenario });
        if let Some(seed) = self.seed {
            body["seed"] = seed.into();
        }
        if let Some(speed) = self.speed {
            body["speed"] = speed.get().into();
        }
        let settings = self.settings.settings()?;
        if !settings.is_empty() {
            body["settings"] = settings.to_json();
        }
        // If no answer came, the incident may have started all the same: another server is not asked to start it again.
        match in_time(until, self.remote.url.be_ready()).await {
            Some(ready) => ready?,
            None => return Err(self.unanswered("nothing was started")),
        }
        let server = self.remote.url.current();
        let asked = request(server, Method::POST, "/api/incidents", Some(&body));
        let Some(answer) = in_time(until, asked).await else {
            return Err(self.unanswered("it may have started the incident all the same"));
        };
        let answer = match answer {
            Err(ClientError::Status { status: status @ (404 | 422), said, problem: true, .. }) => {
                let url = word(&self.remote.url.to_string()).into_owned();
                let hint = match status {
                    422 if !settings.is_empty() => {
                        format!(
                            "incident list --json --url {url} has the variants and the parameters of each scenario"
                        )
                    }
                    _ => format!("incident list --url {url} prints the server's scenarios"),
                };
                return Err(Failure::new(Exit::Usage, anyhow!(said)).hint(hint));
            }
            // A file or a text in the place of a name.
            Err(error @ ClientError::Status { status: 413, .. }) => {
                let hint = "shorten the name of the scenario and what --set gives it";
                return Err(Failure::new(Exit::Usage, error).hint(hint));
            }
            // To ask again would start another one.
            Err(error) if error.may_be_done() => {
                let flags = self.remote.flags();
                let wait = error.first_wait();
                let hint = format!(
                    "{wait}it may have started the incident all the same: incident list --running{flags} shows it"
                );
                return Err(Failure::new(Exit::Connection, error).hint(hint));
            }
            answer => answer?,
        };
        let accepted = Accepted::deserialize(&answer).map_err(|_| {
            let why = "it does not name the incident, its stream and its position".to_owned();
            Failure::from(ClientError::Answer { url: server.http("/api/incidents"), why })
        })?;
        if self.no_wait {
            if self.json {
                print_json(&answer)?;
            } else {
                print(&accepted.id)?;
            }
            return Ok(Exit::Fine);
        }
        if let Some(out) = &out {
            // What waits for the end says that the time is over.
            in_time(until, out.begin(&self.remote, &accepted.id)).await;
        }
        let asks_again = async {
            if let Some(out) = &out {
                out.ask_again(&self.remote, &accepted.id).await;
            }
            std::future::pending::<Infallible>().await
        };
        let watched = tokio::select! {
            watched = self.watch_to_end(&accepted, until, quiet, reporter, out.as_ref()) => watched,
            never = asks_again => match never {},
        };
        if let Some(out) = out {
            out.finish(quiet).await;
        }
        watched
    }

    /// Shows the course of the incident until it has ended, or the user wants no more of it.
    async fn watch_to_end(
        &self,
        accepted: &Accepted,
        until: Option<Instant>,
        quiet: bool,
        mut reporter: Option<Reporter>,
        out: Option<&AlertsOut>,
    ) -> Result<Exit, Failure> {
        let mut show: Box<dyn Show> = if quiet {
            Box::new(Plain::silent())
        } else if redraws() && !self.json {
            Box::new(Checklist::new())
        } else {
            Box::new(Plain::new())
        };
        let is_open = Cell::new(true);
        let follow = self.follow(accepted, &is_open, show.as_mut(), reporter.as_mut(), out);
        let ended = tokio::select! {
            ended = follow => ended,
            () = signals::shutdown() => Ok(None),
            None = in_time(until, std::future::pending::<()>()) => {
                show.end(Ending::Left);
                let timeout = self.timeout.unwrap_or_default();
                let (id, goes_on) = (&accepted.id, goes_on(is_open.get()));
                let error = anyhow!("{id} was not resolved within {timeout}; it {goes_on}");
                return Err(Failure::new(Exit::Unresolved, error).hint(self.watch_on(&accepted.id)));
            }
        };
        show.end(match &ended {
            Ok(Some(incident)) if incident.state == IncidentStatus::Cancelled => Ending::Cancelled,
            Ok(Some(_)) => Ending::Resolved,
            Ok(None) | Err(_) => Ending::Left,
        });
        match ended.inspect_err(|failure| self.say_left(&accepted.id, failure))? {
            Some(incident) => {
                // If stdout is closed, the report is written all the same.
                let exit = conclude(&incident, self.json);
                if let Some(reporter) = reporter {
                    reporter.write(&self.remote, &incident.id, quiet).await?;
                }
                exit
            }
            None => {
                say_with_command(
                    &format!("{} {}. Watch it:", accepted.id, goes_on(is_open.get())),
                    &self.watch_on(&accepted.id),
                );
                Ok(Exit::Fine)
            }
        }
    }

    /// The failure of a server that has not answered within --timeout.
    fn unanswered(&self, what: &str) -> Failure {
        let timeout = self.timeout.unwrap_or_default();
        let error = anyhow!("{} has not answered within {timeout}: {what}", self.remote.url);
        let flags = self.remote.flags();
        Failure::new(Exit::Unresolved, error)
            .hint(format!("incident list --running{flags} shows what goes on there"))
    }

    /// Says that the incident may go on although this command can't follow it: trying again would start another one.
    fn say_left(&self, id: &str, failure: &Failure) {
        // The other failures say what became of the incident, or there is no reader.
        if matches!(failure.exit(), Exit::Connection | Exit::Internal) {
            let (shown, flags) = (word(id), self.remote.flags());
            say_with_command(&format!("{id} was started and may go on. Watch it:"), &self.watch_on(id));
            say_with_command("Cancel it:", &format!("incident cancel {shown}{flags}"));
        }
    }

    /// The command that goes on watching the incident.
    pub(super) fn watch_on(&self, id: &str) -> String {
        let (id, flags) = (word(id), self.remote.flags());
        let watch = format!("incident watch --incident {id}{flags}");
        let Some(file) = self.report.as_deref().map(shell::file) else { return watch };
        format!("{watch} (its report, once it has ended: incident report {id}{flags} --output {file})")
    }
}
