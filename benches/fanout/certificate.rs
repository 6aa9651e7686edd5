//! A certificate for a server that is measured over TLS, and the clients that believe it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Context;
use incident::server::{Identity, Pem};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};

/// How a child learns of the two files. `load.py` reads them too.
const CERTIFICATE: &str = "BENCH_TLS_CERT";
const KEY: &str = "BENCH_TLS_KEY";

const HOST: &str = "localhost";

/// With a key on P-256, in a folder that goes with this value.
pub(crate) struct Certificate {
    folder: PathBuf,
    client: ClientConfig,
}

impl Certificate {
    pub(crate) fn make() -> anyhow::Result<Self> {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fanout-tls-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()])?;
        fs::write(folder.join("cert.pem"), cert.pem())?;
        fs::write(folder.join("key.pem"), signing_key.serialize_pem())?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(cert))?;
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { folder, client })
    }

    /// Tells a child where the files are.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env(CERTIFICATE, self.folder.join("cert.pem")).env(KEY, self.folder.join("key.pem"));
    }

    /// A client that has not been there.
    pub(crate) fn visitor(&self) -> Visitor {
        let mut config = self.client.clone();
        // A memory of its own: from one that all share, only a few could resume.
        config.resumption = Resumption::in_memory_sessions(8);
        Visitor(Arc::new(config))
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // What stays is taken away with the target directory.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a client remembers between two visits: its ticket.
pub(crate) struct Visitor(Arc<ClientConfig>);

impl Visitor {
    pub(crate) fn session(&self) -> anyhow::Result<ClientConnection> {
        Ok(ClientConnection::new(Arc::clone(&self.0), ServerName::try_from(HOST)?)?)
    }
}

/// In a child that is our server or the floor: what `incident serve` makes of `--tls-cert` and `--tls-key`, if it was told of any.
pub(crate) fn told() -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let (Some(certificate), Some(key)) = (std::env::var_os(CERTIFICATE), std::env::var_os(KEY)) else {
        return Ok(None);
    };
    let (certificate, key) = (PathBuf::from(certificate), PathBuf::from(key));
    let (chain, private) =
        (fs::read(&certificate).context("no certificate")?, fs::read(&key).context("no key")?);
    let identity =
        Identity::new(Pem { path: &certificate, bytes: &chain }, Pem { path: &key, bytes: &private })?;
    Ok(Some(Arc::new(identity).config()?))
}
