//! What `watch` does with each item of a stream.

use std::collections::VecDeque;
use std::io::IsTerminal;

use anyhow::anyhow;
use colored::Colorize;
use jiff::Timestamp;

use super::args::Watch;
use super::filter::Filter;
use super::footer::Footer;
use super::line::Lines;
use super::record::Recorder;
use crate::cli::exit::{Exit, Failure};
use crate::cli::known::{self, Known};
use crate::cli::out::{print_event, reader_has_left, say, say_with_command};
use crate::cli::outage::Outage;
use crate::cli::terminal::redraws;
use crate::cli::{fit, format};
use crate::client::Item;
use crate::contract::{Envelope, Follows, MessageType, Position, ResetReason, is_addressable};
use crate::report::{IncidentState, IncidentStatus};
use crate::shell::word;
use crate::visible::visible;

/// Events of a replay that `--tail` holds back, until it is known that they are among the last.
type Held = VecDeque<(Box<Envelope>, String, Option<f64>)>;

/// The state of a `watch`, besides the connection.
pub(super) struct Session<'a> {
    watch: &'a Watch,
    filter: Filter,
    lines: Lines,
    pub(super) footer: Footer,
    pub(super) known: Known,
    pub(super) recorder: Option<Recorder>,
    /// Events up to this position are replayed.
    replay_to: u64,
    /// Whether all of them have come.
    has_all: bool,
    /// The newest event at the start of the command, and the server's time then: what comes after it is new, also if it is replayed
    /// after an interruption.
    begun_at: Option<(Position, Timestamp)>,
    /// Whether all events that were replayed at the start have come.
    has_begun: bool,
    held: Held,
    outage: Outage,
    /// Whether an end may be among what was lost, and whether it is time to ask the server: when the connection is back, or with a
    /// heartbeat.
    may_have_missed_an_end: bool,
    asks_now: bool,
    /// Whether everything that the server has stored has come.
    is_at_head: bool,
    /// The incident in --incident, if it had ended before the command began.
    pub(super) had_ended: Option<IncidentState>,
    /// The incident in --incident, as long as it is not known whether the server knows it.
    pub(super) unconfirmed: Option<&'a str>,
}

/// How many columns are shown of what is not an event.
const NOT_AN_EVENT: usize = 80;

/// How many open incidents are named when the user leaves. A server may have thousands.
const GO_ON: usize = 5;

/// How many open incidents a server is asked for when their ends may have been lost.
const ASKED: usize = 100;

impl<'a> Session<'a> {
    pub(super) fn new(watch: &'a Watch, recorder: Option<Recorder>, quiet: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let footer = terminal && redraws() && !watch.json && !quiet;
        Self {
            watch,
            filter: Filter::new(watch, terminal),
            lines: Lines::new(terminal, watch.utc),
            footer: Footer::new(footer),
            known: Known::new(watch.incident.as_deref()),
            recorder,
            replay_to: 0,
            has_all: false,
            begun_at: None,
            has_begun: false,
            held: VecDeque::new(),
            outage: Outage::default(),
            may_have_missed_an_end: false,
            asks_now: false,
            is_at_head: false,
            had_ended: None,
            unconfirmed: None,
        }
    }

    /// Says which incidents are still open when the user leaves.
    pub(super) fn say_open_incidents(&self) {
        let wanted = self.watch.incident.as_deref();
        let open = self.known.incidents().iter().filter(|incident| incident.state == IncidentStatus::Open);
        let open: Vec<_> = open.filter(|incident| wanted.is_none_or(|id| id == incident.id)).collect();
        let flags = self.watch.remote.flags();
        let (others, newest) = open.split_at(open.len().saturating_sub(GO_ON));
        for incident in newest {
            let (id, shown) = (&incident.id, word(&incident.id));
            let command = format!("incident watch --incident {shown}{flags}");
            say_with_command(&format!("{id} goes on. Watch it:"), &command);
        }
        let list = format!("incident list --running{flags}");
        match others.len() {
            0 => {}
            1 => say_with_command("Another incident goes on, too:", &list),
            many => say_with_command(&format!("{many} other incidents go on, too:"), &list),
        }
    }

    /// Whether the server has to be asked what time it is for its incidents.
    pub(super) fn asks(&mut self) -> bool {
        self.has_all && self.footer.asks()
    }

