//! What is suggested for a command line that can't be read: a command or a flag that other programs call otherwise, and the flag for what was
//! given without one.

use std::path::{MAIN_SEPARATOR, Path};

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::client::{urls_without_secrets, without_secrets};
use crate::scenario::is_scenario_file;
use crate::shell;
use crate::visible::visible;

/// Commands of other programs, each with the one that is meant.
const COMMANDS: [(&[&str], &str); 12] = [
    (&["start", "run", "play", "open", "simulate"], "trigger"),
    (&["stop", "end", "resolve", "close", "kill", "abort"], "cancel"),
    (&["follow", "tail", "logs", "stream", "events"], "watch"),
    (&["record"], "watch --record FILE"),
    (&["replay"], "serve --replay FILE"),
    (&["server", "up", "dashboard"], "serve"),
    (&["ls", "scenarios"], "list"),
    (&["ps", "status", "incidents"], "list --running"),
    (&["check", "lint", "test", "verify"], "validate"),
    (&["init", "create"], "new"),
    (&["postmortem"], "report"),
    (&["backup"], "check-journal --backup FILE"),
];

/// What other programs call the flags for an address: that of a server is `--bind`, that of a client `--url`.
const ADDRESS: [&str; 6] = ["--host", "--listen", "--address", "--addr", "--server", "--endpoint"];

/// Adds what is probably meant. `words` are those of the command line of `program`, without its name.
pub(super) fn add(error: &mut clap::Error, words: &[String], program: &Command) {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let command = words.iter().find_map(|word| program.find_subcommand(word));
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(word) = text(ContextKind::InvalidSubcommand) else { return };
            if let Some(command) = meant(&COMMANDS, &word) {
                let command = ContextValue::Strings(vec![command.to_owned()]);
                error.insert(ContextKind::SuggestedSubcommand, command);
            }
        }
        ErrorKind::UnknownArgument => {
            let given = text(ContextKind::InvalidArg).zip(command);
            let Some(tip) = given.and_then(|(given, command)| tip(command, &given)) else { return };
            // A flag that only looks alike would be told too.
            error.remove(ContextKind::SuggestedArg);
            suggest(error, &tip);
        }
        ErrorKind::MissingRequiredArgument => {
            let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return };
            let tip = missing.iter().find_map(|missing| match missing.as_str() {
                "<SCENARIO>" => Some("`incident list` prints the scenarios"),
                "<ID>" | "<FILE|ID>" => Some("`incident list --running` prints the open incidents"),
                _ => None,
            });
            if let Some(tip) = tip {
                suggest(error, tip);
            }
        }
        _ => {}
    }
}

fn suggest(error: &mut clap::Error, tip: &str) {
    let tip = visible(&urls_without_secrets(tip)).into_owned();
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
}

fn meant(names: &[(&[&str], &'static str)], given: &str) -> Option<&'static str> {
    names.iter().find(|(others, _)| others.contains(&given)).map(|(_, own)| *own)
}

/// What to write for an argument that the command does not take.
fn tip(command: &Command, given: &str) -> Option<String> {
    let has = |flag: &&str| command.get_arguments().any(|arg| arg.get_long() == flag.strip_prefix("--"));
    if ADDRESS.contains(&given) {
        let flag = ["--bind", "--url"].into_iter().find(has)?;
        return Some(format!("the flag is called {flag}"));
    }
    // What had to be escaped to be shown is no name that somebody types.
    if given.starts_with('-') || given.contains('\\') {
        return None;
    }
    let is_recording = [".ndjson", ".jsonl"].iter().any(|end| given.ends_with(end));
    let is_file = is_recording
        || is_scenario_file(Path::new(given))
        || given.contains(MAIN_SEPARATOR) && !given.contains("://");
    let flag = match command.get_name() {
        "serve" if given.parse::<u16>().is_ok() => "--port",
        "serve" if given.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        "serve" if is_recording => "--replay",
        "serve" if is_file => "--scenarios",
        "serve" if !given.contains(':') => "--trigger",
        _ if !is_file && given.contains(':') => "--url",
        "watch" if !is_file => "--incident",
        _ => return None,
    };
    // It is copied to a shell. What stands before an @ may be a password.
    let given = if flag == "--url" { without_secrets(given) } else { given.into() };
    has(&flag).then(|| format!("write `{flag} {}`", shell::word(&given)))
}
