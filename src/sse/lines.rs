//! Messages as the lines of an event stream (WHATWG HTML, 9.2.5): fields, and an empty line behind each.

use std::fmt::{self, Display};
use std::io::Write;
use std::time::Duration;

use crate::contract::{Position, written_kind};
use crate::hub::text;

/// How long to wait before coming back, and with which position if nothing comes before the connection is lost. Without
/// data it is no event: it only sets both.
pub(super) fn preface(out: &mut Vec<u8>, position: &Position, retry: Duration) {
    add(out, format_args!("retry: {}\nid: {position}\n\n", retry.as_millis()));
}

/// A message from its WebSocket frame. One without a position leaves the client's last one as it is.
pub(super) fn message(out: &mut Vec<u8>, position: Option<&Position>, frame: &[u8]) {
    let text = text(frame);
    if let Some(position) = position {
        add(out, format_args!("id: {position}\n"));
    }
    if let Some(kind) = written_kind(text) {
        add(out, format_args!("event: {kind}\n"));
    }
    // JSON has line breaks only between its tokens, where they mean nothing; a client joins the lines with them again.
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// A line that clients skip.
pub(super) fn comment(out: &mut Vec<u8>, said: &impl Display) {
    add(out, format_args!(": {said}\n\n"));
}

/// Writing to a buffer in memory can't fail.
fn add(out: &mut Vec<u8>, piece: fmt::Arguments<'_>) {
    let _ = out.write_fmt(piece);
}
