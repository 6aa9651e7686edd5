//! The page: the files of `dashboard/`, compiled in, or read from a folder while somebody edits them.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

/// Name and content of every file, as embedded. A test holds the table to the folder.
pub const FILES: &[(&str, &[u8])] = &[
    ("index.html", include_bytes!("../dashboard/index.html")),
];

/// The page's files.
#[derive(Debug, Clone)]
pub struct Dashboard {
    folder: Option<PathBuf>,
}

/// One file, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub content_type: &'static str,
    /// Changes with the content.
    pub etag: String,
}

impl Dashboard {
    /// The embedded files, or those of a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file at a URL's path; `/` is `index.html`.
    pub fn get(&self, path: &str) -> Option<Asset> {
        let name = match path.strip_prefix('/')? {
            "" => "index.html",
            name => name,
        };
        let content_type = content_type(name)?;
        let bytes: Cow<'static, [u8]> = match &self.folder {
            Some(folder) => Cow::Owned(read(folder, name)?),
            None => Cow::Borrowed(FILES.iter().find(|(file, _)| *file == name)?.1),
        };
        let digest = Sha256::digest(&bytes);
        let etag = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        Some(Asset { bytes, content_type, etag: format!("\"{etag}\"") })
    }
}

/// Never leaves the folder.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let name = Path::new(name);
    let inside = name.components().all(|part| matches!(part, Component::Normal(_)));
    if inside { std::fs::read(folder.join(name)).ok() } else { None }
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match Path::new(name).extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}
