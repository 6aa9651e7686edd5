//! A plan against a clock, appended to the journal. Knows nothing of sockets.
//!
//! Who plays is a lease of the journal: the player plays what is open for as long as it holds it. Starting and
//! cancelling an incident need no lease, only the journal: it takes the first start of a name and the first end of an
//! incident, whoever appends them.

mod begin;
mod cancel;
mod context;
mod control;
mod error;

mod name;
mod origin;
mod replay;
mod replaying;
mod run;
mod running;
mod speed;

pub use begin::Started;
pub use cancel::Ended;
pub use control::Player;
pub use error::{MAX_OPEN, PlayError};
pub use replay::{Replay, ReplayError};
pub use speed::{Speed, SpeedError};
