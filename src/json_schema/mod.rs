//! JSON Schema: compiling schemas, and saying in one plain sentence why a value does not match one.
//!
//! This module is the only one that knows the crate `boon`.
//!
//! ```
//! use incident::json_schema::Schema;
//! use serde_json::json;
//!
//! let schema = Schema::compile(&json!({ "properties": { "status": { "enum": ["ok", "failed"] } } }))?;
//! assert_eq!(schema.mismatch(&json!({ "status": "ok" })), None);
//! let mismatch = schema.mismatch(&json!({ "status": "done" })).unwrap();
//! assert_eq!(mismatch.pointer, "/status");
//! assert_eq!(mismatch.text, "`status` is \"done\"; expected one of \"ok\", \"failed\"");
//! # Ok::<(), incident::json_schema::SchemaError>(())
//! ```

mod choose;
pub mod compare;
pub mod compared;
mod compile;
mod decimal;
pub mod exact;
mod explain;
mod fault;
mod formats;
mod group_names;
mod international;
mod leaf;
pub mod moved;
mod pattern;
mod pattern_class;
mod pattern_scan;
pub mod percent;
pub mod pointer;
pub mod positions;
mod read;
pub mod readings;
mod references;
pub mod rounded;
mod same;
mod sentence;
pub mod understood;
pub mod words;

pub use compile::{
    DeadReference, Draft, Schema, SchemaBuilder, SchemaError, SchemaId, SchemaSet, unknown_draft,
};
pub use explain::{Mismatch, closest};
pub use fault::Fault;
