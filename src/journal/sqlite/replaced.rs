//! A copy of the journal's file in its place, as programs leave it that write a file anew and rename it: `rsync`, folders that are
//! synchronised, some backups.

use std::fs::File;
use std::path::Path;

/// Whether the file that is open has no name any more, and the one at the path has the same content. Then the log beside it belongs
/// to it, too, and what would be moved from there into the open file would be gone with the process.
#[cfg(unix)]
pub(super) fn is_by_copy(journal: &Path, open: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    use crate::input_file::{self, Kind};

    let is_nameless = open.metadata().is_ok_and(|found| found.nlink() == 0);
    // A pipe or a device is not opened; a link is refused at the next start.
    is_nameless
        && !journal.is_symlink()
        && input_file::kind(journal).is_ok_and(|kind| kind == Kind::File)
        && File::open(journal).and_then(|there| same(&there, open)).unwrap_or(false)
}

/// Elsewhere the server has no descriptor of the file, or an open file keeps its name.
#[cfg(not(unix))]
pub(super) fn is_by_copy(_: &Path, _: &File) -> bool {
    false
}

/// Whether two files have the same bytes. Neither is moved to another place in it.
#[cfg(unix)]
fn same(one: &File, other: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::FileExt;

    const PIECE: usize = 1024 * 1024;
    let length = one.metadata()?.len();
    if other.metadata()?.len() != length {
        return Ok(false);
    }
    let (mut first, mut second) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    while at < length {
        let piece = PIECE.min(usize::try_from(length - at).unwrap_or(PIECE));
        one.read_exact_at(&mut first[..piece], at)?;
        other.read_exact_at(&mut second[..piece], at)?;
        if first[..piece] != second[..piece] {
            return Ok(false);
        }
        at += piece as u64;
    }
    Ok(true)
}
