//! The connection below HTTP and WebSocket: plain, or encrypted for `wss:` and `https:`.

use std::io;

use rustls::Error;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::distrust::Distrust;
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::trust::Trust;

/// A connection, plain or encrypted.
pub(super) type Stream = Box<dyn Duplex>;

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connects, with a TLS handshake if the URL asks for one.
///
/// # Errors
/// The server can't be reached, does not speak TLS, or has a certificate that is not trusted.
pub(super) async fn connect(endpoint: &Endpoint, url: &str) -> Result<Stream, ClientError> {
    let tcp = TcpStream::connect(endpoint.address()).await;
    let tcp =
        tcp.map_err(|error| ClientError::Unreachable { url: url.to_owned(), why: reason_of(&error) })?;
    // A failure only costs latency.
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
        // A server that dies during the handshake may be back soon: the client may try again.
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            ClientError::Unreachable { url, why: "the connection ended during the TLS handshake".to_owned() }
        }
        None => ClientError::Unreachable { url, why: reason_of(error) },
    }
}

/// The operating system's message without the error number that Rust adds.
pub(super) fn reason_of(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
