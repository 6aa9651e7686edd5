//! A file as mistakes in it are shown: a log is no place for what is secret. What is shown of it is what is known to be harmless: names, and
//! the values of some keys. Its text need not be TOML.

mod masker;
mod url;

use std::collections::HashSet;

use self::masker::{LIKE_TOKEN, Masker, end_of, stars};
use super::diagnostic::Diagnostic;
use super::read::{IN_NUMBERS, UNQUOTED};

/// What is shown of a file.
pub(crate) struct Masked {
    /// The text with `*` for each byte that is hidden: every other byte keeps its place.
    pub(crate) text: String,
    /// The words that are hidden.
    words: HashSet<String>,
}

impl Masked {
    /// `table` is the name of the tables with the keys whose values may be shown; empty if they stand at the top of the file.
    pub(crate) fn new(text: &str, table: &str, harmless: &[&str]) -> Self {
        let (text, mut words) = Masker::new(text, table, harmless).masked();
        // What is shown elsewhere is not secret: the words of keys and names are those of messages too.
        for shown in text.split(|c: char| !c.is_alphanumeric()) {
            words.remove(shown);
        }
        Self { text, words }
    }

    /// Mistakes, without the hidden words that they quote.
    pub(crate) fn mistakes(&self, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        for mistake in &mut found {
            let is_hidden = self.text.get(mistake.span.clone()).is_some_and(|shown| shown.contains('*'));
            // The help repeats it.
            if is_hidden && mistake.message == UNQUOTED {
                mistake.help = Some("put it in quotes".to_owned());
            } else if is_hidden && IN_NUMBERS.contains(&mistake.message.as_str()) {
                mistake.help = None;
            }
            mistake.message = self.without_words(&mistake.message);
            mistake.label = self.without_words(&mistake.label);
            mistake.help = mistake.help.as_deref().map(|help| self.without_words(help));
        }
        found
    }

