//! Receivers: alerts of other programs become incidents.

mod any;
mod clocks;
mod command;
mod drills;
mod file;
mod fold;
pub mod lab;
mod pagerduty;
mod prometheus;
mod property;
mod races;
mod real;
mod regroup;
mod senders;
pub mod server;
#[cfg(feature = "nats")]
mod shared;
mod times;
mod webhooks;

pub use lab::{firing, group};
pub use server::{SECRET, setups};
