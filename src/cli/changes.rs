//! Files that a person edits, and when they have changed. A file that is being written is left alone until it is whole.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The time between two looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Files, and those with some extensions in folders, with how they looked.
pub(super) struct Changes {
    paths: Vec<PathBuf>,
    extensions: &'static [&'static str],
    known: Looks,
    seen: Option<Looks>,
}

/// Each file and how it looks; nothing of a file that is not there.
type Looks = Vec<(PathBuf, Option<Look>)>;

/// When a file was written, its length, and which file it is: another one may have taken its place that looks the same.
type Look = (SystemTime, u64, Identity);

/// Device, inode, and when that was changed, in seconds and nanoseconds: `cp -p` and the like set the other time.
type Identity = (u64, u64, i64, i64);

#[cfg(unix)]
fn identity(found: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino(), found.ctime(), found.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    Identity::default()
}

impl Changes {
    /// The files as they are now.
    pub(super) fn new(paths: Vec<PathBuf>, extensions: &'static [&'static str]) -> Self {
        let known = looks(&paths, extensions);
        Self { paths, extensions, known, seen: None }
    }

    /// Looks once, and returns the files that have changed, are new or are gone. A change counts when two looks agree.
    pub(super) fn look(&mut self) -> Vec<PathBuf> {
        let now = looks(&self.paths, self.extensions);
        if now == self.known || self.seen.as_ref() != Some(&now) {
            self.seen = Some(now);
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.known, now);
        let differing = self.known.iter().filter(|look| !before.contains(look));
        let gone = before.iter().filter(|(path, _)| !self.known.iter().any(|(other, _)| other == path));
        differing.chain(gone).map(|(path, _)| path.clone()).collect()
    }
}

fn looks(paths: &[PathBuf], extensions: &[&str]) -> Looks {
    let look = |path: &Path| {
        let found = path.metadata().ok();
        let found = found.and_then(|found| Some((found.modified().ok()?, found.len(), identity(&found))));
        (path.to_owned(), found)
    };
    let mut looks: Looks = Vec::new();
    for path in paths {
        if !path.is_dir() {
            looks.push(look(path));
            continue;
        }
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_meant = |path: &PathBuf| {
            path.extension()
                .is_some_and(|found| extensions.iter().any(|extension| found.eq_ignore_ascii_case(extension)))
        };
        looks.extend(entries.filter(is_meant).map(|path| look(&path)));
    }
    looks.sort();
    looks
}
