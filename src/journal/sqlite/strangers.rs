//! Files that are not a journal's under the names that its own files have beside it. A start would overwrite them, and SQLite
//! would delete them.
//!
//! Beside a journal that has begun, a witness file and the index of a log with that name are the journal's own: if their content is
//! not what it was, they are damaged, which others judge. Beside a file that is still to be made, or is empty, they may be
//! anybody's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::super::open_error::OpenError;
use super::place::{COMPANIONS, beside};
use super::running;
use super::wal;
use super::witness;
use crate::input_file::open_file;

/// Refuses what would be lost if a journal were opened or begun at a path. Links, pipes and devices are refused elsewhere, and so is
/// [`wrong_log`].
///
/// # Errors
/// Which file is not a journal's; or there is the log of a journal without the journal.
pub(super) fn refuse(journal: &Path) -> Result<(), OpenError> {
    let is_new = !has_content(journal);
    if is_new {
        refuse_companion(journal)?;
    }
    if is_new && running::has_log(journal) {
        return Err(OpenError::LogAlone { path: journal.to_owned(), log: beside(journal, "wal") });
    }
    // Nothing else is opened: SQLite's locks on the index of an open journal end when the process closes any descriptor of it.
    look(journal, "lock", is_lock, "is not a lock file of a journal")?;
    // SQLite would delete it as the rest of a write.
    look(journal, "journal", is_rest, "is not a rollback journal of SQLite")?;
    if is_new {
        look(journal, "head", witness::is_line, "is not a witness file of a journal")?;
        look(journal, "shm", is_index, "is not an index of SQLite")?;
    }
    Ok(())
}

/// What is wrong with the file that has the name of the write-ahead log of a journal that has begun: SQLite would take it for an empty
/// log, and whoever writes the journal would write over it. Either it is another program's, or it is the log, and its beginning is
/// damaged: then it may be the only file that has the newest events.
pub(super) fn wrong_log(journal: &Path) -> Option<String> {
    let log = beside(journal, "wal");
    (has_content(journal) && !is_log(&beginning(&log))).then(|| {
        format!(
            "{} does not begin as a write-ahead log of SQLite: it is damaged, and has the newest events, or it is another program's file. Move \
             it away, but keep it",
            log.display()
        )
    })
}

/// Refuses to write a journal with a [`wrong_log`].
///
/// # Errors
/// What is wrong with it.
pub(super) fn refuse_wrong_log(journal: &Path) -> Result<(), OpenError> {
    wrong_log(journal).map_or(Ok(()), |wrong| Err(OpenError::damaged(journal, wrong)))
}

/// Refuses to begin a journal under a name that a file beside another database has: SQLite would take it for that file.
fn refuse_companion(journal: &Path) -> Result<(), OpenError> {
    let name = journal.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let owners = COMPANIONS.iter().filter_map(|suffix| name.strip_suffix(suffix)?.strip_suffix('-'));
    let mut owners = owners.map(|owner| journal.with_file_name(owner));
    match owners.find(|owner| beginning(owner).starts_with(b"SQLite format 3\0")) {
        None => Ok(()),
        Some(owner) => {
            let what = format!("is the name of a file that belongs to {}", owner.display());
            Err(OpenError::Exists { path: journal.to_owned(), what: what.into() })
        }
    }
}

/// Looks at one of the files beside a journal. One that is not there has no byte, as one that was just made.
fn look(
    journal: &Path,
    suffix: &str,
    is_own: impl Fn(&[u8]) -> bool,
    what: &'static str,
) -> Result<(), OpenError> {
    let path = beside(journal, suffix);
    if is_own(&beginning(&path)) { Ok(()) } else { Err(OpenError::Exists { path, what: what.into() }) }
}

/// Whether there is a file that is not empty. SQLite deletes the log beside an empty one.
pub(super) fn has_content(journal: &Path) -> bool {
    journal.metadata().is_ok_and(|found| found.len() > 0)
}

/// The first bytes of a file; none if it is not there, cannot be read, or is a pipe, which might never be written.
fn beginning(path: &Path) -> Vec<u8> {
    open_file(path).map(|file| first_bytes(&file)).unwrap_or_default()
}

/// As many bytes of a file as tell whose it is, from where it is read.
pub(super) fn first_bytes(file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read is left to the one who needs it.
    let _ = file.take(MOST).read_to_end(&mut bytes);
    bytes
}

/// More than a lock file or a witness file ever has.
const MOST: u64 = 100;

/// Whether a lock file has this content: nothing, or the number of a process, as far as a crash has left it.
pub(super) fn is_lock(bytes: &[u8]) -> bool {
    const NAMES: &[u8] = b"process ";
    let last = bytes.iter().rposition(|byte| *byte != 0 && !byte.is_ascii_whitespace());
    let text = last.map_or(&[][..], |last| &bytes[..=last]);
    NAMES.starts_with(text) || text.strip_prefix(NAMES).is_some_and(|id| id.iter().all(u8::is_ascii_digit))
}

/// Whether the index of a write-ahead log begins so.
fn is_index(bytes: &[u8]) -> bool {
    const VERSION: u32 = 3_007_000;
    let version = bytes.first_chunk::<4>().map(|first| u32::from_ne_bytes(*first));
    is_blank(bytes) || version.is_some_and(|version| version == VERSION || version == VERSION.swap_bytes())
}

/// Whether a write-ahead log begins so.
fn is_log(bytes: &[u8]) -> bool {
    let mark = &bytes[..bytes.len().min(4)];
    is_blank(mark) || [wal::MAGIC, wal::MAGIC_BIG].iter().any(|magic| magic.to_be_bytes() == *mark)
}

/// Whether a rollback journal begins so.
fn is_rest(bytes: &[u8]) -> bool {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    // SQLite writes the mark last, when the rest is on the disk.
    let mark = &bytes[..bytes.len().min(MAGIC.len())];
    is_blank(mark) || mark == MAGIC
}

/// Whether it is empty, or was never written.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_leaves_is_a_journals() {
        for ours in [
            &b""[..],
            b"\0\0\0\0",
            b"process 1\n",
            b"process 4711\n",
            b"process 4711",
            b"proc",
            b"process 17\0\0\n\0",
        ] {
            assert!(is_lock(ours), "{ours:?}");
        }
        for other in
            [&b"my notes\n"[..], b"process of thought\n", b"processes", b"1", b"process 1\nprocess 2\n"]
        {
            assert!(!is_lock(other), "{other:?}");
        }
        let line = witness::line(witness::LastCommit { position: 7, checksum: -1, stream: Some(-7) });
        for ours in [line.as_bytes(), &line.as_bytes()[..20], b"", &[0; 51]] {
            assert!(witness::is_line(ours), "{ours:?}");
        }
        for other in [&b"my notes\n"[..], format!("{line}{line}").as_bytes(), b"[package]"] {
            assert!(!witness::is_line(other), "{other:?}");
        }
        assert!(is_log(b"") && is_log(&[0x37, 0x7f, 6, 0x82, 0]) && is_log(&[0; 32]));
        assert!(!is_log(b"SQLite format 3\0") && !is_log(b"x"));
        assert!(is_index(&3_007_000_u32.to_ne_bytes()) && is_index(&[0; 100]) && !is_index(b"my notes"));
        assert!(
            is_rest(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\0")
                && is_rest(b"\0\0\0\0\0\0\0\0\0\0\0\0\x17\x21")
                && !is_rest(b"my notes")
        );
    }
}
