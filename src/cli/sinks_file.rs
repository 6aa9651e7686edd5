//! `sinks.toml` and the files with secrets and certificates that it names.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use data_encoding::BASE64;
use hyper::header::HeaderValue;

use super::exit::{Exit, Failure};
use super::named_files::NamedFiles;
use super::token_args;
use crate::client::{Trust, TrustError};
use crate::server::SinkSetup;
use crate::sinks::{self, Credentials};
use crate::token::Digest;

/// Reads the sinks and what they name. Paths in the file are relative to its folder.
pub(super) fn read(path: &Path) -> Result<NamedFiles<SinkSetup>, Failure> {
    let text = super::reread::read(path).and_then(token_args::text).map_err(|why| {
        let error = anyhow!("the file with sinks {} cannot be read: {why}", path.display());
        Failure::new(Exit::Usage, error).hint("name a file as docs/sinks.md describes it")
    })?;
    let sinks = sinks::read(&path.display().to_string(), &text).map_err(Failure::sinks)?;
    let mut files = vec![(path.to_owned(), Digest::of(text.as_bytes()))];
    let folder = path.parent().unwrap_or(Path::new(""));
    let (mut setups, mut certificates) = (Vec::new(), Vec::new());
    for sink in sinks {
        let mut endpoint = sink.url.clone();
        let named = |file: &Path, key| token_args::named(folder, file, key, &sink.name);
        match &sink.credentials {
            Some(Credentials::Token(file)) => {
                let (value, read) = bearer(&named(file, "token_file")?)?;
                files.push(read);
                endpoint = endpoint.with_authorization(value);
            }
            Some(Credentials::Basic(name, file)) => {
                let file = named(file, "password_file")?;
                let (password, read) = secret(&file)?;
                files.push(read);
                let pair = BASE64.encode(format!("{name}:{password}").as_bytes());
                endpoint = endpoint.with_authorization(header(&format!("Basic {pair}"), &file)?);
            }
            None => {}
        }
        if sink.credentials.is_some() && !endpoint.is_encrypted() && !endpoint.is_loopback() {
            tracing::warn!(
                sink = sink.name,
                "the secret goes to {} unencrypted: the network in between can read it",
                endpoint.authority()
            );
        }
        if let Some(file) = &sink.ca_file {
            let file = folder.join(file);
            let distrusted = |error| {
                Failure::new(Exit::Usage, error)
                    .hint("name a PEM file with the certificate of the authority, or remove ca_file")
            };
            let trust = Trust::in_file(&file).map_err(distrusted)?;
            // It was read before.
            let text = super::reread::read_certificates(&file)
                .map_err(|why| distrusted(TrustError::Unreadable { file: file.clone(), why }))?;
            certificates.push((file, Digest::of(&text)));
            endpoint = endpoint.with_trust(trust);
        }
        setups.push(SinkSetup { sink, endpoint });
    }
    Ok(NamedFiles { setups, files, certificates })
}

/// The `Authorization` header with the token in a file, and the file with what was read of it.
pub(super) fn bearer(file: &Path) -> Result<(HeaderValue, (PathBuf, Digest)), Failure> {
    let (token, read) = secret(file)?;
    Ok((header(&format!("Bearer {token}"), file)?, read))
}

/// A secret in a file, without the line break at its end.
fn secret(file: &Path) -> Result<(String, (PathBuf, Digest)), Failure> {
    let text = token_args::read(file)?;
    let secret = text.trim_start_matches('\u{feff}').trim();
    if secret.is_empty() {
        return Err(unreadable(file, "it is empty"));
    }
    Ok((secret.to_owned(), (file.to_owned(), Digest::of(text.as_bytes()))))
}

fn header(text: &str, file: &Path) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(text)
        .map_err(|_| unreadable(file, "it has a character that no header can have"))?;
    Ok(value)
}

fn unreadable(file: &Path, why: &str) -> Failure {
    let error = anyhow!("the file {} can't be used: {why}", file.display());
    Failure::new(Exit::Usage, error).hint("write the secret alone into the file, in one line")
}
