//! Tokens of the real binary: files and variables, rotation while it serves, and every command that shows one.

mod commands;
mod files;
mod kinds;
mod rotation;
mod secrets;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::harness::{READ, Ran, Scratch, WRITE};

/// A token file that only its owner reads.
fn file(scratch: &Scratch, name: &str, text: &str) -> PathBuf {
    let path = scratch.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Replaces a file's content as careful people do: another file in its place.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

fn both() -> String {
    format!("# the wallboard\nread {READ}\n\n  write\t{WRITE} # and who rehearses\r\n")
}

/// What a run says has none of these.
fn hides(ran: &Ran, secrets: &[&str]) {
    for secret in secrets {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}
