//! The parts of a URL that may be secret.

use std::ops::Range;

/// A part of the path of so many characters, with a digit, may be a token.
const LIKE_TOKEN: usize = 16;

/// Behind which of them the host stands, after a user name and a password.
const SCHEMES: [&str; 4] = ["http://", "https://", "ws://", "wss://"];

/// Where the user name and the password are, such parts of the path as could be tokens, the query and the fragment. `url` may be no URL.
pub(super) fn hidden_parts(url: &str) -> Vec<Range<usize>> {
    let scheme = SCHEMES.iter().find(|scheme| url.starts_with(**scheme));
    let begin = scheme.map_or(0, |scheme| scheme.len());
    if url.contains('\\') {
        // What is escaped may be any character.
        return std::iter::once(begin..url.len()).collect();
    }
    // A password that is not escaped may have any character.
    let host = url[begin..].rfind('@').map_or(begin, |at| begin + at + 1);
    let query = url[host..].find(['?', '#']).map_or(url.len(), |mark| host + mark + 1);
    let end = host + url[host..query].find('/').unwrap_or(query - host);
    if !is_host(url[host..end].trim_end_matches(['?', '#'])) {
        return std::iter::once(begin..url.len()).collect();
    }
    let mut hidden = Vec::new();
    if host > begin {
        hidden.push(begin..host - 1);
    }
    let mut from = host;
    for (number, part) in url[host..query].split('/').enumerate() {
        let is_like_token = part.len() >= LIKE_TOKEN && part.contains(|c: char| c.is_ascii_digit());
        // The first one is the host.
        if number > 0 && (is_like_token || part.contains('=')) {
            hidden.push(from..from + part.len());
        }
        from += part.len() + 1;
    }
    if query < url.len() {
        hidden.push(query..url.len());
    }
    hidden
}

/// Whether this can be a host with or without a port, rather than a user with a password.
fn is_host(host: &str) -> bool {
    let is_address = |c: char| c.is_ascii_hexdigit() || ":.".contains(c);
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) if address.chars().all(is_address) => (address, port),
        _ => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    !name.contains(['=', ' ']) && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::hidden_parts;

    #[test]
    fn what_is_secret_in_a_url() {
        for (url, shown) in [
            ("https://h:1/a/b", "https://h:1/a/b"),
            ("https://[::1]:9093/a", "https://[::1]:9093/a"),
            ("https://u:p@h/x?z#q", "https://***@h/x?***"),
            ("https://u:p@h/x@y?z#q", "https://*******@y?***"),
            ("https://u:a/p@h/x", "https://*****@h/x"),
            ("https://u:p#x@h/x#y", "https://*****@h/x#*"),
            ("https://u:p?x@h", "https://*****@h"),
            ("https://u:p", "https://***"),
            ("https://u:p/a?b", "https://*******"),
            ("https://u:p\\u0040h/x", "https://************"),
            ("u:p@h/x", "***@h/x"),
            ("u:p", "***"),
            ("u:p://h", "*******"),
            ("http:/u@h", "*******@h"),
            ("https://h/a/token=b/c", "https://h/a/*******/c"),
            (
                "https://alerts-0123456789abc.example/T012345/B0123456789abcdef",
                "https://alerts-0123456789abc.example/T012345/*****************",
            ),
            ("h#q", "h#*"),
            ("", ""),
        ] {
            let mut found = url.as_bytes().to_vec();
            for part in hidden_parts(url) {
                found[part].fill(b'*');
            }
            assert_eq!(String::from_utf8_lossy(&found), shown);
        }
    }
}
