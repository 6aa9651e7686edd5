//! The server: composition, start and drain above three parts.
//!
//! ```text
//! run -> routes -> access (guard, tokens, sessions) -> http (handlers) -> door (listening, TLS, sockets)
//! ```
//!
//! `access` is a layer of requests in front of the handlers, and answers with the problems of `http`. Every part may use
//! the small files beside them: `lifecycle`, `client_limit`, `refusals`, `rate`, `turns`, `parts`, `control`, `base_path`, `origin`, `peers`, `away`. No task is spawned below this
//! module that the server does not wait for when it stops.

mod access;
mod away;
mod base_path;
mod bodies;
mod client_limit;
mod control;
mod door;
mod encoding;
mod hooks;
mod http;
mod lifecycle;
mod measured;
mod options;
mod origin;
mod parts;
mod peers;
mod publish;
mod rate;
mod refusals;
mod routes;
mod run;
mod serve_error;
mod shares;
mod sinks;
mod state;
mod turns;

pub use access::{Auth, Replaced};
pub use base_path::{BasePath, BasePathError};
pub use control::TriggerError;
pub use door::{Identity, Pem, TlsError};
pub use hooks::{HookSetup, Hooks, Secrets};
pub use options::Options;
pub use origin::{Origin, OriginError};
pub use peers::{Peer, PeerError};
pub use run::Server;
pub use serve_error::ServeError;
pub use sinks::{SinkSetup, Sinks};
