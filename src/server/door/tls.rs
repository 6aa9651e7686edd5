//! The server's certificate and key, which may be replaced while it serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::ring::{self, Ticketer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};

use crate::input_file;

/// A file and its content.
#[derive(Clone, Copy)]
pub struct Pem<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Its content.
    pub bytes: &'a [u8],
}

impl Pem<'_> {
    fn text(&self) -> Result<Vec<u8>, TlsError> {
        input_file::pem(self.bytes).map_err(|why| TlsError::Encoding { file: self.path.to_owned(), why })
    }
}

/// Why a certificate and key can't be used. No message contains a part of the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file has another encoding than PEM is read in.
    #[error("{file} can't be read: {why}")]
    Encoding {
        /// The file.
        file: PathBuf,
        /// What it is instead, and what to do.
        why: std::io::Error,
    },
    /// The file has no certificate.
    #[error("{0} has no certificate in PEM")]
    NoCertificate(PathBuf),
    /// The file has no key.
    #[error("{0} has no private key in PEM")]
    NoKey(PathBuf),
    /// The key is encrypted.
    #[error("the private key in {0} is encrypted")]
    Encrypted(PathBuf),
    /// The key is not the certificate's.
    #[error("the key in {key} is not that of the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate or the key is malformed, or of an unsupported kind.
    #[error("the certificate in {certificate} and the key in {key} can't be used: {why}")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        why: Error,
    },
}

/// A certificate chain and the private key of its first certificate. A handshake uses the pair that is current when it
/// begins, and a client that comes back resumes its session as long as that pair is current.
#[derive(Debug)]
pub struct Identity(RwLock<Pair>);

/// A pair, and the sessions that began with it. Only clients keep sessions, in tickets that the server alone can read.
#[derive(Debug, Clone)]
struct Pair {
    certified: Arc<CertifiedKey>,
    tickets: Arc<dyn ProducesTickets>,
}

impl Identity {
    /// From a chain in PEM, the server's own certificate first, and its key in PEM.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn new(certificate: Pem<'_>, key: Pem<'_>) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(Pair::new(certificate, key)?)))
    }

    /// Replaces both. Open connections keep the pair of their handshake; a client that comes back is shown the new certificate.
    ///
    /// # Errors
    /// What is wrong with the files; the pair stays as it was.
    pub fn replace(&self, certificate: Pem<'_>, key: Pem<'_>) -> Result<(), TlsError> {
        let new = Pair::new(certificate, key)?;
        *self.0.write() = new;
        Ok(())
    }

    /// The current certificate chain, the server's own certificate first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current().certified.cert.clone()
    }

    /// A configuration for TLS 1.2 and 1.3 that always uses the current pair.
    ///
    /// # Errors
    /// Never with the versions and cipher suites that are built in.
    pub fn config(self: Arc<Self>) -> Result<Arc<ServerConfig>, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Sessions that the server keeps take memory, and the default of 256 is too few when thousands come back.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = self;
        // Each connection brings the ticket for the next one.
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }

    fn current(&self) -> Pair {
        self.0.read().clone()
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().certified)
    }
}

impl ProducesTickets for Identity {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.current().tickets.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.current().tickets.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.current().tickets.decrypt(cipher)
    }
}

impl Pair {
    fn new(certificate: Pem<'_>, key: Pem<'_>) -> Result<Self, TlsError> {
        let certified = Arc::new(certified(certificate, key)?);
        // Keys of its own: with those of the pair before, a client that comes back would not be shown this one.
        let tickets = Ticketer::new().map_err(|why| TlsError::Unusable {
            certificate: certificate.path.to_owned(),
            key: key.path.to_owned(),
            why,
        })?;
        Ok(Self { certified, tickets })
    }
}

fn certified(certificate: Pem<'_>, key: Pem<'_>) -> Result<CertifiedKey, TlsError> {
    let paths = || (certificate.path.to_owned(), key.path.to_owned());
    let (chain, private) = (certificate.text()?, key.text()?);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCertificate(certificate.path.to_owned()))?;
    // PKCS #8 says so in the label, older formats in a header.
    if key.bytes.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
        return Err(TlsError::Encrypted(key.path.to_owned()));
    }
    let private =
        PrivateKeyDer::from_pem_slice(&private).map_err(|_| TlsError::NoKey(key.path.to_owned()))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|why| {
        let (certificate, key) = paths();
        match why {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch { certificate, key },
            why => TlsError::Unusable { certificate, key, why },
        }
    })
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";
