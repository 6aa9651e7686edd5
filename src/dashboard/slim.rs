//! The built-in files without comments, indentation and empty lines, which are a quarter of what is left after compression.
//!
//! This goes by lines and reads no JavaScript. `tests/it/compressed.rs` holds the files to what it relies on: comments have lines
//! of their own, and no text spans lines.

use std::ffi::OsStr;
use std::path::Path;

/// What is sent of a file.
pub fn slim(name: &str, text: &str) -> String {
    let kind = Path::new(name).extension().and_then(OsStr::to_str);
    if kind == Some("html") {
        return without_comments(text, "<!--", "-->", None);
    }
    let line_comment = (kind == Some("js")).then_some("//");
    without_comments(text, "/*", "*/", line_comment)
}

fn without_comments(text: &str, opens: &str, closes: &str, line_comment: Option<&str>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        let mut line = line.trim();
        if !inside && line.starts_with(opens) {
            inside = true;
            line = &line[opens.len()..];
        }
        if inside {
            let Some((_, after)) = line.split_once(closes) else { continue };
            inside = false;
            line = after.trim_start();
        }
        if line.is_empty() || line_comment.is_some_and(|mark| line.starts_with(mark)) {
            continue;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_go_and_code_stays() {
        let text = "// Owns a.\n/** One\n * and two. */\nconst a = 1; // one\n\n  /* x */ const b = '//';\n/* y */\n";
        assert_eq!(slim("a.js", text), "const a = 1; // one\nconst b = '//';\n");
        assert_eq!(slim("a.css", "/* a\nb */\na { }\n  // no comment here\n"), "a { }\n// no comment here\n");
    }
}
