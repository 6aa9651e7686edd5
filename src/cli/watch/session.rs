//! What `watch` does with each item of a stream.

use std::collections::VecDeque;
use std::io::IsTerminal;

use anyhow::anyhow;
use colored::Colorize;

use super::args::Watch;
use super::filter::Filter;
use super::footer::Footer;
use super::line::Lines;
use super::record::Recorder;
use crate::cli::exit::{Exit, Failure};
use crate::cli::known::Known;
use crate::cli::out::{print_event, reader_has_left, say};
use crate::cli::terminal::redraws;
use crate::cli::{fit, format};
use crate::client::Item;
use crate::contract::{Envelope, Follows, MessageType, ResetReason};
use crate::report::IncidentStatus;
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
    held: Held,
    /// The incident in --incident, as long as it is not known whether the server knows it.
    pub(super) unconfirmed: Option<&'a str>,
}

/// How many open incidents are named when the user leaves. A server may have thousands.
const GO_ON: usize = 5;

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
            held: VecDeque::new(),
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
            say(format!("{id} goes on. Watch it: incident watch --incident {shown}{flags}"));
        }
        match others.len() {
            0 => {}
            1 => say(format!("Another incident goes on, too: incident list --running{flags}")),
            many => say(format!("{many} other incidents go on, too: incident list --running{flags}")),
        }
    }

    /// Whether the server has to be asked what time it is for its incidents.
    pub(super) fn asks(&mut self) -> bool {
        self.has_all && self.footer.asks()
    }

    pub(super) fn take(&mut self, item: Item) -> Result<Option<Exit>, Failure> {
        match item {
            Item::Opened(opened) => {
                let (from, to) = opened.follows.range();
                (self.replay_to, self.has_all) = (to, false);
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
                self.confirm()?;
            }
            Item::Lost { reason, retry_in, next } => {
                // Each attempt that fails comes here: the first is told, and the footer counts on.
                if self.footer.lost() {
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
                (self.replay_to, self.has_all) = (to, replayed == 0);
                let back = format::back(&self.watch.remote.url, &server, away);
                match (lost, reset) {
                    (Some(lost), _) => {
                        self.note(&format!(
                            "{back}: {} replayed, {lost} lost",
                            format::count(replayed, "event")
                        ));
                    }
                    (None, reset) => {
                        self.known.begin_anew();
                        let why = reset.map_or("the stream is another one", explain);
                        self.note(&format!("{back}: {why}; events may be lost"));
                    }
                }
            }
            Item::Gap { from, to } => {
                let missing = format::missing(from, to);
                self.note(&format!("{missing}: {} lost", to - from + 1));
            }
            Item::NotAnEvent(text) => {
                self.note(&format!("not an event: {}", text.chars().take(80).collect::<String>()));
            }
        }
        Ok(None)
    }

    fn event(&mut self, envelope: Box<Envelope>, raw: String) -> Result<Option<Exit>, Failure> {
        if let Some(recorder) = &mut self.recorder {
            recorder.take(&raw)?;
        }
        let position = envelope.position().map_or(u64::MAX, |position| position.n);
        let replayed = position <= self.replay_to;
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
                None => !replayed || self.watch.after.is_some(),
            };
        if self.filter.admits(&envelope) {
            match self.watch.tail {
                Some(tail) if replayed => {
                    self.held.push_back((envelope, raw, offset_s));
                    while self.held.len() > tail {
                        self.held.pop_front();
                    }
                }
                _ => self.print(&envelope, &raw, offset_s)?,
            }
        }
        if position == self.replay_to
            && let Some(exit) = self.caught_up()?
        {
            return Ok(Some(exit));
        }
        if ends && self.watch.until_resolved {
            // The replayed events that --tail holds back are printed before the end.
            self.caught_up()?;
            return Ok(self.known.get(envelope_id.as_str()).map(|incident| exit_of(incident.state)));
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
        self.has_all = true;
        self.confirm()?;
        for (envelope, raw, offset_s) in std::mem::take(&mut self.held) {
            self.print(&envelope, &raw, offset_s)?;
        }
        Ok(self.watch.no_follow.then_some(Exit::Fine))
    }

    fn print(&mut self, envelope: &Envelope, raw: &str, offset_s: Option<f64>) -> Result<(), Failure> {
        self.footer.above(|| {
            if self.watch.json { print_event(raw) } else { self.lines.print(envelope, offset_s) }
        })?;
        if reader_has_left() { Err(Failure::unread()) } else { Ok(()) }
    }

    /// Prints a note about the connection on stderr: stdout has only events.
    fn note(&mut self, text: &str) {
        let text = format!("── {} ──", visible(text));
        let columns = if self.footer.is_shown() { fit::of_stderr() } else { usize::MAX };
        self.footer.above(|| fit::wrapped(&text, columns, 3).iter().for_each(|line| say(line.yellow())));
    }

    /// The exit status if the incident has ended.
    pub(super) fn resolved(&self) -> Option<Exit> {
        let wanted = self.watch.incident.as_deref();
        let mut ended =
            self.known.incidents().iter().filter(|incident| wanted.is_none_or(|id| id == incident.id));
        ended.find(|incident| incident.state != IncidentStatus::Open).map(|incident| exit_of(incident.state))
    }
}

fn explain(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::OtherStream => "the position belongs to another stream",
        ResetReason::Expired => "the events after it are deleted",
        ResetReason::Ahead => "the position is ahead of the stream",
    }
}

/// The exit status for an incident that has ended.
pub(super) fn exit_of(state: IncidentStatus) -> Exit {
    if state == IncidentStatus::Cancelled { Exit::Unresolved } else { Exit::Fine }
}
