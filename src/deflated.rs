//! Text that is kept small in memory until it is needed: deflated. What many incidents have in common, and an incident with
//! itself, takes few bytes then.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// A text, deflated. Cheap to clone. A long text takes a while in both directions: some milliseconds per MB.
#[derive(Clone)]
pub struct Deflated {
    bytes: Arc<[u8]>,
    /// Bytes of the text.
    length: usize,
}

/// Deflates one text after another, with the same memory.
pub struct Deflater(DeflateEncoder<Vec<u8>>);

impl Default for Deflater {
    fn default() -> Self {
        Self(DeflateEncoder::new(Vec::new(), Compression::fast()))
    }
}

impl Deflater {
    /// Deflates a text.
    ///
    /// # Errors
    /// None is known: the bytes are written to memory.
    pub fn deflate(&mut self, text: &str) -> io::Result<Deflated> {
        self.0.write_all(text.as_bytes())?;
        let bytes = self.0.reset(Vec::new())?;
        Ok(Deflated { bytes: bytes.into(), length: text.len() })
    }
}

impl Deflated {
    /// The text.
    ///
    /// # Errors
    /// None is known: the bytes come from a text.
    pub fn text(&self) -> io::Result<String> {
        let mut text = String::with_capacity(self.length);
        DeflateDecoder::new(&*self.bytes).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl fmt::Debug for Deflated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of {}", self.bytes.len(), self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_it_was_and_smaller_meanwhile() {
        let mut deflater = Deflater::default();
        let long = "{\"phase\":\"detect\",\"metrics\":{\"traffic\":894.8}}".repeat(1_000);
        for text in ["", "a", "ü€", &long, "a"] {
            let deflated = deflater.deflate(text).expect("memory takes it");
            assert_eq!(deflated.text().expect("it was a text"), text);
        }
        let deflated = deflater.deflate(&long).expect("memory takes it");
        assert!(deflated.bytes.len() < long.len() / 10, "{deflated:?}");
    }
}
