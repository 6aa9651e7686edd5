//! Whether a file can be a journal at all.

use std::io::Read;
use std::path::Path;

use crate::input_file;

/// How every SQLite database begins.
const BEGINNING: &[u8] = b"SQLite format 3\0";

/// Whether a file has content that is no database: then it is not a damaged journal but another file, and must not be
/// touched. A file that can't be read may be a journal.
pub(super) fn is_another_file(file: &Path) -> bool {
    let mut found = [0; BEGINNING.len()];
    let Ok(mut file) = input_file::open(file) else { return false };
    match file.read(&mut found) {
        Ok(length @ 1..) => !BEGINNING.starts_with(&found[..length]),
        _ => false,
    }
}
