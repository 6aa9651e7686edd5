//! The streams of a journal on NATS for a command that does not serve it: it waits for each answer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

use super::super::open_error::OpenError;
use super::api::{Api, Fault};
use super::location::Location;
use super::names::Names;
use super::{open, post};

/// Longer than a server that has the lease waits until it writes it again.
const RENEWED: Duration = Duration::from_millis(1_500);

/// A connection to the NATS servers.
pub(super) struct Link {
    runtime: Runtime,
    pub(super) api: Api,
    pub(super) names: Names,
    pub(super) location: Location,
    /// Where it is, for messages.
    pub(super) shown: PathBuf,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// The location is wrong, or the servers can't be reached or are too old.
    pub(super) fn open(location: &Path) -> Result<Self, OpenError> {
        let mut read = Location::parse(location).map_err(|why| OpenError::unusable(location, why))?;
        // Whoever wants a stream creates it.
        read.create = false;
        let shown = PathBuf::from(read.described());
        let unusable = |why: String| OpenError::unusable(&shown, why);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| unusable(error.to_string()))?;
        let api = runtime.block_on(open::reach(&read)).map_err(unusable)?;
        let names = Names::of(&read.stream);
        Ok(Self { runtime, api, names, location: read, shown })
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(super) fn unusable(&self, fault: &Fault) -> OpenError {
        OpenError::unusable(&self.shown, fault.to_string())
    }

    /// The runtime, for work that also changes what has the link.
    pub(super) fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }

    /// What holds the lease and renews it.
    pub(super) fn holder(&self) -> Result<Option<String>, OpenError> {
        let looked = self.wait(async {
            let before = post::read(&self.api, &self.names).await?;
            tokio::time::sleep(RENEWED).await;
            Ok::<_, Fault>((before, post::read(&self.api, &self.names).await?))
        });
        let (before, after) = looked.map_err(|fault| self.unusable(&fault))?;
        let seen = before.map_or(0, |post| post.revision);
        let held = after.filter(|post| post.node != 0 && !post.is_damaged && post.revision > seen);
        Ok(held.map(|post| format!("a server that has the lease with term {}", post.term)))
    }
}
