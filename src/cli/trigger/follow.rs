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

/// What is to be asked of the server when everything has come.
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
    was_connected: bool,
    /// Whether the stream is another one than that in which the incident was started.
    has_moved: bool,
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
            was_connected: false,
            has_moved: false,
            outage: Outage::default(),
            pause: Pause::default(),
            ticked: Instant::now(),
        };
        let (mut times, mut is_untold) = (Asked::default(), false);
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            let item = tokio::select! {
                item = follower.next() => item?,
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
            if let Some(ended) = following.take(item, follower.refusal()).await? {
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
                format!("wait until the server takes connections: {id} goes on meanwhile")
            } else {
                format!("{}; {id} goes on in its server", Failure::hint_of(refusal))
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
    async fn take(
        &mut self,
        item: Item,
        refusal: Option<&ClientError>,
    ) -> Result<Option<IncidentState>, Failure> {
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
                        (self.doubt, self.has_moved) = (Some(Doubt::Stream(another_stream)), true);
                        return self.ask().await;
                    }
                    Follows::Reset { .. } => self.doubt = Some(Doubt::End),
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
                    self.doubt.get_or_insert(Doubt::End);
                }
            }
            Item::Back { server, replayed, to, lost: None, away, .. } => {
                (self.replay_to, self.has_all) = (to, replayed == 0);
                self.outage.greeted();
                let back = format::back(&self.trigger.remote.url, &server, away);
                self.show.note(&format!("{back}: the stream is another one; events may be lost"));
                (self.doubt, self.has_moved) = (Some(Doubt::Stream(new_stream)), true);
                return self.ask().await;
            }
            Item::Gap { from, to } => {
                self.show.note(&format::missing(from, to));
                self.doubt.get_or_insert(Doubt::End);
            }
            // What is behind the gap, or is replayed, has come.
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
                return self.ask().await;
            }
            Item::Event { .. } | Item::NotAnEvent(_) => {}
        }
        Ok(None)
    }

    fn event(&mut self, envelope: &Envelope, raw: &str) -> Result<Option<IncidentState>, Failure> {
        let id = self.accepted.id.as_str();
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
            self.doubt = Some(Doubt::Unread);
        }
        Ok(None)
    }

    /// Asks the server what is in doubt. Without an answer it is asked again with the next heartbeat.
    ///
    /// # Errors
    /// The server does not know the incident.
    async fn ask(&mut self) -> Result<Option<IncidentState>, Failure> {
        let Some(doubt) = self.doubt else { return Ok(None) };
        let id = self.accepted.id.as_str();
        let answer = self.trigger.remote.incident(id).await;
        match (doubt, answer) {
            (Doubt::Stream(_), Ok(Some(_))) => {
                self.show.note(&format!("{id} goes on in this stream"));
                // What it has of it comes first.
                self.doubt = Some(Doubt::End);
            }
            (Doubt::Stream(without), Ok(None)) => return Err(without(id)),
            (_, Ok(Some(ended))) if ended.state != IncidentStatus::Open => return Ok(Some(ended)),
            (Doubt::Unread, Ok(_)) => return Err(known::unread_end(id)),
            (Doubt::End, Ok(_)) => self.doubt = None,
            (doubt, Err(unknown)) if unknown.exit() == Exit::Usage => {
                return Err(match doubt {
                    Doubt::Stream(without) => without(id),
                    Doubt::End | Doubt::Unread => known::forgotten(id),
                });
            }
            (_, Err(_)) => {}
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
