//! Whether events are gone that retention has not dropped, while a server runs.

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::api::Fault;
use super::kept::{Kept, Lost};
use super::shared::Shared;
use super::tail;

/// How often in a row the leaders must say that events are gone which retention has not dropped.
const LOSSES: u32 = 3;

/// How often they must say so while nothing is written down: the holder writes it anew when it next looks at the second
/// stream.
const UNTOLD: u32 = 12;

/// What this process knows of how far retention has gone.
#[derive(Debug)]
pub(super) struct Loss {
    /// As it was written down when this process last looked; `None` if that has to be read.
    kept: Option<Kept>,
    /// How far it was known to have gone. If what is written down is lost, this is not.
    known: u64,
    /// How often in a row events were gone that retention has not dropped.
    losses: u32,
}

impl Loss {
    /// `oldest` is where the stream began when it was opened.
    pub(super) fn new(oldest: u64) -> Self {
        Self { kept: None, known: oldest, losses: 0 }
    }

    /// The second stream was looked at. If the message is not in it any more, it is written anew.
    pub(super) fn looked(&mut self, control: &Value) {
        let state = |name: &str| control["state"][name].as_u64().unwrap_or_default();
        if self.kept.as_ref().is_some_and(|kept| !kept.is_within(state("first_seq"), state("last_seq"))) {
            self.kept = None;
        }
    }

    /// Whether the stream has all events that retention has left, if it begins at `first`.
    pub(super) async fn has_all(&mut self, shared: &Shared, first: u64) -> Result<bool, Fault> {
        let Shared { api, names, stream, .. } = shared;
        if self.kept.as_ref().is_none_or(|kept| !kept.is_about(stream))
            || Lost::before(first, self.known).is_some()
        {
            let found = Kept::read(api, names).await?;
            self.known = Kept::reach(found.as_ref(), stream, first, self.known);
            self.kept = if shared.is_in_charge.load(Ordering::Relaxed) {
                Some(Kept::write(api, names, stream, found.as_ref(), self.known).await?)
            } else {
                found
            };
        }
        if Lost::before(first, self.known).is_none() {
            self.losses = 0;
            return Ok(true);
        }
        self.losses += 1;
        let patience = if self.kept.is_some() { LOSSES } else { UNTOLD };
        if self.losses >= patience {
            self.believe(shared).await?;
        }
        Ok(false)
    }

    /// Events are gone that retention has not dropped, if servers say so that lead.
    async fn believe(&self, shared: &Shared) -> Result<(), Fault> {
        let Shared { api, names, stream, .. } = shared;
        let first = tail::leading(api, &names.events).await?["state"]["first_seq"].as_u64();
        let first = first.unwrap_or_default();
        tail::leading(api, &names.control).await?;
        let kept = Kept::read(api, names).await?;
        match Lost::before(first, Kept::reach(kept.as_ref(), stream, first, self.known)) {
            Some(lost) => {
                tracing::error!(%lost, "the stream of events was purged, or drops events by a limit of its own");
                tail::renew(shared).await
            }
            None => Ok(()),
        }
    }

    /// Writes down that retention goes to a position, so that the others can know that events go by right. Returns whether they
    /// may go: not before it was read how far it had gone.
    pub(super) async fn allow(&mut self, shared: &Shared, keep_from: u64) -> Result<bool, Fault> {
        let Some(kept) = self.kept.take().filter(|kept| kept.is_about(&shared.stream)) else {
            // The next look at the stream reads it.
            return Ok(false);
        };
        let written = Kept::write(&shared.api, &shared.names, &shared.stream, Some(&kept), keep_from).await?;
        self.kept = Some(written);
        self.known = self.known.max(keep_from);
        Ok(true)
    }
}
