//! Opens the dashboard in the user's browser.

/// Opens a URL without waiting for the browser. A failure is only logged, because the server runs without a browser too.
pub(super) fn open(url: &str) {
    if let Err(error) = open::that_detached(url) {
        tracing::warn!(%error, "cannot open a browser: open {url} yourself");
    }
}
