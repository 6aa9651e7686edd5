//! A section of the report.

/// A heading and its text; nothing if the text is empty.
pub(super) fn section(heading: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("## {heading}\n\n{body}") }
}
