//! The files of the dashboard page: built into the program, or read from a folder during development.

// They prepare the files when the program is built: see `build.rs`.
#[cfg(test)]
#[allow(dead_code, reason = "the rest of it is for the build")]
mod bundle;
mod files;
#[cfg(test)]
mod slim;

pub use files::FILES;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

/// The page's files.
#[derive(Debug, Clone)]
pub struct Dashboard {
    folder: Option<PathBuf>,
}

/// How a file can be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `br`
    Brotli,
    /// `gzip`
    Gzip,
}

impl Coding {
    /// Its name in HTTP headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// One file as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its content, as it is sent.
    pub bytes: Cow<'static, [u8]>,
    /// How the content is compressed.
    pub coding: Option<Coding>,
    /// Its media type.
    pub content_type: &'static str,
    /// The value of the `ETag` header; it changes with the content, and each compressed form has one of its own.
    pub etag: String,
}

/// A built-in file in each form that is kept: compressed if that makes it smaller, or else as it is.
struct Packed {
    plain: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

impl Packed {
    fn form(&self, coding: Coding) -> Option<&'static [u8]> {
        match coding {
            Coding::Brotli => self.brotli,
            Coding::Gzip => self.gzip,
        }
    }

    /// The file as it is. Hardly a client asks for that, so it is not kept twice.
    fn plain(&self) -> Cow<'static, [u8]> {
        self.plain.map_or_else(|| Cow::Owned(inflated(self.gzip.unwrap_or_default())), Cow::Borrowed)
    }
}

/// Everything that is sent, by its name, with a digest that is made when it is asked for.
static PACKED: LazyLock<HashMap<&'static str, (&'static Packed, OnceLock<String>)>> = LazyLock::new(|| {
    static ALL: &[(&str, Packed)] = include!(concat!(env!("OUT_DIR"), "/packed.rs"));
    ALL.iter().map(|(name, packed)| (*name, (packed, OnceLock::new()))).collect()
});

impl Dashboard {
    /// The built-in files, or those of a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file at a URL path; `/` is `index.html`. Built-in files are sent without comments, the modules of a page as one script,
    /// and in the first of the codings in which they are smaller. The files of a folder change, so they are sent as they are.
    pub fn get(&self, path: &str, codings: &[Coding]) -> Option<Asset> {
        let name = match path.strip_prefix('/')? {
            "" => "index.html",
            name => name,
        };
        let content_type = content_type(name)?;
        if let Some(folder) = &self.folder {
            let bytes = read(folder, name)?;
            let etag = format!("\"{}\"", digest(&bytes));
            return Some(Asset { bytes: Cow::Owned(bytes), coding: None, content_type, etag });
        }
        let (packed, known) = PACKED.get(name)?;
        let digest = known.get_or_init(|| digest(&packed.plain()));
        let smaller = codings.iter().find_map(|coding| Some((*coding, packed.form(*coding)?)));
        let (coding, bytes, etag) = match smaller {
            Some((coding, bytes)) => {
                (Some(coding), Cow::Borrowed(bytes), format!("\"{digest}-{}\"", coding.name()))
            }
            None => (None, packed.plain(), format!("\"{digest}\"")),
        };
        Some(Asset { bytes, coding, content_type, etag })
    }
}

fn inflated(gzip: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    // What the build has made has no mistake.
    let _ = GzDecoder::new(gzip).read_to_end(&mut plain);
    plain
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
