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
#[error(
    "{0:?} is not a server's URL: expected one like ws://127.0.0.1:7911/ws or wss://incidents.example/ws"
)]
pub struct EndpointError(String);

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// `ws://HOST[:PORT][/PATH]`, or `wss:` with TLS; `http:` and `https:` are accepted too, and `/ws` is the default path.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let not_a_url = || EndpointError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| not_a_url())?;
        let encrypted = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            _ => return Err(not_a_url()),
        };
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(not_a_url)?;
        if uri.query().is_some() {
            return Err(not_a_url());
        }
        let path = if uri.path() == "/" { "/ws" } else { uri.path() };
        let (authority, path) = (authority.to_string(), path.to_owned());
        Ok(Self { encrypted, authority, path, token: None, trust: None })
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

    /// The HTTP URL of a path on the same server.
    pub fn http(&self, path: &str) -> String {
        format!("http{}://{}{path}", self.s(), self.authority)
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
