//! The address of a server: its WebSocket URL, and the HTTP URLs, the token and the trust that go with it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;

use super::trust::Trust;
use crate::token::Token;

/// A server's WebSocket URL, the token to send to it and the certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    encrypted: bool,
    authority: String,
    /// Path of the WebSocket.
    path: String,
    token: Option<Token>,
    trust: Option<Trust>,
}

/// A text that is not the URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It has another form.
    #[error(
        "{0:?} is not a server's URL: expected one like http://127.0.0.1:7911, https://incidents.example/incident/ or \
         ws://127.0.0.1:7911/ws"
    )]
    Form(String),
    /// Its host name is not ASCII.
    #[error(
        "{0:?} has a host name with letters beyond ASCII: write it in its ASCII form (xn--…), as browsers show it"
    )]
    International(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// The WebSocket is at `ws://HOST[:PORT]/PATH`, or `wss:` with TLS. A path that ends with a slash is where a server is
    /// published, and its WebSocket is at `ws` below that; so is every path with `http:`, `https:` or no scheme, unless it
    /// ends with `/ws`.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let not_a_url = || EndpointError::Form(text.to_owned());
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !authority.is_ascii() {
            return Err(EndpointError::International(text.to_owned()));
        }
        let (socket, encrypted) = match scheme.as_str() {
            "ws" => (true, false),
            "wss" => (true, true),
            "http" => (false, false),
            "https" => (false, true),
            _ => return Err(not_a_url()),
        };
        // The address bar of a page may have a fragment.
        let path = path.split('#').next().unwrap_or_default();
        let uri: Uri = format!("http://{authority}{path}").parse().map_err(|_| not_a_url())?;
        let parsed = uri.authority().filter(|parsed| parsed.as_str() == authority).ok_or_else(not_a_url)?;
        let without_port = authority.ends_with(':') || (!text.contains("://") && parsed.port_u16().is_none());
        if authority.contains('@') || parsed.host().is_empty() || without_port || uri.query().is_some() {
            return Err(not_a_url());
        }
        let is_socket = |path: &str| !path.ends_with('/') && (socket || path.ends_with("/ws"));
        let path = match uri.path() {
            path if is_socket(path) => path.to_owned(),
            base => format!("{}/ws", base.strip_suffix('/').unwrap_or(base)),
        };
        Ok(Self { encrypted, authority: authority.to_owned(), path, token: None, trust: None })
    }
}

impl Endpoint {
    /// The same server with a token.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The same server with other certificates to trust than the system's.
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    pub(super) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Whether connections use TLS.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The `Authorization` header of every request and handshake; `None` without a token.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let token = self.token.as_ref()?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.parse::<IpAddr>();
        address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
    }

    /// The host name or address without the port, as in certificates.
    pub(super) fn host(&self) -> String {
        let uri = self.authority.parse::<Uri>().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// Host and port, as in the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Host and port to connect to.
    pub fn address(&self) -> String {
        match self.authority.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) => self.authority.clone(),
            _ => format!("{}:{}", self.authority, if self.encrypted { 443 } else { 80 }),
        }
    }

    /// The WebSocket's URL, to resume after a position (`STREAM/N` or `0`).
    pub fn websocket(&self, after: Option<&str>) -> String {
        match after {
            Some(after) => format!("{self}?after={after}"),
            None => self.to_string(),
        }
    }

    /// Where the server is published: the path in front of those of its HTTP interface. A WebSocket with another name
    /// than `ws` is taken for one of a server that has the whole host.
    fn base(&self) -> &str {
        self.path.strip_suffix("/ws").unwrap_or_default()
    }

    /// The path of a request, from that on a server that has the whole host.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// The HTTP URL of a path on the same server.
    pub fn http(&self, path: &str) -> String {
        format!("http{}://{}{}{path}", self.s(), self.authority, self.base())
    }

    fn s(&self) -> &'static str {
        if self.encrypted { "s" } else { "" }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws{}://{}{}", self.s(), self.authority, self.path)
    }
}
