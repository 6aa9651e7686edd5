//! What is done all the time beside reading and appending: the lease, a look at the stream's configuration, retention, and
//! removing plans that nobody needs.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::api::{Api, Fault, NO_STREAM, Outgoing};
use super::config::Seen;
use super::lease::Keeper;
use super::names::Names;
use super::shared::Shared;
use super::vitals::trouble;
use super::{plans, tail};

/// How often the lease is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How often the stream's configuration is looked at, and events are dropped that are too many or too old.
const INSPECT: Duration = Duration::from_secs(1);

/// How often in a row the leader must say that it has fewer events than were read, until that is believed: a leader that is
/// cut off says so too, for a while.
const DOUBTS: u32 = 5;

/// How many events are dropped at once at least, unless a while has passed.
const MANY: u64 = 1_000;
const A_WHILE: Duration = Duration::from_secs(5);

/// Runs until `stop`, and gives the lease back.
pub(super) async fn run(shared: &Shared, mut keeper: Keeper<'_>, stop: CancellationToken) {
    let mut upkeep = Upkeep { shared, inspected: None, doubts: 0, purged: None };
    loop {
        keeper.tick().await;
        if upkeep.inspected.is_none_or(|inspected| inspected.elapsed() >= INSPECT) {
            upkeep.inspect().await;
        }
        if keeper.is_in_charge() && shared.vitals.broken().is_none() {
            if let Err(fault) = upkeep.retain().await {
                tracing::debug!(%fault, "old events can't be dropped at the moment");
            }
            upkeep.remove_plans().await;
        }
        tokio::select! {
            () = stop.cancelled() => return keeper.release().await,
            () = keeper.request() => {}
            () = sleep(LOOK) => {}
        }
    }
}

struct Upkeep<'a> {
    shared: &'a Shared,
    inspected: Option<Instant>,
    doubts: u32,
    purged: Option<Instant>,
}

impl Upkeep<'_> {
    /// Asks the leader whether the stream is still the one that was opened.
    async fn inspect(&mut self) {
        self.inspected = Some(Instant::now());
        let shared = self.shared;
        let info = match shared.api.info(&shared.names.events).await {
            Ok(info) => info,
            Err(fault) if fault.is(NO_STREAM) => {
                // An operator may be restoring it.
                let gone = Fault::Silent(format!("the stream {} is gone", shared.names.events));
                return shared.vitals.fail(trouble(gone));
            }
            Err(fault) => return tracing::debug!(%fault, "the stream can't be looked at"),
        };
        shared.figures.described(&info);
        match Seen::read(&info) {
            Ok(seen) if seen.stream == shared.stream => self.compare(&seen).await,
            Ok(_) | Err(_) => tail::replaced(shared),
        }
    }

    async fn compare(&mut self, seen: &Seen) {
        let shared = self.shared;
        if seen.last < shared.head() {
            self.doubts += 1;
            if self.doubts >= DOUBTS
                && let Err(fault) = tail::renew(shared).await
            {
                tracing::debug!(%fault, "the stream can't be renamed");
            }
            return;
        }
        self.doubts = 0;
        let mut fold = shared.fold.lock();
        if seen.first > fold.oldest() && seen.first <= fold.head + 1 {
            fold.drop_before(seen.first);
            shared.show(&fold);
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
            let keep_from = wanted.min(fold.head + 1);
            let is_soon = self.purged.is_some_and(|purged| purged.elapsed() < A_WHILE);
            if keep_from <= oldest || (is_soon && keep_from - oldest < MANY.min(kept / 10)) {
                return Ok(());
            }
            (keep_from, fold.over_before(keep_from))
        };
        self.purged = Some(Instant::now());
        for (subject, end) in gone {
            remember(&shared.api, &shared.names, &subject, end).await?;
        }
        shared.api.purge(&shared.names.events, &json!({ "seq": keep_from })).await?;
        let evicted = {
            let mut fold = shared.fold.lock();
            fold.drop_before(keep_from);
            shared.show(&fold);
            std::mem::take(&mut fold.evicted)
        };
        for subject in evicted {
            let which = json!({ "filter": shared.names.over(&subject) });
            shared.api.purge(&shared.names.control, &which).await?;
        }
        Ok(())
    }

    async fn remove_plans(&self) {
        let finished = std::mem::take(&mut self.shared.fold.lock().finished);
        for subject in finished {
            if let Err(fault) = plans::remove(&self.shared.api, &self.shared.names, &subject).await {
                tracing::debug!(%fault, incident = &*subject, "a plan can't be removed");
                self.shared.fold.lock().finished.push(subject);
            }
        }
    }
}

/// Keeps the id of an incident whose events go, so that it names no other one.
pub(super) async fn remember(api: &Api, names: &Names, subject: &str, end: u64) -> Result<(), Fault> {
    let payload = json!({ "subject": subject, "end": end }).to_string().into();
    let subject = names.over(subject);
    api.publish(Outgoing { subject, headers: HeaderMap::new(), payload }).await.map(drop)
}

/// The ids that were kept, with the positions of the ends of their incidents.
pub(super) fn remembered(payload: &[u8]) -> Option<(Arc<str>, u64)> {
    let found: Value = serde_json::from_slice(payload).ok()?;
    Some((Arc::from(found["subject"].as_str()?), found["end"].as_u64()?))
}
