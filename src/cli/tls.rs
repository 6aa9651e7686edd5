//! `serve`'s certificate: from files that are read again while it serves.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::ValueHint;
use rustls::ServerConfig;

use super::exit::{Exit, Failure};
use super::reread::{self, Files};
use crate::client::Trust;
use crate::server::{Identity, Pem, TlsError};
use crate::token::Digest;

/// Flags for TLS; without them the server speaks plain HTTP.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct Tls {
    /// Certificate chain in PEM, the server's own first; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,

    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
}

/// A certificate and a key that were read.
pub(super) struct Certificate {
    path: PathBuf,
    key: PathBuf,
    /// Of what is in the two.
    taken: [Digest; 2],
    identity: Arc<Identity>,
}

impl Tls {
    /// `None` if TLS is not wanted.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub(super) fn read(&self) -> Result<Option<Certificate>, Failure> {
        let (Some(path), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        let [certificate, private] = [contents(path)?, contents(key)?];
        let identity = Identity::new(pem(path, &certificate), pem(key, &private)).map_err(mistaken)?;
        let taken = [Digest::of(&certificate), Digest::of(&private)];
        Ok(Some(Certificate { path: path.clone(), key: key.clone(), taken, identity: Arc::new(identity) }))
    }
}

impl Certificate {
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, Failure> {
        Arc::clone(&self.identity).config().map_err(|error| Failure::new(Exit::Internal, error))
    }

    /// Keeps what handshakes show at what the files say: soon after they have changed, and at once at SIGHUP, which is
    /// heard from this call on. To be called within a runtime.
    pub(super) fn keep_up(&self) -> impl Future<Output = ()> + use<> {
        let (path, key, identity) = (self.path.clone(), self.key.clone(), Arc::clone(&self.identity));
        let files = Files::new(&[(&path, self.taken[0]), (&key, self.taken[1])]);
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
                    // Of two files that are replaced one after the other, only one may be new.
                    Err(why) => tracing::error!("{why}; the certificate before stays"),
                }
            }
        }
    }

    /// How clients on this machine name the server so that they believe it: a host of the certificate, preferably the
    /// address it listens on, and the flag for a certificate that speaks for itself.
    pub(super) fn for_clients(&self, bound: IpAddr) -> (String, String) {
        let chain = self.identity.chain();
        let own = Trust::in_file(&self.path).ok();
        let here = bound.is_loopback() || bound.is_unspecified();
        let others = ["localhost", "127.0.0.1"].into_iter().filter(|_| here).map(str::to_owned);
        let mut hosts = std::iter::once(bound.to_string()).chain(others);
        let believed = hosts.find(|host| own.as_ref().is_some_and(|own| own.trusts(&chain, host)));
        match believed {
            Some(host) => (host, format!(" --cacert {}", self.path.display())),
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

fn mistaken(error: TlsError) -> Failure {
    let hint = match &error {
        TlsError::NoCertificate(_) => {
            "--tls-cert is the chain, --tls-key the key; `openssl x509 -inform der -in FILE` makes PEM of DER"
                .to_owned()
        }
        TlsError::NoKey(_) => {
            "--tls-cert is the chain, --tls-key the key; `openssl pkey -inform der -in FILE` makes PEM of DER"
                .to_owned()
        }
        TlsError::Encrypted(path) => format!(
            "nobody is there to be asked for its passphrase: openssl pkey -in {} -out FILE",
            path.display()
        ),
        TlsError::Mismatch { .. } => {
            "name the key that the certificate was asked for with, and the server's own certificate first"
                .to_owned()
        }
        TlsError::Unusable { .. } => "RSA from 2048 bits, P-256, P-384 and Ed25519 can be used".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
