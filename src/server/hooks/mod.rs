//! Receivers on the server: their paths, their secrets, and the desk that writes what comes of a delivery.

mod answers;
mod desk;
mod handlers;
mod records;
mod secrets;
mod seen;

pub use desk::{HookSetup, Hooks};
pub(super) use handlers::{alertmanager, grafana, nothing, pagerduty, pagerduty_change};
pub use secrets::Secrets;
