//! The built-in files as they are sent: without comments, indentation and empty lines, which are a quarter of what is left after
//! compression; and the page with a hint for each of its modules.
//!
//! This goes by lines and reads no JavaScript. `tests/it/compressed.rs` holds the files to what it relies on: comments have lines
//! of their own, and no text spans lines.

use std::ffi::OsStr;
use std::path::Path;

use super::files::FILES;

/// Where the page names its first script.
const SCRIPT: &str = "<script type=\"module\" src=\"./";

/// What is sent of a file.
pub(super) fn slim(name: &str, text: &str) -> String {
    let kind = Path::new(name).extension().and_then(OsStr::to_str);
    if kind == Some("html") {
        return with_preloads(&without_comments(text, "<!--", "-->", None));
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

/// A browser finds a module only when it has read the one that imports it, one round trip after the other. The page names all of
/// them at once instead, apart from those that are imported when they are needed.
fn with_preloads(page: &str) -> String {
    let Some((before, script)) = page.split_once(SCRIPT) else { return page.to_owned() };
    let Some((first, _)) = script.split_once('"') else { return page.to_owned() };
    let modules = modules(first);
    let hints = modules.iter().filter(|name| *name != first);
    let hints: String =
        hints.map(|name| format!("<link rel=\"modulepreload\" href=\"./{name}\">\n")).collect();
    format!("{before}{hints}{SCRIPT}{script}")
}

/// A module and all that it imports, and so on.
fn modules(first: &str) -> Vec<String> {
    let mut found = vec![first.to_owned()];
    let mut read = 0;
    while let Some(name) = found.get(read).cloned() {
        read += 1;
        let file = FILES.iter().find(|(file, _)| *file == name);
        let text = file.and_then(|(_, bytes)| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        for path in text.lines().filter_map(imported) {
            let path = resolved(&name, path);
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// The path in `import './a.js';`, in `import { a } from './a.js';`, and in its last line if it has several.
fn imported(line: &str) -> Option<&str> {
    let after = if let Some(after) = line.strip_prefix("import '") {
        after
    } else if line.starts_with("import ") || line.starts_with("} from ") || line.starts_with("export ") {
        line.split_once(" from '")?.1
    } else {
        return None;
    };
    Some(after.split_once('\'')?.0).filter(|path| path.starts_with('.'))
}

/// A path in the module `from`, counted from the page.
fn resolved(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
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

    #[test]
    fn imports_are_found_from_anywhere() {
        assert_eq!(imported("import './panels/a.js';"), Some("./panels/a.js"));
        assert_eq!(imported("import { a } from '../a.js';"), Some("../a.js"));
        assert_eq!(imported("} from './a.js';"), Some("./a.js"));
        assert_eq!(imported("  const { a } = await import('./a.js');"), None);
        assert_eq!(resolved("panels/a.js", "../b.js"), "b.js");
        assert_eq!(resolved("app.js", "./panels/b.js"), "panels/b.js");
    }
}
