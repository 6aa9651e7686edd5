//! What is done all the time beside reading and appending: a look at the stream, retention, and removing plans that nobody
//! needs. The lease is renewed in another task (`lease.rs`), because this one may wait for the servers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::super::error::JournalError;
use super::api::{Fault, NO_STREAM};
use super::config::{self, Seen};
use super::figures::Stream;
use super::loss::Loss;
use super::shared::Shared;
use super::vitals::trouble;
use super::{checkpoint, over, plans, tail};

/// How often it is looked whether something can be removed.
const LOOK: Duration = Duration::from_millis(250);

/// How often the stream's configuration is looked at, and events are dropped that are too many or too old.
const INSPECT: Duration = Duration::from_secs(1);

/// How often the configuration of the second stream is looked at.
const INSPECT_CONTROL: Duration = Duration::from_secs(5);

/// After how long without anything confirmed it is looked at as often as the other one: it may be gone.
const QUIET: Duration = Duration::from_secs(2);

/// How often in a row the leader must say that it has fewer events than were read, or not the newest one, until that is
/// believed: a leader that is cut off says so too, for a while.
const DOUBTS: u32 = 5;

/// How often another nats-server is tried while nothing is confirmed.
const RECONNECT: Duration = Duration::from_secs(3);

/// How often plans are looked for that nobody needs.
const SWEEP: Duration = Duration::from_secs(600);

/// How often it is looked whether a checkpoint is due.
const CHECKPOINT: Duration = Duration::from_secs(5);

/// How many events are dropped at once at least, unless a while has passed.
const MANY: u64 = 1_000;
const A_WHILE: Duration = Duration::from_secs(5);

/// How many plans and ids are removed in a row, and how many ids are kept for one purge.
const ROUND: usize = 50;
const IDS: usize = 500;

/// Runs until `stop`.
pub(super) async fn run(shared: &Shared, stop: CancellationToken) {
    let mut upkeep = Upkeep {
        shared,
        inspected: None,
        control: None,
        doubts: 0,
        holes: 0,
        loss: Loss::new(shared.fold.lock().oldest()),
        is_missing: [false, false],
        reconnected: None,
        purged: None,
        swept: None,
        written: None,
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = upkeep.round() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(LOOK) => {}
        }
    }
}

struct Upkeep<'a> {
    shared: &'a Shared,
    inspected: Option<Instant>,
    /// When the second stream was looked at.
    control: Option<Instant>,
    doubts: u32,
    /// How often in a row the leader did not have the newest event, and one could not have been dropped.
    holes: u32,
    loss: Loss,
    /// Whether the servers have just said of each of the two streams that it is not there.
    is_missing: [bool; 2],
    reconnected: Option<Instant>,
    purged: Option<Instant>,
    swept: Option<Instant>,
    written: Option<Instant>,
}

