//! The files of the dashboard page: built into the program, or read from a folder during development.

mod bundle;
mod files;
mod slim;

pub use files::FILES;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The page's files.
#[derive(Debug, Clone)]
pub struct Dashboard {
    folder: Option<PathBuf>,
}

/// One file as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its content, as it is sent.
    pub bytes: Cow<'static, [u8]>,
    /// Whether the content is compressed.
    pub gzipped: bool,
    /// Its media type.
    pub content_type: &'static str,
    /// The value of the `ETag` header; it changes with the content, and a compressed file has one of its own.
    pub etag: String,
}

/// A built-in file as it is sent. It is made when it is sent for the first time, and kept.
struct Packed {
    plain: Vec<u8>,
    /// `None` if compression does not make it smaller.
    gzip: Option<Vec<u8>>,
    digest: String,
}

/// Everything that is sent, by its name.
static PACKED: LazyLock<HashMap<String, OnceLock<Packed>>> = LazyLock::new(|| {
    let files = FILES.iter().map(|(name, _)| (*name).to_owned());
    files.chain(bundle::sheets()).map(|name| (name, OnceLock::new())).collect()
});

impl Dashboard {
    /// The built-in files, or those of a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file at a URL path; `/` is `index.html`. Built-in files are sent without comments, the modules of a page as one script,
    /// and compressed if the client can read that. (Brotli would save another eighth and cost four crates.) The files of a
    /// folder change, so they are sent as they are.
    pub fn get(&self, path: &str, gzip: bool) -> Option<Asset> {
        let name = match path.strip_prefix('/')? {
            "" => "index.html",
            name => name,
        };
        let content_type = content_type(name)?;
        if let Some(folder) = &self.folder {
            let bytes = read(folder, name)?;
            let etag = format!("\"{}\"", digest(&bytes));
            return Some(Asset { bytes: Cow::Owned(bytes), gzipped: false, content_type, etag });
        }
        let packed = PACKED.get(name)?.get_or_init(|| pack(name));
        let digest = &packed.digest;
        Some(match packed.gzip.as_deref().filter(|_| gzip) {
            Some(gzip) => {
                let etag = format!("\"{digest}-gzip\"");
                Asset { bytes: Cow::Borrowed(gzip), gzipped: true, content_type, etag }
            }
            None => {
                let etag = format!("\"{digest}\"");
                Asset { bytes: Cow::Borrowed(&packed.plain), gzipped: false, content_type, etag }
            }
        })
    }
}

fn pack(name: &str) -> Packed {
    let plain = bundle::sent(name).unwrap_or_default().into_bytes();
    let (gzip, digest) = (compressed(&plain), digest(&plain));
    Packed { plain, gzip, digest }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn compressed(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < plain.len())
}

/// Reads a file of the folder, never one outside it.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let name = Path::new(name);
    let inside = name.components().all(|part| matches!(part, Component::Normal(_)));
    let file = folder.join(name);
    // A pipe would be waited for.
    if inside && file.is_file() { std::fs::read(file).ok() } else { None }
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
