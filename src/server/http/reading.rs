//! Reading the events of one incident for a request. Those of an incident that has long been open are spread over much of the journal:
//! then the work is done in slices, between which others have their turn, and ends once the client is gone.

use tokio::time::sleep;

use super::problem::Problem;
use super::quota::{LOOK, Quota, Work};
use crate::journal::{ReadLimit, Stored};
use crate::server::door::ConnectionInfo;
use crate::server::turns::Turn;

/// What is read in one turn, exceeded by less than a page.
const SLICE: ReadLimit = ReadLimit { events: 10_000, bytes: 8 * 1024 * 1024 };

/// The work of one request.
pub(super) struct Reading<'a> {
    quota: &'a Quota,
    work: Work,
    info: &'a ConnectionInfo,
    turn: Option<Turn>,
    /// Of long work only.
    lane: Option<Turn>,
    left: ReadLimit,
}

impl<'a> Reading<'a> {
    /// The work of a request that has its turn.
    pub(super) fn new(quota: &'a Quota, work: Work, info: &'a ConnectionInfo, turn: Turn) -> Self {
        Self { quota, work, info, turn: Some(turn), lane: None, left: SLICE }
    }

    /// Before so many events are read, whichever incidents they belong to. If they are many, waits until the client may have that done.
    ///
    /// # Errors
    /// Too much of that waits already, or the client is gone.
    pub(super) async fn begin(&mut self, events: u64) -> Result<(), Problem> {
        if self.stand_aside(events).await? { self.next_turn().await } else { Ok(()) }
    }

    /// The same for work that is not done in slices: if it is long it has no turn, so that it keeps nobody from one. Returns whether
    /// it is.
    ///
    /// # Errors
    /// As [`Reading::begin`].
    pub(super) async fn stand_aside(&mut self, events: u64) -> Result<bool, Problem> {
        if events <= SLICE.events as u64 {
            return Ok(false);
        }
        // Who waits for a lane keeps nobody from a turn.
        self.turn = None;
        self.info.watch();
        let gone = async {
            while !self.info.is_closed() {
                sleep(LOOK).await;
            }
        };
        let lane = tokio::select! {
            lane = self.quota.lane(self.work, self.info.peer()) => lane?,
            () = gone => return Err(closed()),
        };
        self.lane = Some(lane);
        Ok(true)
    }

    /// Who has a lane has waited already, and keeps waiting as long as the client does: there are few of them.
    async fn next_turn(&mut self) -> Result<(), Problem> {
        loop {
            if self.info.is_closed() {
                return Err(closed());
            }
            if let Ok(turn) = self.quota.turn(self.work, self.info.peer()).await {
                self.turn = Some(turn);
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    /// After a page was read. Long work waits for its next turn at the end of a slice.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn has_read(&mut self, page: &[Stored]) -> Result<(), Problem> {
        let bytes = page.iter().map(|event| event.data.get().len()).sum();
        self.left.events = self.left.events.saturating_sub(page.len());
        self.left.bytes = self.left.bytes.saturating_sub(bytes);
        if self.lane.is_none() || self.left.events > 0 && self.left.bytes > 0 {
            return Ok(());
        }
        self.left = SLICE;
        self.turn = None;
        // The connection looks after its client when this task gives way, which a journal in memory does not make it do.
        tokio::task::yield_now().await;
        self.next_turn().await
    }

    /// Whether it is long work.
    pub(super) fn is_long(&self) -> bool {
        self.lane.is_some()
    }

    /// What is to be kept until the work is done.
    pub(super) fn held(self) -> (Option<Turn>, Option<Turn>) {
        (self.turn, self.lane)
    }
}

/// Mostly nobody reads it. A client that has closed its side alone does.
fn closed() -> Problem {
    Problem::bad_request(
        "the client has closed its side of the connection, as one that is gone does: an answer for which much of the journal is read is made \
         only as long as the connection is open",
    )
}
