//! Comparing two versions of a JSON Schema: what changed, and whether it breaks readers or writers of the old version.
//!
//! Readers read messages of the new version with code for the old one: what the old version promised must still hold.
//! Unknown fields and unknown messages do not disturb them. Writers write messages of the old version to a program of the
//! new one: what the old version allowed must still be allowed.
//!
//! ```
//! use incident::json_schema::compare::{Breaks, compare};
//! use serde_json::json;
//!
//! let old = json!({ "properties": { "status": { "enum": ["ok", "failed"] } } });
//! let new = json!({ "properties": { "status": { "enum": ["ok", "failed", "skipped"] } } });
//! let changes = compare(&old, &new);
//! assert_eq!((changes.len(), changes[0].breaks), (1, Breaks::Readers));
//! assert_eq!(changes[0].text, "`status` may now also be \"skipped\"");
//! ```

mod alternatives;
mod change;
mod fields;
mod keywords;
mod limits;
mod report;
mod shape;
mod values;
mod walk;

use serde_json::Value;

pub use change::{Breaks, Change};

/// Every difference between two versions of a schema, in the order of the old one.
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    walk::walk(old, new)
}
