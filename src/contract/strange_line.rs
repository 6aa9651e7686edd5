//! A line that should have one event and has not: what people do to recordings, and how it is undone.

/// What a line is that is not one JSON object, and what to do about its file; `None` if it is nothing that is known.
pub fn strange_line(line: &str) -> Option<&'static str> {
    let line = line.trim_start_matches('\u{feff}').trim_ascii();
    let is_field = |name: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
    if line.contains('\r') {
        Some(
            "its lines end with CR alone, so that all of them are one: replace each CR with LF (tr '\\r' '\\n')",
        )
    } else if line.starts_with(':') || ["data", "event", "id", "retry"].into_iter().any(is_field) {
        Some(
            "it is a line of an event stream: record with `incident watch --record FILE`, or keep what stands behind `data: ` \
             (sed -n 's/^data: //p')",
        )
    } else if line.starts_with('[') {
        Some("it is a JSON array, and an event is one JSON object on a line of its own (jq -c '.[]')")
    } else if matches!(line, "{" | "}" | "}," | "}{") {
        Some("its JSON object has several lines, and an event is one on a line of its own (jq -c .)")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_and_a_line_that_was_cut_are_not_strange() {
        for line in
            [r#"{"type":"a"}"#, r#"{"type":"a","data":{"a"#, "", "garbage", "identity", "\u{feff}{\"a\":1}\r"]
        {
            assert_eq!(strange_line(line), None, "{line:?}");
        }
        for (line, word) in [
            ("{\"a\":1}\r{\"a\":2}", "CR"),
            ("data: {}", "event stream"),
            (":", "event stream"),
            ("\u{feff}[", "array"),
            ("{", "several lines"),
        ] {
            assert!(strange_line(line).is_some_and(|told| told.contains(word)), "{line:?}");
        }
    }
}
