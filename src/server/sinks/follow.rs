//! Follows the journal: which drills begin and end. Nothing waits for it, neither players nor clients.

use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::fleet::Sinks;
use crate::contract::Role;
use crate::journal::{JournalError, OpenIncident, ReadLimit, Stored};
use crate::log_limiter::limited;
use crate::plan::Plan;
use crate::world::Alerts;

/// How much one read returns.
const PAGE: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

impl Sinks {
    /// Tells the couriers what begins and ends, until the server stops. If several servers have the journal open, one of them
    /// tells the sinks: the one that plays.
    pub(in crate::server) async fn follow(&self, stop: CancellationToken) {
        if !self.journal.is_shared() {
            return self.tell(stop).await;
        }
        let mut leading = self.leading.clone();
        loop {
            let led = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                led = leading.wait_for(Option::is_some) => led.is_ok(),
            };
            if !led {
                // The player is gone: the server ends.
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = leading.wait_for(Option::is_none) => {}
                () = self.tell(stop.clone()) => return,
            }
            self.stand_by();
        }
    }

    /// Tells the couriers. Begins with the drills that are open.
    async fn tell(&self, stop: CancellationToken) {
        self.start();
        let mut position = None;
        let mut extent = self.journal.follow();
        loop {
            let read = match position {
                None => self.pick_up().await,
                Some(position) => self.read_on(position).await,
            };
            let failed = match read {
                Ok(reached) => {
                    position = Some(reached);
                    false
                }
                Err(error) => {
                    limited!(error, "the journal can't be read for the sinks", %error);
                    true
                }
            };
            let more = position.is_some_and(|position| extent.borrow_and_update().head > position);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep(Self::RETRY), if failed => {}
                () = std::future::ready(()), if more && !failed => {}
                changed = extent.changed(), if !failed && !more => if changed.is_err() { return },
            }
        }
    }

    /// Continues the drills that an earlier process has left. Returns the position up to which the journal was read.
    async fn pick_up(&self) -> Result<u64, JournalError> {
        let head = self.journal.extent().head;
        for OpenIncident { subject, plan, .. } in self.journal.open_incidents().await? {
            if let Some(plan) = plan {
                self.take(&subject, plan).await;
            }
        }
        Ok(head)
    }

    /// Reads a page of what is new. Returns the position that it reached.
    async fn read_on(&self, position: u64) -> Result<u64, JournalError> {
        let head = self.journal.extent().head;
        let page = self.journal.read(position, PAGE).await?;
        // Retention may have dropped everything that there was to read.
        let mut reached = if page.is_empty() { head.max(position) } else { position };
        for event in page {
            self.see(&event).await?;
            reached = event.position;
        }
        Ok(reached)
    }

    async fn see(&self, event: &Stored) -> Result<(), JournalError> {
        match event.kind.role() {
            Role::Start => {
                // An incident that is over already has no plan any more.
                if let Some(plan) = self.journal.plan(&event.subject).await? {
                    self.take(&event.subject, plan).await;
                }
            }
            Role::End => self.end(&event.subject, event.time),
            Role::Middle | Role::Control => {}
        }
        Ok(())
    }

    /// Reads a plan, which may be long: on a thread of its own.
    async fn take(&self, incident: &str, plan: Arc<str>) {
        let read = tokio::task::spawn_blocking(move || {
            let plan = Plan::read_beginning(&plan).ok()?;
            Some((Alerts::of(&plan), plan.scenario))
        });
        // A plan that can't be read is the player's matter, which ends its incident.
        if let Ok(Some((alerts, scenario))) = read.await {
            self.begin(incident, scenario, alerts);
        }
    }
}
