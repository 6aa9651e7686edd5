//! Where a server is: the WebSocket URL that users give, and the HTTP URLs and the header that go with it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;

use crate::token::Token;

/// A server's WebSocket URL, and what to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    authority: String,
    /// Path of the WebSocket.
    path: String,
    token: Option<Token>,
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL of a WebSocket.
    #[error("{0:?} is not a server's URL: expected one like ws://127.0.0.1:7911/ws")]
    NotAUrl(String),
    /// `wss:` or `https:`.
    #[error("{0:?} wants TLS, which this version does not speak: put a TLS proxy in front and use ws://")]
    Tls(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// `ws://HOST[:PORT][/PATH]`; `http:` is taken for `ws:`, and no path for `/ws`.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let not_a_url = || EndpointError::NotAUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| not_a_url())?;
        match uri.scheme_str() {
            Some("ws" | "http") => {}
            Some("wss" | "https") => return Err(EndpointError::Tls(text.to_owned())),
            _ => return Err(not_a_url()),
        }
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(not_a_url)?;
        if uri.query().is_some() {
            return Err(not_a_url());
        }
        let path = if uri.path() == "/" { "/ws" } else { uri.path() };
        Ok(Self { authority: authority.to_string(), path: path.to_owned(), token: None })
    }
}

impl Endpoint {
    /// The same server, and this token for it.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// What the `Authorization` header of every request and handshake says.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let token = self.token.as_ref()?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether what is sent stays on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.authority.parse::<Uri>().ok();
        let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
    }

    /// Host and port, as in the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What to connect to.
    pub fn address(&self) -> String {
        match self.authority.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) => self.authority.clone(),
            _ => format!("{}:80", self.authority),
        }
    }

    /// The WebSocket's URL, going on after a position.
    pub fn websocket(&self, after: Option<&str>) -> String {
        match after {
            Some(after) => format!("ws://{}{}?after={after}", self.authority, self.path),
            None => self.to_string(),
        }
    }

    /// The URL of another path of the same server.
    pub fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}{}", self.authority, self.path)
    }
}
