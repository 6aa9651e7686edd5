//! The engine that keeps events on disk: SQLite in WAL mode, every commit synchronous.
//!
//! One thread writes; all waiting appends become one transaction (group commit). Readers have their own connections.
//! SQLite alone does not notice a flipped byte in a row or a lost end of its WAL. Therefore every row has a checksum
//! chained to the row before (`chain.rs`), and a small file beside the database records the last commit (`witness.rs`).
//! `judge.rs` says whether a file is as it was left. A running writer watches that its files stay so (`files.rs`), and
//! `running.rs` tells a copy without its write-ahead log. A thread of its own (`watchdog.rs`) notices that the writer
//! hangs.

mod audit;
mod backup;
mod chain;
mod commit;
mod condition;
mod ended;
mod engine;
mod error;
mod events;
mod export;
mod files;
mod head;
mod hold;
mod identity;
mod import;
mod incidents;
mod interrupt;
mod judge;
mod keys;
mod lock;
mod open;
mod others;
mod place;
mod private;
mod readers;
mod reads;
mod replaced;
mod rescue;
mod retain;
mod room;
mod running;
mod salvage;
mod schema;
mod source;
mod strangers;
mod target;
mod times;
mod upkeep;
mod wal;
mod walk;
mod watchdog;
mod witness;
mod writer;

pub use audit::{Audit, audit};
pub use backup::backup;
pub(super) use engine::CHOICE;
pub use engine::Sqlite;
pub(super) use export::FileExport;
pub(super) use import::FileImport;
pub use judge::Checked;
pub use salvage::{Copied, salvage};
