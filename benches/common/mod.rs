//! What the benchmarks share.
#![allow(dead_code, reason = "each of them uses a part")]

pub(crate) mod comparison;
pub(crate) mod events;
pub(crate) mod message;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod publisher;
pub(crate) mod real;
pub(crate) mod report;
pub(crate) mod slope;
pub(crate) mod ws;
