//! Follows the started incident to its end.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Deserialize;

use super::alerts::AlertsOut;
use super::args::Trigger;
use super::reporter::Reporter;
use super::show::Show;
use crate::cli::clock::ServerClock;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::cli::known::{self, Known};
use crate::cli::out::print_event;
use crate::cli::outage::{News, Outage};
use crate::cli::pause::Pause;
use crate::cli::remote::times_of;
use crate::cli::times::Asked;
use crate::client::{ClientError, Follower, Item};
use crate::contract::{Envelope, Follows, MessageType, ResetReason};
use crate::report::{IncidentState, IncidentStatus};

/// What shows the progress several times a second and was not asked to for so long stood still.
const STOOD_STILL: Duration = Duration::from_secs(1);

/// The server's answer: the incident, and the position of its first event.
#[derive(Debug, Deserialize)]
pub(super) struct Accepted {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) position: u64,
}

/// What the server says of the incident: its state, nothing if something else answered, or why there is no answer.
type Answer = Result<Option<IncidentState>, Failure>;

/// What is to be asked of the server.
#[derive(Debug, Clone, Copy)]
enum Doubt {
    /// The end may be among what was lost.
    End,
    /// It has ended, and how can't be read.
    Unread,
    /// The connection leads to another stream, which may have the incident: a journal that was salvaged, or a copy. Which failure it is if
    /// the stream does not have it.
    Stream(fn(&str) -> Failure),
}

/// The incident that is followed, as far as it has come.
struct Following<'a> {
    trigger: &'a Trigger,
    accepted: &'a Accepted,
    show: &'a mut dyn Show,
    reporter: Option<&'a mut Reporter>,
    known: Known,
    clock: ServerClock,
    replay_to: u64,
    has_all: bool,
    doubt: Option<Doubt>,
    /// Whether it is to be asked now. Without an answer it is asked again behind the next heartbeat.
    is_due: bool,
    asked: Asked<Answer>,
    /// The answer, until everything has come that the server had when it gave it.
    answer: Option<Answer>,
    was_connected: bool,
    /// Whether the stream is another one than that in which the incident was started.
    has_moved: bool,
    /// Whether an event of the incident has come in that stream. Nothing else shows that the stream has it: the server that answers may
    /// be another one.
    has_come: bool,
    outage: Outage,
    pause: Pause,
    /// When it was last shown how far the incident is.
    ticked: Instant,
}

impl Trigger {
    /// Follows the incident from its first event, so that no event is missed however fast it plays. Returns its state when
    /// it has ended; `None` if the connection ended for good. Meanwhile `is_open` says whether it is known that it has not ended.
    pub(super) async fn follow(
        &self,
        accepted: &Accepted,
        is_open: &Cell<bool>,
        show: &mut dyn Show,
        reporter: Option<&mut Reporter>,
        out: Option<&AlertsOut>,
    ) -> Result<Option<IncidentState>, Failure> {
        let after = format!("{}/{}", accepted.stream, accepted.position.saturating_sub(1));
        let mut follower = Follower::of_one_that_answers(self.remote.url.clone(), after);
        let mut following = Following {
            trigger: self,
            accepted,
            show,
            reporter,
            known: Known::new(Some(&accepted.id)),
            clock: ServerClock::default(),
            replay_to: 0,
            has_all: false,
            doubt: None,
            is_due: false,
            asked: Asked::default(),
            answer: None,
            was_connected: false,
            has_moved: false,
            has_come: false,
            outage: Outage::default(),
            pause: Pause::default(),
            ticked: Instant::now(),
        };
        let (mut times, mut is_untold) = (Asked::default(), false);
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            following.ask();
            let item = tokio::select! {
                item = follower.next() => item?,
                Some(answer) = following.asked.answer() => {
                    if let Some(ended) = following.answered(answer)? {
                        return Ok(Some(ended));
                    }
                    continue;
                }
                told = times.answer() => {
                    match told {
                        Some(told) => following.clock.told(&told),
                        None => is_untold = true,
                    }
                    continue;
                }
                _ = ticks.tick() => {
                    if following.has_all && following.clock.asks() {
                        times.ask(times_of(&self.remote));
                    }
                    for note in out.map(AlertsOut::notes).unwrap_or_default() {
                        following.show.note(&note);
                    }
                    if following.tick() {
                        return Err(self.gave_up(&accepted.id, follower.refusal()));
                    }
                    continue;
                }
            };
            let Some(item) = item else { return Ok(None) };
            // Then it is asked for what time it is, too.
            if matches!(item, Item::Heartbeat(_)) && std::mem::take(&mut is_untold) {
                following.clock.is_untold();
            }
            if let Some(ended) = following.take(item, follower.refusal())? {
                return Ok(Some(ended));
            }
            is_open.set(following.outage.away().is_none() && following.doubt.is_none());
        }
    }

    /// What is said when the connection is lost, or the first one can't be made.
    fn lost(&self, what: &str, reason: &str) -> String {
        let (url, most) = (self.remote.url.any_of(), self.reconnect_for);
        format!("{what} ({reason}): waiting up to {most} for {url}")
    }

    /// What is said when the connection is back.
    fn back(&self, server: &str, away: Duration, replayed: u64, lost: u64) -> String {
        let (back, replayed) =
            (format::back(&self.remote.url, server, away), format::count(replayed, "event"));
        format!("{back}: {replayed} replayed, {lost} lost")
    }

    /// The failure when the server did not come back; whatever has answered the last attempt in its place.
    fn gave_up(&self, id: &str, refusal: Option<&ClientError>) -> Failure {
        let (url, most) = (self.remote.url.any_of(), self.reconnect_for);
        if let Some(refusal) = refusal {
            let why = anyhow!("there was no connection for {most}: {refusal}");
            let next = if refusal.is_passing() {
                format!("wait until the server takes connections: {id} may go on meanwhile")
            } else {
                format!("{}; {id} may go on in its server", Failure::hint_of(refusal))
            };
            return Failure::new(Exit::Connection, why).hint(next);
        }
        let (error, next) = if self.remote.url.are_several() {
            (anyhow!("for {most} no server answered: {url}"), "start one of the servers again")
        } else {
            (anyhow!("{url} did not answer for {most}"), "start the server again")
        };
        Failure::new(Exit::Connection, error).hint(format!("{next}: {id} goes on when its server does"))
    }
}

