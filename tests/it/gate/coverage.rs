//! Knows when an output is added: every command and every flag is driven with the corpus, or stands here with the reason why
//! it need not be.

use std::collections::BTreeSet;

use super::drives::{AT_FILES, AT_SERVERS};
use crate::harness::incident;

/// Flags that print nothing from elsewhere: a number, a duration, or what has no output of its own.
const SILENT: &[(&str, &str)] = &[
    ("help", "the program's own text"),
    ("version", "the program's own text"),
    ("color", "the terminals of the drives have colours"),
    ("speed", "a number"),
    ("seed", "a number"),
    ("open", "opens a browser"),
    ("heartbeat", "a duration"),
    ("drain", "a duration"),
    ("retain-events", "a number"),
    ("retain-age", "a duration"),
    ("allow-remote", "no value"),
    ("allow-forwarded-prefix", "no value"),
    ("max-clients", "a number"),
    ("admit-rate", "a number"),
    ("threads", "a number"),
    ("write-deadline", "a duration"),
    ("request-deadline", "a duration"),
    ("max-header-bytes", "a number"),
    ("max-message-bytes", "a number"),
    ("max-message-rate", "a number"),
    ("publish-rate", "a number"),
    ("retry-for", "a duration"),
    ("real-time", "no value"),
    ("clients", "a number"),
    ("gentle", "no value"),
    ("step", "a duration"),
    ("watch", "prints again what is driven without it"),
];

/// Driven by `server.rs`, with a server that stays.
const SERVED: &[(&str, &str)] =
    &[("serve", "json"), ("serve", "quiet"), ("serve", "verbose"), ("serve", "dashboard")];

/// The same flag of another command that takes it from the same code.
const SHARED: [&str; 5] = ["url", "cacert", "token-file", "quiet", "verbose"];

fn help(args: &[&str]) -> String {
    let ran = incident(&[args, &["--help"]].concat()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ran.stdout
}

/// The commands that the program has, from its help.
fn commands() -> Vec<String> {
    let text = help(&[]);
    let list = text.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // What a command does may take several lines, which are indented further.
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).map(str::to_owned);
    names.filter(|name| !name.is_empty() && name != "help").collect()
}

/// The long flags of a command, from its help.
fn flags(command: &str) -> BTreeSet<String> {
    let text = help(&[command]);
    let lines = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = if line.starts_with('-') && line[2..].starts_with(", ") { &line[4..] } else { line };
        let name = line.strip_prefix("--")?.split([' ', '=', '[', '.', ':']).next()?;
        Some(name.to_owned())
    });
    lines.collect()
}

#[test]
fn every_command_and_every_flag_is_driven() {
    let drives = || AT_SERVERS.iter().chain(AT_FILES).map(|(_, args)| *args);
    let driven = |command: &str, flag: &str| {
        let flag = format!("--{flag}");
        drives().any(|args| args[0] == command && args.contains(&flag.as_str()))
    };
    let (mut missing, mut seen) = (Vec::new(), 0);
    for command in commands() {
        assert!(drives().any(|args| args[0] == command), "{command} is not driven with the hostile corpus");
        for flag in flags(&command) {
            seen += 1;
            let known = driven(&command, &flag)
                || SILENT.iter().any(|(silent, _)| *silent == flag)
                || SERVED.contains(&(&*command, &*flag))
                || (SHARED.contains(&&*flag) && drives().any(|args| args.contains(&&*format!("--{flag}"))));
            if !known {
                missing.push(format!("{command} --{flag}"));
            }
        }
    }
    assert!(seen > 100, "only {seen} flags were found");
    assert!(missing.is_empty(), "not driven with the hostile corpus (tests/it/gate/drives.rs): {missing:#?}");
}
