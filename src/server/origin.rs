//! Origins of pages, as browsers name them in `Origin`.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;

/// Scheme and authority, as browsers send them: `https://incidents.example:8443`, without the scheme's default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub(super) text: String,
    pub(super) host: String,
}

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It has another form.
    #[error("an origin is a scheme, a host and an optional port, as in https://incidents.example:8443")]
    Form,
    /// Its host name is not ASCII, which no browser sends.
    #[error(
        "browsers send international host names in their ASCII form: write https://xn--… as the browser's console shows \
         it for location.origin"
    )]
    International,
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme));
        let scheme = scheme.ok_or(OriginError::Form)?;
        let authority = &text[scheme.len()..];
        if !authority.is_ascii() {
            return Err(OriginError::International);
        }
        let uri: Uri = authority.parse().map_err(|_| OriginError::Form)?;
        let plain = uri.authority().filter(|parsed| parsed.as_str() == authority && !authority.contains('@'));
        let host = plain.ok_or(OriginError::Form)?.host().to_owned();
        let text = format!("{scheme}{}", without_default_port(scheme, authority));
        Ok(Self { text, host })
    }
}

/// The authority without a port that goes without saying. Browsers leave it out; proxies and people write it.
pub(super) fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = if scheme == "https://" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
