//! The asynchronous runtime of the commands that serve or connect.

use tokio::runtime::Runtime;

use super::exit::{Exit, Failure};

/// A runtime with one thread per core.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(Exit::Internal, error))
}
