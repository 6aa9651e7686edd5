//! What the tasks of one journal share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::super::ages::Ages;
use super::super::clock::Clock;
use super::super::lease::Term;
use super::super::log::{Extent, Retention};
use super::super::recent::Recent;
use super::api::Api;
use super::asked::Asked;
use super::figures::Figures;
use super::fold::Fold;
use super::location::Location;
use super::names::Names;
use super::vitals::Vitals;
use crate::contract::StreamId;

/// The state of one open journal.
#[derive(Debug)]
pub(super) struct Shared {
    /// This process, among all that write.
    pub(super) node: u64,
    pub(super) location: Location,
    pub(super) names: Names,
    pub(super) api: Api,
    pub(super) stream: StreamId,
    pub(super) retention: Retention,
    /// Locked for short sections, never across an await.
    pub(super) fold: Mutex<Fold>,
    pub(super) ages: Mutex<Ages>,
    pub(super) recent: Recent,
    pub(super) extent: watch::Sender<Extent>,
    pub(super) vitals: Vitals,
    pub(super) newest_term: watch::Sender<Term>,
    /// Whether this process drops old events and the like: it holds the lease, or nobody does.
    pub(super) is_in_charge: AtomicBool,
    pub(super) clock: Arc<Clock>,
    pub(super) commits: AtomicU64,
    pub(super) figures: Figures,
    /// Position of the newest checkpoint that this process knows of.
    pub(super) checkpoint: AtomicU64,
    /// There may be something new in the stream.
    pub(super) wake: Notify,
    /// What everybody waits for who names something that was not read.
    pub(super) asked: Asked,
    /// Locked for reading while an append is on its way or is being read back, for writing to grant the lease.
    pub(super) committing: Arc<tokio::sync::RwLock<()>>,
}

impl Shared {
    pub(super) fn head(&self) -> u64 {
        self.extent.borrow().head
    }

    /// Shows what the fold has.
    pub(super) fn show(&self, fold: &Fold) {
        let extent = Extent { oldest: fold.oldest(), head: fold.head };
        self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent);
    }
}
