//! The certificates to trust: the authorities that the system knows, or those in a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::input_file;

/// The certificates to trust.
#[derive(Clone)]
pub struct Trust {
    /// The file they are from; `None` for the system's.
    file: Option<PathBuf>,
    verifier: Arc<dyn ServerCertVerifier>,
    config: Arc<ClientConfig>,
}

/// Why there are no certificates to trust.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrustError {
    /// The file can't be read.
    #[error("the certificates in {file} can't be read: {why}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The file has no certificate.
    #[error("{0} has no certificate in PEM")]
    Empty(PathBuf),
    /// A certificate in the file can't be an authority's.
    #[error("a certificate in {file} can't be used: {why}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The system knows no certificate authority.
    #[error("this system knows no certificate authority: {0}")]
    System(String),
}

impl Trust {
    /// The longest file of certificates, in bytes: several times that of all authorities that systems know.
    pub const MOST_BYTES: u64 = 4 * 1024 * 1024;

    /// Trusts only the certificates in a PEM file: authorities, or the server's own certificate.
    ///
    /// # Errors
    /// The file can't be read, has no certificate, or has one that can't be used.
    pub fn in_file(path: &Path) -> Result<Self, TrustError> {
        let file = || path.to_owned();
        let unreadable =
            |why: &dyn fmt::Display| TrustError::Unreadable { file: file(), why: why.to_string() };
        let unusable = |why: &dyn fmt::Display| TrustError::Unusable { file: file(), why: why.to_string() };
        let pem = input_file::read(path, Self::MOST_BYTES).and_then(|bytes| input_file::pem(&bytes));
        let pem = pem.map_err(|error| unreadable(&error))?;
        let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| unreadable(&error))?;
        if certificates.is_empty() {
            return Err(TrustError::Empty(file()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| unusable(&error))?;
        }
        let issued = issued_by(roots).map_err(|error| unusable(&error))?;
        let verifier = Arc::new(FileVerifier { issued, certificates });
        Self::new(Some(file()), verifier).map_err(|error| unusable(&error))
    }

    /// Trusts the system's authorities. They are loaded when they are first needed, because this takes time.
    ///
    /// # Errors
    /// The system knows no certificate authority.
    pub(super) fn of_system() -> Result<Self, TrustError> {
        static SYSTEM: OnceLock<Result<Trust, TrustError>> = OnceLock::new();
        let found = SYSTEM.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::debug!(%error, "some certificates of the system are ignored");
            }
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(found.certs);
            let first =
                found.errors.first().map_or_else(|| "its store is empty".to_owned(), ToString::to_string);
            if roots.is_empty() {
                return Err(TrustError::System(first));
            }
            let new = issued_by(roots)
                .map_err(|error| error.to_string())
                .and_then(|verifier| Self::new(None, verifier).map_err(|error| error.to_string()));
            new.map_err(TrustError::System)
        });
        found.clone()
    }

    fn new(file: Option<PathBuf>, verifier: Arc<dyn ServerCertVerifier>) -> Result<Self, Error> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each connection checks the certificate again: it may have expired or changed.
        config.resumption = Resumption::disabled();
        Ok(Self { file, verifier, config: Arc::new(config) })
    }

    /// Whether a server with these certificates, its own first, is trusted as `host`.
    pub fn trusts(&self, chain: &[CertificateDer<'_>], host: &str) -> bool {
        let (Some((own, others)), Ok(name)) = (chain.split_first(), ServerName::try_from(host)) else {
            return false;
        };
        self.verifier.verify_server_cert(own, others, &name, &[], UnixTime::now()).is_ok()
    }

    /// The file that the certificates are from; `None` for the system's.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

/// Two are equal if they come from the same reading of a file.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config)
    }
}

impl Eq for Trust {}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trust").field(&self.file).finish()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn issued_by(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, impl fmt::Display> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build()
}

/// Trusts what one of the certificates in a file has issued, and those certificates themselves.
#[derive(Debug)]
struct FileVerifier {
    issued: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for FileVerifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.issued.verify_server_cert(own, others, name, ocsp, now) {
            // `openssl req -x509` marks its certificates as an authority's, and rustls refuses those as a server's own.
            // This one is in the file, so it is trusted. Its validity was checked before this error.
            Err(Error::InvalidCertificate(error))
                if is_authority(&error) && self.certificates.contains(own) =>
            {
                verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.issued.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.issued.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.issued.supported_verify_schemes()
    }
}

/// Whether the error is that a server uses an authority's certificate as its own.
pub(super) fn is_authority(error: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = error else { return false };
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
