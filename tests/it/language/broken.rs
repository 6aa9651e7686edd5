//! Files as newcomers write them: what `incident validate` says of each is kept beside it, to be read as a stranger would.

use std::path::{Path, PathBuf};

use crate::harness::{ensure_file_contents, fixture, incident, root};

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture("broken")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    files.sort();
    files
}

/// What is printed into a pipe. It runs in the folder, so that no path of this clone is in it.
fn told(file: &Path) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    let ran = incident(&["validate", name]).at(&fixture("broken")).run();
    let status = ran.status.unwrap();
    assert_eq!(status, 6, "{name}: {}{}", ran.stdout, ran.stderr);
    format!("$ incident validate {name}\n{}{}[exit status {status}]\n", ran.stderr, ran.stdout)
}

#[test]
fn what_is_said_of_broken_files_is_what_was_read_and_found_good() {
    let files = files();
    assert!(files.len() >= 20, "{} files", files.len());
    let wanted: Vec<(PathBuf, String)> =
        files.iter().map(|file| (file.with_extension("txt"), told(file))).collect();
    for (path, text) in &wanted {
        let name = path.with_extension("toml");
        let name = name.file_name().unwrap().to_str().unwrap();
        assert!(!text.contains(root().to_str().unwrap()), "{text}");
        // A place, and at least once what to do.
        assert!(text.contains(&format!("[{name}:")) || text.contains(&format!("{name} ")), "{text}");
        assert!(text.contains("help: ") || text.contains(": save the file as UTF-8"), "{text}");
        // Words of the parsers that no author knows.
        for word in ["struct ", "unknown variant", "literal string", "basic string", "f64", "u32", "sequence"]
        {
            assert!(!text.contains(word), "{word:?} in {text}");
        }
    }
    ensure_file_contents(&wanted);
    let snapshots = std::fs::read_dir(fixture("broken")).unwrap();
    assert_eq!(snapshots.count(), 2 * files.len(), "a snapshot without its file, or a file of another kind");
}

/// A mistake of one table says nothing of the others.
#[test]
fn what_is_wrong_in_one_alert_hides_nothing_in_another() {
    let text = told(&fixture("broken/alerts.toml"));
    for says in
        ["a condition is METRIC > NUMBER", "neither `when` nor `at`", "`until` (10s) is not after `at` (20s)"]
    {
        assert!(text.contains(says), "{says}: {text}");
    }
}
