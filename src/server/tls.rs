//! The server's certificate and key, which may be replaced while it serves.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};

/// A file that was read.
#[derive(Clone, Copy)]
pub struct Pem<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// Why there can be no TLS. Nothing of a key is told.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file has no certificate.
    #[error("{0} has no certificate in PEM")]
    NoCertificate(PathBuf),
    /// The file has no key.
    #[error("{0} has no private key in PEM")]
    NoKey(PathBuf),
    /// The key is there and can't be read.
    #[error("the private key in {0} is encrypted")]
    Encrypted(PathBuf),
    /// The two do not belong together.
    #[error("the key in {key} is not that of the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// They are broken, or of a kind that is not used.
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

/// A certificate chain and the key of its first. Handshakes take what is there when they begin.
#[derive(Debug)]
pub struct Identity(RwLock<Arc<CertifiedKey>>);

impl Identity {
    /// Of a chain in PEM, the server's own certificate first, and its key in PEM.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn new(certificate: Pem<'_>, key: Pem<'_>) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(Arc::new(certified(certificate, key)?))))
    }

    /// Puts others in the place of both. Connections that are open go on as they are.
    ///
    /// # Errors
    /// What is wrong with the files; then nothing changes.
    pub fn replace(&self, certificate: Pem<'_>, key: Pem<'_>) -> Result<(), TlsError> {
        let new = Arc::new(certified(certificate, key)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The certificates that are shown, the server's own first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current().cert.clone()
    }

    /// TLS 1.2 and 1.3 with it.
    ///
    /// # Errors
    /// Not with the versions and suites that are built in.
    pub fn config(self: Arc<Self>) -> Result<Arc<ServerConfig>, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn certified(certificate: Pem<'_>, key: Pem<'_>) -> Result<CertifiedKey, TlsError> {
    let paths = || (certificate.path.to_owned(), key.path.to_owned());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.bytes).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCertificate(certificate.path.to_owned()))?;
    // In PKCS #8 it is in the label, in older forms in a header.
    if key.bytes.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
        return Err(TlsError::Encrypted(key.path.to_owned()));
    }
    let private =
        PrivateKeyDer::from_pem_slice(key.bytes).map_err(|_| TlsError::NoKey(key.path.to_owned()))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|why| {
        let (certificate, key) = paths();
        match why {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch { certificate, key },
            why => TlsError::Unusable { certificate, key, why },
        }
    })
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";
