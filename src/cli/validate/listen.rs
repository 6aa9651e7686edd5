//! Listens to a server: one connection that is judged, others that get the same or nothing, and then connections that
//! resume or ask for a wrong position.

use std::cell::Cell;
use std::time::Duration;

use anyhow::anyhow;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::arrived::Progress;
use super::inbox::{Inbox, Post, inbox};
use super::link::{After, Dial, Link, Opened, probe};
use super::session::Session;
use super::trigger;
use crate::check::{Closing, MAIN, MustResolve, Observation, Promise, Purpose};
use crate::cli::exit::{Exit, Failure};
use crate::client::ClientError;
use crate::contract::{Envelope, Message, Position, StreamId, StreamOpened};
use crate::scenario::Settings;

/// The server announces how many events it replays. They are waited for until none arrives for this long.
const REPLAY_PAUSE: Duration = Duration::from_secs(1);

/// How long a connection that resumes may take to get everything.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// How long the answer to a wrong position may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// So many messages are read of what came for the client that read nothing, until none comes for a moment, and for so long.
const STALLED_MESSAGES: u32 = 2_000;
const STALLED_PAUSE: Duration = Duration::from_millis(100);
const STALLED_LIMIT: Duration = Duration::from_secs(3);

/// Connections resume within so many of the last positions.
const COMPARED: u64 = 100_000;

/// How a server is listened to.
pub(super) struct Listening<'a> {
    pub(super) dial: &'a Dial,
    /// The scenario to start. The listening lasts until its incident ends.
    pub(super) trigger: Option<&'a str>,
    /// What is chosen of the scenario to start.
    pub(super) settings: &'a Settings,
    /// How long to listen, instead of until an incident ends.
    pub(super) listen: Option<Duration>,
    /// The longest time to wait for the end of an incident, or for the end of a replay after `listen`.
    pub(super) timeout: Duration,
    /// How long to go on after the end: an event that comes then is a fault.
    pub(super) after_end: Duration,
    /// How many more clients get the same stream.
    pub(super) twins: u32,
    /// Whether one more client reads nothing.
    pub(super) stalled: bool,
    /// Whether connections resume and ask for wrong positions afterwards.
    pub(super) probes: bool,
    /// Ends the listening early.
    pub(super) stop: CancellationToken,
}

