//! The text of a file as mistakes in it are shown: without what may be secret, because a log is no place for that.

/// Words in the names of values that are secret themselves. `token_file` and the like name a file instead.
const SECRET: [&str; 5] = ["authorization", "password", "secret", "token", "cookie"];

/// The text with `*` for each byte of a URL's user name, password, query and fragment, and of texts whose names say that they are
/// secret. Every byte keeps its place.
pub(crate) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        shown += &without_values(&without_parts(line));
    }
    shown
}

/// A line without the parts of URLs that may be secret.
fn without_parts(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        let url = &after[..after.find(['"', '\'', ' ', '\n', '\r']).unwrap_or(after.len())];
        let authority = url.split('/').next().unwrap_or_default();
        let name = authority.rfind('@').unwrap_or_default();
        let query = url[name..].find(['?', '#']).map_or(url.len(), |mark| name + mark + 1);
        let stars = |count: usize| "*".repeat(count);
        shown.extend([before, "://", &stars(name), &url[name..query], &stars(url.len() - query)]);
        rest = &after[url.len()..];
    }
    shown + rest
}

/// An address without its user name, password and query.
fn without_secrets_of(address: &str) -> String {
    let name = address.rfind('@').unwrap_or_default();
    let query = address[name..].find(['?', '#']).map_or(address.len(), |mark| name + mark + 1);
    let stars = |count: usize| "*".repeat(count);
    format!("{}{}{}", stars(name), &address[name..query], stars(address.len() - query))
}

/// A line without the values of names that say that they are secret.
fn without_values(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(open);
        let (mark, inner) = quoted.split_at(1);
        let end = inner.find(mark).or_else(|| inner.find('\n')).unwrap_or(inner.len());
        // A quoted name is followed by `=` as well.
        let names = &line[..line.len() - quoted.len()];
        let name = names.trim_end().strip_suffix('=').map(|names| {
            let name = names.trim_end().trim_end_matches(['"', '\'']);
            let begin = name.rfind(['"', '\'', ',', '{', ' ', '=']).map_or(0, |before| before + 1);
            name[begin..].to_ascii_lowercase()
        });
        let name = name.unwrap_or_default();
        let value = &inner[..end];
        let is_secret = !name.ends_with("file") && SECRET.iter().any(|word| name.contains(word));
        shown.extend([before, mark]);
        shown += &match name.as_str() {
            _ if is_secret => "*".repeat(end),
            // What is hardly a URL, without its scheme.
            "url" if !value.contains("://") => without_secrets_of(value),
            _ => value.to_owned(),
        };
        // The mark at the end, unless the line ends before it.
        let after = &inner[end..];
        let closing = after.strip_prefix(mark).map_or(0, |_| 1);
        shown += &after[..closing];
        rest = &after[closing..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (text, shown) in [
            ("url = \"http://me:pä@w@host/p\"", "url = \"http://********@host/p\""),
            ("a = \"http://h/x@y\" b = 'https://u@h'", "a = \"http://h/x@y\" b = 'https://*@h'"),
            ("url = \"https://h/?key=1#x\" # ?", "url = \"https://h/?*******\" # ?"),
            ("url = \"https://h/#a\nb = 1", "url = \"https://h/#*\nb = 1"),
            ("token = \"abc\"\ntoken_file = \"t\"", "token = \"***\"\ntoken_file = \"t\""),
            (
                "headers = { \"X-Auth-Token\" = 'abc', Accept = \"a\", Authorization=\"B c\" }",
                "headers = { \"X-Auth-Token\" = '***', Accept = \"a\", Authorization=\"***\" }",
            ),
            ("password = \"pä\r\n# don't", "password = \"****\n# don't"),
            ("url = \"me:pw@h:9093\"\n", "url = \"*****@h:9093\"\n"),
            ("url = 'h/?key=1' # a@b", "url = 'h/?*****' # a@b"),
            ("no url", "no url"),
        ] {
            let found = masked(text);
            assert_eq!((found.as_str(), found.len()), (shown, text.len()), "{text}");
        }
    }
}
