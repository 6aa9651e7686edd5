//! Sinks on the server: what the journal says about drills goes to the couriers, and they post by themselves.

mod fleet;
mod follow;
mod notes;

pub use fleet::{SinkSetup, Sinks};
