//! What `watch` does with each item of a stream.

mod asking;

use std::collections::{HashSet, VecDeque};
use std::io::IsTerminal;

use anyhow::anyhow;
use colored::Colorize;
use jiff::Timestamp;

use super::args::Watch;
use super::filter::Filter;
use super::footer::Footer;
use super::line::Lines;
use super::record::Recorder;
use super::unseen::Unseen;
use super::words::{self, already, exit_of, explain};
use crate::cli::exit::{Exit, Failure};
use crate::cli::known::Known;
use crate::cli::out::{print_event, reader_has_left, say};
use crate::cli::outage::{News, Outage};
use crate::cli::pause::Pause;
use crate::cli::terminal::redraws;
use crate::cli::{fit, format};
use crate::client::Item;
use crate::contract::{Envelope, Follows, MessageType, Position};
use crate::report::{IncidentState, IncidentStatus};
use crate::visible::visible;

/// Events of a replay that `--tail` holds back, until it is known that they are among the last.
type Held = VecDeque<(Box<Envelope>, String, Option<f64>)>;

/// The state of a `watch`, besides the connection.
pub(super) struct Session<'a> {
    watch: &'a Watch,
    is_quiet: bool,
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
    pause: Pause,
    pub(super) unseen: Unseen,
    /// The incident whose end has come and can't be read.
    unread: Option<String>,
    /// Whether the server could not say at the start whether it knows the incident in --incident.
    pub(super) is_unanswered: bool,
    /// Whether the incident in --incident was open before the stream began.
    pub(super) was_open: bool,
    /// Whether it still was when the stream began, which must have an event of it then.
    pub(super) is_expected: bool,
    /// Whether the server has told the state of an incident, or that there is none: what answers otherwise is not the server.
    pub(super) has_interface: bool,
    /// The incidents of which it was said that the stream does not have them.
    without: HashSet<String>,
    /// The incident in --incident, if it had ended before the command began.
    pub(super) had_ended: Option<IncidentState>,
    /// The incident in --incident, as long as it is not known whether the server knows it.
    pub(super) unconfirmed: Option<&'a str>,
}

/// How many columns are shown of what is not an event.
const NOT_AN_EVENT: usize = 80;

impl<'a> Session<'a> {
    pub(super) fn new(watch: &'a Watch, recorder: Option<Recorder>, quiet: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let footer = terminal && redraws() && !watch.json && !quiet;
        Self {
            watch,
            is_quiet: quiet,
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
            pause: Pause::default(),
            unseen: Unseen::default(),
            unread: None,
            is_unanswered: false,
            was_open: false,
            is_expected: false,
            has_interface: false,
            without: HashSet::new(),
            had_ended: None,
            unconfirmed: None,
        }
    }

    /// Says which incidents are still open when the user leaves.
    pub(super) fn say_open_incidents(&self) {
        let is_sure = self.outage.away().is_none() && !self.unseen.is_unsure();
        words::say_open(self.watch, &self.known, is_sure);
    }

    /// Whether the server has to be asked what time it is for its incidents.
    pub(super) fn asks(&mut self) -> bool {
        self.has_all && self.footer.asks()
    }

    /// Notes that events may be lost at the beginning of the stream.
    pub(super) fn resets(&mut self, follows: &Follows) {
        if let Follows::Reset { reason, .. } = follows {
            self.unseen.lost();
            self.note(&format!("cannot resume after the position: {}", explain(*reason)));
        }
    }

    pub(super) fn take(&mut self, item: Item, is_refused: bool) -> Result<Option<Exit>, Failure> {
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
                self.resets(&opened.follows);
                self.footer.open(&opened);
                if to < from {
                    return self.caught_up();
                }
            }
            Item::Event { envelope, raw } => return self.event(envelope, raw),
            Item::Heartbeat(heartbeat) => {
                if let Some(news) = self.pause.beats(&heartbeat) {
                    self.note(&news);
                }
                if self.pause.is_on() {
                    self.footer.pause();
                } else {
                    self.footer.alive();
                }
                // It comes only when everything has come.
                if self.has_all {
                    self.confirm()?;
                } else if let Some(exit) = self.caught_up()? {
                    return Ok(Some(exit));
                }
                self.miss();
                return self.conclude();
            }
            Item::Lost { reason, retry_in, next } => {
                self.footer.lost();
                if let Some(news) = self.outage.lost(&reason, is_refused) {
                    let (url, wait) = (&self.watch.remote.url, retry_in.as_secs_f64());
                    let then = if self.watch.no_reconnect {
                        String::new()
                    } else if url.are_several() {
                        format!(", trying {next} in {wait:.1} s, then the others in turn until one answers")
                    } else {
                        format!(", retrying in {wait:.1} s and until {url} answers")
                    };
                    let what = match news {
                        News::Loss => "connection lost",
                        News::Answer => "still no connection",
                    };
                    self.note(&format!("{what} ({reason}){then}"));
                }
            }
            Item::Back { server, away, replayed, to, lost, reset } => {
                self.footer.alive();
                let is_new = self.outage.greeted();
                (self.replay_to, self.has_all) = (to, replayed == 0);
                if lost.is_none_or(|lost| lost > 0) {
                    self.unseen.lost();
                }
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
                        let open = self.open();
                        self.known.begin_anew();
                        self.unseen.begin_anew(open);
                        let why = reset.map_or("the stream is another one", explain);
                        self.note(&format!("{back}: {why}; events may be lost"));
                    }
                }
                if replayed == 0 {
                    return self.caught_up();
                }
            }
            Item::Gap { from, to } => {
                self.unseen.lost();
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
        let replayed = position.as_ref().is_some_and(|position| position.n <= self.replay_to);
        let is_old =
            position.as_ref().zip(self.begun_at.as_ref()).is_some_and(|(position, (begun, time))| {
                // The positions of another stream say nothing of this one, and its times little: its server may have another clock.
                if position.stream == begun.stream {
                    position.n <= begun.n
                } else {
                    replayed && envelope.time <= *time
                }
            });
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
        let is_end = envelope.kind == MessageType::IncidentResolved.as_str();
        let ends = is_end
            && match self.watch.incident.as_deref() {
                Some(wanted) => wanted == envelope.incident(),
                None => !is_old || self.watch.after.is_some(),
            };
        let state = self.known.get(&envelope_id).map_or(IncidentStatus::Open, |incident| incident.state);
        if ends {
            self.had_ended = None;
        }
        if is_end && state == IncidentStatus::Open && (ends || !self.watch.until_resolved) {
            self.unread = Some(envelope_id);
            self.unseen.lost();
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
        if ends && state != IncidentStatus::Open && self.watch.until_resolved {
            // The replayed events that --tail holds back are printed before the end.
            self.caught_up()?;
            return Ok(Some(exit_of(state)));
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
        if self.is_quiet {
            return;
        }
        let text = format!("── {} ──", visible(text));
        let columns = if self.footer.is_shown() { fit::of_stderr() } else { usize::MAX };
        self.footer.above(|| fit::wrapped(&text, columns, 3).iter().for_each(|line| say(line.yellow())));
    }
}