    pub(super) fn take(&mut self, item: Item) -> Result<Option<Exit>, Failure> {
        self.is_at_head = matches!(item, Item::Heartbeat(_));
        self.asks_now |= self.is_at_head || matches!(item, Item::Back { .. });
        self.outage.hears(Some(&item));
        match item {
            Item::Opened(opened) => {
                let (from, to) = opened.follows.range();
                if self.outage.greeted() {
                    self.note("connected");
                }
                (self.replay_to, self.has_all) = (to, false);
                let position = opened.stream.parse().ok().map(|stream| Position { stream, n: to });
                self.begun_at = position.map(|position| (position, opened.server_time));
                if let Follows::Reset { reason, .. } = &opened.follows {
                    self.note(&format!("cannot resume after the position: {}", explain(*reason)));
                }
                self.footer.open(&opened);
                if to < from {
                    return self.caught_up();
                }
            }
            Item::Event { envelope, raw } => return self.event(envelope, raw),
            Item::Heartbeat(_) => {
                self.footer.alive();
                // It comes only when everything has come.
                if self.has_all {
                    self.confirm()?;
                } else {
                    return self.caught_up();
                }
            }
            Item::Lost { reason, retry_in, next } => {
                self.footer.lost();
                if self.outage.lost() {
                    let (url, wait) = (&self.watch.remote.url, retry_in.as_secs_f64());
                    let then = if self.watch.no_reconnect {
                        String::new()
                    } else if url.are_several() {
                        format!(", trying {next} in {wait:.1} s, then the others in turn until one answers")
                    } else {
                        format!(", retrying in {wait:.1} s and until {url} answers")
                    };
                    self.note(&format!("connection lost ({reason}){then}"));
                }
            }
            Item::Back { server, away, replayed, to, lost, reset } => {
                self.footer.alive();
                let is_new = self.outage.greeted();
                (self.replay_to, self.has_all) = (to, replayed == 0);
                self.may_have_missed_an_end |= lost.is_none_or(|lost| lost > 0);
                let back = format::back(&self.watch.remote.url, &server, away);
                match (lost, reset) {
                    (Some(lost), _) if is_new || lost > 0 => {
                        self.note(&format!(
                            "{back}: {} replayed, {lost} lost",
                            format::count(replayed, "event")
                        ));
                    }
                    (Some(_), _) => {}
                    (None, reset) => {
                        self.known.begin_anew();
                        let why = reset.map_or("the stream is another one", explain);
                        self.note(&format!("{back}: {why}; events may be lost"));
                    }
                }
                if replayed == 0 {
                    return self.caught_up();
                }
            }
            Item::Gap { from, to } => {
                // What is behind the gap is still to come.
                (self.may_have_missed_an_end, self.asks_now) = (true, false);
                let missing = format::missing(from, to);
                self.note(&format!("{missing}: {} lost", to - from + 1));
            }
            Item::NotAnEvent(text) => {
                self.note(&format!("not an event: {}", fit::cut(&visible(&text), NOT_AN_EVENT)));
            }
        }
        Ok(None)
    }

    fn event(&mut self, envelope: Box<Envelope>, raw: String) -> Result<Option<Exit>, Failure> {
        if let Some(recorder) = &mut self.recorder {
            recorder.take(&raw)?;
        }
        let position = envelope.position();
        let is_old =
            position.as_ref().zip(self.begun_at.as_ref()).is_some_and(|(position, (begun, time))| {
                // The positions of another stream say nothing of this one.
                if position.stream == begun.stream { position.n <= begun.n } else { envelope.time <= *time }
            });
        let replayed = position.as_ref().is_some_and(|position| position.n <= self.replay_to);
        // A server may say nothing of a replay.
        let completes = !self.has_all
            && self.replay_to > 0
            && position.as_ref().is_some_and(|position| position.n >= self.replay_to);
        self.footer.heard(&envelope, !replayed);
        if let Some(told) = self.known.bound() {
            self.note(&told);
        }
        let offset_s = self.known.fold(&envelope).and_then(|incident| incident.offset_s);
        let envelope_id = envelope.incident().to_owned();
        // Without --incident, an incident that ended before the start of this command does not count.
        let ends = envelope.kind == MessageType::IncidentResolved.as_str()
            && match self.watch.incident.as_deref() {
                Some(wanted) => wanted == envelope.incident(),
                None => !is_old || self.watch.after.is_some(),
            };
        if ends {
            self.had_ended = None;
        }
        if self.filter.admits(&envelope) {
            match self.watch.tail {
                Some(tail) if replayed && !self.has_begun => {
                    self.held.push_back((envelope, raw, offset_s));
                    while self.held.len() > tail {
                        self.held.pop_front();
                    }
                }
                _ => self.print(&envelope, &raw, offset_s)?,
            }
        }
        if completes && let Some(exit) = self.caught_up()? {
            return Ok(Some(exit));
        }
        if ends && self.watch.until_resolved {
            // The replayed events that --tail holds back are printed before the end.
            self.caught_up()?;
            return Ok(self.known.get(envelope_id.as_str()).map(|incident| exit_of(incident.state)));
        }
        Ok(None)
    }

