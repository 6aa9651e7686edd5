//! The format of event streams, byte by byte, as WHATWG HTML says (9.2.5 and 9.2.6):
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.

use std::collections::VecDeque;

/// The most bytes of an event, and of a line.
const LIMIT: usize = 1024 * 1024;

/// What was read from an event stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// An event.
    Event {
        /// The data, its lines joined with `\n`.
        data: String,
        /// The `id` field of this event; `None` if it has none.
        id: Option<String>,
        /// The `event` field; empty if it has none.
        name: String,
    },
    /// A comment.
    Comment(String),
    /// How long to wait before reconnecting, in milliseconds.
    Retry(u64),
    /// Bytes that are not UTF-8. What they belong to follows, with U+FFFD in their place.
    InvalidUtf8,
}

/// An event or a line has more than 1 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Reads an event stream piece by piece.
#[derive(Debug, Default)]
pub struct EventParser {
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// Whether the first line was begun, before which a byte order mark counts for nothing.
    has_begun: bool,
    /// Whether the last byte was a carriage return, after which a line feed counts for nothing.
    after_return: bool,
    data: String,
    has_data: bool,
    id: Option<String>,
    /// The last id that counts, also for events without one of their own.
    last_id: String,
    name: String,
    parsed: VecDeque<Parsed>,
}

impl EventParser {
    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// A line or an event is too large. Then the stream can't be read further.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        for byte in bytes {
            let was_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if was_return => {}
                b'\n' | b'\r' => self.end_line(),
                byte => self.line.push(*byte),
            }
            if self.line.len() > LIMIT || self.data.len() > LIMIT {
                return Err(TooLarge);
            }
        }
        Ok(())
    }

    /// The next thing that was read.
    pub fn take(&mut self) -> Option<Parsed> {
        self.parsed.pop_front()
    }

    /// The id after which a client that reconnects resumes; empty if there is none.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// Whether the stream is in the middle of an event, which counts for nothing if the stream ends here.
    pub fn is_unfinished(&self) -> bool {
        self.has_data || !self.line.is_empty()
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.has_begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let line = match String::from_utf8(line) {
            Ok(line) => line,
            Err(error) => {
                self.parsed.push_back(Parsed::InvalidUtf8);
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let (field, value) = match line.split_once(':') {
            Some(("", comment)) => {
                let comment = comment.strip_prefix(' ').unwrap_or(comment).to_owned();
                return self.parsed.push_back(Parsed::Comment(comment));
            }
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (line.as_str(), ""),
        };
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.last_id);
                self.id = Some(value.to_owned());
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.parsed.push_back(Parsed::Retry(value.parse().unwrap_or(u64::MAX)));
            }
            _ => {}
        }
    }

    /// An empty line ends an event, if it has data.
    fn dispatch(&mut self) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        let has_data = std::mem::take(&mut self.has_data);
        // The id of a block without data counts as the last one all the same.
        let id = self.id.take();
        if has_data {
            self.parsed.push_back(Parsed::Event { data, id, name });
        }
    }
}
