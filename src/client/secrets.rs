//! URLs without what may be secret in them: a user name, a password, a query. For messages, which land in logs.

use std::borrow::Cow;

/// Stands for what is left out.
const HIDDEN: char = '…';

/// Characters that end a URL within a text.
const AROUND: [char; 4] = ['"', '\'', '`', '<'];

/// A text that is meant as a URL, with or without its scheme, without its user name, password, query and fragment.
pub fn without_secrets(url: &str) -> Cow<'_, str> {
    let start = url.find("://").map_or(0, |scheme| scheme + "://".len());
    let (scheme, rest) = url.split_at(start);
    // A password that is not escaped may have any character.
    let (name, rest) = rest.rsplit_once('@').map_or((false, rest), |(_, rest)| (true, rest));
    let end = rest.find(['?', '#']).map_or(rest.len(), |end| end + 1);
    let more = end < rest.len();
    if !name && !more {
        return Cow::Borrowed(url);
    }
    let name = if name { format!("{HIDDEN}@") } else { String::new() };
    let more = if more { HIDDEN.to_string() } else { String::new() };
    Cow::Owned(format!("{scheme}{name}{}{more}", &rest[..end]))
}

/// A subprotocol, or what stands for one that may carry a token: some servers take it that way, because browsers can't send
/// headers.
pub fn subprotocol_without_secrets(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    let is_secret = name.len() > 32
        || ["bearer", "token", "auth", "secret", "key"].iter().any(|word| lower.contains(word));
    if is_secret { "…" } else { name }
}

/// A text in which URLs may stand. A fragment without `=`, as in the reference of a schema, stays.
pub fn urls_without_secrets(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let url = scheme + "://".len();
        let begin = rest[..scheme]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |before| before + rest[before..].chars().next().map_or(1, char::len_utf8));
        let end = rest[url..].find(|c: char| c.is_whitespace() || AROUND.contains(&c));
        let end = end.map_or(rest.len(), |end| url + end);
        let whole = &rest[begin..end];
        written += &rest[..begin];
        match whole.split_once('#') {
            Some((before, fragment)) if !fragment.contains(['=', '@']) => {
                written += &without_secrets(before);
                written += "#";
                written += fragment;
            }
            _ => written += &without_secrets(whole),
        }
        rest = &rest[end..];
    }
    Cow::Owned(written + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_left_out() {
        for (url, wanted) in [
            ("ws://127.0.0.1:7911/ws", "ws://127.0.0.1:7911/ws"),
            ("ws://user:pass@host/ws", "ws://…@host/ws"),
            ("user:pass@host:1", "…@host:1"),
            ("http://user:p/a#s?s@host/x", "http://…@host/x"),
            ("http://host/x?token=1#y", "http://host/x?…"),
            ("http://host/#token=1", "http://host/#…"),
            ("http://host/x?", "http://host/x?"),
        ] {
            assert_eq!(without_secrets(url), wanted);
        }
    }

    #[test]
    fn urls_are_found_in_a_text() {
        for (text, wanted) in [
            ("no URL, a@b and c?d", "no URL, a@b and c?d"),
            ("“http://u:p@h/” and \"ws://u:p@h/x?y=1\" é", "“http://…@h/” and \"ws://…@h/x?…\" é"),
            ("éhttp://u:p@h/ ws://h", "éhttp://…@h/ ws://h"),
            ("the reference https://h/a.json#/defs/b", "the reference https://h/a.json#/defs/b"),
            ("https://h/#access_token=1 ://", "https://h/#… ://"),
        ] {
            assert_eq!(urls_without_secrets(text), wanted);
        }
    }
}
