//! The handle of a journal: the parts of an engine side by side, as callers hold them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::clock::{Clock, Times};
use super::error::Trouble;
use super::lease::Lease;
use super::log::{
    Append, Extent, Health, IncidentIndex, Leases, Log, Note, OpenIncident, Pending, ReadLimit, Register,
    Shelf, Span,
};
use super::record::{Appended, Batch, KeyedEvent, Stored};
use crate::contract::StreamId;
use crate::metrics::Cluster;

/// Everything that an engine implements.
pub trait Engine: Append + Log + IncidentIndex + Health + Leases + Register {}

impl<T: Append + Log + IncidentIndex + Health + Leases + Register> Engine for T {}

/// A handle of a journal: an engine, possibly with one part replaced by a wrapper. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    appends: Arc<dyn Append>,
    log: Arc<dyn Log>,
    incidents: Arc<dyn IncidentIndex>,
    health: Arc<dyn Health>,
    leases: Arc<dyn Leases>,
    register: Arc<dyn Register>,
}

impl<E: Engine> From<Arc<E>> for Journal {
    fn from(engine: Arc<E>) -> Self {
        Self {
            appends: Arc::clone(&engine) as Arc<dyn Append>,
            log: Arc::clone(&engine) as Arc<dyn Log>,
            incidents: Arc::clone(&engine) as Arc<dyn IncidentIndex>,
            health: Arc::clone(&engine) as Arc<dyn Health>,
            leases: Arc::clone(&engine) as Arc<dyn Leases>,
            register: engine,
        }
    }
}

impl Journal {
    /// A journal whose parts all come from one engine.
    pub fn new(engine: impl Engine) -> Self {
        Arc::new(engine).into()
    }

    /// The same journal with its appending part wrapped: by a wrapper that measures appends, or by one that makes them
    /// fail in a test.
    #[must_use]
    pub fn wrap_appends<A: Append>(mut self, wrap: impl FnOnce(Arc<dyn Append>) -> A) -> Self {
        self.appends = Arc::new(wrap(self.appends));
        self
    }

    /// The same journal, shared with other processes by what keeps their notes.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn shared_by<R: Register + Leases>(mut self, register: Arc<R>) -> Self {
        self.leases = Arc::clone(&register) as Arc<dyn Leases>;
        self.register = register;
        self
    }

    /// See [`Append::append`].
    pub fn append(&self, batch: impl Into<Batch>) -> Pending<'_, Vec<Appended>> {
        self.appends.append(batch.into())
    }

    /// See [`Log::stream`].
    pub fn stream(&self) -> &StreamId {
        self.log.stream()
    }

    /// See [`Log::read`].
    pub fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>> {
        self.log.read(after, limit)
    }

    /// See [`Log::extent`].
    pub fn extent(&self) -> Extent {
        self.log.extent()
    }

    /// See [`Log::has`].
    pub fn has(&self, position: u64) -> Pending<'_, bool> {
        self.log.has(position)
    }

    /// See [`Log::catch_up`].
    pub fn catch_up(&self) -> Pending<'_, ()> {
        self.log.catch_up()
    }

    /// See [`Log::follow`].
    pub fn follow(&self) -> watch::Receiver<Extent> {
        self.log.follow()
    }

    /// See [`IncidentIndex::open_incidents`].
    pub fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        self.incidents.open_incidents()
    }

    /// See [`IncidentIndex::open_without_plan`].
    pub fn open_without_plan(&self) -> Pending<'_, Vec<Span>> {
        self.incidents.open_without_plan()
    }

    /// See [`IncidentIndex::incidents`].
    pub fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.incidents.incidents(limit)
    }

    /// See [`IncidentIndex::incident`].
    pub fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        self.incidents.incident(subject)
    }

    /// See [`IncidentIndex::is_taken`].
    pub fn is_taken(&self, subject: &str) -> Pending<'_, bool> {
        self.incidents.is_taken(subject)
    }

    /// See [`IncidentIndex::times`].
    pub fn times(&self) -> Times {
        self.incidents.times()
    }

    /// See [`IncidentIndex::ahead_in`].
    pub fn ahead_in(&self, subject: &str) -> Duration {
        self.incidents.ahead_in(subject)
    }

    /// See [`IncidentIndex::plan`].
    pub fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>> {
        self.incidents.plan(subject)
    }

    /// See [`IncidentIndex::keyed`].
    pub fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>> {
        self.incidents.keyed(names)
    }

    /// See [`Health::health`].
    pub fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.health.health()
    }

    /// See [`Health::unreadable`].
    pub fn unreadable(&self) -> Option<Trouble> {
        self.health.unreadable()
    }

    /// See [`Health::commits`].
    pub fn commits(&self) -> u64 {
        self.health.commits()
    }

    /// See [`Health::clock`].
    pub fn clock(&self) -> &Clock {
        self.health.clock()
    }

    /// See [`Health::log_bytes`].
    pub fn log_bytes(&self) -> u64 {
        self.health.log_bytes()
    }

    /// See [`Health::cluster`].
    pub fn cluster(&self) -> Option<Cluster> {
        self.health.cluster()
    }

    /// See [`Health::warning`].
    pub fn warning(&self) -> Option<String> {
        self.health.warning()
    }

    /// See [`Leases::lease`].
    pub fn lease(&self) -> Pending<'_, Lease> {
        self.leases.lease()
    }

    /// See [`Leases::is_held`].
    pub fn is_held<'a>(&'a self, lease: &'a Lease) -> Pending<'a, bool> {
        self.leases.is_held(lease)
    }

    /// See [`Leases::is_shared`].
    pub fn is_shared(&self) -> bool {
        self.leases.is_shared()
    }
}

impl Journal {
    /// See [`Register::shelf`].
    pub fn shelf(&self) -> Pending<'_, Shelf> {
        self.register.shelf()
    }

    /// See [`Register::notes`].
    pub fn notes(&self, after: u64) -> Pending<'_, Vec<Note>> {
        self.register.notes(after)
    }

    /// See [`Register::note`].
    pub fn note(&self, name: &str, text: Option<String>, over: Option<u64>) -> Pending<'_, Option<u64>> {
        self.register.note(name, text, over)
    }

    /// See [`Register::forget_note`].
    pub fn forget_note(&self, name: &str) -> Pending<'_, ()> {
        self.register.forget_note(name)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("stream", self.stream()).finish_non_exhaustive()
    }
}
