//! The desk: reads on in the journal, decides what a delivery means, and writes it. One delivery at a time, so that two
//! senders that tell of the same alert cannot both be first.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::records::record;
use super::secrets::Secrets;
use super::seen::Desk;
use crate::journal::{Appended, Batch, Journal, JournalError, Record, Trouble, TroubleKind};
use crate::log_limiter::limited;
use crate::metrics::{HookCounts, Metrics};
use crate::receivers::{Decision, Delivery, Draft, Ignored, Kind, Overfull, Receiver};
use crate::server::bodies::Bodies;
use crate::server::http::off_workers;
use crate::server::publish::Elsewhere;

/// A delivery of more alerts is decided on a thread of its own.
const FEW: usize = 200;

/// The most incidents that are ended with one commit.
const TOGETHER: usize = 256;

/// How often a delivery is decided anew because the journal has changed, or has an incident with the id already.
const TRIES: u32 = 100;

/// The longest sleep: the wall clock, by which incidents settle, may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// The time between two tries while the journal does not take what is due.
const RETRY: Duration = Duration::from_secs(1);

/// Bytes of bodies that arrive or are read, of senders that have shown their secret …
const KNOWN_BYTES: usize = 32 * 1024 * 1024;

/// … and of those whose secret is in the body: they could be strangers, and must not keep the others out.
const UNKNOWN_BYTES: usize = 8 * 1024 * 1024;

/// A receiver with its secrets.
#[derive(Debug, Clone)]
pub struct HookSetup {
    /// What it does.
    pub receiver: Receiver,
    /// What lets a request in.
    pub secrets: Secrets,
}

/// The receivers of one server.
pub struct Hooks {
    /// `None` without a file: then there are no paths.
    setups: Option<RwLock<Arc<Vec<HookSetup>>>>,
    journal: Journal,
    metrics: Arc<Metrics>,
    elsewhere: Arc<Elsewhere>,
    desk: Arc<Mutex<Desk>>,
    /// The timers have to be looked at again.
    changed: Notify,
    pub(super) known: Bodies,
    pub(super) unknown: Bodies,
}

/// What became of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Stored,
    /// Their incidents have got other events since they were decided.
    Outdated,
    /// The journal does not take them.
    Refused,
}

/// Why a delivery was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Overfull(#[from] Overfull),
    #[error("the journal has changed too often in the meantime")]
    Unsettled,
}

impl Hooks {
    pub(in crate::server) fn new(
        setups: Option<Vec<HookSetup>>,
        journal: Journal,
        metrics: Arc<Metrics>,
        elsewhere: Arc<Elsewhere>,
    ) -> Self {
        let hooks = Self {
            setups: setups.map(|setups| RwLock::new(Arc::new(setups))),
            journal,
            metrics,
            elsewhere,
            desk: Arc::default(),
            changed: Notify::new(),
            known: Bodies::new(KNOWN_BYTES),
            unknown: Bodies::new(UNKNOWN_BYTES),
        };
        hooks.announce();
        hooks
    }

    /// Whether there is a file with receivers.
    pub(in crate::server) fn is_on(&self) -> bool {
        self.setups.is_some()
    }

