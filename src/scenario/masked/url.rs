//! The parts of a URL that may be secret.

use std::ops::Range;

/// A part of the path of so many characters, with a digit, may be a token.
const LIKE_TOKEN: usize = 16;

/// Where the user name and the password are, such parts of the path as could be tokens, the query and the fragment. `url` may be no URL.
pub(super) fn hidden_parts(url: &str) -> Vec<Range<usize>> {
    let begin = url.find("://").map_or(0, |scheme| scheme + 3);
    let query = url[begin..].find(['?', '#']).map_or(url.len(), |mark| begin + mark + 1);
    // Without a scheme nobody knows where its host begins.
    let end =
        if begin == 0 { query } else { url[begin..query].find('/').map_or(query, |slash| begin + slash) };
    let mut hidden = Vec::new();
    let path = match url[begin..end].rfind('@') {
        Some(at) => {
            hidden.push(begin..begin + at);
            begin + at + 1
        }
        None => begin,
    };
    let mut from = path;
    for (number, part) in url[path..query].split('/').enumerate() {
        // The first one is the host.
        if number > 0 && part.len() >= LIKE_TOKEN && part.contains(|c: char| c.is_ascii_digit()) {
            hidden.push(from..from + part.len());
        }
        from += part.len() + 1;
    }
    if query < url.len() {
        hidden.push(query..url.len());
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::hidden_parts;

    #[test]
    fn what_is_secret_in_a_url() {
        for (url, shown) in [
            ("https://h:1/a/b", "https://h:1/a/b"),
            ("https://u:p@h/x@y?z#q", "https://***@h/x@y?***"),
            ("u:p@h/x", "***@h/x"),
            ("http:/u@h", "*******@h"),
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
