//! Messages as the lines of an event stream (WHATWG HTML, 9.2.5): fields, and an empty line behind each message.

use std::fmt::{self, Display};
use std::io::Write;
use std::time::Duration;

use crate::contract::Position;
use crate::hub::Frame;

/// Sets how long the client waits before it reconnects, and the position that it sends if the connection is lost before
/// the first event. Without data these lines are not an event.
pub(super) fn preface(out: &mut Vec<u8>, position: &Position, retry: Duration) {
    add(out, format_args!("retry: {}\nid: {position}\n\n", retry.as_millis()));
}

/// A message. Without a position the client keeps the last one it had.
pub(super) fn message(out: &mut Vec<u8>, position: Option<&Position>, frame: &Frame) {
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

/// A line that clients ignore.
pub(super) fn comment(out: &mut Vec<u8>, text: &impl Display) {
    add(out, format_args!(": {text}\n\n"));
}

/// Writing to a buffer in memory can't fail.
fn add(out: &mut Vec<u8>, piece: fmt::Arguments<'_>) {
    let _ = out.write_fmt(piece);
}
