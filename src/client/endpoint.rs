//! The address of a server: its WebSocket URL, and the HTTP URLs, the token and the trust that go with it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;

use super::secrets::without_secrets;
use super::trust::Trust;
use crate::token::Token;

/// A server's WebSocket URL, or that of its event stream, the token to send to it and the certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    encrypted: bool,
    authority: String,
    /// Path of the WebSocket or of the event stream.
    path: String,
    /// Query of the URL of a server that is not ours.
    query: Option<String>,
    is_event_stream: bool,
    token: Option<Token>,
    /// Another `Authorization` header than that of a token.
    authorization: Option<HeaderValue>,
    trust: Option<Trust>,
}

/// A text that is not the URL of a server. What it shows of the text has nothing that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It has another form.
    #[error(
        "{0:?} is not a server's URL: expected one like http://127.0.0.1:7911, https://incidents.example/incident/ or \
         ws://127.0.0.1:7911/ws"
    )]
    Form(String),
    /// It is not the URL of an event stream.
    #[error("{0:?} is not the URL of an event stream: expected one like http://127.0.0.1:7911/events")]
    EventStream(String),
    /// It has a user name or a password.
    #[error(
        "{0:?} has a user name or a password, which this program does not send: leave it out, and send a token with \
         --token-file FILE or the variable INCIDENT_TOKEN"
    )]
    Credentials(String),
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
    /// ends with `/ws`. A slash behind `/ws` changes nothing.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let shown = || without_secrets(text).into_owned();
        let not_a_url = || EndpointError::Form(shown());
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(EndpointError::Credentials(shown()));
        }
        if !authority.is_ascii() {
            return Err(EndpointError::International(shown()));
        }
        let (socket, encrypted) = match scheme.as_str() {
            "ws" => (true, false),
            "wss" => (true, true),
            "http" => (false, false),
            "https" => (false, true),
            _ => return Err(not_a_url()),
        };
        // The address bar of a page has an incident and a moment behind its path, and may have a fragment.
        let path = path.split('#').next().unwrap_or_default();
        let path = match path.split_once('?') {
            Some((path, query)) if !socket && !query.to_ascii_lowercase().contains("token") => path,
            _ => path,
        };
        let uri: Uri = format!("http://{authority}{path}").parse().map_err(|_| not_a_url())?;
        let parsed = uri.authority().filter(|parsed| parsed.as_str() == authority).ok_or_else(not_a_url)?;
        let without_port = authority.ends_with(':') || (!text.contains("://") && parsed.port_u16().is_none());
        let port = authority.strip_prefix(parsed.host()).and_then(|rest| rest.strip_prefix(':'));
        let wrong_port = port.is_some_and(|port| !is_port(port));
        let wrong_host = parsed.host().is_empty();
        if wrong_host || without_port || wrong_port || uri.query().is_some() {
            return Err(not_a_url());
        }
        let is_socket = |path: &str| !path.ends_with('/') && (socket || path.ends_with("/ws"));
        let path = uri.path();
        let path = path.strip_suffix('/').filter(|path| path.ends_with("/ws")).unwrap_or(path);
        let path = match path {
            path if is_socket(path) => path.to_owned(),
            base => format!("{}/ws", base.strip_suffix('/').unwrap_or(base)),
        };
        Ok(Self {
            encrypted,
            authority: authority.to_owned(),
            path,
            query: None,
            is_event_stream: false,
            token: None,
            authorization: None,
            trust: None,
        })
    }
}

impl Endpoint {
    /// The WebSocket of another program: its URL is taken as it is, with its query. `http:` stands for `ws:`.
    ///
    /// # Errors
    /// The text is no URL of a WebSocket.
    pub fn exact(text: &str) -> Result<Self, EndpointError> {
        let (bare, query) = split(text);
        // With a scheme of WebSocket the path is not added to, unless it ends with a slash.
        let rest =
            bare.strip_prefix("http").filter(|rest| rest.starts_with("://") || rest.starts_with("s://"));
        let bare = rest.map_or_else(|| bare.to_owned(), |rest| format!("ws{rest}"));
        let endpoint: Self = bare.parse().map_err(|error| match error {
            EndpointError::Form(_) => EndpointError::Form(without_secrets(text).into_owned()),
            error => error,
        })?;
        let path = path_of(&bare);
        if query.is_some_and(|query| !is_query(query)) {
            return Err(EndpointError::Form(without_secrets(text).into_owned()));
        }
        Ok(Self { path, query: query.map(str::to_owned), ..endpoint })
    }

    /// The event stream at a URL. A path that is empty or ends with a slash is where one of our servers is published, unless
    /// `is_exact`.
    ///
    /// # Errors
    /// The text is no URL of HTTP.
    pub fn events(text: &str, is_exact: bool) -> Result<Self, EndpointError> {
        let wrong = || EndpointError::EventStream(without_secrets(text).into_owned());
        let (bare, query) = split(text);
        let is_http = match bare.split_once("://") {
            Some((scheme, _)) => ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()),
            None => true,
        };
        if !is_http || query.is_some_and(|query| !is_exact || !is_query(query)) {
            return Err(wrong());
        }
        let endpoint: Self = bare.parse().map_err(|error| match error {
            EndpointError::International(_) | EndpointError::Credentials(_) => error,
            EndpointError::Form(_) | EndpointError::EventStream(_) => wrong(),
        })?;
        let path = path_of(bare);
        let path = if path.ends_with('/') && !is_exact { format!("{path}events") } else { path };
        Ok(Self { path, query: query.map(str::to_owned), is_event_stream: true, ..endpoint })
    }

    /// Whether the URL is that of an event stream.
    pub fn is_event_stream(&self) -> bool {
        self.is_event_stream
    }

    /// Path and query of a request for the stream itself. `more` is added to the query.
    pub(super) fn target(&self, more: Option<&str>) -> String {
        let query: Vec<&str> =
            self.query.as_deref().into_iter().chain(more).filter(|part| !part.is_empty()).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }

    /// The same server with a token.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The same server with another `Authorization` header than that of a token, for a server of another kind.
    #[must_use]
    pub fn with_authorization(self, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        Self { authorization: Some(value), ..self }
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
        if self.authorization.is_some() {
            return self.authorization.clone();
        }
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
        self.url(after.map(|after| format!("after={after}")).as_deref())
    }

    /// The whole URL, with more of a query.
    pub(super) fn url(&self, more: Option<&str>) -> String {
        format!("{}://{}{}", self.scheme(), self.authority, self.target(more))
    }

    fn scheme(&self) -> String {
        format!("{}{}", if self.is_event_stream { "http" } else { "ws" }, self.s())
    }

    /// Where the server is published: the path in front of those of its HTTP interface. A WebSocket with another name
    /// than `ws` is taken for one of a server that has the whole host.
    fn base(&self) -> &str {
        self.path.strip_suffix(if self.is_event_stream { "/events" } else { "/ws" }).unwrap_or_default()
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
        // A query may have a secret in it.
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

/// A URL without its query, and the query. A fragment is cut off.
fn split(text: &str) -> (&str, Option<&str>) {
    let text = text.split('#').next().unwrap_or_default();
    match text.split_once('?') {
        Some((bare, query)) => (bare, Some(query)),
        None => (text, None),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn is_query(query: &str) -> bool {
    format!("/?{query}").parse::<Uri>().is_ok()
}

/// The path of a URL without a query: `/` if it has none.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned())
}
