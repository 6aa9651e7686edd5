//! No circle of imports: the entries of every folder of `src` can be put in an order in which each imports only earlier
//! ones.
//!
//! The rule. An entry of a folder is a file in it, `mod.rs` included, or a folder in it with everything below. An entry
//! imports another when code in it names a path that leads into the other: from `crate::`, `super::` or `self::`, or from
//! a child module that the file declares. A path leads to the deepest file on it: `super::Hub` leads to the parent's
//! `mod.rs` even if that only re-exports `Hub` from a sibling. So a `mod.rs` that names its children (`pub use
//! ring::Ring`) can't be imported by them: what children share stands in a file of its own, and they import that file.
//! A bare `mod ring;` is no import. Tests (`#[cfg(test)]` to the end of the file), comments and `pub(in path)` do not
//! count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::tidy::{files, relative};

/// Of each folder, which entry imports which.
type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The modules that lead to a file: `server/door/accept.rs` to server, door, accept.
fn modules(file: &str) -> Vec<&str> {
    file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect()
}

/// Without comments, tests and visibilities.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let mut pieces = lines.join("\n");
    while let Some(start) = pieces.find("pub(in ") {
        let end = start + pieces[start..].find(')').unwrap();
        pieces.replace_range(start..=end, "pub");
    }
    pieces
}

/// Every path at the beginning of `text`, of which there are several if it has a group: `a::{b, c::d}`.
fn expand(text: &str, before: &[String], found: &mut Vec<Vec<String>>) {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let path = [before, &[text[..end].to_owned()]].concat();
    let rest = text[end..].strip_prefix("::");
    match rest {
        None => found.push(path),
        Some(group) if group.starts_with('{') => {
            let (mut depth, mut start) = (0, 1);
            for (at, c) in group.char_indices() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                if depth == 0 || (depth == 1 && c == ',') {
                    expand(&group[start..at], &path, found);
                    start = at + 1;
                }
                if depth == 0 {
                    return;
                }
            }
        }
        Some(rest) => expand(rest, &path, found),
    }
}

/// Every path in the code of a file that may lead to another, from the crate's root.
fn paths(file: &str, code: &str) -> Vec<Vec<String>> {
    let own: Vec<String> = modules(file).into_iter().map(str::to_owned).collect();
    let declared = code.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once("mod "));
    let children = declared.filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
    let starts = ["crate", "super", "self"].into_iter().chain(children.map(|(_, child)| child));
    let mut found = Vec::new();
    for start in starts {
        for (at, _) in code.match_indices(&format!("{start}::")) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut expanded = Vec::new();
            expand(&code[at..], &[], &mut expanded);
            let own = [own.as_slice(), &inline(code, at)].concat();
            found.extend(expanded.into_iter().map(|path| absolute(&own, path)));
        }
    }
    found
}

/// The modules written out in a file, `mod name { … }`, that a place in its code lies in.
fn inline(code: &str, at: usize) -> Vec<String> {
    let mut around = Vec::new();
    for (start, _) in code[..at].match_indices("mod ") {
        let Some((name, body)) = code[start + "mod ".len()..].split_once(" {") else { continue };
        if name.contains(|c: char| !(c.is_alphanumeric() || c == '_')) {
            continue;
        }
        let mut depth = 1;
        let end = body.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        let begin = code.len() - body.len();
        if begin <= at && end.is_none_or(|end| at < begin + end) {
            around.push(name.to_owned());
        }
    }
    around
}

fn absolute(own: &[String], path: Vec<String>) -> Vec<String> {
    let mut from = match path[0].as_str() {
        "crate" => Vec::new(),
        _ => own.to_vec(),
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => drop(from.pop()),
            _ => from.push(segment),
        }
    }
    from
}

fn graph(sources: &BTreeMap<String, String>) -> Graph {
    let known: BTreeMap<Vec<&str>, &str> =
        sources.keys().map(|file| (modules(file), file.as_str())).collect();
    let mut graph = Graph::new();
    for (file, text) in sources {
        for path in paths(file, &code(text)) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let target = (1..=path.len()).rev().find_map(|length| known.get(&path[..length]));
            let Some(target) = target.filter(|target| *target != file) else { continue };
            let (from, to): (Vec<_>, Vec<_>) = (file.split('/').collect(), target.split('/').collect());
            let shared = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
            let folder = graph.entry(from[..shared].join("/")).or_default();
            folder.entry(from[shared].to_owned()).or_default().insert(to[shared].to_owned());
        }
    }
    graph
}

/// A circle of entries, if there is one: the entries that are left when those that import nothing of the rest are taken
/// away again and again, and then those that nothing of the rest imports.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut left: BTreeSet<String> = imports.keys().cloned().collect();
    loop {
        let imported: BTreeSet<&String> = left.iter().flat_map(|entry| &imports[entry]).collect();
        let stays = |entry: &&String| {
            imports[*entry].iter().any(|import| left.contains(import)) && imported.contains(entry)
        };
        let rest: BTreeSet<String> = left.iter().filter(stays).cloned().collect();
        if rest.len() == left.len() {
            return rest;
        }
        left = rest;
    }
}

#[test]
fn no_folder_has_a_circle_of_imports() {
    let sources = files("src", "rs").into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (relative(&path, "src").to_owned(), text)
    });
    let graph = graph(&sources.collect());
    let edges: usize = graph.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum();
    assert!(graph.len() >= 15 && edges >= 150, "only {edges} imports in {} folders were found", graph.len());
    let circles: Vec<String> = graph
        .iter()
        .map(|(folder, imports)| (folder, circle(imports)))
        .filter(|(_, circle)| !circle.is_empty())
        .map(|(folder, circle)| {
            format!("src/{folder}: {}", circle.into_iter().collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert!(circles.is_empty(), "these import each other in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_wherever_it_is() {
    let found = |sources: &[(&str, &str)]| {
        let sources = sources.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        let graph = graph(&sources.collect());
        let circles = graph.iter().filter(|(_, imports)| !circle(imports).is_empty());
        circles.map(|(folder, _)| folder.clone()).collect::<Vec<_>>()
    };
    // A child that uses its parent, which uses it.
    assert_eq!(found(&[("a/mod.rs", "mod b;\nuse b::B;"), ("a/b.rs", "use super::{C, D};")]), ["a"]);
    // Declaring a child is not using it.
    assert!(found(&[("a/mod.rs", "mod b;\npub struct C;"), ("a/b.rs", "use super::C;")]).is_empty());
    // Two folders, through files that do not import each other.
    let folders = [
        ("a/b/c.rs", "use crate::a::{d::{e::E, f}};"),
        ("a/d/e.rs", ""),
        ("a/d/g.rs", "use super::super::b::c;"),
    ];
    assert_eq!(found(&folders), ["a"]);
    // Three files, in a line that is longer than the circle.
    let three = [
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "fn f() { crate::c::g() }"),
        ("c.rs", "use crate::b;"),
        ("d.rs", ""),
    ];
    assert_eq!(found(&three), [""]);
    // The parent of a module that is written out is its file.
    let inline = "mod d {\n    fn f() { super::g() }\n}\nfn g() {}";
    assert!(found(&[("a/mod.rs", "mod b;\nuse b::B;"), ("a/b.rs", inline)]).is_empty());
    // Comments, tests and visibilities do not count.
    let none = "// use super::B;\npub(in crate::b) fn f() {}\n#[cfg(test)]\nmod tests {\n    use super::super::b::B;\n}";
    assert!(found(&[("a.rs", none), ("b.rs", "use crate::a::f;")]).is_empty());
}
