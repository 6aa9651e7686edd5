//! Opening a file that a user has named. A pipe, a device, a socket or a folder in the place of a file is told apart before
//! it is opened, because opening it could wait for ever, or start what a device does.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
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
    let kind = path.metadata().map_err(missing)?.file_type();
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

/// The error of the system, in the words of this program if the file is not there.
fn missing(error: Error) -> Error {
    if error.kind() == ErrorKind::NotFound { Error::new(ErrorKind::NotFound, "no such file") } else { error }
}

/// Opens a file for reading, without waiting.
///
/// # Errors
/// It can't be opened, or is no file.
pub fn open(path: &Path) -> Result<File> {
    match kind(path)? {
        Kind::File => open_file(path),
        Kind::Stream => File::open(path),
        Kind::Pipe => Err(Error::other(PIPE)),
    }
}

const PIPE: &str = "it is a pipe, not a file";

/// Opens what was a file a moment ago, without waiting for the writer of a pipe that has taken its place.
///
/// # Errors
/// It can't be opened, or is no file any more.
pub fn open_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // `O_NONBLOCK`, for which the standard library has no name.
        options.custom_flags(if cfg!(target_os = "macos") { 0x4 } else { 0o4000 });
    }
    let file = options.open(path).map_err(missing)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(kind(path).err().unwrap_or_else(|| Error::other(PIPE)))
    }
}

/// The content of a file of at most so many bytes.
///
/// # Errors
/// It can't be read, is no file, or is longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    contents(open(path)?, most)
}

/// The rest of what is open, of at most so many bytes.
///
/// # Errors
/// It can't be read, or is longer.
pub fn contents(file: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// How the bytes of a text are to be read.
#[derive(Clone, Copy)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, and how two bytes make a unit.
    Utf16(fn([u8; 2]) -> u16),
}

/// The encoding of a file that begins with these bytes, of which there are four if the file has as many. The first
/// character of a recording or a scenario is a mark, or one of ASCII.
///
/// # Errors
/// What the file is instead, and what to do.
pub fn encoding(head: &[u8]) -> std::result::Result<Encoding, String> {
    let compressed = |name: &str| Err(format!("compressed ({name}), which is no text: unpack it first"));
    match *head {
        [0xff, 0xfe, 0, 0, ..]
        | [0, 0, 0xfe, 0xff, ..]
        | [1..=0x7f, 0, 0, 0, ..]
        | [0, 0, 0, 1..=0x7f, ..] => Err("UTF-32, which is not read: save the file as UTF-8".to_owned()),
        [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => Ok(Encoding::Utf16(u16::from_le_bytes)),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => Ok(Encoding::Utf16(u16::from_be_bytes)),
        [0x1f, 0x8b, ..] => compressed("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => compressed("zstd"),
        [b'P', b'K', 3, 4, ..] => compressed("zip"),
        [0xfd, b'7', b'z', b'X', ..] => compressed("xz"),
        [b'B', b'Z', b'h', _, ..] => compressed("bzip2"),
        _ => Ok(Encoding::Utf8),
    }
}

/// [`utf8`] without the mark at its beginning.
///
/// # Errors
/// As [`utf8`].
pub fn text(bytes: Vec<u8>) -> Result<String> {
    let text = utf8(bytes)?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
}

/// What a file in PEM has, without byte order marks, which the readers of PEM take for a part of the line `-----BEGIN …`: they pass
/// over the certificate or key below it. One stands in the middle where files were put together.
///
/// # Errors
/// It has another encoding, in which nobody reads PEM.
pub fn pem(bytes: &[u8]) -> Result<Vec<u8>> {
    let wrong = |what: &str| Error::new(ErrorKind::InvalidData, format!("it is {what}"));
    match encoding(bytes).map_err(|what| wrong(&what))? {
        Encoding::Utf16(_) => Err(wrong("UTF-16, which is not read: save the file as UTF-8")),
        Encoding::Utf8 => {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            let mark = BYTE_ORDER_MARK.as_bytes();
            Ok(lines.flat_map(|line| line.strip_prefix(mark).unwrap_or(line)).copied().collect())
        }
    }
}

/// What some editors and shells put before the first line.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The text of a file that has to be UTF-8.
///
/// # Errors
/// It has another encoding, which is told as far as it shows.
pub fn utf8(bytes: Vec<u8>) -> Result<String> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidData, format!("it is {what}"));
    if let Encoding::Utf16(_) = encoding(&bytes).map_err(wrong)? {
        return Err(wrong(
            "UTF-16, which is read in recordings and published files alone: save the file as UTF-8"
                .to_owned(),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let mut line = before.split(|byte| *byte == b'\n');
        let (number, last) = (line.clone().count(), line.next_back().unwrap_or_default());
        let column = last.len() + 1;
        wrong(format!(
            "not UTF-8 at byte {column} of line {number}, but perhaps Latin-1 or Windows-1252: save the file as UTF-8"
        ))
    })
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    /// As when it takes the place of a file after that was looked at.
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let path = std::env::temp_dir().join(format!("incident-pipe-{}", std::process::id()));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let opened = open_file(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(opened.unwrap_err().to_string(), PIPE);
    }
}
