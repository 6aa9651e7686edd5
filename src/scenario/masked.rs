//! The text of a file as mistakes in it are shown: without what may be secret, because a log is no place for that.

/// Words in the names of values that are secret themselves, or may have a secret in them. `token_file` and the like name a file instead.
const SECRET: [&str; 11] = [
    "auth",
    "pass",
    "secret",
    "token",
    "cookie",
    "credential",
    "bearer",
    "key",
    "query",
    "send",
    "subprotocol",
];

/// The name in the tables of those.
const VALUE: &str = "value";

/// What a profile calls the place of a key.
const POINTER: &str = "key";

/// How values of several lines begin and end.
const LONG: [(&str, &str); 3] = [("\"\"\"", "\"\"\""), ("'''", "'''"), ("[", "]")];

/// The text with `*` for each byte of a URL's user name, password, query and fragment, and of values whose names say that they are
/// secret. Every byte keeps its place.
pub(crate) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // How the secret value ends that a line before has begun.
    let mut until = None;
    for line in text.split_inclusive('\n') {
        if let Some(mark) = until {
            let end = line.find(mark);
            let (secret, rest) = line.split_at(end.unwrap_or(line.len()));
            shown.extend([&stars(secret), rest]);
            until = until.filter(|_| end.is_none());
            continue;
        }
        // Also without its quotes, which somebody forgets.
        match line.find(['=', ':']).map(|place| line.split_at(place)) {
            Some((name, value)) if is_secret(name) => {
                shown.extend([name, &stars(value)]);
                let value = value[1..].trim_start();
                // What stands in the next line is meant.
                until = if value.is_empty() { Some("\n") } else { end_of(value) };
            }
            None if is_token(line) => {
                let (name, secret) = line.split_once([' ', '\t']).unwrap_or((line, ""));
                shown.extend([name, &line[name.len()..line.len() - secret.len()], &stars(secret)]);
            }
            _ => shown += &without_bare_values(&without_values(&without_parts(line))),
        }
    }
    shown
}

/// Whether the value of this name is secret itself.
fn is_secret(name: &str) -> bool {
    let name = name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    !name.ends_with("file")
        && name != POINTER
        && (name == VALUE || SECRET.iter().any(|word| name.contains(word)))
}

/// Whether a line without a name is one as a file with tokens has it, which was given in the place of this one, or a secret whose `=` is
/// missing.
fn is_token(line: &str) -> bool {
    let line = line.trim();
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-\"'".contains(c);
    let name = line.split([' ', '\t']).next().unwrap_or_default();
    name.len() < line.len() && name.chars().all(is_word)
}

/// How a value ends that goes on in the next line.
fn end_of(value: &str) -> Option<&'static str> {
    let (begin, end) = LONG.iter().find(|(begin, _)| value.starts_with(begin))?;
    (!value[begin.len()..].contains(end)).then_some(*end)
}

/// A text with `*` for each byte, but for what TOML reads.
fn stars(text: &str) -> String {
    let star = |c: char| {
        let is_read = c.is_whitespace() || "\"'[]{}=,:".contains(c);
        if is_read { c.to_string() } else { "*".repeat(c.len_utf8()) }
    };
    text.chars().map(star).collect()
}

/// A line without the parts of URLs that may be secret.
fn without_parts(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        let url = &after[..after.find(['"', '\'', ' ', '\n', '\r']).unwrap_or(after.len())];
        let host = url.find('/').unwrap_or(url.len());
        shown.extend([before, "://", &without_secrets_of(&url[..host], url)]);
        rest = &after[url.len()..];
    }
    shown + rest
}

/// An address without its query, and without the user name and password that stand in this part of it.
fn without_secrets_of(part: &str, address: &str) -> String {
    let name = part.rfind('@').unwrap_or_default();
    let query = address[name..].find(['?', '#']).map_or(address.len(), |mark| name + mark + 1);
    let hidden = |count: usize| "*".repeat(count);
    format!("{}{}{}", hidden(name), &address[name..query], hidden(address.len() - query))
}

/// A line without those of its texts whose names, or what stands before their colon, say that they are secret.
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
            &name[begin..]
        });
        let name = name.unwrap_or_default();
        let value = &inner[..end];
        shown.extend([before, mark]);
        shown += &match value.split_once(':') {
            _ if is_secret(name) => stars(value),
            // What is hardly a URL, without its scheme.
            _ if name == "url" && !value.contains("://") => without_secrets_of(value, value),
            // A header.
            Some((header, secret)) if is_secret(header) => format!("{header}:{}", stars(secret)),
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

/// A line without the values of secret names that lack their quotes in a table on one line.
fn without_bare_values(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('=') {
        let begin = before.rfind(['{', ',', '=', '[']).map_or(0, |mark| mark + 1);
        let is_bare = !after.trim_start().starts_with(['"', '\'', '{', '[']);
        let end = if is_bare && is_secret(&before[begin..]) {
            after.find([',', '}', '\n']).unwrap_or(after.len())
        } else {
            0
        };
        shown.extend([before, "=", &stars(&after[..end])]);
        rest = &after[end..];
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
            ("token = abc\nurl = 1", "token = ***\nurl = 1"),
            ("token: abc", "token: ***"),
            (
                "headers = { a = 1, Authorization = Bearer x }",
                "headers = { a = 1, Authorization = ****** * }",
            ),
            ("name = \"x\", password = abc", "name = \"x\", password = ***"),
            ("key = \"/data/id\"", "key = \"/data/id\""),
            ("write abc-1\nread \tabc", "write *****\nread \t***"),
            ("token abc\n# a b", "token ***\n# a b"),
            ("token =\n  \"abc\"\nc = 1", "token =\n  \"***\"\nc = 1"),
            ("[sink.token]\nvalue = \"abc\"", "[sink.token]\nvalue = \"***\""),
            ("headers = { X-Api-Key = \"abc\" }", "headers = { X-Api-Key = \"***\" }"),
            ("query = \"a=b\"\nsend = ['x']", "query = \"*=*\"\nsend = ['*']"),
            ("\"api_key\" = [\"a\",\n'b']\nc = 1", "\"api_key\" = [\"*\",\n'*']\nc = 1"),
            ("secret = \"\"\"a\nb\"\"\"\nc = 1", "secret = \"\"\"*\n*\"\"\"\nc = 1"),
            ("secret = '''a'''\nc = 1", "secret = '''*'''\nc = 1"),
            (
                "headers = { \"X-Auth-Token\" = 'abc', Accept = \"a\", Authorization=\"B c\" }",
                "headers = { \"X-Auth-Token\" = '***', Accept = \"a\", Authorization=\"* *\" }",
            ),
            (
                "headers = [\"Accept: a\", \"Authorization: B c\"]",
                "headers = [\"Accept: a\", \"Authorization: * *\"]",
            ),
            ("password = \"pä\r\n# don't", "password = \"***\r\n# don't"),
            ("url = \"me:pw@h:9093\"\n", "url = \"*****@h:9093\"\n"),
            ("url = 'h/?key=1' # a@b", "url = 'h/?*****' # a@b"),
            ("no url", "no ***"),
            ("url", "url"),
        ] {
            let found = masked(text);
            assert_eq!((found.as_str(), found.len()), (shown, text.len()), "{text}");
        }
    }
}
