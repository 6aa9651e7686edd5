//! Follows the journal: which drills begin and end. Nothing waits for it, neither players nor clients.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::fleet::{Drill, Sinks};
use crate::contract::Role;
use crate::journal::{JournalError, OpenIncident, ReadLimit, Stored};
use crate::log_limiter::limited;
use crate::plan::Plan;
use crate::world::{Alerts, Tempo};

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
        let mut open = self.journal.open_incidents().await?;
        let found = self.now().steady;
        open.retain(|open| open.plan.is_some());
        let mut newest = self.newest_of(&open).await?;
        for OpenIncident { subject, plan, age, .. } in open {
            let Some(plan) = plan else { continue };
            let (newest, clock) = (newest.remove(subject.as_str()), self.journal.clock());
            let began = |tempo: &Tempo, started: Duration| match (age, newest) {
                // This process has seen it begin.
                (Some(age), _) => before(found, started.saturating_add(age)),
                (None, Some(newest)) => {
                    let due = newest.message().map_or(started, |message| tempo.of_event(&message));
                    let since = clock.elapsed_since(newest.time).unwrap_or_default();
                    let happened = tempo.happened(due, newest.time);
                    before(self.now().steady, happened.saturating_add(since))
                }
                (None, None) => {
                    before(self.now().steady, clock.elapsed_since(tempo.began).unwrap_or_default())
                }
            };
            self.take(&subject, plan, began).await;
        }
        Ok(head)
    }

    /// The newest event of each of these incidents, if it is kept.
    async fn newest_of(&self, open: &[OpenIncident]) -> Result<HashMap<String, Stored>, JournalError> {
        let mut newest = HashMap::new();
        let Some(first) = open.iter().map(|open| open.start).min() else { return Ok(newest) };
        let known: HashSet<&str> = open.iter().map(|open| open.subject.as_str()).collect();
        let mut position = first.saturating_sub(1);
        loop {
            let page = self.journal.read(position, PAGE).await?;
            let Some(last) = page.last() else { return Ok(newest) };
            position = last.position;
            for event in page.into_iter().filter(|event| known.contains(&*event.subject)) {
                newest.insert(event.subject.to_string(), event);
            }
        }
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
                    let heard = self.now().heard(event.time);
                    self.take(&event.subject, plan, |_, started| before(heard, started)).await;
                }
            }
            Role::End => self.end(&event.subject, event.time),
            Role::Middle => {
                self.happened(&event.subject, |tempo| Some(tempo.of_event(&event.message().ok()?)));
            }
            Role::Control => {}
        }
        Ok(())
    }

    /// Reads a plan, which may be long: on a thread of its own. `began` says when its second 0 was by the steady clock, from its tempo and
    /// from how long after second 0 it was started.
    async fn take(
        &self,
        incident: &str,
        plan: Arc<str>,
        began: impl FnOnce(&Tempo, Duration) -> SignedDuration,
    ) {
        let read = tokio::task::spawn_blocking(move || {
            let plan = Plan::read_beginning(&plan).ok()?;
            Some((Tempo::of(&plan)?, Alerts::of(&plan), plan))
        });
        // A plan that can't be read is the player's matter, which ends its incident.
        let Ok(Some((tempo, alerts, plan))) = read.await else { return };
        let began = began(&tempo, tempo.of_screen(plan.lead()));
        self.begin(incident, Drill { scenario: plan.scenario, alerts: Arc::new(alerts), tempo, began });
    }
}

/// The moment that was this long before another one.
fn before(moment: SignedDuration, by: Duration) -> SignedDuration {
    moment.saturating_sub(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX))
}