impl Upkeep<'_> {
    async fn round(&mut self) {
        let shared = self.shared;
        self.reconnect().await;
        if self.inspected.is_none_or(|inspected| inspected.elapsed() >= INSPECT) {
            self.inspect().await;
        }
        let is_quiet = shared.vitals.confirmed_age() >= QUIET;
        let often = if is_quiet { INSPECT } else { INSPECT_CONTROL };
        if self.control.is_none_or(|looked| looked.elapsed() >= often) {
            self.inspect_control().await;
        }
        if !shared.is_in_charge.load(Ordering::Relaxed) {
            shared.fold.lock().leave_to_others();
        } else if shared.vitals.broken().is_none()
            && let Err(fault) = self.look_after().await
        {
            tracing::debug!(%fault, "what is not needed any more can't be dropped at the moment");
        }
    }

    async fn look_after(&mut self) -> Result<(), Fault> {
        let Shared { api, names, fold, .. } = self.shared;
        self.retain().await?;
        for _ in 0..ROUND {
            let Some(subject) = fold.lock().evicted.pop() else { break };
            if let Err(fault) = over::remove(api, names, &subject).await {
                fold.lock().evicted.push(subject);
                return Err(fault);
            }
        }
        for _ in 0..ROUND {
            let Some(subject) = fold.lock().finished.pop_front() else { break };
            if let Err(fault) = plans::remove(api, names, &subject).await {
                fold.lock().finished.push_front(subject);
                return Err(fault);
            }
        }
        self.sweep().await?;
        self.write_down().await
    }

    /// Writes a checkpoint now and then.
    async fn write_down(&mut self) -> Result<(), Fault> {
        if self.written.is_some_and(|written| written.elapsed() < CHECKPOINT) {
            return Ok(());
        }
        self.written = Some(Instant::now());
        checkpoint::save(self.shared).await
    }

    /// Asks the leader whether the stream is still the one that was opened.
    async fn inspect(&mut self) {
        self.inspected = Some(Instant::now());
        let shared = self.shared;
        let Some(info) = self.look_at(Stream::Events).await else { return };
        shared.figures.described(&info);
        shared.figures.warn(Stream::Events, config::become_unsafe(&shared.names, &shared.location, &info));
        match Seen::read(&info) {
            Ok(seen) if seen.stream == shared.stream => self.compare(&seen).await,
            Ok(_) | Err(_) => tail::replaced(shared),
        }
    }

    async fn inspect_control(&mut self) {
        self.control = Some(Instant::now());
        let Shared { names, location, figures, .. } = self.shared;
        if let Some(info) = self.look_at(Stream::Control).await {
            figures.warn(Stream::Control, config::become_unsafe(names, location, &info));
            self.loss.looked(&info);
        }
    }

    /// What the leader says of one of the two streams. One that is not there is not made again: an operator may be restoring it.
    async fn look_at(&mut self, stream: Stream) -> Option<Value> {
        let Shared { api, names, vitals, .. } = self.shared;
        let name = match stream {
            Stream::Events => &names.events,
            Stream::Control => &names.control,
        };
        let info = api.leader_info(name).await;
        let is_missing = matches!(&info, Err(fault) if fault.is(NO_STREAM));
        self.is_missing[stream as usize] = is_missing;
        match info {
            Ok(info) => {
                vitals.found(stream, None);
                Some(info)
            }
            Err(_) if is_missing => {
                let gone = format!(
                    "the stream {name} is gone: restore it, or start a server with create=1 (docs/cluster.md)"
                );
                vitals.found(stream, Some(trouble(Fault::Silent(gone))));
                None
            }
            Err(fault) => {
                tracing::debug!(%fault, name, "the stream can't be looked at");
                None
            }
        }
    }

    async fn compare(&mut self, seen: &Seen) {
        let shared = self.shared;
        if seen.last < shared.head() {
            self.doubts += 1;
            if self.doubts >= DOUBTS
                && let Err(fault) = self.believe().await
            {
                tracing::debug!(%fault, "it is not known whether the stream has lost events");
            }
            return;
        }
        self.doubts = 0;
        match self.loss.has_all(shared, seen.first).await {
            Ok(true) => tail::begin_at(shared, seen.first),
            // What was read is not let go of: until it is known, no incident starts a second time.
            Ok(false) => return,
            Err(fault) => {
                tracing::debug!(%fault, "it is not known how far retention has gone");
                return;
            }
        }
        let (head, chain) = {
            let fold = shared.fold.lock();
            (fold.head, fold.chain)
        };
        // A stream that was restored and went on has another event there.
        if head > 0 && seen.first <= head {
            match tail::chain_at(shared, head).await {
                Ok(Some(found)) => {
                    self.holes = 0;
                    if found != chain {
                        self.renew().await;
                    }
                }
                Ok(None) => {
                    self.holes += 1;
                    if self.holes >= DOUBTS
                        && let Err(fault) = self.believe_deleted(head).await
                    {
                        tracing::debug!(%fault, "it is not known whether the newest event was deleted");
                    }
                }
                Err(fault) => tracing::debug!(%fault, "the newest event can't be looked at"),
            }
        }
    }

    async fn renew(&self) {
        if let Err(fault) = tail::renew(self.shared).await {
            tracing::debug!(%fault, "the stream can't be renamed");
        }
    }

    /// Events that were read are gone, if a server says so that leads.
    async fn believe(&self) -> Result<(), Fault> {
        let info = tail::leading(&self.shared.api, &self.shared.names.events).await?;
        let last = info["state"]["last_seq"].as_u64().unwrap_or_default();
        if last < self.shared.head() { tail::renew(self.shared).await } else { Ok(()) }
    }

    /// The newest event that was read was deleted, if a server says so that leads.
    async fn believe_deleted(&self, head: u64) -> Result<(), Fault> {
        let Shared { api, names, vitals, .. } = self.shared;
        let seen = Seen::read(&tail::leading(api, &names.events).await?).map_err(Fault::Silent)?;
        let is_within = (seen.first..=seen.last).contains(&head) && seen.stream == self.shared.stream;
        if is_within && tail::chain_at(self.shared, head).await?.is_none() {
            let position = tail::deleted_from(api, names, seen.first, head).await?;
            vitals.break_down(JournalError::Damaged { position, what: tail::DELETED.to_owned() });
        }
        Ok(())
    }

    /// Another nats-server may be on the side where the stream goes on, or may not hang.
    async fn reconnect(&mut self) {
        let is_due = self.reconnected.is_none_or(|reconnected| reconnected.elapsed() >= RECONNECT);
        // The servers answer; another one does not have the stream either.
        let is_missing = self.is_missing.contains(&true);
        // Another one, or the same one after a restart, may have another configuration than the first.
        let unfit = config::check_server(&self.shared.api.client().server_info()).err();
        let fits = self.shared.vitals.fits(unfit.map(|why| trouble(Fault::Silent(why))));
        let is_silent = !is_missing && self.shared.vitals.is_silent();
        if fits && !is_silent {
            self.shared.api.stay();
        } else if is_due {
            tracing::debug!("nothing is confirmed: this server connects to another nats-server");
            self.reconnected = Some(Instant::now());
            self.shared.api.go_elsewhere().await;
        }
    }

    /// Drops events that are too many or too old, but none of an open incident.
    async fn retain(&mut self) -> Result<(), Fault> {
        let shared = self.shared;
        let expired = shared.ages.lock().expired(&shared.clock);
        let (keep_from, gone) = {
            let fold = shared.fold.lock();
            let oldest = fold.oldest();
            let kept = fold.head + 1 - oldest;
            let surplus = kept.saturating_sub(shared.retention.events as u64);
            let wanted = (oldest + surplus).max(expired + 1).min(fold.first_open().unwrap_or(u64::MAX));
            // The newest event stays: a server that starts learns from it what the next one continues.
            let mut keep_from = wanted.min(fold.head);
            let is_soon = self.purged.is_some_and(|purged| purged.elapsed() < A_WHILE);
            if keep_from <= oldest || (is_soon && keep_from - oldest < MANY.min(kept / 10)) {
                return Ok(());
            }
            let mut gone = fold.over_before(keep_from);
            if let Some((_, end)) = gone.get(IDS) {
                // The rest follows.
                keep_from = *end;
                gone.truncate(IDS);
            }
            (keep_from, gone)
        };
        // Before anything goes, the others must be able to know that it goes by right.
        if !self.loss.allow(shared, keep_from).await? {
            return Ok(());
        }
        self.purged = Some(Instant::now());
        for (subject, end) in gone {
            over::keep(&shared.api, &shared.names, &subject, end).await?;
        }
        shared.api.purge(&shared.names.events, &json!({ "seq": keep_from })).await?;
        let mut fold = shared.fold.lock();
        fold.drop_before(keep_from);
        shared.show(&fold);
        Ok(())
    }

    /// Removes plans whose incidents never began, or have ended while nobody looked: their starts failed, or their server died.
    async fn sweep(&mut self) -> Result<(), Fault> {
        if self.swept.is_some_and(|swept| swept.elapsed() < SWEEP) {
            return Ok(());
        }
        self.swept = Some(Instant::now());
        plans::sweep(self.shared).await
    }
}
