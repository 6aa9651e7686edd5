//! Words as a shell reads them, for commands that are printed to be copied.

use std::borrow::Cow;
use std::path::Path;

use crate::visible::is_hidden;

/// A word, quoted if it needs that. A word with control characters, which would break the printed line, is written as
/// `$'…'`, which bash, zsh and ksh read.
pub fn word(text: &str) -> Cow<'_, str> {
    // CI systems look for `##[command]` in what is printed.
    if !text.chars().any(is_hidden) && !text.contains("##") {
        // It only refuses NUL, which is a control character.
        return shlex::try_quote(text).unwrap_or(Cow::Borrowed(text));
    }
    escaped(text.as_bytes()).into()
}

/// The name of a file as a word: also if it begins like a flag, or is not UTF-8.
pub fn file(path: &Path) -> String {
    if path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        return file(&Path::new(".").join(path));
    }
    match path.to_str() {
        Some(text) => word(text).into_owned(),
        None => escaped(path.as_os_str().as_encoded_bytes()),
    }
}

/// Three digits for each byte, so that a digit that follows is not read as one of them.
fn octal(byte: u8) -> String {
    format!("\\{byte:03o}")
}

fn escaped(bytes: &[u8]) -> String {
    let mut quoted = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '\\' => quoted.extend(['\\', character]),
                character if is_hidden(character) || character == '#' => {
                    let mut bytes = [0; 4];
                    quoted.extend(character.encode_utf8(&mut bytes).bytes().map(octal));
                }
                character => quoted.push(character),
            }
        }
        quoted.extend(chunk.invalid().iter().copied().map(octal));
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{file, word};

    #[test]
    fn a_word_is_quoted_only_if_it_needs_that() {
        for (text, wanted) in [
            ("scenarios/database-outage.toml", "scenarios/database-outage.toml"),
            ("ws://127.0.0.1:7911/ws", "ws://127.0.0.1:7911/ws"),
            ("latency.p99=50ms", "'latency.p99=50ms'"),
            ("my file", "'my file'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
            ("##[x]", "$'\\043\\043[x]'"),
            ("a\nb'1", "$'a\\012b\\'1'"),
            ("\u{202e}x", "$'\\342\\200\\256x'"),
        ] {
            assert_eq!(word(text), wanted);
        }
    }

    #[test]
    fn a_file_is_never_read_as_a_flag() {
        for (name, wanted) in [
            ("a.toml", "a.toml"),
            ("-x.toml", "./-x.toml"),
            ("-", "./-"),
            ("/tmp/-x", "/tmp/-x"),
            ("x; touch y", "'x; touch y'"),
            ("-x y", "'./-x y'"),
        ] {
            assert_eq!(file(Path::new(name)), wanted);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf_8_keeps_its_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"a\xff1'");
        assert_eq!(file(Path::new(name)), "$'a\\3771\\''");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn bash_reads_the_same_word(text in "[^\0]{0,12}") {
            let quoted = word(&text);
            proptest::prop_assert!(!quoted.chars().any(char::is_control));
            // On a machine without bash there is nothing to compare with.
            if let Ok(ran) = std::process::Command::new("bash").arg("-c").arg(format!("printf %s {quoted}")).output() {
                proptest::prop_assert_eq!(String::from_utf8_lossy(&ran.stdout), text);
            }
        }
    }
}
