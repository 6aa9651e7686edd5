//! Where a server is: the WebSocket URL that users give, and the HTTP URLs and the header that go with it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;

use super::Trust;
use crate::token::Token;

/// A server's WebSocket URL, and what to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    encrypted: bool,
    authority: String,
    /// Path of the WebSocket.
    path: String,
    token: Option<Token>,
    trust: Option<Trust>,
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a server's URL: expected one like ws://127.0.0.1:7911/ws or wss://incidents.example/ws"
)]
pub struct EndpointError(String);

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// `ws://HOST[:PORT][/PATH]`, or `wss:` with TLS; `http:` and `https:` are taken for them, and no path for `/ws`.
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
    /// The same server, and this token for it.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The same server, believed only if it is known to these instead of the system's authorities.
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    pub(super) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Whether it is spoken to with TLS.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
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
        let host = self.host();
        let address = host.parse::<IpAddr>();
        address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
    }

    /// The name or address without the port, as certificates have it.
    pub(super) fn host(&self) -> String {
        let uri = self.authority.parse::<Uri>().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// Host and port, as in the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What to connect to.
    pub fn address(&self) -> String {
        match self.authority.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) => self.authority.clone(),
            _ => format!("{}:{}", self.authority, if self.encrypted { 443 } else { 80 }),
        }
    }

    /// The WebSocket's URL, going on after a position.
    pub fn websocket(&self, after: Option<&str>) -> String {
        match after {
            Some(after) => format!("{self}?after={after}"),
            None => self.to_string(),
        }
    }

    /// The URL of another path of the same server.
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
