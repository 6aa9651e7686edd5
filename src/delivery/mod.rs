//! What the WebSocket and the Server-Sent Events transport share: the lease that lets a client stay, and why it left.

mod end;
mod lease;

pub use end::{End, EndLog};
pub use lease::Lease;
