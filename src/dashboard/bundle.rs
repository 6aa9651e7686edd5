//! The modules that a page needs at its start in one script, and its style sheets in one or two: a browser asks for a few files
//! instead of seventy, and what is alike in them is compressed once.
//!
//! In the script each module is a function of its own, called in the order in which a browser would evaluate the modules; only the
//! last one, which imports them all, is not. What a module exports is kept under its name. A module that is loaded later imports
//! from there, and so does a file that is asked for by the name of a module in the script: there is one instance of each.
//!
//! This goes by lines and reads no JavaScript. `tests/it/compressed.rs` holds the files to what it relies on: imports and exports
//! begin a line, and are written in the few ways that are known here.

use std::fmt::Write;
use std::sync::LazyLock;

use super::files::FILES;
use super::slim;

/// Where a page names its first script.
const SCRIPT: &str = "<script type=\"module\" src=\"./";
/// Where a page names a style sheet.
const SHEET: &str = "<link rel=\"stylesheet\" href=\"./";
/// What joins the names of style sheets that are sent as one.
const JOINED: char = '+';
/// The script in which all others of the page are.
const PAGE: &str = "app.js";
/// In the script: what each module exports, by its name.
const EXPORTS: &str = "modules";

/// The modules of the page's script.
static OF_PAGE: LazyLock<Vec<String>> = LazyLock::new(|| modules(PAGE));

/// The names of the joined style sheets that pages ask for.
pub fn sheets() -> Vec<String> {
    let pages = FILES.iter().filter(|(name, _)| is(name, "html"));
    pages.flat_map(|(_, page)| sheets_of(str::from_utf8(page).unwrap_or_default())).collect()
}

/// What is sent under a name, without comments and indentation.
pub fn sent(name: &str) -> Option<String> {
    if name.contains(JOINED) {
        return name
            .split(JOINED)
            .map(|part| plain(&format!("{}.css", part.trim_end_matches(".css"))))
            .collect();
    }
    let text = plain(name)?;
    Some(match name {
        _ if is(name, "html") => joined(&text),
        _ if starts_a_page(name) => script(name),
        _ if OF_PAGE.iter().any(|module| module == name) => by_name(name, &text),
        _ if is(name, "js") => later(name, &text),
        _ => text,
    })
}

/// A file without comments and indentation.
fn plain(name: &str) -> Option<String> {
    let (_, file) = FILES.iter().find(|(file, _)| *file == name)?;
    Some(slim::slim(name, str::from_utf8(file).ok()?))
}

fn is(name: &str, kind: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ending == kind)
}

/// Whether a page begins with this script.
fn starts_a_page(name: &str) -> bool {
    let mut pages = FILES.iter().filter(|(file, _)| is(file, "html"));
    pages.any(|(_, page)| str::from_utf8(page).is_ok_and(|page| page.contains(&format!("{SCRIPT}{name}\""))))
}

/// The style sheets of a page, joined. One with an `id` begins a new one: others are put before it later.
fn sheets_of(page: &str) -> Vec<String> {
    let mut sheets: Vec<Vec<&str>> = Vec::new();
    for line in page.lines() {
        let Some((name, rest)) = line.trim().strip_prefix(SHEET).and_then(|line| line.split_once(".css\""))
        else {
            continue;
        };
        match sheets.last_mut() {
            Some(last) if !rest.contains("id=\"") => last.push(name),
            _ => sheets.push(vec![name]),
        }
    }
    sheets.iter().map(|names| format!("{}.css", names.join(&JOINED.to_string()))).collect()
}

/// A page with its joined style sheets.
fn joined(page: &str) -> String {
    let mut sheets = sheets_of(page).into_iter();
    let mut first = true;
    let mut sent = String::with_capacity(page.len());
    for line in page.lines() {
        match line.strip_prefix(SHEET) {
            Some(rest) if first || rest.contains("id=\"") => {
                let attributes = rest.split_once('"').map_or(">", |(_, attributes)| attributes);
                let _ = writeln!(sent, "{SHEET}{}\"{attributes}", sheets.next().unwrap_or_default());
                first = false;
            }
            Some(_) => {}
            None => {
                let _ = writeln!(sent, "{line}");
            }
        }
    }
    sent
}

