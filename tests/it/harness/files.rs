//! Fixtures, golden files and folders that vanish.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path below `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

/// Name and text of every file in a folder of `tests/fixtures`, sorted by name.
pub fn fixtures(folder: &str) -> Vec<(String, String)> {
    let mut paths: Vec<_> =
        fs::read_dir(fixture(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = paths.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    named.collect()
}

/// Holds files to what the program generates: rewrites those that differ, and fails once, so that the change is
/// seen in a diff. (rust-analyzer's habit.)
pub fn ensure_file_contents(wanted: &[(PathBuf, String)]) {
    let differ = |path: &Path, text: &str| fs::read_to_string(path).map_or(true, |found| found != text);
    let stale: Vec<_> = wanted.iter().filter(|(path, text)| differ(path, text)).collect();
    for (path, text) in &stale {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let stale: Vec<_> = stale.iter().map(|(path, _)| path).collect();
    assert!(
        stale.is_empty(),
        "{stale:?} were not up to date; they are now: look at the difference and run again"
    );
}

/// An empty folder that is removed with its content.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("scratch-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, with the folders above it.
    pub fn with(self, name: &str, text: &str) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind in the target folder at worst.
        let _ = fs::remove_dir_all(&self.0);
    }
}
