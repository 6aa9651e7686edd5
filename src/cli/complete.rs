//! What a shell is told when it asks what could come next: names of scenarios and incidents, of the server that the command
//! line names.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory, Parser, ValueHint};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::CompleteEnv;
use hyper::Method;
use serde_json::Value;

use super::remote::Remote;
use super::scenarios;
use crate::check::{Limits, Profile, SHIPPED_PROFILES};
use crate::client::{Endpoint, request};
use crate::visible::{is_hidden, visible};

/// The variable with which a completion script asks. clap's own, `COMPLETE`, may be set for something else.
pub(super) const VARIABLE: &str = "INCIDENT_COMPLETE";

/// A server that has not answered after this time is not asked further: a shell must not hang.
const PATIENCE: Duration = Duration::from_millis(700);

/// Answers a shell and ends the process, if a completion script started it.
pub(super) fn answer<C: CommandFactory>() {
    let command = || with_pages(with_shown_paths(C::command()), C::command);
    CompleteEnv::with_factory(command).var(VARIABLE).bin("incident").completer("incident").complete();
}

/// `incident man` offers every command.
fn with_pages(command: Command, whole: fn() -> Command) -> Command {
    command.mut_subcommand("man", |man| man.mut_arg("command", |arg| arg.add(commands(whole))))
}

/// Every argument that is a path offers only those that a shell can show.
fn with_shown_paths(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let completer = match arg.get_value_hint() {
            ValueHint::AnyPath => PathCompleter::any(),
            ValueHint::FilePath => PathCompleter::file(),
            ValueHint::DirPath => PathCompleter::dir(),
            _ => return arg,
        };
        if arg.get::<ArgValueCompleter>().is_some() {
            return arg;
        }
        arg.add(ArgValueCompleter::new(move |current: &OsStr| shown_of(&completer, current)))
    });
    command.mut_subcommands(with_shown_paths)
}

/// The scenarios that the server has; without a server, those that one started here would have.
pub(super) fn of_server() -> ArgValueCandidates {
    ArgValueCandidates::new(|| match listed("/api/scenarios", "scenarios") {
        Some(scenarios) => scenarios.iter().filter_map(|one| candidate(one, "title")).collect(),
        None => local(),
    })
}

/// The scenarios that a server started here would have.
pub(super) fn here() -> ArgValueCandidates {
    ArgValueCandidates::new(local)
}

/// Paths, and the scenarios that a server started here would have.
pub(super) fn paths_and_scenarios() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let mut found = paths(current);
        found.extend(starting_with(current, local()));
        found
    })
}

/// Files, and the profiles that ship with the program.
pub(super) fn paths_and_profiles() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let names = std::iter::once(Profile::OWN).chain(SHIPPED_PROFILES.iter().map(|(name, _)| *name));
        let mut found = starting_with(current, names.map(CompletionCandidate::new).collect());
        found.extend(PathCompleter::any().complete(current));
        found
    })
}

/// Recordings, and all incidents that the server has.
pub(super) fn paths_and_incidents() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let mut found = starting_with(current, all_incidents(|_| true));
        found.extend(paths(current));
        found
    })
}

/// The commands that have a man page.
fn commands(whole: fn() -> Command) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        let command = whole();
        let mut found = Vec::new();
        for one in command.get_subcommands() {
            found.push(CompletionCandidate::new(one.get_name()).help(one.get_about().cloned()));
            found.extend(one.get_subcommands().map(|inner| {
                let name = format!("{}-{}", one.get_name(), inner.get_name());
                CompletionCandidate::new(name).help(inner.get_about().cloned())
            }));
        }
        found
    })
}

/// The names of the limits of rules, each ready for its value.
pub(super) fn limits() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let limits = Limits::ALL.iter();
        limits.map(|(name, _, _)| CompletionCandidate::new(format!("{name}="))).collect()
    })
}

/// The kinds of reports, each ready for its file, and files behind them.
pub(super) fn reports() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let text = current.to_string_lossy();
        let kinds = ["github", "json", "junit", "pretty", "sarif"];
        let Some((kind, file)) = text.split_once('=') else {
            let kinds = kinds.map(|kind| CompletionCandidate::new(format!("{kind}=")));
            return starting_with(current, kinds.into());
        };
        let files = paths(OsStr::new(file)).into_iter();
        files.map(|found| found.add_prefix(format!("{kind}="))).collect()
    })
}

