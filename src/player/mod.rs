//! The player: appends the events of plans to the journal, each when it is due. It knows nothing of sockets.
//!
//! The journal grants a lease to one player, and the player continues open incidents only while it holds the lease.
//! Starting and cancelling an incident need no lease: the journal accepts only the first start under a name and only
//! the first end of an incident, no matter which server appends them.
//!
//! If several processes have the journal open, the one that has the lease plays what all of them start (`lead.rs`).
//!
//! Invariants:
//! - an event is appended when it is due, or as soon as possible afterwards, and never twice;
//! - deadlines count from the incident's start, so delays do not add up;
//! - a player that has lost its lease appends nothing more;
//! - what can't be played to its end is refused before it begins, or ended as cancelled.
//!
//! ```
//! use incident::contract::StreamId;
//! use incident::journal::{Journal, Memory, Retention};
//! use incident::player::{Player, Speed};
//! use incident::scenario::Library;
//! use tokio_util::{sync::CancellationToken, task::TaskTracker};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
//! let player = Player::new(journal.clone(), TaskTracker::new(), CancellationToken::new(), Default::default());
//! let library = Library::shipped().map_err(|mut errors| errors.remove(0))?;
//! let plan = library.get("database-outage").ok_or("it is shipped")?.compile(42)?;
//!
//! let started = player.start(plan, Speed::REAL_TIME).await?;
//! assert_eq!((started.position, player.open()), (1, 1));
//! let cancelled = player.cancel(&started.id).await?.ok_or("it is open")?;
//! assert!(cancelled.cancelled_now);
//! assert_eq!(journal.extent().head, cancelled.position);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod add;
mod begin;
mod cancel;
mod context;
mod continuation;
mod control;
mod course;
mod elapsed;
mod error;
mod lead;
mod name;
mod origin;
mod pace;
mod playable;
mod replay;
mod replayed;
mod replaying;
mod run;
mod running;
mod score;
mod speed;

pub use add::{Adding, Addition, NotAdded};
pub use begin::Started;
pub use cancel::Cancellation;
pub use control::Player;
pub use error::{AddError, MAX_OPEN, MAX_PLAN_BYTES, PlayError};
pub use replay::{AllBegun, Replay, ReplayError};
pub use speed::{Speed, SpeedError};
