//! Whether a file is a scenario or a recording, where its name does not say it.

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;

use crate::input_file::{self, Kind};

/// How much is read to find it out.
const HEAD_BYTES: u64 = 16 * 1024;

/// What was opened, from its start although some of it has been read.
pub(super) type Opened = Chain<Cursor<Vec<u8>>, File>;

/// What is in a file.
pub(super) enum Content {
    /// A scenario.
    Scenario(Source),
    /// A recording, or anything else: who reads it says what is wrong.
    Recording(Source),
}

/// Where it is read from.
pub(super) enum Source {
    /// The path, which can be opened again.
    Path,
    /// A pipe, which can be read once.
    Once(Opened),
}

/// Looks at the beginning of a file. A named pipe is not opened.
///
/// # Errors
/// It can't be read.
pub(super) fn look(path: &Path) -> io::Result<Content> {
    let is_stream = input_file::kind(path)? == Kind::Stream;
    let mut file = input_file::open(path)?;
    let mut head = Vec::new();
    if is_stream {
        // One read, if it has something to say: the rest may come much later.
        while !says_what_it_is(&head) {
            let mut piece = [0; 4096];
            let read = file.read(&mut piece)?;
            head.extend_from_slice(&piece[..read]);
            if read == 0 || head.len() as u64 >= HEAD_BYTES {
                break;
            }
        }
    } else {
        (&file).take(HEAD_BYTES).read_to_end(&mut head)?;
    }
    let is_scenario = is_toml(&String::from_utf8_lossy(&head));
    let source = if is_stream { Source::Once(Cursor::new(head).chain(file)) } else { Source::Path };
    Ok(if is_scenario { Content::Scenario(source) } else { Content::Recording(source) })
}

/// Whether the first line is complete, or begins as no scenario does.
fn says_what_it_is(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    text.first() == Some(&b'{') || text.contains(&b'\n')
}

/// Whether a text begins as TOML does: with a comment, a table or a key. Each line of a recording is in braces.
fn is_toml(text: &str) -> bool {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let Some(first) = lines.find(|line| !line.is_empty()) else { return false };
    let is_name = |name: &str| {
        let is = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'' | ' ');
        !name.is_empty() && name.chars().all(is)
    };
    let is_key = first.split_once('=').is_some_and(|(key, _)| is_name(key));
    let table = first.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_table = table.is_some_and(|(name, _)| is_name(name.trim_start_matches('[')));
    first.starts_with('#') || is_key || is_table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_told_from_a_recording() {
        for scenario in
            ["# a\n", "\n\nid = \"a\"\n", "\u{feff}id=1", "[metrics]", "[[steps]] # first", "a.b = 1"]
        {
            assert!(is_toml(scenario), "{scenario:?}");
        }
        for other in ["", "{\"a\":1}", "[{\"a\":1}]", "[", "data: {}", "<html a=\"b\">", "garbage", "\0i\0d"]
        {
            assert!(!is_toml(other), "{other:?}");
        }
    }
}
