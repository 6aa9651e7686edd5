//! Commands that the program prints to be copied: a shell reads the file that is meant, whatever its name.

use std::fs;
use std::path::Path;

use crate::harness::{Scratch, Serving, incident, root};
use crate::tidy::{files, relative};

/// The name of a file that runs another command where it is not quoted.
const NAME: &str = "x; touch PWNED;";

/// What follows `incident ` in a command.
const COMMANDS: [&str; 17] = [
    "serve",
    "trigger",
    "watch",
    "list",
    "report",
    "cancel",
    "show",
    "new",
    "validate",
    "export",
    "publish",
    "schema",
    "check-journal",
    "copy-journal",
    "check-receivers",
    "completions",
    "health",
];

/// Other programs that messages tell people to run.
const PROGRAMS: [&str; 9] =
    ["chmod ", "openssl pkey ", "openssl x509 ", "curl ", "mv ", "cp ", "rm ", "sqlite3 ", "systemctl "];

/// It prints a command only if nothing in it needs quotes.
const PLAIN_ONLY: &str = "src/report/markdown/simulation.rs";

/// The literals of a source before its unit tests, as they are written, each with what follows it. Comments are left out.
fn literals(text: &str) -> Vec<(String, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    let code: Vec<char> = lines.collect::<Vec<_>>().join("\n").chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < code.len() {
        // The character '"'.
        if code[at] == '\'' && code.get(at + 1) == Some(&'"') && code.get(at + 2) == Some(&'\'') {
            at += 3;
            continue;
        }
        if code[at] != '"' {
            at += 1;
            continue;
        }
        let mut literal = String::new();
        at += 1;
        while at < code.len() && code[at] != '"' {
            if code[at] == '\\' && code.get(at + 1) == Some(&'\n') {
                at += 2;
                while code.get(at).is_some_and(|c| c.is_whitespace()) {
                    at += 1;
                }
                continue;
            }
            if code[at] == '\\' {
                literal.push(code[at]);
                at += 1;
            }
            literal.push(code[at]);
            at += 1;
        }
        at += 1;
        let after: String = code[at.min(code.len())..].iter().take(40).collect();
        found.push((literal, after.trim_start().to_owned()));
    }
    found
}

/// The commands in a literal: each to the end of its code span, or of the literal. Flags of a command may stand alone.
fn commands(literal: &str) -> Vec<&str> {
    let mut found = Vec::new();
    if literal.starts_with(" --") {
        found.push(literal);
    }
    for (start, _) in literal.match_indices("incident ") {
        if literal[..start].ends_with('-') {
            continue;
        }
        let rest = &literal[start + "incident ".len()..];
        let is = |name: &&str| {
            rest.strip_prefix(*name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '{', '`', '\\']))
        };
        if COMMANDS.iter().any(is) {
            found.push(rest.split('`').next().unwrap());
        }
    }
    for program in PROGRAMS {
        let starts = literal.match_indices(program).map(|(start, _)| start);
        let at_word = starts.filter(|start| {
            *start == 0 || literal[..*start].ends_with(' ') || literal[..*start].ends_with('`')
        });
        found.extend(at_word.map(|start| literal[start..].split('`').next().unwrap()));
    }
    found
}

/// The names between `{` and `}`; that of a value by position is empty.
fn placeholders(command: &str) -> Vec<&str> {
    let opens = command.match_indices('{').map(|(start, _)| &command[start + 1..]);
    opens.filter_map(|rest| Some(rest.split_once('}')?.0.split(':').next().unwrap())).collect()
}

/// Whether a source binds the name to what `shell` has quoted, or to flags that are quoted where they are made.
fn is_quoted(name: &str, source: &str) -> bool {
    let bound = source.split(';').flat_map(|part| part.split("let ").skip(1)).filter(|part| {
        let names = part.split('=').next().unwrap_or_default();
        names.split(|c: char| !c.is_alphanumeric() && c != '_').any(|bound| bound == name)
    });
    let quotes = ["word(", "shell::file", ".flags()"];
    bound.into_iter().any(|part| quotes.iter().any(|quote| part.contains(quote)))
}

/// What a source prints unquoted.
fn unquoted(source: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (literal, after) in literals(source) {
        for command in commands(&literal) {
            for name in placeholders(command) {
                // What is given by position has to be quoted in its place.
                let in_place = || {
                    let value = after.trim_start_matches(',').trim_start();
                    value.starts_with("shell::file(") || value.starts_with("word(")
                };
                if !(if name.is_empty() { in_place() } else { is_quoted(name, source) }) {
                    wrong.push(format!("{{{name}}} of: {literal}"));
                }
            }
            // What comes next would be a part of the command, which this can't see.
            let is_bare = !command.trim_end().contains([' ', '{']);
            if is_bare && literal.trim_end().ends_with(command.trim_end()) && after.starts_with(", ") {
                wrong.push(format!("what follows: {literal}"));
            }
        }
    }
    wrong
}

