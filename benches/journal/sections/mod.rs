//! One module a thing to measure.

pub(crate) mod append;
pub(crate) mod growth;
pub(crate) mod latency;
pub(crate) mod memory;
pub(crate) mod replay;
pub(crate) mod retention;
pub(crate) mod start;