    /// Why the journal takes no events now, if it does not.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.journal.health().borrow().clone()
    }

    /// Takes these receivers in the place of all others.
    pub fn replace(&self, setups: Vec<HookSetup>) {
        if let Some(current) = &self.setups {
            *current.write() = Arc::new(setups);
            self.announce();
            self.changed.notify_one();
        }
    }

    /// Shows the counters of every receiver, also those at zero.
    fn announce(&self) {
        let reasons = Ignored::ALL.map(Ignored::as_str);
        for setup in self.all().iter() {
            self.metrics.hooks().announce(&setup.receiver.name, &reasons);
        }
    }

    fn all(&self) -> Arc<Vec<HookSetup>> {
        self.setups.as_ref().map(|setups| Arc::clone(&setups.read())).unwrap_or_default()
    }

    /// The receiver of this name and kind.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<HookSetup> {
        let all = self.all();
        all.iter().find(|setup| setup.receiver.kind == kind && setup.receiver.name == name).cloned()
    }

    pub(super) fn metrics(&self) -> &HookCounts {
        self.metrics.hooks()
    }

    /// The time by the clock that dates events.
    pub(super) fn now(&self) -> Timestamp {
        self.journal.clock().now()
    }

    /// Writes what a delivery means. Returns once that is durable.
    pub(super) async fn take(
        &self,
        receiver: &Receiver,
        delivery: &Arc<Delivery>,
    ) -> Result<Decision, NotTaken> {
        let (mut desk, mut turn) = (Arc::clone(&self.desk).lock_owned().await, None);
        let mut has_all = !self.journal.is_shared();
        for _ in 0..TRIES {
            desk.read_on(&self.journal, &[]).await?;
            let now = desk.now(&self.journal);
            let decision = if delivery.alerts.len() <= FEW {
                desk.state.decide(receiver, delivery, now)?
            } else {
                let (receiver, delivery) = (receiver.clone(), Arc::clone(delivery));
                let decide = move || {
                    let decision = desk.state.decide(&receiver, &delivery, now);
                    (desk, decision)
                };
                let (given_back, decision) = off_workers(decide).await?;
                desk = given_back;
                decision?
            };
            if !has_all && decision.leaves_out() {
                // Another server may just have been told that such an alert fires, or is over. Others have their turn meanwhile.
                drop((desk, turn.take()));
                self.journal.catch_up().await?;
                has_all = true;
                desk = Arc::clone(&self.desk).lock_owned().await;
                continue;
            }
            let written = self.write(&mut desk, receiver, decision.drafts.clone(), &mut turn).await?;
            if written == Written::Stored {
                desk.state.hear(&decision.heard, now);
                self.changed.notify_one();
                return Ok(decision);
            }
        }
        Err(NotTaken::Unsettled)
    }

    /// Appends events, unless they have to be decided anew. Then the turn to store events is kept in `turn`: a publisher that never
    /// rests must not outdate each decision.
    async fn write(
        &self,
        desk: &mut Desk,
        receiver: &Receiver,
        drafts: Vec<Draft>,
        turn: &mut Option<OwnedMutexGuard<()>>,
    ) -> Result<Written, JournalError> {
        if drafts.is_empty() {
            return Ok(Written::Stored);
        }
        // What others publish in the meantime changes costs and totals.
        let held = match turn.take() {
            Some(held) => held,
            None => self.elsewhere.turn().await,
        };
        if desk.read_on(&self.journal, &drafts).await? {
            *turn = Some(held);
            return Ok(Written::Outdated);
        }
        let records: Vec<Record> = drafts.iter().map(|draft| record(receiver, draft)).collect();
        let expected = desk.expected(&records);
        match self.append(Batch { records, expected, term: None }, held).await {
            Ok(appended) => {
                let new = appended.iter().filter(|appended| appended.new).count();
                self.metrics().events(&receiver.name, new as u64);
                // It is durable. If it can't be read now, the next delivery reads it.
                let _ = desk.read_on(&self.journal, &[]).await;
                Ok(Written::Stored)
            }
            Err(
                error @ (JournalError::Ended { .. } | JournalError::Refused(_) | JournalError::Moved { .. }),
            ) => {
                let before = desk.position;
                desk.read_on(&self.journal, &[]).await?;
                if desk.position != before {
                    return Ok(Written::Outdated);
                }
                if matches!(error, JournalError::Moved { .. }) {
                    return Err(error);
                }
                desk.pass_over(&drafts, &error);
                Ok(Written::Refused)
            }
            Err(error) => Err(error),
        }
    }

    /// Appends, also if the sender gives up meanwhile: the publishing worker has to hear of what was stored.
    async fn append(&self, batch: Batch, turn: OwnedMutexGuard<()>) -> Result<Vec<Appended>, JournalError> {
        let (journal, elsewhere) = (self.journal.clone(), Arc::clone(&self.elsewhere));
        let appending = tokio::spawn(async move {
            let subjects: HashSet<String> =
                batch.records.iter().map(|record| record.subject.clone()).collect();
            let before = journal.extent().head;
            let appended = journal.append(batch).await;
            // What failed may be stored all the same.
            for subject in &subjects {
                elsewhere.note(subject, before);
            }
            drop(turn);
            appended
        });
        // It does not panic, so it was cancelled: the runtime ends.
        let stopped = |_| JournalError::Unavailable(Trouble::new(TroubleKind::Stopped));
        appending.await.unwrap_or_else(|error| Err(stopped(error)))
    }

    /// Writes what falls due, until the server stops.
    pub(in crate::server) async fn follow_time(&self, stop: CancellationToken) {
        loop {
            let wait = match self.expire().await {
                Ok(wait) => wait,
                Err(error) => {
                    limited!(error, "what is due of a receiver can't be written", %error);
                    RETRY
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.changed.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Writes what is due now, and gives the time until the next look.
    async fn expire(&self) -> Result<Duration, JournalError> {
        let setups = self.all();
        let receivers: Vec<Receiver> = setups.iter().map(|setup| setup.receiver.clone()).collect();
        let mut desk = self.desk.lock().await;
        desk.read_on(&self.journal, &[]).await?;
        if self.journal.is_shared() && desk.is_due(&receivers, self.now()) {
            // Another server may have heard of these alerts again.
            drop(desk);
            self.journal.catch_up().await?;
            desk = self.desk.lock().await;
            desk.read_on(&self.journal, &[]).await?;
        }
        let mut turn = None;
        while self.write_due(&mut desk, &receivers, &mut turn).await? == Written::Outdated {}
        let Some(due) = desk.state.due(&receivers) else { return Ok(LONGEST_SLEEP) };
        let left = Duration::try_from(due.duration_since(self.now())).unwrap_or_default();
        Ok(left.clamp(Duration::from_millis(10), LONGEST_SLEEP))
    }

    /// Writes what is due now, if it is not outdated.
    async fn write_due(
        &self,
        desk: &mut Desk,
        receivers: &[Receiver],
        turn: &mut Option<OwnedMutexGuard<()>>,
    ) -> Result<Written, JournalError> {
        let now = desk.now(&self.journal);
        let due = desk.state.expire(receivers, now);
        // So many with one commit, then the deliveries have their turn.
        let Some((receiver, _)) = due.first().cloned() else { return Ok(Written::Stored) };
        let own = due.into_iter().filter(|(other, _)| other.name == receiver.name);
        let drafts: Vec<Draft> = own.map(|(_, draft)| draft).take(TOGETHER).collect();
        let written = self.write(desk, receiver, drafts.clone(), turn).await?;
        if written == Written::Refused && drafts.len() > 1 {
            for draft in drafts {
                // What is outdated stays due.
                self.write(desk, receiver, vec![draft], &mut None).await?;
            }
        }
        Ok(written)
    }
}
