//! Why a server's certificate is not trusted, in words that say what to do about it.

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::trust::{Trust, is_authority};

/// Why a server's certificate is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// No trusted authority has issued it.
    #[error("{}", unknown_issuer(.0.as_deref()))]
    Unknown(
        /// The file with the authorities; `None` for the system's.
        Option<String>,
    ),
    /// It has expired.
    #[error("it expired{}", time(.0.as_ref()))]
    Expired(
        /// When it expired.
        Option<Timestamp>,
    ),
    /// It is not valid yet.
    #[error("it is not valid before{}", time(.0.as_ref()))]
    Early(
        /// When it becomes valid.
        Option<Timestamp>,
    ),
    /// It is for another host.
    #[error("it is for {}, not for {wanted}", hosts(.presented))]
    Name {
        /// The host in the URL.
        wanted: String,
        /// The hosts in the certificate.
        presented: Vec<String>,
    },
    /// Something else is wrong with it.
    #[error("{0}")]
    Other(String),
}

fn unknown_issuer(file: Option<&str>) -> String {
    match file {
        Some(file) => format!("no authority in {file} has issued it"),
        None => "this system does not know the authority that issued it".to_owned(),
    }
}

fn time(time: Option<&Timestamp>) -> String {
    time.map(|time| format!(" {time}")).unwrap_or_default()
}

fn hosts(presented: &[String]) -> String {
    if presented.is_empty() { "no host".to_owned() } else { presented.join(", ") }
}

impl Distrust {
    pub(super) fn of(error: &CertificateError, host: &str, trust: &Trust) -> Self {
        let timestamp = |time: &UnixTime| i64::try_from(time.as_secs()).ok().map(Timestamp::from_second);
        let timestamp = |time| timestamp(time).and_then(Result::ok);
        let unknown = || Self::Unknown(trust.file().map(|file| file.display().to_string()));
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => unknown(),
            CertificateError::Expired => Self::Expired(None),
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired(timestamp(not_after)),
            CertificateError::NotValidYet => Self::Early(None),
            CertificateError::NotValidYetContext { not_before, .. } => Self::Early(timestamp(not_before)),
            CertificateError::NotValidForName => {
                Self::Name { wanted: host.to_owned(), presented: Vec::new() }
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                // rustls names them like `DnsName("localhost")`.
                let bare = |name: &String| {
                    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
                    inner.unwrap_or(name).trim_matches('"').to_owned()
                };
                Self::Name { wanted: host.to_owned(), presented: presented.iter().map(bare).collect() }
            }
            other if is_authority(other) => unknown(),
            other => Self::Other(other.to_string()),
        }
    }
}
