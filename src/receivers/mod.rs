//! Receivers: the webhooks of other programs, mapped to events of incidents. Pure: a delivery, what the journal says, and
//! the time make the events that are to be written.
//!
//! ```text
//! body -> Delivery -+
//!                   +-> decide -> drafts -> journal -> fold -> State
//! State, now -------+                                            |
//!     ^----------------------------------------------------------+
//! ```

mod alert;
mod body;
mod decide;
mod described;
mod events;
mod homes;
mod key;
mod keys;
mod pagerduty;
mod read;
mod since;
mod state;
mod text;
mod timers;
mod webhook;

pub use alert::{Alert, Delivery, Fault, Labels, Note, SOURCE, SYNTHETIC};
pub use decide::{Decision, Ignored, Overfull};
pub use described::{CostRule, Drills, Kind, Receiver, SeverityRule, Signature};
pub use events::Draft;
pub use keys::RECEIVER_KEYS;
pub use pagerduty::{Enqueued, change, event, routing_key};
pub use read::read;
pub use state::State;

/// Reads the body of a webhook of Alertmanager or Grafana.
///
/// # Errors
/// What is wrong, member by member.
pub fn delivery(kind: Kind, bytes: &[u8]) -> Result<Delivery, Vec<Fault>> {
    webhook::read(kind, bytes)
}
