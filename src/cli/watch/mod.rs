//! `incident watch`

mod filter;
mod footer;
mod line;
mod record;
mod session;

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::anyhow;
use regex::Regex;

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::remote::Remote;
use super::say::say;
use super::{runtime, signals};
use crate::client::Follower;
use crate::contract::MessageType;
use crate::hub::After;
use crate::report::IncidentStatus;

use record::Recorder;
use session::Session;

/// Follow a stream in the terminal
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    #[command(flatten)]
    remote: Remote,

    /// Go on after this position; 0 replays everything that is kept
    #[arg(long, value_name = "STREAM/N")]
    after: Option<After>,

    /// Of what is replayed, show only the last N events
    #[arg(long, value_name = "N")]
    tail: Option<usize>,

    /// Show what there is and leave
    #[arg(long)]
    no_follow: bool,

    /// Leave when the incident is resolved; without --incident the first one that ends
    #[arg(long, conflicts_with = "no_follow")]
    until_resolved: bool,

    /// Only this incident
    #[arg(long, value_name = "ID")]
    incident: Option<String>,

    /// Only this phase; may be given several times
    #[arg(long)]
    phase: Vec<String>,

    /// Only this message type; may be given several times
    #[arg(long = "type", value_name = "TYPE", value_parser = message_type)]
    kind: Vec<MessageType>,

    /// Only actions with at least this confidence, 0 to 1
    #[arg(long, value_name = "P", value_parser = probability)]
    min_confidence: Option<f64>,

    /// Only events whose agent, action or summary matches
    #[arg(long, value_name = "REGEX")]
    include: Option<Regex>,

    /// No events whose agent, action or summary matches
    #[arg(long, value_name = "REGEX")]
    exclude: Option<Regex>,

    /// Print the events as NDJSON, verbatim
    #[arg(long)]
    json: bool,

    /// Write every event that arrives, whatever is shown, to this file as NDJSON: `incident serve --replay` plays it,
    /// `incident validate` checks it
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Show times of day in UTC instead of seconds into the incident
    #[arg(long)]
    utc: bool,

    /// Leave when the connection ends
    #[arg(long)]
    no_reconnect: bool,
}

fn message_type(name: &str) -> Result<MessageType, String> {
    let known =
        || MessageType::ALL.iter().copied().filter(|kind| !kind.is_control()).map(MessageType::as_str);
    MessageType::from_name(name).filter(|kind| !kind.is_control()).ok_or_else(|| {
        let near = crate::scenario::did_you_mean(name, known());
        near.map_or_else(
            || format!("one of {}", known().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean {near}?"),
        )
    })
}

fn probability(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|p| (0.0..=1.0).contains(p)).ok_or_else(|| "a number from 0 to 1".to_owned())
}

impl Watch {
    pub(super) fn run(mut self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        self.remote.read_files()?;
        runtime()?.block_on(self.follow(quiet))
    }

    async fn follow(&self, quiet: bool) -> Result<Exit, Failure> {
        let left = pin!(signals::shutdown());
        if let Some(file) = &self.record {
            record::refuse_existing(file)?;
            signals::outlive_file_limits();
        }
        let after = match self.start().await? {
            Start::At(after) => after,
            Start::Ended(exit) => return Ok(exit),
        };
        let mut follower = Follower::connect(self.remote.url.clone(), after, !self.no_reconnect).await?;
        let recorder = self.record.as_deref().map(Recorder::create).transpose()?;
        let mut session = Session::new(self, recorder, quiet);
        let ended = self.watch(&mut follower, &mut session, left).await;
        session.footer.clear();
        if let Some(recorder) = session.recorder.as_ref().filter(|_| !quiet) {
            say(recorder.told());
        }
        ended
    }

    /// Until what was waited for has happened, or whoever watched has `left`.
    async fn watch(
        &self,
        follower: &mut Follower,
        session: &mut Session<'_>,
        mut left: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Exit, Failure> {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            let item = tokio::select! {
                item = follower.next() => item?,
                _ = ticks.tick() => {
                    session.footer.tick(&session.board, self.incident.as_deref());
                    continue;
                }
                () = &mut left => {
                    session.footer.clear();
                    session.say_what_goes_on();
                    return Ok(Exit::Fine);
                }
            };
            let Some(item) = item else { return self.ended_early(session) };
            if let Some(exit) = session.take(item)? {
                return Ok(exit);
            }
        }
    }

    /// Where to begin. An incident that is asked for by name has to be there; one that has ended is not among what
    /// a newcomer gets, so it is looked for in all that is kept.
    async fn start(&self) -> Result<Start, Failure> {
        let after = self.after.as_ref().map(|after| match after {
            After::Nothing => "0".to_owned(),
            After::Position(position) => position.to_string(),
        });
        let Some(id) = self.incident.as_deref().filter(|_| after.is_none()) else {
            return Ok(Start::At(after));
        };
        let ended = self.remote.incident(id).await?.filter(|incident| incident.state != IncidentStatus::Open);
        Ok(match ended {
            Some(ended) if self.until_resolved && self.tail.is_none() && self.record.is_none() => {
                Start::Ended(exit_of(ended.state))
            }
            Some(_) => Start::At(Some("0".to_owned())),
            None => Start::At(None),
        })
    }

    /// The connection ended and nobody may reconnect.
    fn ended_early(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        if self.until_resolved && session.resolved().is_none() {
            return Err(Failure::new(
                Exit::Connection,
                anyhow!("the connection ended before the resolution"),
            ));
        }
        Ok(Exit::Fine)
    }
}

/// Where to begin.
enum Start {
    /// After this position.
    At(Option<String>),
    /// What is waited for has happened.
    Ended(Exit),
}

/// The exit status of an incident that ended.
fn exit_of(state: IncidentStatus) -> Exit {
    if state == IncidentStatus::Cancelled { Exit::Unresolved } else { Exit::Fine }
}
