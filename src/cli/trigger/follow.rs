//! Follows the started incident to its end.

use std::io::Write;
use std::time::Duration;

use anyhow::anyhow;
use serde::Deserialize;

use super::args::Trigger;
use super::reporter::Reporter;
use super::show::Show;
use crate::cli::clock::ServerClock;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::client::{Follower, Item};
use crate::contract::Follows;
use crate::report::{Board, IncidentState, IncidentStatus};

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
    ) -> Result<Option<IncidentState>, Failure> {
        let after = format!("{}/{}", accepted.stream, accepted.position.saturating_sub(1));
        let mut follower = Follower::connect(self.remote.url.clone(), Some(after), true).await?;
        let mut board = Board::default();
        let mut clock = ServerClock::default();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            let item = tokio::select! {
                item = follower.next() => item?,
                _ = ticks.tick() => {
                    if let Some(incident) = board.get(&accepted.id) {
                        show.tick(incident, clock.now());
                    }
                    continue;
                }
            };
            match item {
                Some(Item::Opened(opened)) => {
                    clock.set(&opened);
                    if matches!(opened.follows, Follows::Reset { .. })
                        && let Some(ended) = self.ended_unseen(accepted).await?
                    {
                        return Ok(Some(ended));
                    }
                }
                Some(Item::Event { envelope, raw }) if envelope.incident() == accepted.id => {
                    if let Some(reporter) = &mut reporter {
                        reporter.take(&envelope);
                    }
                    if self.json {
                        writeln!(std::io::stdout(), "{raw}")?;
                    }
                    if let Some(incident) = board.fold(&envelope) {
                        show.event(incident);
                        if incident.state != IncidentStatus::Open {
                            return Ok(Some(incident.clone()));
                        }
                    }
                }
                Some(Item::Lost { reason, retry_in }) => {
                    show.note(&format!(
                        "connection lost ({reason}), retrying in {:.1} s",
                        retry_in.as_secs_f64()
                    ));
                }
                Some(Item::Back { replayed, lost: Some(lost), .. }) => {
                    show.note(&format!(
                        "reconnected: {} replayed, {lost} lost",
                        format::count(replayed, "event")
                    ));
                    if lost > 0
                        && let Some(ended) = self.ended_unseen(accepted).await?
                    {
                        return Ok(Some(ended));
                    }
                }
                Some(Item::Back { lost: None, .. }) => {
                    let error = anyhow!("the server has a new stream without {}", accepted.id);
                    return Err(Failure::new(Exit::Unresolved, error).hint("trigger it again"));
                }
                Some(Item::Gap { from, to }) => show.note(&format!("events {from} to {to} are missing")),
                Some(Item::Event { .. } | Item::Heartbeat(_) | Item::NotAnEvent(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// Asks the server whether the incident has ended. Events were lost, and the resolution may be among them.
    async fn ended_unseen(&self, accepted: &Accepted) -> Result<Option<IncidentState>, Failure> {
        let state = self.remote.incident(&accepted.id).await?;
        Ok(state.filter(|incident| incident.state != IncidentStatus::Open))
    }
}
