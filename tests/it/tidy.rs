//! The table of ARCHITECTURE.md, held: who may import whom, how long a file may be, what is shipped is what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::root;

/// Modules that every other one may import.
const LEAVES: [&str; 10] = [
    "random",
    "metrics",
    "log_limiter",
    "breaking",
    "visible",
    "shell",
    "input_file",
    "new_file",
    "deflated",
    "unread_json",
];

/// Module to the modules it may import, as the table in ARCHITECTURE.md has them. `*` is everything. The longest name
/// that fits a file decides.
fn may_import() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rooms = text.split("\n## ").find(|section| section.starts_with("The rooms")).unwrap();
    let rows = rooms.lines().filter(|line| line.starts_with("| `"));
    let table: Vec<_> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            let names =
                |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
            (names(cells[1]).remove(0), names(cells[3]))
        })
        .collect();
    assert!(table.len() >= 20, "only {} rooms were found", table.len());
    table
}

/// Every file with one of these extensions below a folder of the repository.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_empty() || path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub fn relative<'a>(path: &'a Path, folder: &str) -> &'a str {
    path.strip_prefix(root().join(folder)).unwrap().to_str().unwrap()
}

/// `scenario/timeline/dice.rs` to `scenario::timeline::dice`.
fn module(path: &Path) -> String {
    let name = relative(path, "src").trim_end_matches(".rs").trim_end_matches("/mod");
    name.replace('/', "::")
}

/// The modules that a text names with `crate::`, in `use` lines and elsewhere.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                found.extend(list.split(',').map(path).filter(|path| !path.is_empty()));
            }
            None => {
                found.insert(path(rest));
            }
        }
    }
    found
}

/// The lower-case segments at the beginning: modules, not what is taken from them.
fn path(text: &str) -> String {
    let end = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    let text = text.trim().split(end).next().unwrap_or_default();
    let modules =
        text.split("::").take_while(|segment| segment.starts_with(|c: char| c.is_ascii_lowercase()));
    modules.collect::<Vec<_>>().join("::")
}

fn is_within(module: &str, of: &str) -> bool {
    module == of || module.strip_prefix(of).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn no_module_imports_what_is_on_its_right() {
    let sources = files("src", "rs");
    assert!(sources.len() >= 40, "only {} files were found", sources.len());
    let table = may_import();
    let (mut checked, mut wrong) = (0, Vec::new());
    for source in &sources {
        let name = module(source);
        if name == "lib" || name == "main" {
            continue;
        }
        let fits = table.iter().filter(|(known, _)| is_within(&name, known));
        let Some((home, allowed)) = fits.max_by_key(|(known, _)| known.len()) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for import in imports(&fs::read_to_string(source).unwrap()) {
            checked += 1;
            let own = is_within(&import, home.split("::").next().unwrap());
            let fine = own
                || LEAVES.iter().any(|leaf| is_within(&import, leaf))
                || *allowed == ["*"]
                || allowed.iter().any(|allowed| is_within(&import, allowed));
            if !fine {
                wrong.push(format!("{name} imports {import}"));
            }
        }
    }
    assert!(checked >= 80, "only {checked} imports were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_imports_are_read_as_they_are_written() {
    let text = "use crate::contract::{A, B};\nfn f() { crate::random::bits() } // crate::comment\n\
                use crate::{hub, journal::Journal};\nuse crate::scenario::timeline::Timeline;";
    let wanted = ["contract", "hub", "journal", "random::bits", "scenario::timeline"];
    let found = imports(text);
    assert_eq!(found, wanted.map(str::to_owned).into(), "{found:?}");
}

#[test]
fn every_module_is_in_the_table() {
    let table = may_import();
    let folders = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    for path in folders {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let known = table.iter().any(|(module, _)| *module == name);
        assert!(known || name == "lib" || name == "main", "{name} is not in the table of ARCHITECTURE.md");
    }
    for (module, _) in table {
        let path = root().join("src").join(module.replace("::", "/"));
        assert!(path.is_dir() || path.with_extension("rs").is_file(), "there is no {module}");
    }
}

/// A guide that names a file which is gone leads nowhere.
#[test]
fn the_guides_name_files_that_are_there() {
    let mut found = 0;
    for guide in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "benches/README.md"] {
        let text = fs::read_to_string(root().join(guide)).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let folders = [
                "src/",
                "tests/",
                "dashboard/",
                "docs/",
                "benches/",
                "examples/",
                "scenarios/",
                "completions/",
            ];
            let is_path = folders.iter().any(|folder| name.starts_with(folder)) && !name.contains(['*', ' ']);
            if !is_path || name.contains("NAME") {
                continue;
            }
            found += 1;
            let path = root().join(name.trim_end_matches('/'));
            assert!(path.exists() || path.with_extension("rs").exists(), "{guide} names {name}");
        }
    }
    assert!(found >= 40, "only {found} paths were found");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let sources: Vec<PathBuf> = [files("src", "rs"), files("tests", "rs"), files("dashboard", "js")].concat();
    assert!(sources.len() >= 60, "only {} files were found", sources.len());
    let mut long = Vec::new();
    for source in sources {
        let lines = fs::read_to_string(&source).unwrap().lines().count();
        if lines > 400 {
            long.push(format!("{}: {lines} lines", source.display()));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_module_says_what_it_owns() {
    for source in files("src", "rs") {
        let text = fs::read_to_string(&source).unwrap();
        assert!(text.starts_with("//! "), "{} does not open with a //! sentence", source.display());
    }
}

#[test]
fn nothing_is_unsafe() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(library.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn the_page_that_is_built_in_is_the_folder() {
    let embedded: BTreeSet<String> =
        incident::dashboard::FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let kinds = ["html", "js", "css", "svg"];
    let served = kinds.iter().flat_map(|kind| files("dashboard", kind));
    let there: BTreeSet<String> = served.map(|path| relative(&path, "dashboard").to_owned()).collect();
    assert_eq!(embedded, there);
    for (name, bytes) in incident::dashboard::FILES {
        assert!(!bytes.is_empty(), "{name}");
    }
}

#[test]
fn the_shipped_scenarios_are_the_folder() {
    let shipped: BTreeSet<&str> = incident::scenario::SHIPPED.iter().map(|(name, _)| *name).collect();
    let there = files("scenarios", "toml");
    let there = there.iter().map(|path| relative(path, "scenarios"));
    // scenarios/facts/ has what the real incidents rest on: no scenarios.
    let there: BTreeSet<&str> = there.filter(|name| !name.starts_with("facts/")).collect();
    assert_eq!(shipped, there);
    for (name, text) in incident::scenario::SHIPPED {
        // Shells complete the file's name as the scenario's.
        let scenario = incident::scenario::Scenario::parse(name, text).unwrap();
        assert_eq!(format!("{}.toml", scenario.id()), name);
    }
}

#[test]
fn the_readme_is_short() {
    if let Ok(readme) = fs::read_to_string(root().join("README.md")) {
        assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    }
}
