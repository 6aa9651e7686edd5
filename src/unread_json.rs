//! Why a text was not read as JSON, in words. JSON allows numbers of any size, and any depth; `serde_json` reads numbers of 64 bits and so many
//! levels: a text with `1e400` is JSON, and who is told that it is not looks for a mistake of its form.

use serde_json::Error;

/// What is said of a number that does not fit.
pub const TOO_LARGE: &str = "a number is too large: at most about 1.8e308 can be read";

/// What is said of a text with too many levels.
pub const TOO_DEEP: &str = "its values are nested too deep: at most 127 levels can be read";

/// How `serde_json` says it; it has no kinds of error for that.
const OUT_OF_RANGE: &str = "number out of range";
const RECURSION: &str = "recursion limit exceeded";

/// Whether the text has a number that is too large, and is JSON so far.
pub fn is_too_large(error: &Error) -> bool {
    beyond(error) == Some(TOO_LARGE)
}

/// What of the text is beyond what can be read, if it is JSON so far.
pub fn beyond(error: &Error) -> Option<&'static str> {
    let text = error.is_syntax().then(|| error.to_string())?;
    let limits = [(OUT_OF_RANGE, TOO_LARGE), (RECURSION, TOO_DEEP)];
    limits.into_iter().find(|(told, _)| text.starts_with(told)).map(|(_, said)| said)
}

/// What is wrong, and at which line and column.
pub fn reason(error: &Error) -> String {
    match beyond(error) {
        Some(what) => format!("{what}, at line {} column {}", error.line(), error.column()),
        None => error.to_string(),
    }
}

/// The same without the place, for texts whose place is told by the caller.
pub fn without_place(error: &Error) -> String {
    if let Some(what) = beyond(error) {
        return what.to_owned();
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
    fn a_text_with_too_many_levels_is_json_all_the_same() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(serde_json::from_str::<Value>(&nested(127)).is_ok());
        assert_eq!(without_place(&error(&nested(128))), TOO_DEEP);
        assert!(
            sentence("the body", &error(&nested(200))).starts_with("the body can't be read: its values are")
        );
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