    /// The incidents of which the server has to be asked whether they go on, because their ends may have been lost.
    pub(super) fn asks_whether_open(&mut self) -> Vec<String> {
        // The end may be among what is still to come.
        if !(self.has_all && self.asks_now && self.may_have_missed_an_end) {
            return Vec::new();
        }
        (self.may_have_missed_an_end, self.asks_now) = (false, false);
        match self.watch.incident.as_deref() {
            Some(wanted) => vec![wanted.to_owned()],
            None if !self.watch.until_resolved => Vec::new(),
            None => {
                let open = self.known.incidents().iter().rev();
                // Of one whose id is no part of a path no server can be asked.
                let can_be_asked = |incident: &&IncidentState| is_addressable(&incident.id);
                let open =
                    open.filter(|incident| incident.state == IncidentStatus::Open).filter(can_be_asked);
                open.take(ASKED).map(|incident| incident.id.clone()).collect()
            }
        }
    }

    /// Takes what the server says of an incident whose end may have been lost: its state, nothing if it has no such interface.
    ///
    /// # Errors
    /// The server does not know the incident any more.
    pub(super) fn told_of(
        &mut self,
        id: &str,
        told: Result<Option<IncidentState>, Failure>,
    ) -> Result<Option<Exit>, Failure> {
        let is_wanted = self.watch.incident.as_deref() == Some(id);
        match told {
            // Its end may be on its way: it is asked for again with the next heartbeat.
            Ok(Some(ended)) if ended.state != IncidentStatus::Open && !self.is_at_head => {
                self.may_have_missed_an_end = true;
            }
            Ok(Some(ended)) if ended.state != IncidentStatus::Open && self.watch.until_resolved => {
                self.note(&already(&ended));
                return Ok(Some(exit_of(ended.state)));
            }
            Ok(None) if is_wanted && self.known.get(id).is_none() => {
                self.unconfirmed = self.watch.incident.as_deref();
                self.confirm()?;
            }
            Ok(_) => {}
            Err(unknown) if unknown.exit() == Exit::Usage => {
                return Err(known::forgotten(id));
            }
            // It is asked again with the next heartbeat, or when the connection is back.
            Err(_) => self.may_have_missed_an_end = true,
        }
        Ok(None)
    }

    /// All events that the server has kept have arrived.
    ///
    /// # Errors
    /// None of them is of the incident that is waited for.
    fn confirm(&mut self) -> Result<(), Failure> {
        let Some(id) = self.unconfirmed.take() else { return Ok(()) };
        if self.known.get(id).is_some() {
            return Ok(());
        }
        let error = anyhow!("the server knows no incident {id:?}");
        Err(Failure::new(Exit::Usage, error)
            .hint("`incident watch --after 0` without --incident shows the incidents of the server"))
    }

    /// The replay is complete: prints the events that `--tail` held back.
    fn caught_up(&mut self) -> Result<Option<Exit>, Failure> {
        (self.has_all, self.has_begun) = (true, true);
        self.confirm()?;
        for (envelope, raw, offset_s) in std::mem::take(&mut self.held) {
            self.print(&envelope, &raw, offset_s)?;
        }
        // Its end, if it has not come, is before what was asked for.
        if let Some(ended) = self.had_ended.take().filter(|_| self.watch.until_resolved) {
            self.note(&already(&ended));
            return Ok(Some(exit_of(ended.state)));
        }
        Ok(self.watch.no_follow.then_some(Exit::Fine))
    }

    fn print(&mut self, envelope: &Envelope, raw: &str, offset_s: Option<f64>) -> Result<(), Failure> {
        self.footer.above(|| {
            if self.watch.json { print_event(raw) } else { self.lines.print(envelope, offset_s) }
        })?;
        // How an incident ends is of use also to who reads no events.
        if reader_has_left() && !self.watch.until_resolved { Err(Failure::unread()) } else { Ok(()) }
    }

    /// Prints a note about the connection on stderr: stdout has only events.
    fn note(&mut self, text: &str) {
        let text = format!("── {} ──", visible(text));
        let columns = if self.footer.is_shown() { fit::of_stderr() } else { usize::MAX };
        self.footer.above(|| fit::wrapped(&text, columns, 3).iter().for_each(|line| say(line.yellow())));
    }
}

fn explain(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::OtherStream => "the position belongs to another stream",
        ResetReason::Expired => "the events after it are deleted",
        ResetReason::Ahead => "the position is ahead of the stream",
    }
}

/// What is said of an incident that has ended unseen.
pub(super) fn already(ended: &IncidentState) -> String {
    let id = visible(&ended.id);
    match (ended.state, ended.offset_s) {
        (IncidentStatus::Cancelled, _) => format!("{id} is already cancelled"),
        (_, Some(took)) => format!("{id} is already resolved, after {}", format::clock(took)),
        (_, None) => format!("{id} is already resolved"),
    }
}

/// The exit status for an incident that has ended.
pub(super) fn exit_of(state: IncidentStatus) -> Exit {
    if state == IncidentStatus::Cancelled { Exit::Unresolved } else { Exit::Fine }
}
