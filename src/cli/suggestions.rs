//! What is suggested for a command line that can't be read: a command or a flag that other programs call otherwise, and the flag for what was
//! given without one.

use std::path::{MAIN_SEPARATOR, Path};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::client::urls_without_secrets;
use crate::scenario::is_scenario_file;
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

/// Flags of other programs.
const FLAGS: [(&[&str], &str); 2] =
    [(&["--host", "--listen", "--address", "--addr"], "--bind"), (&["--server", "--endpoint"], "--url")];

/// Adds what is probably meant. `words` are those of the command line, without the program.
pub(super) fn add(error: &mut clap::Error, words: &[String]) {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let command = words.iter().find(|word| !word.starts_with('-')).map_or("", String::as_str);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(word) = text(ContextKind::InvalidSubcommand) else { return };
            if let Some(command) = meant(&COMMANDS, &word) {
                let command = ContextValue::Strings(vec![command.to_owned()]);
                error.insert(ContextKind::SuggestedSubcommand, command);
            }
        }
        ErrorKind::UnknownArgument => {
            let Some(tip) = text(ContextKind::InvalidArg).and_then(|given| tip(command, &given)) else {
                return;
            };
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
fn tip(command: &str, given: &str) -> Option<String> {
    if let Some(flag) = meant(&FLAGS, given) {
        return Some(format!("the flag is called {flag}"));
    }
    if given.starts_with('-') {
        return None;
    }
    let is_file =
        is_scenario_file(Path::new(given)) || given.contains(MAIN_SEPARATOR) && !given.contains("://");
    let is_url = given.contains("://") || given.contains(':') && !is_file;
    let flag = match command {
        "serve" if given.bytes().all(|byte| byte.is_ascii_digit()) => "--port",
        "serve" if is_file => "--scenarios",
        "serve" if !is_url => "--trigger",
        "watch" if !is_url => "--incident",
        "watch" | "list" | "health" | "trigger" | "cancel" | "publish" if is_url => "--url",
        _ => return None,
    };
    Some(format!("write `incident {command} {flag} {given}`"))
}
