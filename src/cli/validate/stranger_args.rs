//! The flags of `validate` for streams of other programs: how they are read, and what is said to get them.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::ValueHint;
use hyper::header::{HeaderName, HeaderValue};

use crate::check::{Profile, SHIPPED_PROFILES, header, subprotocol};
use crate::cli::complete;
use crate::cli::exit::{Exit, Failure};
use crate::cli::reread;
use crate::client::{Subscription, subprotocol_without_secrets};
use crate::contract_file::Contract;
use crate::input_file;
use crate::scenario::{did_you_mean, text_of as scenario_text_of};
use crate::shell::{self, word};

/// Begins the name of a file whose text is meant.
const FILE: char = '@';

/// The flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct StrangerArgs {
    /// Read the stream of another program as this profile says: `plain` (a type and a timestamp), `sequence` (with a sequence
    /// number), `sse` (event streams with ids), `cloudevents`, or a TOML file [default: incident, our own stream]
    #[arg(long, value_name = "NAME|FILE", add = complete::paths_and_profiles(), help_heading = "Other programs")]
    pub(super) profile: Option<String>,

    /// Hold every message to this contract too: a JSON Schema or an AsyncAPI document, as JSON or YAML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Other programs")]
    pub(super) contract: Option<PathBuf>,

    /// Send this text after connecting, or that of @FILE; repeat the flag for several
    #[arg(long, value_name = "TEXT", requires = "server", help_heading = "Other programs")]
    pub(super) send: Vec<String>,

    /// Send this header; `NAME: @FILE` takes the value from a file, which is never printed. Repeat the flag for several
    #[arg(long, value_name = "NAME: VALUE", value_parser = header_flag, requires = "server", help_heading = "Other programs")]
    pub(super) header: Vec<String>,

    /// Offer this subprotocol of WebSocket; repeat the flag for several
    #[arg(long, value_name = "NAME", value_parser = subprotocol_flag, requires = "server", help_heading = "Other programs")]
    pub(super) subprotocol: Vec<String>,
}

/// Checks a header as the command line has it.
fn header_flag(text: &str) -> Result<String, String> {
    let (name, value) = text.split_once(':').ok_or("a header is NAME: VALUE, as in 'X-Room: 7'")?;
    let value = value.trim();
    if value.is_empty() {
        return Err(format!("the header {name} has no value"));
    }
    header(name, value).map_err(|wrong| format!("{}: {}", wrong.what, wrong.help))?;
    Ok(text.to_owned())
}

fn subprotocol_flag(text: &str) -> Result<String, String> {
    let wrong =
        "it is not the name of a subprotocol: a name is one word of letters, digits, dots and hyphens";
    subprotocol(text).map(|()| text.to_owned()).map_err(|_| wrong.to_owned())
}

impl StrangerArgs {
    /// The profile of a name or file; `None` for our own stream.
    ///
    /// # Errors
    /// There is no such profile, or it has mistakes.
    pub(super) fn profile_at(name: &str) -> Result<Option<Arc<Profile>>, Failure> {
        if name == Profile::OWN {
            return Ok(None);
        }
        if let Some(profile) = Profile::shipped(name) {
            return Ok(Some(Arc::new(profile)));
        }
        let names = || std::iter::once(Profile::OWN).chain(SHIPPED_PROFILES.iter().map(|(name, _)| *name));
        let text = scenario_text_of(Path::new(name)).map_err(|error| {
            let is_name = !name.contains(['/', '.']);
            if is_name {
                let hint = match did_you_mean(name, names()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("{}, or the path of a TOML file", names().collect::<Vec<_>>().join(", ")),
                };
                return Failure::new(Exit::Usage, anyhow!("there is no profile {name:?}")).hint(hint);
            }
            Failure::new(Exit::Usage, anyhow!("the profile {name} cannot be read: {error}"))
                .hint(format!("the shipped profiles are {}", names().collect::<Vec<_>>().join(", ")))
        })?;
        let profile = Profile::read(name, &text).map_err(Failure::profile)?;
        Ok(Some(Arc::new(profile)))
    }

