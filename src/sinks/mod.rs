//! Sinks: Alertmanagers to which the alerts of drills go, so that what people already run sees a drill.
//!
//! An [`Outbox`] knows what has to be posted when; it is pure. A [`Courier`] posts it to one Alertmanager and tries again
//! while that fails. Nobody waits for a courier: what it has not posted yet is the difference between what fires and what was
//! told, so it needs no queue, and nothing piles up.

mod alertmanager;
mod courier;
mod described;
mod outbox;
mod read;
mod shown;

pub use alertmanager::body;
pub use courier::{Courier, Now, Posted, Target, Witness};
pub use described::{Credentials, Kind, SINK_KEYS, Sink};
pub use outbox::{AGAIN, ALIVE, Due, Outbox};
pub use read::{is_value, read, url};
pub use shown::Shown;
