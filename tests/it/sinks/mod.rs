//! Alerts of drills, out: the file with sinks, what is posted when, the door for clients, and `trigger --alerts-to`.

mod clocks;
mod door;
mod fake;
mod file;
mod outbox;
mod real;
mod server;
#[cfg(feature = "nats")]
mod shared;
mod survive;
mod tls;
mod trigger;
