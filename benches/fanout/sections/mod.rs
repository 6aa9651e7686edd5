//! One module a thing to measure.

pub(crate) mod cores;
pub(crate) mod events;
pub(crate) mod fanout;
pub(crate) mod faults;
pub(crate) mod growth;
pub(crate) mod idle;
pub(crate) mod incidents;
pub(crate) mod peers;
pub(crate) mod ready;
pub(crate) mod storm;
