//! The integration tests: one crate, a module a behaviour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod behind;
mod browser;
mod check_journal;
mod cli;
mod contract;
mod durable;
mod failing;
mod fold;
mod guard;
mod harness;
mod hostile;
mod http;
mod invented;
mod journal;
mod logs;
mod metrics;
mod mistakes;
mod player;
mod positions;
mod reconnect;
mod record;
mod replay;
mod report;
mod scenario;
mod serve;
mod sse;
mod stream;
mod survive;
mod tidy;
mod timeline;
mod torn;
mod trigger;
mod validate;
mod watch;
