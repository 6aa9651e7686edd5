//! Nothing writes past the gate: `src/cli/out.rs` is the only file that writes to stdout and stderr, and what it writes without
//! the gate is asked for in the files that are listed here.

use std::fs;

use crate::tidy::{files, relative};

/// What asks the terminal a question, or hands the output to what only draws styles and bars.
const ASKS: [&str; 10] = [
    "stdout().is_terminal()",
    "stderr().is_terminal()",
    "stdout().as_fd()",
    "apply(&std::io::stdout())",
    "apply(&std::io::stderr())",
    "redraws(&std::io::stdout())",
    "redraws(&std::io::stderr())",
    "Term::stdout().size()",
    "Term::stderr().size()",
    "ProgressDrawTarget::stderr",
];

/// What writes to stdout or stderr, or may, and the files that have it.
const WRITES: [(&str, &[&str]); 23] = [
    ("print!(", &[]),
    ("println!(", &[]),
    ("eprint!(", &[]),
    ("eprintln!(", &[]),
    ("dbg!(", &[]),
    ("stdout()", &["cli/out.rs"]),
    ("stderr()", &["cli/out.rs"]),
    ("io::stdout", &["cli/out.rs"]),
    ("io::stderr", &["cli/out.rs"]),
    ("/dev/std", &[]),
    ("/dev/tty", &[]),
    // That of a test case in a file of JUnit is another one.
    (".set_message(", &["cli/bars.rs", "cli/validate/reports/junit.rs"]),
    (".set_prefix(", &["cli/bars.rs"]),
    ("_with_message(", &["cli/bars.rs"]),
    (".println(", &["cli/bars.rs"]),
    // clap prints by itself.
    ("Cli::parse()", &[]),
    ("error.print()", &[]),
    ("error.exit()", &[]),
    // Not through the gate, or line by line only.
    ("say_drawn(", &["cli/out.rs", "cli/mistakes.rs"]),
    (
        "print_own(",
        &["cli/out.rs", "cli/completions.rs", "cli/man.rs", "cli/schema.rs", "cli/validate/reports/mod.rs"],
    ),
    ("print_drawn(", &["cli/out.rs", "cli/validate/reports/mod.rs", "cli/validate/run.rs"]),
    ("print_file(", &["cli/out.rs", "cli/export.rs", "cli/new/mod.rs", "cli/show.rs"]),
    ("print_usage(", &["cli/out.rs", "cli/command.rs"]),
];

#[test]
fn only_one_file_writes_to_the_terminal() {
    let sources = files("src", "rs");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for source in &sources {
        let (name, text) = (relative(source, "src"), fs::read_to_string(source).unwrap());
        for (line, number) in text.lines().zip(1..) {
            let code = line.split("//").next().unwrap_or_default();
            let code = ASKS.iter().fold(code.to_owned(), |code, ask| code.replace(ask, ""));
            let code = if code.starts_with("use ") { String::new() } else { code };
            for (write, allowed) in WRITES {
                let found = code.match_indices(write).any(|(at, _)| {
                    // `println!` is not `eprintln!`, and `error.print()` not `terror.print()`.
                    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                        || write.starts_with(['.', '_'])
                });
                if found && !allowed.contains(&name) {
                    wrong.push(format!("src/{name}:{number}: {write}"));
                }
                seen += usize::from(found);
            }
        }
    }
    assert!(seen > 20, "only {seen} writes were found");
    assert!(wrong.is_empty(), "these write past the gate of src/cli/out.rs: {wrong:#?}");
}
