//! Follows the started incident to its end.

use std::time::Duration;

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
use crate::cli::outage::Outage;
use crate::cli::remote::times_of;
use crate::cli::times::Asked;
use crate::client::{Follower, Item};
use crate::contract::{Follows, MessageType, ResetReason};
use crate::report::{IncidentState, IncidentStatus};

/// The server's answer: the incident, and the position of its first event.
#[derive(Debug, Deserialize)]
pub(super) struct Accepted {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) position: u64,
}

impl Trigger {
    /// Follows the incident from its first event, so that no event is missed however fast it plays. Returns its state when
    /// it has ended; `None` if the connection ended for good.
    pub(super) async fn follow(
        &self,
        accepted: &Accepted,
        show: &mut dyn Show,
        mut reporter: Option<&mut Reporter>,
        out: Option<&AlertsOut>,
    ) -> Result<Option<IncidentState>, Failure> {
        let after = format!("{}/{}", accepted.stream, accepted.position.saturating_sub(1));
        let mut follower = Follower::of_one_that_answers(self.remote.url.clone(), after);
        let mut known = Known::new(Some(&accepted.id));
        let mut clock = ServerClock::default();
        let (mut replay_to, mut has_all, mut may_have_missed_the_end) = (0, false, false);
        // It has ended, and how can't be read.
        let (mut was_connected, mut has_ended) = (false, false);
        let mut times = Asked::default();
        let mut outage = Outage::default();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            let item = tokio::select! {
                item = follower.next() => item?,
                Some(told) = times.answer() => {
                    clock.told(&told);
                    continue;
                }
                _ = ticks.tick() => {
                    if has_all && clock.asks() {
                        times.ask(times_of(&self.remote));
                    }
                    for note in out.map(AlertsOut::notes).unwrap_or_default() {
                        show.note(&note);
                    }
                    match outage.away() {
                        Some(away) if away >= Duration::from(self.reconnect_for) => {
                            return Err(self.gave_up(&accepted.id));
                        }
                        Some(away) => show.waiting(&self.remote.url.any_of(), away),
                        None => tick(known.get(&accepted.id), &clock, show),
                    }
                    continue;
                }
            };
            outage.hears(item.as_ref());
            match item {
                Some(Item::Opened(opened)) => {
                    // The first connection may have been lost before it said anything.
                    if outage.greeted() {
                        show.note("connected");
                    }
                    was_connected = true;
                    clock.set(&opened);
                    replay_to = opened.follows.range().1;
                    match opened.follows {
                        Follows::Reset { reason: ResetReason::OtherStream, .. } => {
                            return Err(another_stream(&accepted.id));
                        }
                        Follows::Reset { .. } => may_have_missed_the_end = true,
                        _ => {}
                    }
                }
                Some(Item::Event { envelope, raw }) if envelope.incident() == accepted.id => {
                    if let Some(reporter) = &mut reporter {
                        reporter.take(&envelope);
                    }
                    let position = envelope.position().map_or(u64::MAX, |position| position.n);
                    has_all |= position >= replay_to;
                    clock.heard(&envelope, position > replay_to);
                    if self.json {
                        print_event(&raw)?;
                    }
                    if let Some(told) = known.bound() {
                        show.note(&told);
                    }
                    if let Some(incident) = known.fold(&envelope) {
                        show.event(incident);
                        if incident.state != IncidentStatus::Open {
                            return Ok(Some(incident.clone()));
                        }
                    }
                    if envelope.kind == MessageType::IncidentResolved.as_str() {
                        show.note(&format!("the end of {} can't be read: the server is asked", accepted.id));
                        (may_have_missed_the_end, has_ended) = (true, true);
                    }
                }
                Some(Item::Lost { reason, .. }) => {
                    if outage.lost() {
                        let what = if was_connected { "connection lost" } else { "no connection yet" };
                        show.note(&self.lost(what, &reason));
                    }
                }
                Some(Item::Back { server, replayed, to, lost: Some(lost), away, .. }) => {
                    (replay_to, has_all) = (to, replayed == 0);
                    if outage.greeted() || lost > 0 {
                        show.note(&self.back(&server, away, replayed, lost));
                    }
                    may_have_missed_the_end |= lost > 0;
                }
                Some(Item::Back { lost: None, .. }) => {
                    let error = anyhow!("the server has a new stream without {}", accepted.id);
                    return Err(Failure::new(Exit::Unresolved, error).hint("trigger it again"));
                }
                Some(Item::Gap { from, to }) => {
                    show.note(&format::missing(from, to));
                    may_have_missed_the_end = true;
                }
                // What is behind the gap, or is replayed, has come.
                Some(Item::Heartbeat(_)) if may_have_missed_the_end => {
                    match self.ended_unseen(accepted).await {
                        Ok(None) if has_ended => return Err(unread_end(&accepted.id)),
                        Ok(None) => may_have_missed_the_end = false,
                        Ok(ended) => return Ok(ended),
                        Err(unknown) if unknown.exit() == Exit::Usage => {
                            return Err(known::forgotten(&accepted.id));
                        }
                        // It is asked again with the next one.
                        Err(_) => {}
                    }
                }
                Some(Item::Event { .. } | Item::Heartbeat(_) | Item::NotAnEvent(_)) => {}
                None => return Ok(None),
            }
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

    /// The failure when the server did not come back.
    fn gave_up(&self, id: &str) -> Failure {
        let (url, most) = (self.remote.url.any_of(), self.reconnect_for);
        let (error, next) = if self.remote.url.are_several() {
            (anyhow!("for {most} no server answered: {url}"), "start one of the servers again")
        } else {
            (anyhow!("{url} did not answer for {most}"), "start the server again")
        };
        Failure::new(Exit::Connection, error).hint(format!("{next}: {id} goes on when its server does"))
    }

    /// Asks the server whether the incident has ended. Events were lost, and the resolution may be among them.
    async fn ended_unseen(&self, accepted: &Accepted) -> Result<Option<IncidentState>, Failure> {
        let state = self.remote.incident(&accepted.id).await?;
        Ok(state.filter(|incident| incident.state != IncidentStatus::Open))
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

/// The server says no better than the event that can't be read how the incident has ended.
fn unread_end(id: &str) -> Failure {
    let error = anyhow!("{id} has ended, and how it ended can't be read");
    Failure::new(Exit::Unresolved, error)
        .hint("`incident validate --url` names what is wrong with the events")
}

/// Shows how far an incident is now, as soon as it is known.
fn tick(incident: Option<&IncidentState>, clock: &ServerClock, show: &mut dyn Show) {
    if let Some(incident) = incident {
        show.tick(incident, clock.now_in(&incident.id));
    }
}
