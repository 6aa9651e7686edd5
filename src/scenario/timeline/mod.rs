//! The compiler: turns a scenario and a seed into a plan, whose events are ordered and have due times. It reads no
//! clock and no files: the same file and the same seed give the same plan on every machine.

mod actions;
mod branches;
mod budget;
mod compile;
mod dice;
mod error;
mod jitter;
mod measures;
mod outcomes;
mod schedule;
mod screen;
mod seeds;

pub(super) use branches::branches;
pub(super) use compile::{Compiled, compile};
pub use error::CompileError;
pub(super) use measures::{Curve, round_significant};
pub(super) use seeds::other_seeds;