/// The script of a page with every module that it needs at the start.
fn script(first: &str) -> String {
    let mut script = format!("export const {EXPORTS} = {{}};\n");
    let names = modules(first);
    for name in &names {
        let text = plain(name).unwrap_or_default();
        let Module { body, exports } = Module::read(name, &text, &names, true);
        if name == first {
            // It may wait for something, and nothing imports it.
            script.push_str(&body);
            continue;
        }
        let exports = exports.join(", ");
        let _ = write!(script, "{EXPORTS}['{name}'] = (() => {{\n{body}return {{ {exports} }};\n}})();\n");
    }
    script
}

/// A module of the script, for those that ask for it by its name.
fn by_name(name: &str, text: &str) -> String {
    let Module { exports, .. } = Module::read(name, text, &[], true);
    let exports = exports.join(", ");
    format!("{}export const {{ {exports} }} = {EXPORTS}['{name}'];\n", import(name))
}

/// A module that is loaded later.
fn later(name: &str, text: &str) -> String {
    let Module { body, .. } = Module::read(name, text, &OF_PAGE, false);
    if body.contains(&format!("= {EXPORTS}['")) { format!("{}{body}", import(name)) } else { body }
}

/// How a module imports what the script exports.
fn import(name: &str) -> String {
    format!("import {{ {EXPORTS} }} from './{}{PAGE}';\n", "../".repeat(name.matches('/').count()))
}

/// A module and all that it imports, and so on, each after those that it imports.
fn modules(first: &str) -> Vec<String> {
    fn visit(name: String, begun: &mut Vec<String>, done: &mut Vec<String>) {
        if begun.contains(&name) {
            return;
        }
        begun.push(name.clone());
        for statement in statements(&plain(&name).unwrap_or_default()) {
            if let Some(path) = imported(&statement) {
                visit(resolved(&name, path), begun, done);
            }
        }
        done.push(name);
    }
    let mut done = Vec::new();
    visit(first.to_owned(), &mut Vec::new(), &mut done);
    done
}

/// A module whose imports from others of the script are taken from there.
struct Module {
    body: String,
    exports: Vec<String>,
}

impl Module {
    /// `inside`: as a part of the script, where nothing is exported by a statement.
    fn read(name: &str, text: &str, script: &[String], inside: bool) -> Self {
        let (mut body, mut exports) = (String::with_capacity(text.len()), Vec::new());
        for statement in statements(text) {
            let from = imported(&statement).map(|path| resolved(name, path));
            match from.filter(|from| script.contains(from)) {
                Some(from) => {
                    let given = statement.starts_with("export ");
                    body.push_str(if given && !inside { "export " } else { "" });
                    body.push_str(&taken(&statement, &from));
                    if given {
                        let names = listed(&statement).split(',');
                        exports.extend(
                            names.filter_map(|name| name.split_whitespace().last()).map(str::to_owned),
                        );
                    }
                }
                None => match statement.strip_prefix("export ").filter(|_| inside) {
                    Some(declaration) => {
                        exports.extend(declared(declaration));
                        let _ = writeln!(body, "{declaration}");
                    }
                    None => {
                        let _ = writeln!(body, "{statement}");
                    }
                },
            }
        }
        Self { body, exports }
    }
}

/// Lines, of which those of one import or one export of another module are together.
fn statements(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match statements.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(line);
            }
            _ => statements.push(line.to_owned()),
        }
        let begins = line.starts_with("import ") || line.starts_with("export {");
        open = (open || begins) && !line.ends_with(';');
    }
    statements
}