    fn without_words(&self, message: &str) -> String {
        let mut told = String::with_capacity(message.len());
        let mut quote = None;
        let mut left = message;
        while let Some(c) = left.chars().next() {
            if c.is_alphanumeric() {
                let (word, rest) = left.split_at(end_of(left, char::is_alphanumeric));
                let is_hidden = if rest.starts_with('…') {
                    self.words.iter().any(|hidden| hidden.starts_with(word))
                } else {
                    self.words.contains(word)
                };
                // Messages say short words of their own.
                let is_told =
                    quote.is_none() && !word.chars().any(|c| c.is_ascii_digit()) && word.len() < LIKE_TOKEN;
                told += &if is_hidden && !is_told { stars(word) } else { word.to_owned() };
                left = rest;
                continue;
            }
            // What follows a backslash is a part of no word.
            let length =
                if c == '\\' { 1 + left[1..].chars().next().map_or(0, char::len_utf8) } else { c.len_utf8() };
            if "\"`".contains(c) {
                quote = match quote {
                    None => Some(c),
                    Some(open) => Some(open).filter(|open| *open != c),
                };
            }
            told += &left[..length];
            left = &left[length..];
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HARMLESS: [&str; 5] = ["name", "url", "key", "labels", "scenarios"];

    fn masked(text: &str) -> String {
        Masked::new(text, "sink", &HARMLESS).text
    }

    #[test]
    fn only_what_is_harmless_is_shown() {
        for (text, shown) in [
            ("url = \"http://me:pä@w@host/p\"", "url = \"http://**:*****@host/p\""),
            ("url = \"https://h/?key=1#x\" # ?", "url = \"https://h/?***=***\" # *"),
            ("url = \"https://h/#a\nx = 1", "url = \"*****:******\nx = 1"),
            ("url = \"me:pw@h:9093\"\n", "url = \"**:**@h:9093\"\n"),
            ("url = 'h/?key=1' # a@b", "url = 'h/?***=*' # ***"),
            ("token = \"abc\"\nname = \"t\"", "token = \"***\"\nname = \"t\""),
            ("token = abc\nname = pager", "token = ***\nname = pager"),
            ("token: abc", "token: ***"),
            ("headers = { a = 1, B = Bearer x }", "headers = { a = 1, B = ****** * *"),
            ("name = \"x\", passwd = abc", "name = \"*\"* ****** * ***"),
            ("\"name\" = \"x\" webhook = 'abc'", "\"name\" = \"*\" ******* * *****"),
            ("key = \"/data/id\"", "key = \"/data/id\""),
            ("write abc-1\nread \tabc", "write *****\nread \t***"),
            ("write Abcdef==\nAbc012==\nabc", "write ********\n********\n***"),
            ("token abc\n# a b", "token ***\n# * *"),
            ("token =\n  \"abc\"\nx = 1", "token =\n  *****\nx = 1"),
            ("[sink.token]\nvalue = \"abc\"", "[sink.token]\nvalue = \"***\""),
            ("[sink.labels]\na = \"abc\"\n[name]\nb = 'c'", "[sink.labels]\na = \"abc\"\n[name]\nb = '*'"),
            ("labels = { team = \"a\", api_key = \"b\" }", "labels = { team = \"a\", api_key = \"*\" }"),
            ("scenarios = [\n  \"a\", # b\n  'c',\n]", "scenarios = [\n  \"a\", # *\n  'c',\n]"),
            ("scenarios = [\"a\"\nother = \"b\"", "scenarios = [\"a\"\nother = \"*\""),
            ("\"api_key\" = [\"a\",\n'b]c', name = 'd'", "\"api_key\" = [\"*\",\n'*]*', **** * ***"),
            ("secret = \"\"\"a\nb\\\"\"\"\"\nx = 1", "secret = \"\"\"*\n***\"\"\"\nx = 1"),
            ("x = \"a\\\"b\"\nsecret = '''a'''\ny = 1", "x = \"****\"\nsecret = '''*'''\ny = 1"),
            ("headers = [\"Accept: a\", \"B: B c\"]", "headers = [\"******: *\", \"*: * *\"]"),
            ("password = \"pä\r\n# don't", "password = \"***\r\n# *****"),
            ("\"password=abc\" = 1", "************** * *"),
            ("labels = { \"token=abc\" = 'a' }", "labels = { *********** * *** *"),
            ("0123456789abcdef = 1", "**************** * *"),
            (
                "[sink.labels]\na = 'b'\n[[sink]] # two\npwd = 'abc'",
                "[sink.labels]\na = 'b'\n[[sink]] # ***\npwd = '***'",
            ),
            ("[sink.labels] #\n[sink.\"x\"]\na = 'b'", "[sink.labels] #\n[*********\na = '*'"),
            ("scenarios = [\"a\"\n\"webhook\" = 'b'", "scenarios = [\"a\"\n\"webhook\" = '*'"),
            ("pin = 1\npass = 1\n12", "pin = 1\npass = *\n**"),
            ("no url", "no ***"),
        ] {
            let found = masked(text);
            assert_eq!((found.as_str(), found.len()), (shown, text.len()), "{text}");
        }
    }

    #[test]
    fn nothing_is_shown_behind_a_value() {
        for (text, shown) in [
            ("name = \"pager\" // token abc", "name = \"*****\" ** ***** ***"),
            ("name = \"pager\" token \"abc\" # x", "name = \"*****\" ***** ***** # *"),
            ("name = \"pager\"; token = \"abc\"", "name = \"*****\"* ***** * *****"),
            ("name = \"pager\", token: \"abc\"", "name = \"*****\"* ****** *****"),
            ("name = \"pager\" \"\"\"\ntoken abc\"\"\"\nx = 1", "name = \"*****\" ***\n***** ******\nx = 1"),
            ("name = pager abc", "name = ***** ***"),
            ("name = \"a\" = \"b\"", "name = \"*\" * ***"),
            ("name == \"abc\"", "**** ** *****"),
            ("type: abc\nname: pager x\nname: x", "type: ***\nname: ***** *\nname: x"),
            ("url = \"https://h\" -H \"a\"", "url = \"*****:***\" ** ***"),
            ("url = https://me:a#b@h", "url = ************#***"),
            ("url = \"https://me:abc\"@h/x\"", "url = \"*****:****:***\"*****"),
            ("name = \"abc\n", "name = \"***\n"),
            ("name = \"\"\"a\ntoken = \"b\"\n", "name = \"\"\"*\n***** = ***\n"),
            ("labels = { a = \"x\", b: \"abc\" }\nx = 1", "labels = { a = \"x\", ** ***** *\nx = 1"),
            ("labels = { a = \"x\", \"b\": \"abc\" }", "labels = { a = \"x\", **** ***** *"),
            ("labels = { a = \"x\" token = \"abc\" }", "labels = { a = \"*\" ***** * ***** *"),
            ("labels = { a = \"x\", b = \"y\", } # z", "labels = { a = \"x\", b = \"y\", } # *"),
            ("labels = { \"abc\" }", "labels = { ***** *"),
            ("labels = [\"team=a\", \"token=abc\"]", "labels = [\"team=a\", \"*****=***\"]"),
            ("labels = { team = \"Bearer abc\" }", "labels = { team = \"****** ***\" }"),
            ("scenarios = [\"a\", \"b\"], token: 1", "scenarios = [\"a\", \"b\"]* ****** *"),
            ("scenarios = [\"a\"\n\"b\", c = \"d\"]\nx = 1", "scenarios = [\"a\"\n**** * * ****\nx = 1"),
            ("scenarios = [\"a\", { b = \"c\" }, \"d\"}", "scenarios = [\"a\", { b = \"c\" }, \"d\"*"),
            ("scenarios = \"x\" + \"abc\"", "scenarios = \"*\" * *****"),
            ("labels.token.a = \"b\"", "labels.token.a = \"*\""),
            (
                "labels = { token = { a = \"b\", c = 1 }, d = \"e\" }",
                "labels = { token = { a = \"*\", c = * }, d = \"e\" }",
            ),
            ("[sink.labels.token]\na = \"b\"\nc = 1", "[sink.labels.token]\na = \"*\"\nc = *"),
            ("labels = { site = \"https://u:p@h/\" }", "labels = { site = \"https://*:*@h/\" }"),
            ("[[sink\nname = \"a\"", "[[****\nname = \"*\""),
        ] {
            let found = masked(text);
            assert_eq!((found.as_str(), found.len()), (shown, text.len()), "{text}");
        }
    }

    #[test]
    fn messages_do_not_quote_what_is_hidden() {
        let masked = Masked::new("token = \"S3cret of\"\nname = \"a\"", "", &["name"]);
        for (message, told) in [
            ("\"S3cret of\" is no key of \"a\"", "\"****** of\" is no key of \"a\""),
            ("write \"x\"S3cret\"y\"", "write \"x\"******\"y\""),
            ("`S3c…` is long", "`***…` is long"),
            ("\"\\nS3cret\"", "\"\\n******\""),
        ] {
            let mistake = Diagnostic::new(0..0, message, message).help(message);
            let told = Diagnostic::new(0..0, told, told).help(told);
            assert_eq!(masked.mistakes(vec![mistake]), [told]);
        }
    }

    #[test]
    fn a_hidden_value_without_quotes_is_not_repeated() {
        let masked = Masked::new("token = ab-cd\nname = pager", "", &["name"]);
        let mistake = |span| Diagnostic::new(span, UNQUOTED, "here").help("write \"ab-cd\"");
        let told = masked.mistakes(vec![mistake(8..13), mistake(21..26)]);
        let helps: Vec<_> = told.iter().map(|told| told.help.as_deref()).collect();
        assert_eq!(helps, [Some("put it in quotes"), Some("write \"ab-cd\"")]);
    }

    #[test]
    fn the_digits_of_a_hidden_number_are_not_put_together() {
        for text in ["pin = 123,456", "pin = 12.3456%", "token = 123,456", "pin = { a = 123,456 }"] {
            let found = crate::scenario::syntax_mistakes(text, "");
            let told = Masked::new(text, "", &["name"]).mistakes(found);
            assert!(
                !told.is_empty()
                    && told.iter().all(|told| !told.help.clone().unwrap_or_default().contains("23")),
                "{told:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_word_behind_a_value_is_hidden(junk in "([a-c=':;&+/\\[\\]{} .,ä@-]|\"[a-c]*\"|token|name = )*") {
            for value in ["\"pager\"", "pager", "'pager'", "\"\"", "1"] {
                let text = format!("name = {value} {junk}hunTer");
                let found = masked(&text);
                prop_assert!(!found.contains("hunTer"), "{text} -> {found}");
            }
        }

        #[test]
        fn every_byte_keeps_its_place(text in "([a-c=\"'\\[\\]{}#\\\\\n :.,ä@/]|url = |\"\"\"|name)*") {
            let found = masked(&text);
            prop_assert_eq!(found.len(), text.len());
            for (at, c) in found.char_indices().filter(|(_, c)| *c != '*') {
                prop_assert!(text[at..].starts_with(c));
            }
        }
    }
}
