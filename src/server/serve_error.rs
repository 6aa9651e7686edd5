//! Why a server does not start.

use std::net::SocketAddr;

use crate::journal::JournalError;
use crate::json_schema::SchemaError;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Other machines reach the address, and neither tokens nor [`Options::allow_remote`](super::Options::allow_remote) were given.
    #[error("other machines can reach {0}, and without tokens each of them can start incidents")]
    Remote(SocketAddr),
    /// The address can't be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system allows so few open files that no client would ever be let in.
    #[error("only {allowed} open files are allowed, and the server needs at least {needed}")]
    Files {
        /// What the system allows.
        allowed: u64,
        /// What one client and a few requests need.
        needed: u64,
    },
    /// The journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The contract's schemas can't be compiled, which a test excludes.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The operating system gives no further threads or descriptors.
    #[error("cannot start the threads that serve clients")]
    Clients(#[from] std::io::Error),
}
