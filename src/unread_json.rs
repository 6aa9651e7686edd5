//! Why a text was not read as JSON, in words. JSON allows numbers of any size and `serde_json` reads those of 64 bits: a text
//! with `1e400` is JSON, and who is told that it is not looks for a mistake of its form. The same goes for a text that is nested
//! deeper than it is read.

use serde_json::Error;

/// What is said of a number that does not fit.
pub const TOO_LARGE: &str = "a number is too large: at most about 1.8e308 can be read";

/// What is said of a text that is nested too deeply.
pub const TOO_DEEP: &str = "it is nested too deeply: at most 127 levels can be read";

/// How `serde_json` says both; it has no kinds of errors for them.
const BEYOND: [(&str, &str); 2] =
    [("number out of range", TOO_LARGE), ("recursion limit exceeded", TOO_DEEP)];

/// Whether the text has a number that is too large, and is JSON so far.
pub fn is_too_large(error: &Error) -> bool {
    beyond(error) == Some(TOO_LARGE)
}

/// Why a text that is JSON so far can't be read: a number is too large, or it is nested too deeply.
pub fn beyond(error: &Error) -> Option<&'static str> {
    let said = error.is_syntax().then(|| error.to_string())?;
    BEYOND.iter().find(|(start, _)| said.starts_with(start)).map(|(_, why)| *why)
}

/// What is wrong, and at which line and column.
pub fn reason(error: &Error) -> String {
    if let Some(why) = beyond(error) {
        return format!("{why}, at line {} column {}", error.line(), error.column());
    }
    error.to_string()
}

/// The same without the place, for texts whose place is told by the caller.
pub fn without_place(error: &Error) -> String {
    if let Some(why) = beyond(error) {
        return why.to_owned();
    }
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The sentence about `what`: `the body is not JSON: …`.
pub fn sentence(what: &str, error: &Error) -> String {
    if beyond(error).is_some() {
        return format!("{what} can't be read: {}", reason(error));
    }
    format!("{what} is not JSON: {error}")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn error(text: &str) -> Error {
        serde_json::from_str::<Value>(text).expect_err(text)
    }

    #[test]
    fn a_number_that_is_too_large_is_json_all_the_same() {
        for text in ["1e400", "-1e400", r#"{"a":1.5e999}"#, &"9".repeat(400)] {
            assert!(is_too_large(&error(text)), "{text}");
        }
        assert_eq!(
            sentence("the body", &error("[1e400]")),
            "the body can't be read: a number is too large: at most about 1.8e308 can be read, at line 1 column 6"
        );
        assert_eq!(without_place(&error("[1e400]")), TOO_LARGE);
    }

    #[test]
    fn what_is_nested_too_deeply_is_json_all_the_same() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(serde_json::from_str::<Value>(&nested(127)).is_ok());
        let error = error(&nested(128));
        assert!(!is_too_large(&error));
        assert_eq!(
            sentence("the body", &error),
            "the body can't be read: it is nested too deeply: at most 127 levels can be read, at line 1 column 128"
        );
        assert_eq!(without_place(&error), TOO_DEEP);
    }

    #[test]
    fn what_is_no_json_is_told_as_before() {
        assert_eq!(
            sentence("the line", &error("{")),
            "the line is not JSON: EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(without_place(&error("{")), "EOF while parsing an object");
    }
}
