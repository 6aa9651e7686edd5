//! File URLs, with which the schema compiler resolves references between files.

use std::path::{Component, Path, PathBuf};

use crate::json_schema::percent::{decode, encode};

const SCHEME: &str = "file://";

/// The URL of a file.
pub(super) fn of_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{SCHEME}{slash}{}", encode(&path.replace('\\', "/"), true))
}

/// The file of a URL; `None` if it is no file's.
pub(super) fn to_path(url: &str) -> Option<PathBuf> {
    let path = decode(url.strip_prefix(SCHEME)?);
    // `/C:/folder` is how URLs write a path on Windows.
    let is_drive = path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if is_drive { &path[1..] } else { &path }))
}

/// A path without `.` and `..`, as URLs resolve them: before links.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            component => out.push(component),
        }
    }
    out
}
