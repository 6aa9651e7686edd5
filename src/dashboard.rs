//! The files of the dashboard page: built into the program, or read from a folder during development.

mod slim;

use std::borrow::Cow;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Name and content of every built-in file. A test compares this table with the folder `dashboard/`.
pub const FILES: &[(&str, &[u8])] = &[
    ("additions.js", include_bytes!("../dashboard/additions.js")),
    ("answers.js", include_bytes!("../dashboard/answers.js")),
    ("api.js", include_bytes!("../dashboard/api.js")),
    ("app.css", include_bytes!("../dashboard/app.css")),
    ("app.js", include_bytes!("../dashboard/app.js")),
    ("axis.js", include_bytes!("../dashboard/axis.js")),
    ("board.css", include_bytes!("../dashboard/board.css")),
    ("charts.css", include_bytes!("../dashboard/charts.css")),
    ("choices.js", include_bytes!("../dashboard/choices.js")),
    ("clock.js", include_bytes!("../dashboard/clock.js")),
    ("colors.css", include_bytes!("../dashboard/colors.css")),
    ("compare.css", include_bytes!("../dashboard/compare.css")),
    ("compare.js", include_bytes!("../dashboard/compare.js")),
    ("contract.js", include_bytes!("../dashboard/contract.js")),
    ("controls.css", include_bytes!("../dashboard/controls.css")),
    ("curve.js", include_bytes!("../dashboard/curve.js")),
    ("dialogs.css", include_bytes!("../dashboard/dialogs.css")),
    ("dom.js", include_bytes!("../dashboard/dom.js")),
    ("favicon.svg", include_bytes!("../dashboard/favicon.svg")),
    ("fold.js", include_bytes!("../dashboard/fold.js")),
    ("format.js", include_bytes!("../dashboard/format.js")),
    ("frames.js", include_bytes!("../dashboard/frames.js")),
    ("headline.css", include_bytes!("../dashboard/headline.css")),
    ("history.js", include_bytes!("../dashboard/history.js")),
    ("icons.js", include_bytes!("../dashboard/icons.js")),
    ("index.html", include_bytes!("../dashboard/index.html")),
    ("keys.js", include_bytes!("../dashboard/keys.js")),
    ("lag.js", include_bytes!("../dashboard/lag.js")),
    ("link.js", include_bytes!("../dashboard/link.js")),
    ("loading.js", include_bytes!("../dashboard/loading.js")),
    ("login.css", include_bytes!("../dashboard/login.css")),
    ("login.html", include_bytes!("../dashboard/login.html")),
    ("login.js", include_bytes!("../dashboard/login.js")),
    ("long.js", include_bytes!("../dashboard/long.js")),
    ("markdown.js", include_bytes!("../dashboard/markdown.js")),
    ("model.js", include_bytes!("../dashboard/model.js")),
    ("moments.js", include_bytes!("../dashboard/moments.js")),
    ("notices.js", include_bytes!("../dashboard/notices.js")),
    ("panels.css", include_bytes!("../dashboard/panels.css")),
    ("panels/account.js", include_bytes!("../dashboard/panels/account.js")),
    ("panels/addition.js", include_bytes!("../dashboard/panels/addition.js")),
    ("panels/agents.js", include_bytes!("../dashboard/panels/agents.js")),
    ("panels/ahead.js", include_bytes!("../dashboard/panels/ahead.js")),
    ("panels/announcer.js", include_bytes!("../dashboard/panels/announcer.js")),
    ("panels/board.js", include_bytes!("../dashboard/panels/board.js")),
    ("panels/cancel.js", include_bytes!("../dashboard/panels/cancel.js")),
    ("panels/compare.js", include_bytes!("../dashboard/panels/compare.js")),
    ("panels/copylink.js", include_bytes!("../dashboard/panels/copylink.js")),
    ("panels/dialog.js", include_bytes!("../dashboard/panels/dialog.js")),
    ("panels/entrances.js", include_bytes!("../dashboard/panels/entrances.js")),
    ("panels/feed.js", include_bytes!("../dashboard/panels/feed.js")),
    ("panels/forecast.js", include_bytes!("../dashboard/panels/forecast.js")),
    ("panels/headline.js", include_bytes!("../dashboard/panels/headline.js")),
    ("panels/help.js", include_bytes!("../dashboard/panels/help.js")),
    ("panels/hypotheses.js", include_bytes!("../dashboard/panels/hypotheses.js")),
    ("panels/menu.js", include_bytes!("../dashboard/panels/menu.js")),
    ("panels/metrics.js", include_bytes!("../dashboard/panels/metrics.js")),
    ("panels/notices.js", include_bytes!("../dashboard/panels/notices.js")),
    ("panels/past.js", include_bytes!("../dashboard/panels/past.js")),
    ("panels/quiet.js", include_bytes!("../dashboard/panels/quiet.js")),
    ("panels/replay.js", include_bytes!("../dashboard/panels/replay.js")),
    ("panels/report.js", include_bytes!("../dashboard/panels/report.js")),
    ("panels/result.js", include_bytes!("../dashboard/panels/result.js")),
    ("panels/rows.js", include_bytes!("../dashboard/panels/rows.js")),
    ("panels/scenarios.js", include_bytes!("../dashboard/panels/scenarios.js")),
    ("panels/scrubber.js", include_bytes!("../dashboard/panels/scrubber.js")),
    ("panels/settings.js", include_bytes!("../dashboard/panels/settings.js")),
    ("panels/show.js", include_bytes!("../dashboard/panels/show.js")),
    ("panels/tabs.js", include_bytes!("../dashboard/panels/tabs.js")),
    ("panels/theme.js", include_bytes!("../dashboard/panels/theme.js")),
    ("panels/topbar.js", include_bytes!("../dashboard/panels/topbar.js")),
    ("panels/track.js", include_bytes!("../dashboard/panels/track.js")),
    ("panels/trigger.js", include_bytes!("../dashboard/panels/trigger.js")),
    ("parts.js", include_bytes!("../dashboard/parts.js")),
    ("phone.css", include_bytes!("../dashboard/phone.css")),
    ("places.js", include_bytes!("../dashboard/places.js")),
    ("preferences.js", include_bytes!("../dashboard/preferences.js")),
    ("projection.js", include_bytes!("../dashboard/projection.js")),
    ("replay.js", include_bytes!("../dashboard/replay.js")),
    ("scale.js", include_bytes!("../dashboard/scale.js")),
    ("scrub.js", include_bytes!("../dashboard/scrub.js")),
    ("series.js", include_bytes!("../dashboard/series.js")),
    ("show.css", include_bytes!("../dashboard/show.css")),
    ("starting.js", include_bytes!("../dashboard/starting.js")),
    ("stream.js", include_bytes!("../dashboard/stream.js")),
    ("timeline.js", include_bytes!("../dashboard/timeline.js")),
    ("timemap.js", include_bytes!("../dashboard/timemap.js")),
    ("track.css", include_bytes!("../dashboard/track.css")),
    ("urgency.js", include_bytes!("../dashboard/urgency.js")),
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

/// In the order of [`FILES`].
static PACKED: LazyLock<Vec<OnceLock<Packed>>> =
    LazyLock::new(|| FILES.iter().map(|_| OnceLock::new()).collect());

impl Dashboard {
    /// The built-in files, or those of a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file at a URL path; `/` is `index.html`. A built-in file is sent without comments, and compressed if the client can
    /// read that. (Brotli would save another eighth and cost four crates.) The files of a folder change, so they are sent as
    /// they are.
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
        let place = FILES.iter().position(|(file, _)| *file == name)?;
        let packed = PACKED.get(place)?.get_or_init(|| pack(name, FILES[place].1));
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

fn pack(name: &str, file: &[u8]) -> Packed {
    let plain = match std::str::from_utf8(file) {
        Ok(text) => slim::slim(name, text).into_bytes(),
        Err(_) => file.to_vec(),
    };
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
