//! Event streams (`text/event-stream`): the parser of the format, and a connection that follows one.

mod connection;
mod parser;

pub use connection::{EventStream, EventStreamItem};
pub use parser::{EventParser, Parsed, TooLarge};
