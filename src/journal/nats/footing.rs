//! Whether the stream still has the event that the next append continues. The servers compare positions only: a stream that was
//! restored older, and to which others have appended as much since, would take an append that continues another history, and
//! nobody could read on behind it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use tokio::time::{Instant, sleep, timeout_at};

use super::super::error::JournalError;
use super::api::Fault;
use super::draft::Draft;
use super::shared::Shared;
use super::tail::{self, chain_at, moved, renew};
use super::vitals::unavailable;

/// How long what was stored, or found, is believed. No stream is restored in less.
const SURE: Duration = Duration::from_millis(250);

/// How long a question is left alone before it is asked again: no server may have led the stream.
const ANSWER: Duration = Duration::from_secs(1);

/// How long to wait before a question is asked again that was answered at once, and not as hoped.
const PAUSE: Duration = Duration::from_millis(100);

/// When the event that the next append continues was last known to be in the stream.
#[derive(Debug, Default)]
pub(super) struct Footing {
    known: Option<Instant>,
    /// How often this process had connected then: the nats-server that it talked to may have been restarted since.
    connects: u64,
}

impl Footing {
    /// An append was just acknowledged over this connection.
    pub(super) fn hold(&mut self, connects: u64) {
        *self = Self { known: Some(Instant::now()), connects };
    }

    /// An append was refused, or not answered.
    pub(super) fn doubt(&mut self) {
        self.known = None;
    }

    pub(super) fn is_sure(&self, shared: &Shared) -> bool {
        self.known.is_some_and(|known| known.elapsed() < SURE)
            && self.connects == connects(shared)
            && shared.api.client().connection_state() == State::Connected
    }

    /// Over which connection that was known: see [`connects`].
    pub(super) fn connects(&self) -> u64 {
        self.connects
    }

    /// Looks whether the stream has the event that a draft continues, unless that is known.
    ///
    /// # Errors
    /// It has another one, or that is not known by `deadline`.
    pub(super) async fn find(
        &mut self,
        shared: &Shared,
        draft: &Draft,
        deadline: Instant,
    ) -> Result<(), JournalError> {
        while !self.is_sure(shared) {
            let before = connects(shared);
            let fault = match continues(shared, draft, deadline).await {
                Ok(()) => {
                    *self = Self { known: Some(Instant::now()), connects: before };
                    return Ok(());
                }
                Err(fault) => fault,
            };
            if let Some(broken) = shared.vitals.broken() {
                return Err(broken);
            }
            if Instant::now() >= deadline {
                return Err(unavailable(fault));
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// Whether the stream has the event that a draft continues, or has moved on, so that it refuses the draft. If it has another one
/// there, the journal can't be used any further.
///
/// # Errors
/// It does not have it, or that can't be found out soon.
pub(super) async fn continues(shared: &Shared, draft: &Draft, deadline: Instant) -> Result<(), Fault> {
    let asking = timeout_at(deadline.min(Instant::now() + ANSWER), ask(shared, draft));
    tokio::select! {
        asked = asking => asked.unwrap_or_else(|_| Err(late())),
        () = moved(shared, draft.after) => Ok(()),
    }
}

/// Whether a draft that was found in the stream continues there what it has named, although it is not known when it came there.
///
/// # Errors
/// As of [`continues`].
pub(super) async fn confirm(shared: &Shared, draft: &Draft, deadline: Instant) -> Result<(), Fault> {
    loop {
        let asked = timeout_at(deadline.min(Instant::now() + ANSWER), ask(shared, draft)).await;
        match asked.unwrap_or_else(|_| Err(late())) {
            Err(_) if Instant::now() < deadline && shared.vitals.broken().is_none() => sleep(PAUSE).await,
            asked => return asked,
        }
    }
}

async fn ask(shared: &Shared, draft: &Draft) -> Result<(), Fault> {
    let Draft { after, base, .. } = *draft;
    if after == 0 {
        return Ok(());
    }
    match chain_at(shared, after).await? {
        Some(chain) if chain == base => Ok(()),
        Some(_) => {
            renew(shared).await?;
            Err(Fault::Silent(format!("event {after} is not the one that this server has read")))
        }
        // A stream that was purged of everything goes on behind what it had.
        None if tail::first(shared).await? > after => Ok(()),
        None => {
            Err(Fault::Silent(format!("the stream does not have event {after}, which this server has read")))
        }
    }
}

/// How often this process has connected. What is published while the connection is away is sent over the next one, whenever that is: the
/// stream may be another one then.
pub(super) fn connects(shared: &Shared) -> u64 {
    shared.api.client().statistics().connects.load(Ordering::Relaxed)
}

pub(super) fn late() -> Fault {
    Fault::Silent("the NATS servers have not answered in time".to_owned())
}