#[test]
fn every_command_that_is_printed_quotes_what_it_names() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in files("src", "rs") {
        let name = format!("src/{}", relative(&path, "src"));
        let source = fs::read_to_string(&path).unwrap();
        seen += literals(&source)
            .iter()
            .flat_map(|(literal, _)| commands(literal))
            .filter(|command| !placeholders(command).is_empty())
            .count();
        if name != PLAIN_ONLY {
            wrong.extend(unquoted(&source).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    assert!(seen >= 15, "only {seen} commands with values were found");
    assert!(wrong.is_empty(), "quote with shell::word or shell::file: {wrong:#?}");
}

#[test]
fn the_check_of_sources_finds_what_is_not_quoted() {
    for (source, is_wrong) in [
        (r#"let x = file.display(); say(format!("run incident validate {x}"));"#, true),
        (r#"let x = shell::file(&file); say(format!("run incident validate {x}"));"#, false),
        (r#"say(format!("`incident validate {}` shows it", file.display()));"#, true),
        (r#"say(format!("`incident validate {}` shows it", shell::file(file)));"#, false),
        (r#"say(painted!["left out: incident validate", files]);"#, true),
        (r#"tracing::warn!("read by others: chmod 600 {name}");"#, true),
        (r#"format!(" --cacert {}", path.display())"#, true),
        (r#"format!(" --cacert {}", shell::file(path))"#, false),
        (r#"let flags = remote.flags(); format!("incident watch{flags}")"#, false),
        (r#"format!("{x} is fine: see `incident list`, {x}")"#, false),
    ] {
        assert_eq!(!unquoted(source).is_empty(), is_wrong, "{source}");
    }
}

/// What bash reads as the words of a command.
pub fn words(command: &str) -> Vec<String> {
    let ran = std::process::Command::new("bash")
        .args(["-c", &format!("printf '%s\\n' {command}")])
        .output()
        .unwrap();
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The command after `begins` in what was printed, as bash reads it.
fn command_in(printed: &str, begins: &str) -> Vec<String> {
    let start = printed.find(begins).unwrap_or_else(|| panic!("no {begins:?} in {printed}"));
    let line = printed[start..].lines().next().unwrap();
    words(line.split('`').next().unwrap().trim_end_matches(')'))
}

#[test]
fn a_scenario_file_with_any_name_is_named_as_a_shell_reads_it() {
    let (good, bad) = (root().join("scenarios/database-outage.toml"), format!("{NAME}.toml"));
    let folder = Scratch::new().with(&bad, "x").with("a.toml", &fs::read_to_string(good).unwrap());
    let ran = incident(&["list", "--scenarios", folder.text()]).run();
    let wanted = folder.path().join(&bad).display().to_string();
    assert_eq!(command_in(&ran.stderr, "incident validate"), ["incident", "validate", wanted.as_str()]);
}

#[test]
fn a_journal_with_any_name_is_named_as_a_shell_reads_it() {
    let folder = Scratch::new();
    let file = |name: &str| folder.path().join(format!("{NAME}{name}.db")).display().to_string();
    let (journal, copy) = (file("a"), file("b"));
    let server = Serving::with(&["--journal", &journal]);
    let ran = incident(&["check-journal", &journal, "--backup", &copy]).run();
    let wanted = ["incident", "serve", "--journal", copy.as_str()];
    assert_eq!(command_in(&ran.stderr, "incident serve --journal"), wanted);
    drop(server);
    let mut bytes = fs::read(&copy).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    fs::write(&copy, bytes).unwrap();
    let ran = incident(&["check-journal", &copy]).run();
    let wanted = ["incident", "check-journal", copy.as_str(), "--salvage", "NEW"];
    assert_eq!(command_in(&ran.stderr, "incident check-journal"), wanted, "{ran:?}");
}

#[test]
fn the_banner_of_a_server_names_its_files_as_a_shell_reads_them() {
    let folder = Scratch::new().with(NAME, "write 0123456789abcdef0123456789abcdef\n");
    let tokens = folder.path().join(NAME).display().to_string();
    let args = ["serve", "--port", "0", "--journal", "memory", "--token-file", &tokens];
    let line = incident(&args).spawn().says("incident trigger");
    let command = command_in(&line, "incident trigger");
    assert_eq!(command.last(), Some(&tokens), "{command:?}");
}

#[test]
fn the_report_that_a_left_incident_will_have_is_named_as_a_shell_reads_it() {
    let (server, folder) = (Serving::with(&[]), Scratch::new());
    let report = folder.path().join(NAME).display().to_string();
    let args = ["trigger", "database-outage", "--timeout", "5s", "--report", &report];
    let ran = server.incident(&args).run();
    let command = command_in(&ran.stderr, "incident report");
    assert_eq!(command.last(), Some(&report), "{command:?}");
    assert!(!Path::new("PWNED").exists());
}

#[test]
fn a_new_scenario_is_named_so_that_it_can_be_checked() {
    let folder = Scratch::new();
    let ran = incident(&["new", "dash", "--output=-x.toml"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("incident validate ./-x.toml --watch"), "{}", ran.stderr);
    let checked = incident(&["validate", "./-x.toml"]).at(folder.path()).run();
    assert_eq!(checked.status, Some(0), "{}", checked.stderr);
    let ran = incident(&["new", "x", "--output", "noext"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains(".toml") && ran.stderr.contains("--output noext.toml"), "{}", ran.stderr);
    assert!(!folder.path().join("noext").exists());
}
