//! Connects, and shows events until the end.

use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::anyhow;
use colored::Colorize;

use super::args::Watch;
use super::record::{self, Recorder};
use super::session::{Session, already, exit_of};
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::out::{painted, say};
use crate::cli::reader;
use crate::cli::remote::times_of;
use crate::cli::runtime::runtime;
use crate::cli::signals;
use crate::cli::times::Asked;
use crate::client::Follower;
use crate::hub::After;
use crate::report::{IncidentState, IncidentStatus};

impl Watch {
    pub(in crate::cli) fn run(mut self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        self.remote.read_files()?;
        runtime()?.block_on(self.follow(quiet))
    }

    async fn follow(&self, quiet: bool) -> Result<Exit, Failure> {
        let mut interrupted = pin!(signals::shutdown());
        if let Some(file) = &self.record {
            record::refuse_existing(file)?;
            signals::outlive_file_limits();
        }
        let connected = tokio::select! {
            connected = self.connect() => connected?,
            () = &mut interrupted => return Ok(Exit::Interrupted),
        };
        let (mut follower, recorder, unconfirmed, had_ended) = match connected {
            Connected::To(follower, recorder, unconfirmed, had_ended) => {
                (*follower, recorder, unconfirmed, had_ended)
            }
            Connected::NotNeeded(ended) => {
                if !quiet {
                    say(already(&ended));
                }
                return Ok(exit_of(ended.state));
            }
        };
        let mut session = Session::new(self, recorder, quiet);
        session.unconfirmed = self.incident.as_deref().filter(|_| unconfirmed);
        session.had_ended = had_ended.map(|ended| *ended);
        let ended = self.watch(&mut follower, &mut session, interrupted).await;
        session.footer.clear();
        match session.recorder.as_ref().map(Recorder::summary) {
            Some(Ok(summary)) if !quiet => say(summary),
            None | Some(Ok(_)) => {}
            Some(Err(lost)) if ended.is_ok() => return Err(lost),
            // Two things went wrong: both are told, and the status is that of the other.
            Some(Err(lost)) => {
                let told = lost.text().map(|(text, _)| text).unwrap_or_default();
                say(painted!["error:".red().bold(), " ", told]);
            }
        }
        ended
    }

    /// Connects, and opens the recording. Each may take long.
    async fn connect(&self) -> Result<Connected, Failure> {
        let (after, unconfirmed, had_ended) = match self.start().await? {
            Start::At(after) => (after, false, None),
            Start::Behind(after, ended) => (Some(after), false, Some(ended)),
            Start::Unconfirmed => (Some("0".to_owned()), true, None),
            Start::Ended(ended) => return Ok(Connected::NotNeeded(ended)),
        };
        let follower = Follower::connect(self.remote.url.clone(), after, !self.no_reconnect).await?;
        let recorder = match self.record.clone() {
            Some(file) => Some(record::create(file).await?),
            None => None,
        };
        Ok(Connected::To(Box::new(follower), recorder, unconfirmed, had_ended))
    }

    /// Shows events until the end that the flags ask for, or until the user interrupts.
    async fn watch(
        &self,
        follower: &mut Follower,
        session: &mut Session<'_>,
        mut interrupted: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Exit, Failure> {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let mut times = Asked::default();
        let mut unread = pin!(reader::leaves());
        loop {
            let item = tokio::select! {
                item = follower.next() => item?,
                _ = ticks.tick() => {
                    if session.asks() {
                        times.ask(times_of(&self.remote));
                    }
                    session.footer.tick(&session.known, self.incident.as_deref());
                    continue;
                }
                Some(told) = times.answer() => {
                    session.footer.told(&told);
                    continue;
                }
                () = &mut unread, if !self.until_resolved => return Err(Failure::unread()),
                () = &mut interrupted => {
                    session.footer.clear();
                    session.say_open_incidents();
                    return Ok(Exit::Fine);
                }
            };
            let Some(item) = item else { return self.ended_early() };
            if let Some(exit) = session.take(item)? {
                return Ok(exit);
            }
            for id in session.asks_whether_open() {
                let asked = tokio::select! {
                    asked = self.remote.incident(&id) => asked,
                    () = &mut interrupted => {
                        session.footer.clear();
                        session.say_open_incidents();
                        return Ok(Exit::Fine);
                    }
                };
                let is_silent = asked.is_err();
                if let Some(exit) = session.told_of(&id, asked)? {
                    return Ok(exit);
                }
                // The others are asked for with it, the next time.
                if is_silent {
                    break;
                }
            }
        }
    }

    /// Where to start. An incident in --incident must exist. If it has ended, a new client does not get its events, so all
    /// events that the server has kept are replayed.
    async fn start(&self) -> Result<Start, Failure> {
        let after = self.after.as_ref().map(|after| match after {
            After::Nothing => "0".to_owned(),
            After::Position(position) => position.to_string(),
        });
        let Some(id) = self.incident.as_deref() else {
            return Ok(Start::At(after));
        };
        let Some(known) = self.remote.incident(id).await? else {
            return Ok(match self.after {
                None | Some(After::Nothing) => Start::Unconfirmed,
                Some(After::Position(_)) => Start::At(after),
            });
        };
        if let Some(after) = after {
            let is_over = known.state != IncidentStatus::Open;
            return Ok(if is_over { Start::Behind(after, Box::new(known)) } else { Start::At(Some(after)) });
        }
        Ok(match Some(known).filter(|incident| incident.state != IncidentStatus::Open) {
            Some(ended) if self.until_resolved && self.tail.is_none() && self.record.is_none() => {
                Start::Ended(Box::new(ended))
            }
            Some(_) => Start::At(Some("0".to_owned())),
            None => Start::At(None),
        })
    }

    /// The connection ended, and --no-reconnect is given.
    fn ended_early(&self) -> Result<Exit, Failure> {
        // It would have ended with the incident.
        if self.until_resolved {
            return Err(Failure::new(
                Exit::Connection,
                anyhow!("the connection ended before the incident did"),
            ));
        }
        // Then it would have ended with the last of them.
        if self.no_follow {
            let error = anyhow!("the connection ended before all past events were shown");
            return Err(Failure::new(Exit::Connection, error));
        }
        Ok(Exit::Fine)
    }
}

/// What connecting led to.
enum Connected {
    /// A follower, the recording, whether it is unknown whether the server knows the incident, and that incident if it has ended.
    To(Box<Follower>, Option<Recorder>, bool, Option<Box<IncidentState>>),
    /// There is nothing to show: this incident has ended.
    NotNeeded(Box<IncidentState>),
}

/// Where to start.
enum Start {
    /// After this position; `None` for the server's default.
    At(Option<String>),
    /// After this position: the incident has ended, before it or after it.
    Behind(String, Box<IncidentState>),
    /// At the beginning. The server has no interface that says whether it knows the incident: its events will show.
    Unconfirmed,
    /// Not at all: the incident has ended, and there is nothing to show.
    Ended(Box<IncidentState>),
}
