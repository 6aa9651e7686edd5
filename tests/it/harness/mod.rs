//! What the tests are written with: servers, clients and scenarios that read as a specification.

mod alertmanager;
mod clocks;
mod command;
mod events;
mod files;
mod gated;
mod http;
mod local;
#[cfg(feature = "nats")]
pub mod machines;
#[cfg(feature = "nats")]
pub mod mute;
#[cfg(feature = "nats")]
pub mod nats;
mod numbers;
#[cfg(feature = "nats")]
pub mod ports;
mod proxy;
mod raw;
mod sse;
mod terminal;
mod timeline;
#[cfg(feature = "nats")]
pub mod trio;
mod websocket;

use std::time::Duration;

pub use alertmanager::Alertmanager;
pub use clocks::Clocks;
pub use command::{Ran, Run, Running, Serving, incident};
pub use events::{action, envelope, metrics, resolved, started, story};
pub use files::{Scratch, ensure_file_contents, fixture, fixtures, root};
pub use gated::Gated;
pub use http::{Http, Reply, get};
pub use local::{Local, READ, WRITE, library, options, tokens};
pub use numbers::Numbers;
pub use proxy::Proxy;
pub use raw::{Raw, masked, unmasked};
pub use sse::{Block, Sse, request};
pub use terminal::Terminal;
pub use timeline::{Timeline, encode};
pub use websocket::{Client, Event};

/// Nothing that a test waits for takes this long: the bound that makes a lost event a failure, not a hang.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits for something that has to happen.
pub async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    let bounded = tokio::time::timeout(PATIENCE, happens).await;
    bounded.unwrap_or_else(|_| panic!("waited {} s in vain for {what}", PATIENCE.as_secs()))
}
