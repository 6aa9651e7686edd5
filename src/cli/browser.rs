//! Opening the page in the user's browser.

/// Opens a URL without waiting for the browser. The server runs either way: a failure is only told.
pub(super) fn open(url: &str) {
    if let Err(error) = open::that_detached(url) {
        tracing::warn!(%error, "cannot open a browser; open {url} by hand");
    }
}
