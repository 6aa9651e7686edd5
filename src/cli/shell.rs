//! Words as a shell reads them, for commands that are printed to be copied.

use std::borrow::Cow;

use crate::visible::is_hidden;

/// A word, quoted if it needs that. A word with control characters, which would break the printed line, is written as
/// `$'…'`, which bash, zsh and ksh read.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    // CI systems look for `##[command]` in what is printed.
    if !text.chars().any(is_hidden) && !text.contains("##") {
        // It only refuses NUL, which is a control character.
        return shlex::try_quote(text).unwrap_or(Cow::Borrowed(text));
    }
    let mut quoted = String::from("$'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            character if is_hidden(character) || character == '#' => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    // Three digits, so that a digit that follows is not read as one of them.
                    quoted += &format!("\\{byte:03o}");
                }
            }
            character => quoted.push(character),
        }
    }
    (quoted + "'").into()
}

#[cfg(test)]
mod tests {
    use super::word;

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