    /// The contract in a file.
    ///
    /// # Errors
    /// The file can't be read or is no contract.
    pub(super) fn contract_at(path: &Path) -> Result<Arc<Contract>, Failure> {
        let contract = Contract::read(path).map_err(|error| {
            let hint = error.hint.clone();
            let failure = Failure::new(Exit::Usage, error);
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        Ok(Arc::new(contract))
    }

    /// What is said to get the stream: what the profile says, and the flags.
    ///
    /// # Errors
    /// A file can't be read, or has no value of a header.
    pub(super) fn subscription(&self, profile: Option<&Profile>) -> Result<Subscription, Failure> {
        let mut said = Subscription::default();
        if let Some(profile) = profile {
            let from = Path::new(&profile.name).parent().unwrap_or(Path::new(""));
            let subscribing = &profile.subscribing;
            said.query.clone_from(&subscribing.query);
            said.subprotocols.clone_from(&subscribing.subprotocols);
            for (name, value) in &subscribing.headers {
                said.headers.push(header_of(name, value, from)?);
            }
            for text in &subscribing.send {
                said.send.push(text_of(text, from)?);
            }
        }
        for flag in &self.header {
            let (name, value) = flag.split_once(':').unwrap_or_default();
            said.headers.push(header_of(name, value.trim(), Path::new(""))?);
        }
        for text in &self.send {
            said.send.push(text_of(text, Path::new(""))?);
        }
        for name in &self.subprotocol {
            if !said.subprotocols.contains(name) {
                said.subprotocols.push(name.clone());
            }
        }
        Ok(said)
    }

    /// The flags as another command has them, without what may be secret.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        let mut add = |flag: &str, value: &str| {
            // Writing to a String can't fail.
            let _ = write!(words, " {flag} {}", word(value));
        };
        if let Some(profile) = &self.profile {
            add("--profile", profile);
        }
        // What is not in a file may be a secret.
        let in_file =
            |value: &str| if value.starts_with(FILE) { value.to_owned() } else { "@FILE".to_owned() };
        for text in &self.send {
            add("--send", &in_file(text));
        }
        for flag in &self.header {
            let (name, value) = flag.split_once(':').unwrap_or_default();
            add("--header", &format!("{name}: {}", in_file(value.trim())));
        }
        for name in &self.subprotocol {
            add("--subprotocol", subprotocol_without_secrets(name));
        }
        if let Some(contract) = &self.contract {
            words += &format!(" --contract {}", shell::file(contract));
        }
        words
    }
}

/// A header whose value may be in a file, below `folder`.
fn header_of(name: &str, value: &str, folder: &Path) -> Result<(HeaderName, HeaderValue), Failure> {
    let is_secret = value.starts_with(FILE);
    let value = text_of(value, folder)?;
    let failed = |what: &str| {
        let error = anyhow!("the value of the header {name} {what}");
        Failure::new(Exit::Usage, error).hint("a header has visible ASCII characters on one line")
    };
    let text = value.trim();
    if text.is_empty() {
        return Err(failed("is empty"));
    }
    let known = HeaderName::from_bytes(name.trim().as_bytes());
    let (Ok(name), Ok(mut value)) = (known, HeaderValue::from_str(text)) else {
        return Err(failed("has characters that a header can't have"));
    };
    value.set_sensitive(is_secret);
    Ok((name, value))
}

/// A text, or that of the file that it names.
fn text_of(text: &str, folder: &Path) -> Result<String, Failure> {
    let Some(file) = text.strip_prefix(FILE) else { return Ok(text.to_owned()) };
    let path = folder.join(file);
    let read =
        reread::read(&path).and_then(|bytes| input_file::text(bytes).map_err(|error| error.to_string()));
    read.map(|text| text.trim_end_matches(['\n', '\r']).to_owned()).map_err(|why| {
        let error = anyhow!("{} cannot be read: {why}", path.display());
        Failure::new(Exit::Usage, error).hint("@ begins the name of a file with the text")
    })
}
