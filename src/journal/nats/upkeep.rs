//! What is done all the time beside reading and appending: a look at the stream, retention, and removing plans that nobody
//! needs. The lease is renewed in another task (`lease.rs`), because this one may wait for the servers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::api::{Fault, NO_STREAM};
use super::config::{self, Seen};
use super::figures::Stream;
use super::kept::Kept;
use super::shared::Shared;
use super::vitals::trouble;
use super::{checkpoint, over, plans, tail};

/// How often it is looked whether something can be removed.
const LOOK: Duration = Duration::from_millis(250);

/// How often the stream's configuration is looked at, and events are dropped that are too many or too old.
const INSPECT: Duration = Duration::from_secs(1);

/// How often the configuration of the second stream is looked at.
const INSPECT_CONTROL: Duration = Duration::from_secs(5);

/// How often in a row the leader must say that it has fewer events than were read, until that is believed: a leader that is
/// cut off says so too, for a while.
const DOUBTS: u32 = 5;

/// How often in a row the leaders must say that events are gone which retention has not dropped.
const LOSSES: u32 = 3;

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
        kept: None,
        losses: 0,
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
    /// How far retention has gone, as it was written down when this process last looked.
    kept: Option<Kept>,
    /// How often in a row events were gone that retention has not dropped.
    losses: u32,
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
        if self.control.is_none_or(|looked| looked.elapsed() >= INSPECT_CONTROL) {
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
        let info = match shared.api.leader_info(&shared.names.events).await {
            Ok(info) => info,
            Err(fault) if fault.is(NO_STREAM) => {
                // An operator may be restoring it.
                let gone = Fault::Silent(format!("the stream {} is gone", shared.names.events));
                return shared.vitals.found(Some(trouble(gone)));
            }
            Err(fault) => return tracing::debug!(%fault, "the stream can't be looked at"),
        };
        shared.vitals.found(None);
        shared.figures.described(&info);
        shared.figures.warn(Stream::Events, config::become_unsafe(&shared.names, &shared.location, &info));
        match Seen::read(&info) {
            Ok(seen) if seen.stream == shared.stream => self.compare(&seen).await,
            Ok(_) | Err(_) => tail::replaced(shared),
        }
    }

    async fn inspect_control(&mut self) {
        self.control = Some(Instant::now());
        let Shared { api, names, location, figures, .. } = self.shared;
        match api.leader_info(&names.control).await {
            Ok(info) => figures.warn(Stream::Control, config::become_unsafe(names, location, &info)),
            Err(fault) => tracing::debug!(%fault, "the second stream can't be looked at"),
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
        match self.has_kept(seen.first).await {
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
                Ok(Some(found)) if found != chain => self.renew().await,
                Ok(_) => {}
                Err(fault) => tracing::debug!(%fault, "the newest event can't be looked at"),
            }
        }
    }

    /// Whether the stream has all events that retention has left, if it begins at `first`.
    async fn has_kept(&mut self, first: u64) -> Result<bool, Fault> {
        let Shared { api, names, stream, .. } = self.shared;
        let is_known = |kept: &Kept| kept.is_about(stream) && kept.lost(stream, first).is_none();
        if !self.kept.as_ref().is_some_and(is_known) {
            let had = self.kept.take();
            let found = Kept::read(api, names).await?;
            if !found.as_ref().is_some_and(|found| found.is_about(stream)) {
                if self.shared.is_in_charge.load(Ordering::Relaxed) {
                    // Events that went since this process has read them count as lost. If the second stream was remade, it is
                    // not known how far retention had gone.
                    let from = if had.is_some() { first } else { self.shared.fold.lock().oldest() };
                    self.kept = Some(Kept::write(api, names, stream, found.as_ref(), from).await?);
                }
                self.losses = 0;
                return Ok(true);
            }
            self.kept = found;
        }
        if self.kept.as_ref().is_none_or(is_known) {
            self.losses = 0;
            return Ok(true);
        }
        self.losses += 1;
        if self.losses >= LOSSES {
            self.believe_lost().await?;
        }
        Ok(false)
    }

    /// Events are gone that retention has not dropped, if servers say so that lead.
    async fn believe_lost(&self) -> Result<(), Fault> {
        let Shared { api, names, stream, .. } = self.shared;
        let first = tail::leading(api, &names.events).await?["state"]["first_seq"].as_u64();
        tail::leading(api, &names.control).await?;
        let kept = Kept::read(api, names).await?;
        match kept.and_then(|kept| kept.lost(stream, first.unwrap_or_default())) {
            Some(lost) => {
                tracing::error!(%lost, "the stream of events was purged, or drops events by a limit of its own");
                tail::renew(self.shared).await
            }
            None => Ok(()),
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

    /// Another nats-server may be on the side where the stream goes on, or may not hang.
    async fn reconnect(&mut self) {
        let is_due = self.reconnected.is_none_or(|reconnected| reconnected.elapsed() >= RECONNECT);
        if is_due && self.shared.vitals.is_silent() {
            tracing::debug!("nothing is confirmed: this server connects to another nats-server");
            self.reconnected = Some(Instant::now());
            // It is asked of a task of the client, which runs as long as this one.
            let _ = self.shared.api.client().force_reconnect().await;
        }
    }

    /// Drops events that are too many or too old, but none of an open incident.
    async fn retain(&mut self) -> Result<(), Fault> {
        let shared = self.shared;
        let expired = shared.ages.lock().expired(shared.clock.steady());
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
        let Some(kept) = self.kept.take().filter(|kept| kept.is_about(&shared.stream)) else {
            // The next look at the stream reads it.
            return Ok(());
        };
        self.kept =
            Some(Kept::write(&shared.api, &shared.names, &shared.stream, Some(&kept), keep_from).await?);
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
