//! What every shard of a server works with.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::connection::settings::Settings;
use crate::delivery::EndLog;
use crate::hub::Hub;
use crate::metrics::ByTransport;

/// Shared by all shards.
#[derive(Clone)]
pub(in crate::connection) struct ShardContext {
    pub(in crate::connection) hub: Arc<Hub>,
    pub(in crate::connection) ends: Arc<ByTransport<EndLog>>,
    pub(in crate::connection) settings: Settings,
    /// Where pages are read.
    pub(in crate::connection) runtime: Handle,
}
