//! The engine that survives: SQLite in WAL mode, every commit synchronous.
//!
//! One thread writes; all appends that wait become one transaction (group commit). Readers have connections of
//! their own. SQLite alone does not notice a flipped byte in a row or a lost tail of its WAL: every row carries a
//! checksum chained to the one before ([`chain`]), and a small file beside the database remembers the last commit
//! ([`witness`]).

mod audit;
mod chain;
mod commit;
mod engine;
mod events;
mod head;
mod incidents;
mod keys;
mod lock;
mod readers;
mod recent;
mod retain;
mod salvage;
mod schema;
mod trouble;
mod walk;
mod witness;
mod writer;

pub use audit::{Audit, Checked, audit};
pub use engine::Sqlite;
pub use salvage::{Salvaged, salvage};
pub use trouble::OpenError;
