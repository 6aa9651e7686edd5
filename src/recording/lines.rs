//! The lines of a recording as UTF-8, whatever encoding an editor or a shell wrote them in.
//!
//! Every command that reads a recording reads it here, so that all of them take the same files and refuse the others
//! with the same reason.

use std::io::{self, BufRead, Chain, Cursor, Read};

use crate::input_file::{Encoding, encoding};

/// The longest line, in bytes. No client accepts a longer message.
const LONGEST: usize = 1024 * 1024;

/// What some editors and shells put before the first line. It stands in the middle where files were put together.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// One line without its line break.
pub(super) struct TextLine {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: String,
    /// Whether it has a line break. Only the last line may lack it.
    pub(super) ended: bool,
}

/// Why a line can't be read.
#[derive(Debug)]
pub(super) enum LineError {
    Io(io::Error),
    /// The line, from 1, that is longer than any event.
    Long(usize, String),
    /// The line, from 1, and what it is instead of text in an encoding that is read.
    Encoding(usize, String),
}

/// Reads line by line.
pub(super) struct Lines<R> {
    /// The first bytes, which were read to find out the encoding, and the rest.
    bytes: Chain<Cursor<Vec<u8>>, R>,
    /// `None` until the first line is read.
    encoding: Option<Encoding>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { bytes: Cursor::default().chain(reader), encoding: None, number: 0 }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<TextLine>, LineError> {
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => self.begin()?,
        };
        self.number += 1;
        let line = match encoding {
            Encoding::Utf8 => self.utf8()?,
            Encoding::Utf16(unit) => self.utf16(unit)?,
        };
        let Some((mut text, ended)) = line else { return Ok(None) };
        if let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
            text = rest.to_owned();
        }
        if !ended {
            // What a file system leaves behind the last line when the power is cut.
            text.truncate(text.trim_end_matches('\0').len());
            if text.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(TextLine { number: self.number, text, ended }))
    }

    /// Finds out the encoding.
    fn begin(&mut self) -> Result<Encoding, LineError> {
        let (first, rest) = self.bytes.get_mut();
        let mut head = Vec::new();
        rest.take(4).read_to_end(&mut head).map_err(LineError::Io)?;
        let encoding = encoding(&head).map_err(|what| LineError::Encoding(1, what))?;
        *first = Cursor::new(head);
        self.encoding = Some(encoding);
        Ok(encoding)
    }

    fn utf8(&mut self) -> Result<Option<(String, bool)>, LineError> {
        let mut line = Vec::new();
        // One more than is allowed, and the line break, show that it is too long, however long it is.
        let limit = LONGEST as u64 + 2;
        self.bytes.by_ref().take(limit).read_until(b'\n', &mut line).map_err(LineError::Io)?;
        if line.is_empty() {
            return Ok(None);
        }
        let ended = line.pop_if(|last| *last == b'\n').is_some();
        if line.len() > LONGEST {
            return Err(self.too_long());
        }
        match String::from_utf8(line) {
            Ok(line) => Ok(Some((line, ended))),
            // The last line may end in the middle of a character.
            Err(error) if !ended && error.utf8_error().error_len().is_none() => {
                Ok(Some((String::from_utf8_lossy(error.as_bytes()).into_owned(), ended)))
            }
            Err(error) => {
                let column = error.utf8_error().valid_up_to() + 1;
                Err(self.wrong(format!("not UTF-8 at byte {column} of the line: save the file as UTF-8")))
            }
        }
    }

    fn utf16(&mut self, unit: fn([u8; 2]) -> u16) -> Result<Option<(String, bool)>, LineError> {
        const LINE_BREAK: u16 = b'\n' as u16;
        let mut units = Vec::new();
        let mut pair = Vec::with_capacity(2);
        loop {
            pair.clear();
            self.bytes.by_ref().take(2).read_to_end(&mut pair).map_err(LineError::Io)?;
            match *pair.as_slice() {
                [a, b] if unit([a, b]) == LINE_BREAK => break,
                [a, b] if units.len() < LONGEST => units.push(unit([a, b])),
                [_, _] => return Err(self.too_long()),
                // The last line may end in the middle of a character, of which nothing can be said.
                _ if units.is_empty() => return Ok(None),
                _ => return Ok(Some((String::from_utf16_lossy(&units), false))),
            }
        }
        match String::from_utf16(&units) {
            Ok(line) if line.len() > LONGEST => Err(self.too_long()),
            Ok(line) => Ok(Some((line, true))),
            Err(_) => Err(self.wrong("not UTF-16: save the file as UTF-8".to_owned())),
        }
    }

    fn too_long(&self) -> LineError {
        LineError::Long(self.number, format!("the line has more than {LONGEST} bytes and cannot be an event"))
    }

    fn wrong(&self, what: String) -> LineError {
        LineError::Encoding(self.number, what)
    }
}
