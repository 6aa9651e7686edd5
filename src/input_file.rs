//! Opening a file that a user has named. A pipe, a device, a socket or a folder in the place of a file is told apart before
//! it is opened, because opening it could wait for ever, or start what a device does.

use std::fs::File;
use std::io::{Error, Read, Result};
use std::path::Path;

/// What a path leads to, as far as it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A pipe without a name: `<(…)` or stdin. It can be read once, and ends when its writer does.
    Stream,
    /// A pipe with a name, which can wait for ever for a writer.
    Pipe,
}

/// What a path leads to.
///
/// # Errors
/// It leads nowhere, or to what can't be read as a file.
pub fn kind(path: &Path) -> Result<Kind> {
    let kind = path.metadata()?.file_type();
    if kind.is_dir() {
        return Err(Error::other("it is a directory"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            // Below /dev/fd a pipe without a name looks like a link to no path.
            return Ok(if path.canonicalize().is_ok() { Kind::Pipe } else { Kind::Stream });
        }
        if kind.is_socket() {
            return Err(Error::other("it is a socket"));
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Err(Error::other("it is a device"));
        }
    }
    Ok(Kind::File)
}

/// Opens a file for reading, without waiting.
///
/// # Errors
/// It can't be opened, or is no file.
pub fn open(path: &Path) -> Result<File> {
    match kind(path)? {
        Kind::File | Kind::Stream => File::open(path),
        Kind::Pipe => Err(Error::other("it is a pipe, not a file")),
    }
}

/// The content of a file of at most so many bytes.
///
/// # Errors
/// It can't be read, is no file, or is longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    contents(open(path)?, most)
}

/// The rest of an open file, of at most so many bytes.
///
/// # Errors
/// It can't be read, or is longer.
pub fn contents(file: File, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}
