//! The files of the dashboard page: built into the program, or read from a folder during development.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

/// Name and content of every built-in file. A test compares this table with the folder `dashboard/`.
pub const FILES: &[(&str, &[u8])] = &[
    ("additions.js", include_bytes!("../dashboard/additions.js")),
    ("api.js", include_bytes!("../dashboard/api.js")),
    ("app.css", include_bytes!("../dashboard/app.css")),
    ("app.js", include_bytes!("../dashboard/app.js")),
    ("axis.js", include_bytes!("../dashboard/axis.js")),
    ("charts.css", include_bytes!("../dashboard/charts.css")),
    ("clock.js", include_bytes!("../dashboard/clock.js")),
    ("colors.css", include_bytes!("../dashboard/colors.css")),
    ("contract.js", include_bytes!("../dashboard/contract.js")),
    ("dom.js", include_bytes!("../dashboard/dom.js")),
    ("favicon.svg", include_bytes!("../dashboard/favicon.svg")),
    ("fold.js", include_bytes!("../dashboard/fold.js")),
    ("format.js", include_bytes!("../dashboard/format.js")),
    ("frames.js", include_bytes!("../dashboard/frames.js")),
    ("headline.css", include_bytes!("../dashboard/headline.css")),
    ("history.js", include_bytes!("../dashboard/history.js")),
    ("icons.js", include_bytes!("../dashboard/icons.js")),
    ("index.html", include_bytes!("../dashboard/index.html")),
    ("login.css", include_bytes!("../dashboard/login.css")),
    ("login.html", include_bytes!("../dashboard/login.html")),
    ("login.js", include_bytes!("../dashboard/login.js")),
    ("long.js", include_bytes!("../dashboard/long.js")),
    ("model.js", include_bytes!("../dashboard/model.js")),
    ("panels.css", include_bytes!("../dashboard/panels.css")),
    ("panels/account.js", include_bytes!("../dashboard/panels/account.js")),
    ("panels/addition.js", include_bytes!("../dashboard/panels/addition.js")),
    ("panels/agents.js", include_bytes!("../dashboard/panels/agents.js")),
    ("panels/ahead.js", include_bytes!("../dashboard/panels/ahead.js")),
    ("panels/announcer.js", include_bytes!("../dashboard/panels/announcer.js")),
    ("panels/feed.js", include_bytes!("../dashboard/panels/feed.js")),
    ("panels/forecast.js", include_bytes!("../dashboard/panels/forecast.js")),
    ("panels/headline.js", include_bytes!("../dashboard/panels/headline.js")),
    ("panels/hypotheses.js", include_bytes!("../dashboard/panels/hypotheses.js")),
    ("panels/metrics.js", include_bytes!("../dashboard/panels/metrics.js")),
    ("panels/quiet.js", include_bytes!("../dashboard/panels/quiet.js")),
    ("panels/result.js", include_bytes!("../dashboard/panels/result.js")),
    ("panels/rows.js", include_bytes!("../dashboard/panels/rows.js")),
    ("panels/tabs.js", include_bytes!("../dashboard/panels/tabs.js")),
    ("panels/theme.js", include_bytes!("../dashboard/panels/theme.js")),
    ("panels/topbar.js", include_bytes!("../dashboard/panels/topbar.js")),
    ("panels/track.js", include_bytes!("../dashboard/panels/track.js")),
    ("panels/trigger.js", include_bytes!("../dashboard/panels/trigger.js")),
    ("phone.css", include_bytes!("../dashboard/phone.css")),
    ("scale.js", include_bytes!("../dashboard/scale.js")),
    ("series.js", include_bytes!("../dashboard/series.js")),
    ("stream.js", include_bytes!("../dashboard/stream.js")),
    ("timemap.js", include_bytes!("../dashboard/timemap.js")),
    ("visible.js", include_bytes!("../dashboard/visible.js")),
];

/// The page's files.
#[derive(Debug, Clone)]
pub struct Dashboard {
    folder: Option<PathBuf>,
}

/// One file as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub content_type: &'static str,
    /// The value of the `ETag` header; it changes with the content.
    pub etag: String,
}

impl Dashboard {
    /// The built-in files, or those of a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file at a URL path; `/` is `index.html`.
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
