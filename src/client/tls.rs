//! The connection below HTTP and the WebSocket: plain, or encrypted for `wss:` and `https:`.

use std::io;

use jiff::Timestamp;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::trust::is_authority;
use super::{ClientError, Endpoint, Trust};

/// What requests and frames go over.
pub(super) type Stream = Box<dyn Duplex>;

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Why a server's certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// None of the authorities has issued it.
    #[error("{}", unknown(.0.as_deref()))]
    Unknown(
        /// The file with the authorities; `None` for the system's.
        Option<String>,
    ),
    /// Its time is over.
    #[error("it expired{}", at(.0.as_ref()))]
    Expired(
        /// Since when.
        Option<Timestamp>,
    ),
    /// Its time has not come.
    #[error("it is not good before{}", at(.0.as_ref()))]
    Early(
        /// When it has.
        Option<Timestamp>,
    ),
    /// It is somebody else's.
    #[error("it is for {}, not for {wanted}", names(.presented))]
    Name {
        /// As the URL names the server.
        wanted: String,
        /// Whose it is.
        presented: Vec<String>,
    },
    /// Something else is wrong with it.
    #[error("{0}")]
    Other(String),
}

fn unknown(file: Option<&str>) -> String {
    match file {
        Some(file) => format!("no authority in {file} has issued it"),
        None => "this system does not know the authority that has issued it".to_owned(),
    }
}

fn at(time: Option<&Timestamp>) -> String {
    time.map(|time| format!(" {time}")).unwrap_or_default()
}

fn names(presented: &[String]) -> String {
    if presented.is_empty() { "nobody by name".to_owned() } else { presented.join(", ") }
}

impl Distrust {
    fn of(error: &CertificateError, host: &str, trust: &Trust) -> Self {
        let timestamp = |time: &UnixTime| i64::try_from(time.as_secs()).ok().map(Timestamp::from_second);
        let timestamp = |time| timestamp(time).and_then(Result::ok);
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::Unknown(trust.file().map(|file| file.display().to_string()))
            }
            CertificateError::Expired => Self::Expired(None),
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired(timestamp(not_after)),
            CertificateError::NotValidYet => Self::Early(None),
            CertificateError::NotValidYetContext { not_before, .. } => Self::Early(timestamp(not_before)),
            CertificateError::NotValidForName => {
                Self::Name { wanted: host.to_owned(), presented: Vec::new() }
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                // As in `DnsName("localhost")`.
                let bare = |name: &String| {
                    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
                    inner.unwrap_or(name).trim_matches('"').to_owned()
                };
                Self::Name { wanted: host.to_owned(), presented: presented.iter().map(bare).collect() }
            }
            other if is_authority(other) => {
                Self::Unknown(trust.file().map(|file| file.display().to_string()))
            }
            other => Self::Other(other.to_string()),
        }
    }
}

/// Connects, and shakes hands where the scheme asks for it.
///
/// # Errors
/// Nobody is there, or it is not who it should be.
pub(super) async fn connect(endpoint: &Endpoint, url: &str) -> Result<Stream, ClientError> {
    let tcp = TcpStream::connect(endpoint.address()).await;
    let tcp = tcp.map_err(|error| ClientError::Unreachable { url: url.to_owned(), why: plain(&error) })?;
    // Best effort: it only saves latency.
    let _ = tcp.set_nodelay(true);
    if !endpoint.is_encrypted() {
        return Ok(Box::new(tcp));
    }
    let trust = match endpoint.trust() {
        Some(trust) => trust.clone(),
        None => Trust::of_system()?,
    };
    let host = endpoint.host();
    let name = ServerName::try_from(host.clone()).map_err(|error| ClientError::Tls {
        url: url.to_owned(),
        why: format!("no certificate can be for {host:?}: {error}"),
    })?;
    match TlsConnector::from(trust.config()).connect(name, tcp).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(failed(url.to_owned(), &error, &host, &trust)),
    }
}

fn failed(url: String, error: &io::Error, host: &str, trust: &Trust) -> ClientError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(why)) => {
            ClientError::Certificate { url, why: Distrust::of(why, host, trust) }
        }
        Some(Error::InvalidMessage(_)) => ClientError::NotTls { url },
        Some(error) => ClientError::Tls { url, why: error.to_string() },
        // A server that dies in the middle of it says nothing of what the next one would say.
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            ClientError::Unreachable { url, why: "the connection ended during the TLS handshake".to_owned() }
        }
        None => ClientError::Unreachable { url, why: plain(error) },
    }
}

/// The system's words without Rust's error number in brackets.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
