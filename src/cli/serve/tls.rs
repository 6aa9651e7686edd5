//! The server's certificate: from files that are read again while the server runs.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::ValueHint;
use rustls::ServerConfig;

use super::handover;
use crate::cli::exit::{Exit, Failure};
use crate::cli::reread::{self, Files};
use crate::client::Trust;
use crate::server::{Identity, Pem, TlsError};
use crate::shell;
use crate::token::Digest;

/// Flags for TLS. Without them the server speaks plain HTTP.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TlsArgs {
    /// PEM file with the certificate chain, the server's own first; this file and the key are read again when they change
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        value_hint = ValueHint::FilePath,
        help_heading = "TLS"
    )]
    tls_cert: Option<PathBuf>,

    /// PEM file with the private key of the certificate
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        value_hint = ValueHint::FilePath,
        help_heading = "TLS"
    )]
    tls_key: Option<PathBuf>,
}

/// A certificate and its key, and the files they were read from.
pub(super) struct Certificate {
    path: PathBuf,
    key: PathBuf,
    /// The digests of the two files.
    digests: [Digest; 2],
    identity: Arc<Identity>,
}

impl TlsArgs {
    /// Whether one of the files came through a pipe.
    pub(super) fn has_pipe(&self) -> bool {
        [&self.tls_cert, &self.tls_key].into_iter().flatten().any(|path| handover::is_pipe(path))
    }

    /// Reads the files; `None` without TLS.
    ///
    /// # Errors
    /// The files can't be read, or are not a certificate and its key.
    pub(super) fn read(&self) -> Result<Option<Certificate>, Failure> {
        let (Some(path), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        let [certificate, private] = [contents(path)?, contents(key)?];
        let identity = Identity::new(pem(path, &certificate), pem(key, &private)).map_err(failure)?;
        let digests = [Digest::of(&certificate), Digest::of(&private)];
        Ok(Some(Certificate { path: path.clone(), key: key.clone(), digests, identity: Arc::new(identity) }))
    }
}

impl Certificate {
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, Failure> {
        Arc::clone(&self.identity).config().map_err(|error| Failure::new(Exit::Internal, error))
    }

    /// Replaces the certificate soon after the files change, and at once on SIGHUP, which is handled from this call on.
    /// Must be called in a runtime.
    pub(super) fn follow_files(&self) -> impl Future<Output = ()> + use<> {
        let (path, key, identity) = (self.path.clone(), self.key.clone(), Arc::clone(&self.identity));
        let files = Files::new(&[(&path, self.digests[0]), (&key, self.digests[1])]);
        async move {
            let Some(mut files) = files else { return std::future::pending().await };
            loop {
                let read = files.changed().await.and_then(|contents| {
                    let [certificate, private] = &*contents else { return Ok(()) };
                    let replaced = identity.replace(pem(&path, certificate), pem(&key, private));
                    replaced.map_err(|error| error.to_string())
                });
                match read {
                    Ok(()) => tracing::info!("the certificate in {} was read again", path.display()),
                    // If the two files are replaced one after the other, for a moment they do not match.
                    Err(why) => tracing::error!("{why}; the previous certificate stays in use"),
                }
            }
        }
    }

    /// The host that clients on this machine should use, and the flag with which they trust the certificate if it is
    /// self-signed. The host is one that the certificate has, preferably the address that the server listens on.
    pub(super) fn for_clients(&self, bound: IpAddr) -> (String, String) {
        let chain = self.identity.chain();
        let own = Trust::in_file(&self.path).ok();
        let here = bound.is_loopback() || bound.is_unspecified();
        let others = ["localhost", "127.0.0.1"].into_iter().filter(|_| here).map(str::to_owned);
        let mut hosts = std::iter::once(bound.to_string()).chain(others);
        let trusted = hosts.find(|host| own.as_ref().is_some_and(|own| own.trusts(&chain, host)));
        match trusted {
            Some(host) => (host, format!(" --cacert {}", shell::file(&self.path))),
            None => (bound.to_string(), String::new()),
        }
    }
}

fn pem<'a>(path: &'a Path, bytes: &'a [u8]) -> Pem<'a> {
    Pem { path, bytes }
}

fn contents(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |why| Failure::new(Exit::Usage, anyhow!("{} cannot be read: {why}", path.display()));
    reread::read(path).map_err(cannot)
}

/// The failure for files that can't be used.
fn failure(error: TlsError) -> Failure {
    let hint = match &error {
        TlsError::Encoding { .. } => "--tls-cert and --tls-key take PEM files".to_owned(),
        TlsError::NoCertificate(_) => {
            "--tls-cert takes the certificate, --tls-key the key; `openssl x509 -inform der -in FILE` converts DER to PEM"
                .to_owned()
        }
        TlsError::NoKey(_) => {
            "--tls-cert takes the certificate, --tls-key the key; `openssl pkey -inform der -in FILE` converts DER to PEM"
                .to_owned()
        }
        TlsError::Encrypted(path) => format!(
            "remove the passphrase, which a server can't ask for: openssl pkey -in {} -out FILE",
            shell::file(path)
        ),
        TlsError::Mismatch { .. } => {
            "use the key that the certificate was requested with, and put the server's own certificate first"
                .to_owned()
        }
        TlsError::Unusable { .. } => "use an RSA key of at least 2048 bits, P-256, P-384 or Ed25519".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
