//! The way in for events from outside: what publishers send becomes events of the contract, or is refused with reasons.
//!
//! Pure: no sockets and no journal. A publisher sends `CloudEvents` ([`read`]), each of which becomes an [`Incoming`]. What can
//! be judged by the event alone is judged by [`Checker`], which makes it [`Sound`], what depends on its incident by [`Incident`], which also makes
//! the payload as it is stored. Every refusal has a [`Kind`], listed in one table, and [`Fault`]s that say where.

mod body;
mod check;
mod digest;
mod fault;
mod incident;
mod incoming;
mod kind;
mod remembered;
mod sound;
mod values;

pub use body::{Format, MAX_BODY_BYTES, MAX_EVENTS, read};
pub use check::Checker;
pub use fault::{Fault, MAX_FAULTS, Refused};
pub use incident::Incident;
pub use incoming::Incoming;
pub use kind::Kind;
pub use remembered::Remembered;
pub use sound::Sound;
