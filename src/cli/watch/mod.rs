//! `incident watch`

mod filter;
mod footer;
mod line;

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use anyhow::anyhow;
use colored::Colorize;
use regex::Regex;

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::remote::Remote;
use super::say::say;
use super::{runtime, signals};
use crate::client::{Follower, Item};
use crate::contract::{Envelope, MessageType, ResetReason};
use crate::hub::After;
use crate::report::{Board, State};

use filter::Filter;
use footer::Footer;
use line::Lines;

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

    /// Show times of day in UTC instead of seconds into the incident
    #[arg(long)]
    utc: bool,

    /// Leave when the connection ends
    #[arg(long)]
    no_reconnect: bool,
}

fn message_type(name: &str) -> Result<MessageType, String> {
    let known = || MessageType::ALL.into_iter().filter(|kind| !kind.is_control()).map(MessageType::as_str);
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

/// An event that is held back until it is known to be among the last.
type Held = VecDeque<(Box<Envelope>, String)>;

/// What watching needs besides the stream.
struct Session<'a> {
    watch: &'a Watch,
    filter: Filter,
    lines: Lines,
    footer: Footer,
    board: Board,
    /// Up to this position events are replayed, and held back for `--tail`.
    replay_to: u64,
    held: Held,
}

impl Watch {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        runtime()?.block_on(self.follow(quiet))
    }

    async fn follow(&self, quiet: bool) -> Result<Exit, Failure> {
        let mut left = pin!(signals::shutdown());
        let after = match self.start().await? {
            Start::At(after) => after,
            Start::Ended(exit) => return Ok(exit),
        };
        let mut follower = Follower::connect(self.remote.url.clone(), after, !self.no_reconnect).await?;
        let terminal = std::io::stdout().is_terminal();
        let mut session = Session {
            watch: self,
            filter: Filter::new(self, terminal),
            lines: Lines::new(terminal, self.utc),
            footer: Footer::new(terminal && std::io::stderr().is_terminal() && !self.json && !quiet),
            board: Board::default(),
            replay_to: 0,
            held: VecDeque::new(),
        };
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
            let Some(item) = item else {
                session.footer.clear();
                return self.ended_early(&session);
            };
            if let Some(exit) = session.take(item)? {
                session.footer.clear();
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
        let ended = self.remote.incident(id).await?.filter(|incident| incident.state != State::Open);
        Ok(match ended {
            Some(ended) if self.until_resolved && self.tail.is_none() => Start::Ended(exit_of(ended.state)),
            Some(_) => Start::At(Some("0".to_owned())),
            None => Start::At(None),
        })
    }

    /// The connection ended and nobody may reconnect.
    fn ended_early(&self, session: &Session) -> Result<Exit, Failure> {
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
fn exit_of(state: State) -> Exit {
    if state == State::Cancelled { Exit::Unresolved } else { Exit::Fine }
}

impl Session<'_> {
    /// Leaving does not end an incident, and that is said.
    fn say_what_goes_on(&self) {
        let wanted = self.watch.incident.as_deref();
        let open = self.board.incidents().iter().filter(|incident| incident.state == State::Open);
        for incident in open.filter(|incident| wanted.is_none_or(|id| id == incident.id)) {
            say(format_args!("{} goes on. Watch it: incident watch --incident {}", incident.id, incident.id));
        }
    }

    fn take(&mut self, item: Item) -> Result<Option<Exit>, Failure> {
        match item {
            Item::Opened(opened) => {
                let (from, to) = opened.follows.range();
                self.replay_to = to;
                if let crate::contract::Follows::Reset { reason, .. } = &opened.follows {
                    self.note(&format!("cannot go on there: {}", explain(*reason)));
                }
                self.footer.open(&opened);
                if to < from {
                    return self.caught_up();
                }
            }
            Item::Event { envelope, raw } => return self.event(envelope, raw),
            Item::Heartbeat(_) => self.footer.alive(),
            Item::Lost { reason, retry_in } => {
                self.footer.lost();
                let next = if self.watch.no_reconnect {
                    String::new()
                } else {
                    format!(", retrying in {:.1} s", retry_in.as_secs_f64())
                };
                self.note(&format!("connection lost ({reason}){next}"));
            }
            Item::Back { away, replayed, to, lost, reset } => {
                self.footer.alive();
                self.replay_to = to;
                let away = away.as_secs_f64();
                match (lost, reset) {
                    (Some(lost), _) => {
                        self.note(&format!("back after {away:.1} s: replayed {replayed}, lost {lost}"));
                    }
                    (None, reset) => {
                        self.board = Board::default();
                        let why = reset.map_or("new log", explain);
                        self.note(&format!(
                            "back after {away:.1} s: {why}; what came between can't be known"
                        ));
                    }
                }
            }
            Item::Gap { from, to } => {
                self.note(&format!("positions {from} to {to} never came: lost {}", to - from + 1));
            }
            Item::NotAnEvent(text) => {
                self.note(&format!("not an event: {}", text.chars().take(80).collect::<String>()));
            }
        }
        Ok(None)
    }

    fn event(&mut self, envelope: Box<Envelope>, raw: String) -> Result<Option<Exit>, Failure> {
        let position = envelope.position().map_or(u64::MAX, |position| position.n);
        let replayed = position <= self.replay_to;
        self.board.fold(&envelope);
        let envelope_id = envelope.incident().to_owned();
        // Without a name it is the next one that ends, not one that ended before anybody looked.
        let ends = envelope.kind == MessageType::IncidentResolved.as_str()
            && match self.watch.incident.as_deref() {
                Some(wanted) => wanted == envelope.incident(),
                None => !replayed || self.watch.after.is_some(),
            };
        if self.filter.admits(&envelope) {
            match self.watch.tail {
                Some(tail) if replayed => {
                    self.held.push_back((envelope, raw));
                    while self.held.len() > tail {
                        self.held.pop_front();
                    }
                }
                _ => self.print(&envelope, &raw)?,
            }
        }
        if position == self.replay_to
            && let Some(exit) = self.caught_up()?
        {
            return Ok(Some(exit));
        }
        if ends && self.watch.until_resolved {
            // What `--tail` holds back was replayed up to here: nothing after it is waited for.
            self.caught_up()?;
            return Ok(self.board.get(envelope_id.as_str()).map(|incident| exit_of(incident.state)));
        }
        Ok(None)
    }

    /// The replay is over: what `--tail` held back is due.
    fn caught_up(&mut self) -> Result<Option<Exit>, Failure> {
        for (envelope, raw) in std::mem::take(&mut self.held) {
            self.print(&envelope, &raw)?;
        }
        Ok(self.watch.no_follow.then_some(Exit::Fine))
    }

    fn print(&mut self, envelope: &Envelope, raw: &str) -> Result<(), Failure> {
        let text = if self.watch.json { raw.to_owned() } else { self.lines.line(envelope) };
        self.footer.above(|| writeln!(std::io::stdout(), "{text}"))?;
        Ok(())
    }

    /// About the connection: on stderr, so that a pipe holds events only.
    fn note(&mut self, text: &str) {
        let text = format!("── {text} ──");
        self.footer.above(|| say(text.yellow()));
    }

    /// The exit status if what was waited for has ended.
    fn resolved(&self) -> Option<Exit> {
        let wanted = self.watch.incident.as_deref();
        let mut ended =
            self.board.incidents().iter().filter(|incident| wanted.is_none_or(|id| id == incident.id));
        ended.find(|incident| incident.state != State::Open).map(|incident| exit_of(incident.state))
    }
}

fn explain(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::OtherStream => "new log: the position belongs to another stream",
        ResetReason::Expired => "the events after it are no longer kept",
        ResetReason::Ahead => "the position is ahead of the stream",
    }
}
