//! What a server reports about itself as metrics for Prometheus.
//!
//! A leaf: it knows numbers and label names and nothing of what is counted, so every other module may use it. Each
//! server has its own [`Metrics`] and there is no global state: two servers in one process count separately.

mod cluster;
mod family;
mod hooks;
mod process;
mod refusal;
mod registry;
mod sinks;
mod snapshot;
mod tally;
mod transport;

pub use cluster::Cluster;
pub use hooks::HookCounts;
pub use refusal::Refusal;
pub use registry::{CONTENT_TYPE, Metrics};
pub use sinks::SinkCounts;
pub use snapshot::Snapshot;
pub use tally::Tally;
pub use transport::{ByTransport, Transport};