/// The path in `import './a.js';`, in `import { a } from './a.js';` and in `export { a } from './a.js';`.
fn imported(statement: &str) -> Option<&str> {
    let after = if let Some(after) = statement.strip_prefix("import '") {
        after
    } else if statement.starts_with("import ") || statement.starts_with("export {") {
        statement.split_once(" from '")?.1
    } else {
        return None;
    };
    Some(after.split_once('\'')?.0).filter(|path| path.starts_with('.'))
}

/// An import as what it takes from a module of the script.
fn taken(statement: &str, from: &str) -> String {
    match listed(statement) {
        "" => String::new(),
        names => format!("const {{{}}} = {EXPORTS}['{from}'];\n", names.replace(" as ", ": ")),
    }
}

/// What stands between the braces of an import.
fn listed(statement: &str) -> &str {
    let inside = statement.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    inside.map_or("", |(names, _)| names)
}

/// The name in `const a = 1;`, `class A {`, `function a() {` and `async function a() {`.
fn declared(declaration: &str) -> Option<String> {
    let declaration = declaration.strip_prefix("async ").unwrap_or(declaration);
    let name = ["const ", "class ", "function "].iter().find_map(|kind| declaration.strip_prefix(kind))?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(name.len());
    Some(name[..end].to_owned())
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
    fn an_import_becomes_what_is_taken_from_the_script_and_an_export_what_is_given_to_it() {
        let text = "import { a, b as c } from './a.js';\nimport './x.js';\nimport {\nlong,\nlist,\n} from '../y.js';\n\
                    export const d = 1;\nexport class E extends F {\n}\nexport async function g(h) {\n}\n";
        let script = ["panels/a.js".to_owned(), "y.js".to_owned()];
        let Module { body, exports } = Module::read("panels/m.js", text, &script, true);
        assert_eq!(
            body,
            "const { a, b: c } = modules['panels/a.js'];\nimport './x.js';\nconst { long, list, } = modules['y.js'];\n\
             const d = 1;\nclass E extends F {\n}\nasync function g(h) {\n}\n"
        );
        assert_eq!(exports, ["d", "E", "g"]);
        let outside =
            Module::read("panels/m.js", "export { a } from './a.js';\nexport const d = 1;\n", &script, false);
        assert_eq!(outside.body, "export const { a } = modules['panels/a.js'];\nexport const d = 1;\n");
    }

    #[test]
    fn imports_are_found_from_anywhere() {
        assert_eq!(imported("import './panels/a.js';"), Some("./panels/a.js"));
        assert_eq!(imported("import { a } from '../a.js';"), Some("../a.js"));
        assert_eq!(imported("const a = import('./a.js');"), None);
        assert_eq!(resolved("panels/feed.js", "../dom.js"), "dom.js");
        assert_eq!(resolved("panels/feed.js", "./rows.js"), "panels/rows.js");
        assert_eq!(resolved("app.js", "./panels/feed.js"), "panels/feed.js");
    }

    #[test]
    fn a_module_comes_after_all_that_it_imports() {
        let names = modules(PAGE);
        let place = |name: &str| names.iter().position(|one| one == name).unwrap_or(usize::MAX);
        assert_eq!(names.last().map(String::as_str), Some(PAGE));
        assert!(place("visible.js") < place("dom.js") && place("dom.js") < place("panels/feed.js"));
        assert!(place("panels/feed.js") < names.len());
        let page = "<link rel=\"stylesheet\" href=\"./a.css\">\n<link rel=\"stylesheet\" href=\"./b.css\">\n\
                    <link rel=\"stylesheet\" href=\"./c.css\" id=\"last\">\n";
        assert_eq!(sheets_of(page), ["a+b.css", "c.css"]);
        assert_eq!(
            joined(page),
            "<link rel=\"stylesheet\" href=\"./a+b.css\">\n<link rel=\"stylesheet\" href=\"./c.css\" id=\"last\">\n"
        );
    }
}
