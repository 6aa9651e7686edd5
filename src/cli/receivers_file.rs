//! `receivers.toml` and the files with secrets that it names.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use super::named_files::NamedFiles;
use super::token_args::{self, MAKE_ONE};
use crate::receivers::{self, Kind, Receiver};
use crate::server::{HookSetup, Secrets};
use crate::token::{self, Digest, Mistake};

/// The characters of a `routing_key`, which some of PagerDuty's clients check.
const ROUTING_KEY: usize = 32;

/// The content of a file as text.
fn text_of(path: &Path) -> Result<String, Failure> {
    let text = super::reread::read(path).and_then(token_args::text);
    text.map_err(|why| {
        let error = anyhow!("the file with receivers {} cannot be read: {why}", path.display());
        Failure::new(Exit::Usage, error).hint("name a file as docs/receivers.md describes it")
    })
}

/// Reads the receivers alone.
pub(super) fn receivers(path: &Path) -> Result<(Vec<Receiver>, String), Failure> {
    let text = text_of(path)?;
    let receivers = receivers::read(&path.display().to_string(), &text).map_err(Failure::receivers)?;
    Ok((receivers, text))
}

/// Reads the receivers and their secrets. Paths in the file are relative to its folder.
pub(super) fn read(path: &Path) -> Result<NamedFiles<HookSetup>, Failure> {
    read_with(path, false)
}

/// As [`read`], while the server runs: a file with secrets that is empty withdraws them, as the server's own token file
/// does.
pub(super) fn read_again(path: &Path) -> Result<NamedFiles<HookSetup>, Failure> {
    read_with(path, true)
}

fn read_with(path: &Path, may_withdraw: bool) -> Result<NamedFiles<HookSetup>, Failure> {
    let (receivers, text) = receivers(path)?;
    let mut files = vec![(path.to_owned(), Digest::of(text.as_bytes()))];
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut setups = Vec::new();
    // Several receivers may name one file, which is read once, and warned of once.
    let mut known: HashMap<PathBuf, String> = HashMap::new();
    let mut read = |file: &Path| match known.entry(file.to_owned()) {
        Entry::Occupied(text) => Ok(text.get().clone()),
        Entry::Vacant(place) => token_args::read(file).map(|text| place.insert(text).clone()),
    };
    for receiver in receivers {
        let mut tokens = Vec::new();
        if let Some(file) = &receiver.token_file {
            let file = token_args::named(folder, file, "token_file", &receiver.name)?;
            let text = read(&file)?;
            tokens = match token::for_receiver(&file.display().to_string(), &text) {
                Err(error) if may_withdraw && error.mistake == Mistake::Nothing => {
                    tracing::warn!(
                        receiver = receiver.name,
                        "{error} any more: it opens the receiver to none"
                    );
                    Vec::new()
                }
                read => read.map_err(|error| {
                    token_args::file_failure(error, "a receiver's token stands alone on its line")
                })?,
            };
            let is_odd = |token: &token::Token| token.reveal().len() != ROUTING_KEY;
            if receiver.kind == Kind::PagerDuty && tokens.iter().any(is_odd) {
                let error = anyhow!(
                    "a token in {} has not {ROUTING_KEY} characters, as a routing_key has",
                    file.display()
                );
                return Err(Failure::new(Exit::Usage, error).hint("make one with: openssl rand -hex 16"));
            }
            files.push((file, Digest::of(text.as_bytes())));
        }
        let mut signing = None;
        if let Some(signature) = &receiver.signature {
            let name = &signature.secret_file;
            let file = token_args::named(folder, name, "hmac_secret_file", &receiver.name)?;
            let text = read(&file)?;
            let secret = text.trim_start_matches('\u{feff}').trim();
            let is_withdrawn = may_withdraw && secret.is_empty();
            if is_withdrawn {
                let file = file.display();
                tracing::warn!(
                    receiver = receiver.name,
                    "{file} has no secret any more: no signature is taken"
                );
            } else if secret.len() < token::Token::MIN_LENGTH {
                let error = anyhow!(
                    "the secret in {} has fewer than {} characters",
                    file.display(),
                    token::Token::MIN_LENGTH
                );
                return Err(Failure::new(Exit::Usage, error).hint(format!("make one with: {MAKE_ONE}")));
            }
            signing = (!is_withdrawn).then(|| (signature, secret.as_bytes().to_vec()));
            files.push((file, Digest::of(text.as_bytes())));
        }
        let mut secrets = Secrets::new(&tokens);
        if let Some((signature, secret)) = signing {
            let timestamp_header = signature.timestamp_header.as_deref();
            secrets = secrets.signed_with(secret, &signature.header, timestamp_header);
        }
        setups.push(HookSetup { receiver, secrets });
    }
    Ok(NamedFiles { setups, files, certificates: Vec::new() })
}
