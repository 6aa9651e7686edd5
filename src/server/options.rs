//! How a server is to serve.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::base_path::BasePath;
use super::hooks::HookSetup;
use super::origin::Origin;
use super::peers::Peer;
use super::sinks::SinkSetup;
use crate::connection::Settings;
use crate::player::Speed;
use crate::token::{Scope, Token};

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes any free port.
    pub bind: SocketAddr,
    /// Listen on an address that other machines reach although no token is required.
    pub allow_remote: bool,
    /// The tokens that requests need. Without any, every request may do everything.
    pub tokens: Vec<(Scope, Token)>,
    /// Origins besides the server's own whose pages may connect and trigger.
    pub allow_origins: Vec<Origin>,
    /// The pages of the servers with the same stream, to which a page goes on when its server is away. Their origins may connect,
    /// trigger and read.
    pub peers: Vec<Peer>,
    /// The path below which a proxy publishes the server. Requests may have it in front of their path or not.
    pub base_path: BasePath,
    /// Believe the `X-Forwarded-Prefix` of requests, instead of [`Options::base_path`], where links are made.
    pub allow_forwarded_prefix: bool,
    /// Speed of triggers that name none.
    pub speed: Speed,
    /// Seed of triggers that name none, instead of each scenario's own.
    pub seed: Option<u64>,
    /// Time between two heartbeats.
    pub heartbeat: Duration,
    /// How long a full socket may take nothing before its client is disconnected.
    pub write_deadline: Duration,
    /// The longest that stopping may take.
    pub drain: Duration,
    /// The most clients of the stream at the same time. If the system allows too few open files for this and the next two, a
    /// server takes less of each.
    pub max_clients: u32,
    /// The most connections that wait for a request at the same time: a new one evicts the one that is silent longest,
    /// of the network that has the most.
    pub max_waiting: usize,
    /// The most other connections besides clients at the same time: those of which a request is served. Each client and each
    /// connection takes a descriptor.
    pub max_served: usize,
    /// New connections a second from one address.
    pub admit_rate: u32,
    /// The threads that serve the clients of the stream; `None`: one for each core that the process may use.
    pub threads: Option<NonZeroUsize>,
    /// How long the head of a request may take, and how long a connection may be silent between two requests.
    pub request_deadline: Duration,
    /// The largest head of a request.
    pub header_bytes: usize,
    /// The largest message that a client may send over its WebSocket.
    pub message_bytes: usize,
    /// How many messages a second a client may send over its WebSocket.
    pub message_rate: u32,
    /// How many events a second each token may publish; four times as many in a burst.
    pub publish_rate: u32,
    /// Speak TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The receivers of other programs' alerts; `None`: without their paths.
    pub receivers: Option<Vec<HookSetup>>,
    /// Where the alerts of drills are posted; `None`: nowhere.
    pub sinks: Option<Vec<SinkSetup>>,
    /// Serve the dashboard from this folder instead of the built-in one.
    pub dashboard: Option<PathBuf>,
}

impl Options {
    /// How many threads serve the clients of the stream.
    pub(super) fn client_threads(&self) -> usize {
        self.threads.map_or_else(cores, usize::from)
    }

    /// Those of them that are about WebSocket connections.
    pub(super) fn connection(&self) -> Settings {
        Settings {
            write_deadline: self.write_deadline,
            message_bytes: self.message_bytes,
            message_rate: self.message_rate,
        }
    }
}

/// The cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Default for Options {
    fn default() -> Self {
        let Settings { write_deadline, message_bytes, message_rate } = Settings::default();
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            allow_remote: false,
            tokens: Vec::new(),
            allow_origins: Vec::new(),
            peers: Vec::new(),
            base_path: BasePath::default(),
            allow_forwarded_prefix: false,
            speed: Speed::REAL_TIME,
            seed: None,
            heartbeat: Duration::from_secs(5),
            write_deadline,
            drain: Duration::from_secs(10),
            max_clients: 10_000,
            max_waiting: 1_024,
            max_served: 896,
            admit_rate: 1_000,
            threads: None,
            request_deadline: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            message_bytes,
            message_rate,
            publish_rate: 500,
            tls: None,
            receivers: None,
            sinks: None,
            dashboard: None,
        }
    }
}
