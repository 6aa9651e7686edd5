//! Messages as the lines of an event stream (WHATWG HTML, 9.2.5): fields, and an empty line behind each message.

use std::fmt::{self, Display};
use std::io::Write;
use std::time::Duration;

use crate::contract::Position;
use crate::hub::Frame;

/// Sets how long the client waits before it reconnects. The field counts without an empty line behind it: some clients
/// would take that for the end of an event.
pub(super) fn retry(out: &mut Vec<u8>, after: Duration) {
    add(out, format_args!("retry: {}\n", after.as_millis()));
}

/// A message. Without a position the client keeps the last one it had.
pub fn message(out: &mut Vec<u8>, position: Option<&Position>, frame: &Frame) {
    if let Some(position) = position {
        add(out, format_args!("id: {position}\n"));
    }
    add(out, format_args!("event: {}\n", frame.kind.as_str()));
    // JSON has line breaks only between tokens, where they mean nothing. The client joins the lines with `\n` again.
    for line in frame.text().split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// A line that clients ignore, between two events or behind the last one.
pub fn comment(out: &mut Vec<u8>, text: &impl Display) {
    add(out, format_args!(": {text}\n"));
}

/// Writing to a buffer in memory can't fail.
fn add(out: &mut Vec<u8>, piece: fmt::Arguments<'_>) {
    let _ = out.write_fmt(piece);
}
