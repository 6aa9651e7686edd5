//! The other servers of the same stream: their addresses as browsers reach them. Pages go on with one of them when theirs is away.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use axum::http::HeaderValue;

use super::base_path::BasePath;
use super::origin::Origin;

/// The address of a server's page: an origin, and the path below which the server is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    origin: Origin,
    path: BasePath,
}

/// The text is not the address of a server's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the address of a server's page as browsers reach it, as in https://b.example:7911/ or \
     https://b.example/incident/"
)]
pub struct PeerError;

impl FromStr for Peer {
    type Err = PeerError;

    fn from_str(text: &str) -> Result<Self, PeerError> {
        let start = text.find("://").ok_or(PeerError)? + "://".len();
        let end = text[start..].find('/').map_or(text.len(), |end| start + end);
        let (origin, path) = text.split_at(end);
        // It becomes a source of the content security policy, in which other characters mean something.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        if !origin[start..].bytes().all(plain) {
            return Err(PeerError);
        }
        if !can_be_reached(&origin[start..]) {
            return Err(PeerError);
        }
        let origin = origin.parse().map_err(|_| PeerError)?;
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { origin, path: BasePath::published(path).map_err(|_| PeerError)? })
    }
}

impl Peer {
    /// Whether its page is loaded with TLS.
    pub fn is_secure(&self) -> bool {
        self.origin.to_string().starts_with("https:")
    }
}

/// Whether a browser could connect to `HOST[:PORT]`: it leaves out a source of the policy that it can't read.
fn can_be_reached(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.strip_suffix('.').unwrap_or(host).split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// With a slash at its end, so that paths can follow.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/", self.origin, self.path)
    }
}

/// Scheme, host and port of each.
pub(super) fn origins(peers: &[Peer]) -> Vec<Origin> {
    peers.iter().map(|peer| peer.origin.clone()).collect()
}

/// The peers of one server. Its own address may be among them, so that all servers can have the same list.
pub(super) struct Peers {
    pub(super) all: Vec<Peer>,
    /// What a page may load, and from where.
    pub(super) policy: HeaderValue,
}

impl Peers {
    pub(super) fn new(all: Vec<Peer>) -> Self {
        // Browsers take a source with http for the WebSockets of that origin only if it is 'self'.
        let sources: String = all
            .iter()
            .map(|peer| peer.origin.to_string())
            .map(|origin| format!(" {origin} {}", origin.replacen("http", "ws", 1)))
            .collect();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{sources}; img-src 'self'; \
             manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        // An origin has only characters that a header may have.
        let policy = HeaderValue::from_str(&policy);
        Self { all, policy: policy.unwrap_or(HeaderValue::from_static("default-src 'none'")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_with_a_slash() {
        for (text, wanted) in [
            ("http://127.0.0.1:7911", "http://127.0.0.1:7911/"),
            ("https://B.example:443/", "https://b.example/"),
            ("https://b.example/incident", "https://b.example/incident/"),
            ("http://[::1]:7911/a/b/", "http://[::1]:7911/a/b/"),
        ] {
            assert_eq!(text.parse::<Peer>().map(|peer| peer.to_string()), Ok(wanted.to_owned()));
        }
    }

    #[test]
    fn what_a_header_or_a_policy_could_take_for_something_else_is_refused() {
        for text in [
            "",
            "b.example:7911",
            "ws://b.example/",
            "https://",
            "https:///x",
            "https://u:p@b.example/",
            "https://b.example/?x",
            "https://b.example/#x",
            "https://b.example/a b",
            "https://b.example;script-src *",
            "https://b.example https://evil.example/",
            "https://*.example/",
            "https://*/",
            "https://bücher.example/",
            "https://b.example/..;/",
            "http://a:0/",
            "http://a:99999/",
            "http://a:/",
            "http://[::zz]/",
            "http://[]:1/",
            "http://:1/",
            "http://a..b/",
        ] {
            assert_eq!(text.parse::<Peer>(), Err(PeerError), "{text}");
        }
    }
}