impl Following<'_> {
    /// Shows how far the incident is now. Returns whether there was no connection for too long.
    fn tick(&mut self) -> bool {
        let since = std::mem::replace(&mut self.ticked, Instant::now()).elapsed();
        if since >= STOOD_STILL {
            self.outage.stood_still(since);
        }
        match self.outage.away() {
            Some(away) if away >= Duration::from(self.trigger.reconnect_for) => return true,
            Some(away) => self.show.waiting(&self.trigger.remote.url.any_of(), away),
            None => {
                if let Some(incident) = self.known.get(&self.accepted.id) {
                    self.show.tick(incident, self.clock.now_in(&incident.id));
                }
            }
        }
        false
    }

    /// Takes what comes, and what has answered the last attempt to connect instead of the server. Returns the state of the incident if it
    /// has ended.
    fn take(&mut self, item: Item, refusal: Option<&ClientError>) -> Result<Option<IncidentState>, Failure> {
        self.outage.hears(Some(&item));
        match item {
            Item::Opened(opened) => {
                // The first connection may have been lost before it said anything.
                if self.outage.greeted() {
                    self.show.note("connected");
                }
                self.was_connected = true;
                self.clock.set(&opened);
                self.replay_to = opened.follows.range().1;
                match opened.follows {
                    Follows::Reset { reason: ResetReason::OtherStream, .. } => {
                        self.moves(another_stream);
                    }
                    Follows::Reset { .. } => self.doubts(Doubt::End),
                    _ => {}
                }
            }
            Item::Event { envelope, raw } if envelope.incident() == self.accepted.id => {
                return self.event(&envelope, &raw);
            }
            Item::Lost { reason, .. } => {
                let news = self.outage.lost(&reason, refusal.is_some());
                let what = news.map(|news| match news {
                    News::Answer => "still no connection",
                    News::Loss if self.was_connected => "connection lost",
                    News::Loss => "no connection yet",
                });
                if let Some(what) = what {
                    self.show.note(&self.trigger.lost(what, &reason));
                }
            }
            Item::Back { server, replayed, to, lost: Some(lost), away, .. } => {
                (self.replay_to, self.has_all) = (to, replayed == 0);
                if self.outage.greeted() || lost > 0 {
                    self.show.note(&self.trigger.back(&server, away, replayed, lost));
                }
                if lost > 0 {
                    self.doubts(self.doubt.unwrap_or(Doubt::End));
                }
            }
            Item::Back { server, replayed, to, lost: None, away, .. } => {
                (self.replay_to, self.has_all) = (to, replayed == 0);
                self.outage.greeted();
                let back = format::back(&self.trigger.remote.url, &server, away);
                self.show.note(&format!("{back}: the stream is another one; events may be lost"));
                self.moves(new_stream);
            }
            Item::Gap { from, to } => {
                self.show.note(&format::missing(from, to));
                self.doubts(self.doubt.unwrap_or(Doubt::End));
            }
            Item::Heartbeat(heartbeat) => {
                if let Some(news) = self.pause.beats(&heartbeat) {
                    self.show.note(&news);
                }
                // Nothing goes on.
                if self.pause.is_on() {
                    self.clock.stop();
                } else {
                    self.clock.go_on();
                }
                return self.concludes();
            }
            Item::Event { .. } | Item::NotAnEvent(_) => {}
        }
        Ok(None)
    }

    fn event(&mut self, envelope: &Envelope, raw: &str) -> Result<Option<IncidentState>, Failure> {
        let id = self.accepted.id.as_str();
        self.has_come = true;
        let position = envelope.position().map_or(u64::MAX, |position| position.n);
        self.has_all |= position >= self.replay_to;
        self.clock.heard(envelope, position > self.replay_to);
        // Another stream begins with what has come already.
        let seen = self.known.get(id).map_or(0, |incident| incident.index);
        if self.has_moved && envelope.index.is_some_and(|index| index <= seen) {
            return Ok(None);
        }
        if let Some(reporter) = &mut self.reporter {
            reporter.take(envelope);
        }
        if self.trigger.json {
            print_event(raw)?;
        }
        if let Some(told) = self.known.bound() {
            self.show.note(&told);
        }
        if let Some(incident) = self.known.fold(envelope) {
            self.show.event(incident);
            if incident.state != IncidentStatus::Open {
                return Ok(Some(incident.clone()));
            }
        }
        if envelope.kind == MessageType::IncidentResolved.as_str() {
            self.show.note(&format!("the end of {id} can't be read: the server is asked"));
            self.doubts(Doubt::Unread);
        }
        Ok(None)
    }

    /// What has been answered before says nothing of what is in doubt now.
    fn doubts(&mut self, doubt: Doubt) {
        (self.doubt, self.is_due) = (Some(doubt), true);
        (self.asked, self.answer) = (Asked::default(), None);
    }

    /// Another stream begins: what it has of the incident comes first.
    fn moves(&mut self, without: fn(&str) -> Failure) {
        (self.has_moved, self.has_come) = (true, false);
        self.doubts(Doubt::Stream(without));
    }

    /// Asks the server what is in doubt, while other things go on.
    fn ask(&mut self) {
        if self.doubt.is_some() && std::mem::take(&mut self.is_due) {
            let (remote, id) = (self.trigger.remote.clone(), self.accepted.id.clone());
            self.asked.ask(async move { Some(remote.incident(&id).await) });
        }
    }

    /// Keeps an answer until the next heartbeat: events that the server had may be on their way. Behind an end there are none.
    fn answered(&mut self, answer: Answer) -> Result<Option<IncidentState>, Failure> {
        let is_last_word = match &answer {
            Ok(state) => state.is_some(),
            Err(failure) => failure.exit() == Exit::Usage,
        };
        self.answer = Some(answer);
        // Without an answer it is asked again behind the next heartbeat.
        if is_last_word && matches!(self.doubt, Some(Doubt::Unread)) { self.concludes() } else { Ok(None) }
    }

    /// Everything has come that the server had when it answered: the answer holds.
    ///
    /// # Errors
    /// The server does not know the incident, or the stream does not have it.
    fn concludes(&mut self) -> Result<Option<IncidentState>, Failure> {
        self.has_all = true;
        let (Some(doubt), Some(answer)) = (self.doubt, self.answer.take()) else {
            self.is_due |= self.doubt.is_some() && !self.asked.is_waited_for();
            return Ok(None);
        };
        let id = self.accepted.id.as_str();
        match (doubt, answer) {
            (_, Ok(Some(ended))) if ended.state != IncidentStatus::Open => return Ok(Some(ended)),
            // It goes on, in another server than that of this stream.
            (Doubt::Stream(_), Ok(Some(_))) if !self.has_come => return Err(another_stream(id)),
            (Doubt::Stream(_), Ok(Some(_))) => {
                self.show.note(&format!("{id} goes on in this stream"));
                self.doubt = None;
            }
            (Doubt::Unread, Ok(Some(_))) => return Err(known::unread_end(id)),
            (Doubt::End, Ok(Some(_))) => self.doubt = None,
            (doubt, Err(unknown)) if unknown.exit() == Exit::Usage => {
                return Err(match doubt {
                    Doubt::Stream(without) if !self.has_come => without(id),
                    Doubt::Stream(_) | Doubt::End | Doubt::Unread => known::forgotten(id),
                });
            }
            // Something else has answered in the place of the server, which has taken the incident and can say how it is.
            (_, Ok(None) | Err(_)) => self.is_due = true,
        }
        Ok(None)
    }
}

/// The connection leads to a stream in which the incident never was.
fn another_stream(id: &str) -> Failure {
    let error =
        anyhow!("{id} was started, but the connection leads to another stream, which does not have it");
    Failure::new(Exit::Unresolved, error).hint(
        "name the server that started it: servers behind one address need a common journal (docs/cluster.md), and one without --journal \
         FILE forgets its incidents when it is started anew",
    )
}

/// The server that is back has another journal than before.
fn new_stream(id: &str) -> Failure {
    let error = anyhow!("the server has a new stream without {id}");
    Failure::new(Exit::Unresolved, error).hint("trigger it again")
}
