//! Connects, and shows events until the end.

use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::anyhow;
use colored::Colorize;

use super::args::Watch;
use super::record::{self, Recorder};
use super::session::Session;
use super::words::{already, exit_of};
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::out::{painted, say};
use crate::cli::reader;
use crate::cli::remote::{Said, times_of};
use crate::cli::runtime::runtime;
use crate::cli::signals;
use crate::cli::times::Asked;
use crate::client::{Follower, Item};
use crate::contract::Follows;
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
        let (start, mut follower, recorder) = match connected {
            Connected::To(start, follower, recorder) => (start, follower, recorder),
            Connected::NotNeeded(ended) => {
                if !quiet {
                    say(already(&ended));
                }
                return Ok(exit_of(ended.state));
            }
        };
        let mut session = Session::new(self, recorder, quiet);
        session.unconfirmed = self.incident.as_deref().filter(|_| start.unconfirmed);
        session.had_ended = start.had_ended.map(|ended| *ended);
        session.is_unanswered = start.is_unanswered;
        (session.was_open, session.has_interface) = (start.was_open, start.has_interface);
        if start.is_unanswered {
            session.unseen.lost();
        }
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
        let start = match self.start().await? {
            Start { is_needed: false, had_ended: Some(ended), .. } => return Ok(Connected::NotNeeded(ended)),
            start => start,
        };
        let (url, after) = (self.remote.url.clone(), start.after.clone());
        let follower = Follower::connect(url, after, !self.no_reconnect).await?;
        let recorder = match self.record.clone() {
            Some(file) => Some(record::create(file).await?),
            None => None,
        };
        Ok(Connected::To(start, Box::new(follower), recorder))
    }

    /// Shows events until the end that the flags ask for, or until the user interrupts.
    async fn watch(
        &self,
        follower: &mut Follower,
        session: &mut Session<'_>,
        mut interrupted: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Exit, Failure> {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let (mut times, mut is_untold) = (Asked::default(), false);
        let mut unread = pin!(reader::leaves());
        loop {
            session.ask(|id| {
                let remote = self.remote.clone();
                async move {
                    let answer = remote.incident(&id).await;
                    Some((id, answer))
                }
            });
            let item = tokio::select! {
                item = follower.next() => item?,
                _ = ticks.tick() => {
                    if session.asks() {
                        times.ask(times_of(&self.remote));
                    }
                    session.footer.tick(&session.known, self.incident.as_deref());
                    continue;
                }
                told = times.answer() => {
                    match told {
                        Some(told) => session.footer.told(&told),
                        None => is_untold = true,
                    }
                    continue;
                }
                Some((id, answer)) = session.unseen.answer() => {
                    if let Some(exit) = session.answered(id, answer)? {
                        return Ok(exit);
                    }
                    continue;
                }
                () = &mut unread, if !self.until_resolved => return Err(Failure::unread()),
                () = &mut interrupted => return Ok(Self::leave(session)),
            };
            let Some(item) = item else { return self.ended_early() };
            // It is asked for the time again, too.
            if matches!(item, Item::Heartbeat(_)) && std::mem::take(&mut is_untold) {
                session.footer.is_untold();
            }
            if let Item::Opened(opened) = &item
                && std::mem::take(&mut session.was_open)
                // Behind a position of this stream its end comes, too.
                && (self.after.is_none() || matches!(opened.follows, Follows::Reset { .. }))
            {
                let behind = tokio::select! {
                    behind = self.behind_its_end(session) => behind?,
                    () = &mut interrupted => return Ok(Self::leave(session)),
                };
                if let Some(behind) = behind {
                    session.resets(&opened.follows);
                    *follower = behind;
                    continue;
                }
            }
            if let Some(exit) = session.take(item, follower.refusal().is_some())? {
                return Ok(exit);
            }
        }
    }

    /// The incident in --incident was open when it was asked for. If it may have ended before the stream began, the stream may have nothing
    /// of it: then this is one that has everything.
    async fn behind_its_end(&self, session: &mut Session<'_>) -> Result<Option<Follower>, Failure> {
        let Some(id) = self.incident.as_deref() else { return Ok(None) };
        match self.remote.incident(id).await {
            Ok(Some(open)) if open.state == IncidentStatus::Open => {
                session.is_expected = true;
                return Ok(None);
            }
            Ok(Some(ended)) => session.had_ended = Some(ended),
            Ok(None) | Err(_) => session.unseen.lost(),
        }
        let (url, all) = (self.remote.url.clone(), "0".to_owned());
        Ok(Some(if self.no_reconnect {
            Follower::connect(url, Some(all), false).await?
        } else {
            Follower::of_one_that_answers(url, all)
        }))
    }

    /// The user leaves.
    fn leave(session: &mut Session<'_>) -> Exit {
        session.footer.clear();
        session.say_open_incidents();
        Exit::Fine
    }

    /// Where to start. An incident in --incident must exist. If it has ended, a new client does not get its events, so all
    /// events that the server has kept are replayed.
    async fn start(&self) -> Result<Start, Failure> {
        let after = self.after.as_ref().map(|after| match after {
            After::Nothing => "0".to_owned(),
            After::Position(position) => position.to_string(),
        });
        let Some(id) = self.incident.as_deref() else {
            return Ok(Start::at(after));
        };
        let known = match self.remote.incident_for_now(id).await? {
            Said::State(known) => known,
            said => {
                let is_unanswered = matches!(said, Said::NotNow(_));
                return Ok(match self.after {
                    None | Some(After::Nothing) => {
                        Start { unconfirmed: true, is_unanswered, ..Start::at(Some("0".to_owned())) }
                    }
                    Some(After::Position(_)) => Start { is_unanswered, ..Start::at(after) },
                });
            }
        };
        let is_over = known.state != IncidentStatus::Open;
        let start = match after {
            Some(after) => {
                let was_open = !is_over && self.after != Some(After::Nothing);
                Start { had_ended: Some(known).filter(|_| is_over), was_open, ..Start::at(Some(after)) }
            }
            None if !is_over => Start { was_open: true, ..Start::at(None) },
            None => {
                let is_needed = !self.until_resolved || self.tail.is_some() || self.record.is_some();
                let had_ended = Some(known).filter(|_| !is_needed);
                Start { had_ended, is_needed, ..Start::at(Some("0".to_owned())) }
            }
        };
        Ok(Start { has_interface: true, ..start })
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
    /// A follower, and the recording.
    To(Start, Box<Follower>, Option<Recorder>),
    /// There is nothing to show: this incident has ended.
    NotNeeded(Box<IncidentState>),
}

/// Where to start, and what the server has said of the incident in --incident.
struct Start {
    /// After this position; `None` for the server's default.
    after: Option<String>,
    /// The incident, if it has ended: before the position or after it.
    had_ended: Option<Box<IncidentState>>,
    /// It is not known whether the server knows the incident: its events will show.
    unconfirmed: bool,
    /// It is known later, because the server could not say it now.
    is_unanswered: bool,
    /// It was open, and its events come if it still is when the stream begins.
    was_open: bool,
    /// Whether the server has said of the incident how it is.
    has_interface: bool,
    /// Whether there is something to show.
    is_needed: bool,
}

impl Start {
    fn at(after: Option<String>) -> Self {
        Self {
            after,
            had_ended: None,
            unconfirmed: false,
            is_unanswered: false,
            was_open: false,
            has_interface: false,
            is_needed: true,
        }
    }
}
