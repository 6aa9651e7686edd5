//! What is played: payloads as JSON text, and when each is due. A compiled scenario and a recorded incident become the
//! same thing here, and it is stored beside the journal's events for the player that picks the incident up.

mod fields;
mod so_far;
mod stored;

pub use so_far::SoFar;
pub use stored::{Event, Plan, as_drill};
