//! Recordings: files with the events of a stream, one per line, which are read into plans and played again.
//!
//! A recording is what `incident watch --record FILE` writes. Every incident in it becomes a
//! [`Plan`](crate::plan::Plan) with the recorded payloads and intervals.

mod error;
mod incident;
mod line;
mod lines;
mod read;
mod reader;
mod recorded;
mod text;
mod timing;

pub use error::RecordingError;
pub use read::read_text;
pub use recorded::{Recorded, Recording};
pub use text::TextLines;
