//! Compiling a scenario and a seed to a plan: ordered events, each with the time at which it is due. Pure: no clock,
//! no I/O. The same file and the same seed give the same plan on every machine.

mod actions;
mod compile;
mod dice;
mod error;
mod jitter;
mod measures;
mod occurrences;
mod screen;

pub(super) use compile::compile;
pub use error::CompileError;