/// The settings of the scenario that the words name, each ready for its value; `variant=` with each variant.
pub(super) fn settings() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let words = words();
        let wanted = value_of("--scenarios", &words).map(PathBuf::from);
        let known = scenarios::read(wanted.as_deref()).ok();
        let mut found = Vec::new();
        for word in words.iter().skip(1).map(|word| word.to_string_lossy()) {
            let of_file = scenarios::named_or_file(&word).ok();
            let scenario = known.as_ref().and_then(|known| known.library.get(&word)).or(of_file.as_ref());
            let Some(scenario) = scenario else { continue };
            let variants = scenario.file.variant.0.iter();
            found.extend(
                variants.map(|(name, _)| CompletionCandidate::new(format!("variant={}", name.get_ref()))),
            );
            let parameters = scenario.file.parameters.0.iter();
            found
                .extend(parameters.map(|(name, _)| CompletionCandidate::new(format!("{}=", name.get_ref()))));
        }
        found
    })
}

/// The incidents that are open on the server.
pub(super) fn running() -> ArgValueCandidates {
    ArgValueCandidates::new(|| all_incidents(|incident| incident["state"] == "open"))
}

/// All incidents that the server has.
pub(super) fn incidents() -> ArgValueCandidates {
    ArgValueCandidates::new(|| all_incidents(|_| true))
}

fn all_incidents(wanted: fn(&Value) -> bool) -> Vec<CompletionCandidate> {
    let incidents = listed("/api/incidents", "incidents").unwrap_or_default();
    incidents.iter().filter(|incident| wanted(incident)).filter_map(|one| candidate(one, "title")).collect()
}

fn local() -> Vec<CompletionCandidate> {
    let wanted = value_of("--scenarios", &words()).map(PathBuf::from);
    let Ok(loaded) = scenarios::read(wanted.as_deref()) else { return Vec::new() };
    let scenarios = loaded.library.iter();
    scenarios.map(|one| CompletionCandidate::new(one.id()).help(Some(shown(&one.file.title)))).collect()
}

/// A title beside a candidate.
fn shown(title: &str) -> StyledStr {
    visible(title).into_owned().into()
}

/// Files and folders. One whose name a shell could not show on a line as it is has to be typed.
fn paths(current: &OsStr) -> Vec<CompletionCandidate> {
    shown_of(&PathCompleter::any(), current)
}

fn shown_of(completer: &PathCompleter, current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = completer.complete(current);
    found.retain(|candidate| !candidate.get_value().to_string_lossy().contains(is_hidden));
    found
}

fn candidate(listed: &Value, help: &str) -> Option<CompletionCandidate> {
    let help = listed[help].as_str().map(shown);
    // A name with other characters is none that a server gives.
    let id = listed["id"].as_str().filter(|id| super::remote::incident_path(id).is_ok())?;
    Some(CompletionCandidate::new(id).help(help))
}

fn starting_with(current: &OsStr, candidates: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let begins = |candidate: &CompletionCandidate| {
        candidate.get_value().to_string_lossy().starts_with(&*current.to_string_lossy())
    };
    candidates.into_iter().filter(begins).collect()
}

/// A list of the server; `None` if it can't be had soon.
fn listed(path: &str, name: &str) -> Option<Vec<Value>> {
    let remote = remote(&words())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let servers = u32::try_from(remote.url.all().len()).unwrap_or(u32::MAX);
    let ask = async |server: &Endpoint| request(server, Method::GET, path, None).await;
    let asking = remote.url.any_within(PATIENCE / servers, ask);
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, asking).await });
    answer.ok()?.ok()?.get(name)?.as_array().cloned()
}

/// The words of the command line that is being written: the script gives them after `--`.
fn words() -> Vec<OsString> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).collect()
}

/// The value of a flag in these words, as `--flag VALUE` or `--flag=VALUE`.
fn value_of(flag: &str, words: &[OsString]) -> Option<OsString> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == flag {
            return words.next().cloned();
        }
        let text = word.to_string_lossy();
        if let Some(value) = text.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.into());
        }
    }
    None
}

/// The server that the words name, by its flags or by the variables.
fn remote(words: &[OsString]) -> Option<Remote> {
    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        remote: Remote,
    }
    let mut flags = vec![OsString::from("incident")];
    for flag in ["--url", "--token-file", "--cacert"] {
        if let Some(value) = value_of(flag, words) {
            flags.extend([flag.into(), value]);
        }
    }
    let mut remote = Asked::try_parse_from(flags).ok()?.remote;
    remote.read_files().ok()?;
    Some(remote)
}
