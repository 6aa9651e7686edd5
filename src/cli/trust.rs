//! Whom a command believes that a server is who it says.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::ValueHint;

use super::exit::{Exit, Failure};
use crate::client::{Endpoint, Trust, TrustError};

const VARIABLE: &str = "INCIDENT_CACERT";

/// Flags of every command that speaks TLS.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Authorities {
    /// File with the certificates, in PEM, of the only authorities to believe of a wss:// server, or with the server's
    /// own [default: the variable `INCIDENT_CACERT`, else the system's authorities]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) cacert: Option<PathBuf>,
}

impl Authorities {
    /// The flag with which another command believes the same.
    pub(super) fn flags(&self) -> String {
        self.cacert.as_ref().map(|file| format!(" --cacert {}", file.display())).unwrap_or_default()
    }

    /// The endpoint with whom to believe.
    ///
    /// # Errors
    /// A file without certificates; one that is given for a server that shows none.
    pub(super) fn add_to(&self, endpoint: Endpoint) -> Result<Endpoint, Failure> {
        if !endpoint.is_encrypted() {
            // The variable may be there for other servers; the flag is meant for this one.
            return match &self.cacert {
                Some(_) => {
                    let error = anyhow!("--cacert is for wss://, and {endpoint} is not encrypted");
                    Err(Failure::new(Exit::Usage, error)
                        .hint("name the server with --url wss://HOST:PORT/ws"))
                }
                None => Ok(endpoint),
            };
        }
        let variable = || std::env::var_os(VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let Some(file) = self.cacert.clone().or_else(variable) else { return Ok(endpoint) };
        let trust = Trust::in_file(&file).map_err(|error| {
            let hint = match error {
                TrustError::Empty(_) => {
                    "PEM begins with -----BEGIN CERTIFICATE-----; of other forms `openssl x509 -in FILE -inform der` \
                     makes it"
                }
                _ => "--cacert, or INCIDENT_CACERT, names a file with an authority's certificate in PEM",
            };
            Failure::new(Exit::Usage, error).hint(hint)
        })?;
        Ok(endpoint.with_trust(trust))
    }
}
