//! The world: what can be seen of a drill from outside, by whoever has to find out what is wrong. Pure: a plan that has begun,
//! and a time, give the symptoms.
//!
//! The stream of events has the beliefs, the cause and the course: it is the truth. The world has none of that.

mod alerts;
pub mod export;
pub mod openmetrics;
mod tempo;

pub use alerts::{Alert, Alerts, Labels};
pub use tempo::Tempo;