impl Listening<'_> {
    /// Observes the server until the triggered incident has ended, or without a trigger the first incident that ends
    /// live; or for the time to listen.
    pub(super) async fn run(&self, session: &mut Session) -> Result<(), Failure> {
        let Some(opened) = self.unless_stopped(self.dial.open(MAIN, &After::Nothing)).await else {
            return Err(Failure::new(Exit::Interrupted, anyhow!("interrupted before the server answered")));
        };
        let main = match opened {
            Ok(Opened::Link(link)) => link,
            Ok(Opened::Refused(_, why)) | Err(why) => return Err(self.failure(why)),
        };
        session.observe(MAIN, Instant::now(), Observation::Opened(Purpose::Follow))?;
        let (out, mut inbox) = inbox();
        let mut links = JoinSet::new();
        // Those that get nothing are waited for, too.
        let mut progress = Progress::default();
        // What arrives while the others connect has the moment at which it came.
        links.spawn(main.follow(out.clone()));
        let stuck = self.others(session, &mut links, &out, &mut progress).await?;
        drop(out);
        self.main(session, &mut inbox, &mut progress).await?;
        self.wait_for_twins(session, &mut inbox, &mut progress).await?;
        // Now every link closes its connection.
        drop(inbox);
        links.join_all().await;
        if let Some(stuck) = stuck {
            self.read_stalled(stuck, session).await?;
        }
        if self.probes && !progress.is_cut && !self.stop.is_cancelled() {
            self.probe(session, &progress).await?;
        }
        Ok(())
    }

    /// The output of a future; `None` if the listening is to end before it.
    async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(future).await
    }

    /// The failure to connect. What to try with a server of another program is not what to try with ours.
    fn failure(&self, error: ClientError) -> Failure {
        let hint = match &error {
            _ if self.dial.profile.is_none() => None,
            ClientError::Unreachable { .. } | ClientError::Unanswered { .. } => {
                Some("check the URL, and whether the server runs")
            }
            ClientError::Status { status: 429 | 500.., .. } => Some("wait until the server works"),
            ClientError::Status { .. } | ClientError::Handshake { .. } | ClientError::Answer { .. } => Some(
                "check the URL (--url is a WebSocket, --sse an event stream), and the headers, the query and the \
                 subprotocols that the profile and the flags send",
            ),
            _ => None,
        };
        let failure = Failure::from(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Opens the other connections. Returns the one that reads nothing.
    async fn others(
        &self,
        session: &mut Session,
        links: &mut JoinSet<()>,
        out: &Post,
        progress: &mut Progress,
    ) -> Result<Option<Link>, Failure> {
        let mut stuck = None;
        for number in 1..=self.twins + u32::from(self.stalled) {
            let purpose = if number <= self.twins { Purpose::Twin } else { Purpose::Stalled };
            let opening = self.dial.open_within(number, &After::Nothing, PROBE_LIMIT);
            let Some(opened) = self.unless_stopped(opening).await else { break };
            match opened {
                Ok(Opened::Link(link)) => {
                    session.observe(number, Instant::now(), Observation::Opened(purpose.clone()))?;
                    if purpose == Purpose::Twin {
                        progress.twins.insert(number, 0);
                        links.spawn(link.follow(out.clone()));
                    } else {
                        stuck = Some(link);
                    }
                }
                Ok(Opened::Refused(429 | 503, _)) => {}
                Ok(Opened::Refused(status, _)) => {
                    session.observe(number, Instant::now(), Observation::Refused(purpose, status))?;
                }
                Err(why) => {
                    session.observe(number, Instant::now(), Observation::Opened(purpose.failed(why)))?;
                }
            }
        }
        Ok(stuck)
    }

    /// Reads the beginning of what came for the client that read nothing. Its server may have sent it away.
    async fn read_stalled(&self, stuck: Link, session: &mut Session) -> Result<(), Failure> {
        let left = Cell::new(STALLED_MESSAGES);
        let is_enough = |_: &str| left.replace(left.get() - 1) <= 1;
        let end = Instant::now() + STALLED_LIMIT;
        let reading = stuck.observe(session, |heard| end.min(heard + STALLED_PAUSE), is_enough);
        self.unless_stopped(reading).await.unwrap_or(Ok(true)).map(drop)
    }

    /// Listens on the main connection.
    async fn main(
        &self,
        session: &mut Session,
        inbox: &mut Inbox,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let origin = Instant::now();
        let limit = origin + self.listen.unwrap_or_default() + self.timeout;
        // Connect first, then trigger, so that the start is not missed. The server need not send `stream_opened`.
        if let Some(name) = self.trigger
            && let Some(started) =
                self.unless_stopped(trigger::start(&self.dial.endpoint, name, self.settings)).await
        {
            progress.subject = Some(started?);
        }
        let listen = self.listen.map_or(limit, |listen| origin + listen);
        loop {
            let deadline = match progress.over {
                Some(over) if self.listen.is_none() => over + self.after_end,
                _ => listen,
            };
            // If the listening ended in the middle of a replay, the rest of it would look lost.
            let until = if progress.replay_is_complete() {
                deadline
            } else {
                deadline.max(progress.last_event.unwrap_or(origin) + REPLAY_PAUSE).min(limit)
            };
            let next = tokio::select! {
                next = inbox.next(until) => next,
                () = self.stop.cancelled() => {
                    if progress.opened.is_none() || !progress.replay_is_complete() {
                        session.observe(MAIN, Instant::now(), Observation::Closed(Closing::Left))?;
                    }
                    break;
                }
            };
            let Some((connection, moment, what)) = next else { break };
            let has_ended = matches!(what, Observation::Closed(_));
            let note = session.observe(connection, moment, what)?;
            if connection == MAIN {
                progress.take(note, moment, self.trigger.is_some());
            } else if let Some(event) = &note.foreign {
                progress.bookmarks.take_of(connection, event);
            } else if has_ended {
                // Nothing more comes there.
                progress.twins.remove(&connection);
            } else if let (Some(last), Some(position)) = (progress.twins.get_mut(&connection), note.position)
            {
                *last = position.max(*last);
            }
            if has_ended && connection == MAIN {
                progress.is_cut = true;
                break;
            }
        }
        let must_resolve = match &progress.subject {
            _ if self.listen.is_some() || self.stop.is_cancelled() => MustResolve::None,
            // Something of another program's ended, which is what was waited for.
            None if progress.over.is_some() => MustResolve::None,
            Some(subject) => MustResolve::Only(subject.clone()),
            // No incident ended while this command waited for one: then every incident that started must end.
            None => MustResolve::All,
        };
        session.observe(MAIN, Instant::now(), Observation::Stopped(must_resolve))?;
        Ok(())
    }

    /// The other clients may be a moment behind.
    async fn wait_for_twins(
        &self,
        session: &mut Session,
        inbox: &mut Inbox,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let until = Instant::now() + REPLAY_PAUSE;
        while self.dial.profile.is_some() && progress.bookmarks.has_clients_behind(self.twins) {
            let Some((connection, moment, what)) = inbox.next(until).await else { break };
            if connection != MAIN
                && let Some(event) = session.observe(connection, moment, what)?.foreign
            {
                progress.bookmarks.take_of(connection, &event);
            }
        }
        let mut behind = progress.twins.clone();
        behind.retain(|_, last| *last < progress.received);
        while !behind.is_empty() {
            let Some((connection, moment, what)) = inbox.next(until).await else { break };
            // The main connection has been judged.
            if connection != MAIN {
                let note = session.observe(connection, moment, what)?;
                if note.position.is_some_and(|position| position >= progress.received) {
                    behind.remove(&connection);
                }
            }
        }
        Ok(())
    }

    /// Resumes at several points, and asks for wrong positions.
    async fn probe(&self, session: &mut Session, progress: &Progress) -> Result<(), Failure> {
        let mut number = self.twins + u32::from(self.stalled);
        if self.dial.profile.is_some() {
            let bookmarks = &progress.bookmarks;
            return bookmarks.resume(self.dial, session, number, REPLAY_PAUSE, PROBE_LIMIT, &self.stop).await;
        }
        let (Some(opened), Some(first)) = (&progress.opened, progress.first) else { return Ok(()) };
        // What would be asked for is no position, then.
        if opened.stream.parse::<StreamId>().is_err() || progress.received >= Position::LIMIT {
            return Ok(());
        }
        let (stream, head) = (&opened.stream, progress.received);
        // More is not remembered for comparing.
        let first = first.max(head.saturating_sub(COMPARED));
        let mut points =
            vec![first.saturating_sub(1), first + (head - first) / 3, first + (head - first) * 2 / 3];
        points.dedup();
        for after in points {
            number += 1;
            let position = format!("{stream}/{after}");
            let purpose = Purpose::Resume(after);
            let is_enough = |text: &str| has_everything(text, head);
            let probing = probe(session, number, self.dial, &position, purpose, PROBE_LIMIT, is_enough);
            match self.unless_stopped(probing).await {
                Some(probed) => probed?,
                None => return session.give_up(number),
            }
        }
        for (position, expected) in wrong_positions(opened, head) {
            number += 1;
            let purpose = Purpose::Position(position.clone(), expected);
            let probing = probe(session, number, self.dial, &position, purpose, ANSWER_LIMIT, |_| true);
            match self.unless_stopped(probing).await {
                Some(probed) => probed?,
                None => return session.give_up(number),
            }
        }
        Ok(())
    }
}

/// Whether a client that resumes needs to wait no longer: it has the newest event, or a heartbeat says that it has all.
fn has_everything(text: &str, head: u64) -> bool {
    let Ok(envelope) = serde_json::from_str::<Envelope>(text) else { return false };
    matches!(envelope.message(), Ok(Message::Heartbeat(_)))
        || envelope.position().is_some_and(|position| position.n >= head)
}

/// Positions from which a stream can't be resumed, with what the contract promises.
fn wrong_positions(opened: &StreamOpened, head: u64) -> Vec<(String, Promise)> {
    let stream = &opened.stream;
    let reset = |reason: &str| Promise::Reset(reason.to_owned());
    let mut positions = vec![
        ("17".to_owned(), Promise::BadRequest),
        (format!("{stream}/-1"), Promise::BadRequest),
        (format!("{stream}/x"), Promise::BadRequest),
        (format!("{stream}/{}", Position::LIMIT), Promise::BadRequest),
        (format!("not-{}/1", stream.chars().take(40).collect::<String>()), reset("other-stream")),
    ];
    let ahead = head.saturating_add(1_000_000_000);
    if ahead < Position::LIMIT {
        positions.push((format!("{stream}/{ahead}"), reset("ahead")));
    }
    if opened.oldest > 2 {
        positions.push((format!("{stream}/1"), reset("expired")));
    }
    positions
}
