//! What `/ws` and `/events` share: the state behind them, their query, and who is let in.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;

use super::problem::Problem;
use super::query::{Pairs, Parameter};
use crate::connection::Shards;
use crate::hub::{After, Hub};
use crate::metrics::Refusal;
use crate::server::client_limit::ClientLimit;
use crate::server::lifecycle::Lifecycle;

/// What serving a stream needs.
pub(in crate::server) struct Streams {
    pub(in crate::server) hub: Arc<Hub>,
    /// The threads that serve both.
    pub(in crate::server) shards: Arc<Shards>,
    pub(in crate::server) limit: Arc<ClientLimit>,
    pub(in crate::server) lifecycle: Arc<Lifecycle>,
}

impl Streams {
    /// A slot for a new client.
    pub(super) fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if self.lifecycle.is_draining() {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
                .with_header(header::RETRY_AFTER, "1")
                .because(Refusal::Stopping));
        }
        self.limit.slot().ok_or_else(|| {
            let detail = format!("the server has reached its limit of {} clients", self.limit.most());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .with_header(header::RETRY_AFTER, "5")
                .because(Refusal::Full)
        })
    }
}

/// The position to resume after, in the query of `/ws` and `/events`.
const AFTER: Parameter = Parameter {
    name: "after",
    is: "a position STREAM/N with N below 2^53, as in 01J9ZC3V7Q4M2XKD/17, or 0 for every event that is kept",
};

/// The position to resume after, if there is one.
pub(super) fn resumed(query: Pairs) -> Result<Option<After>, Problem> {
    let after = AFTER.read(query, |text| text.parse().ok());
    after.map_err(|detail| Problem::bad_request(detail).because(Refusal::Position))
}
