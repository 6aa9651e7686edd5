//! The certificates that a command trusts.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::anyhow;
use clap::ValueHint;

use super::exit::{Exit, Failure};
use crate::client::{Endpoint, Endpoints, Trust, TrustError};
use crate::shell;

const VARIABLE: &str = "INCIDENT_CACERT";

/// The flag of the commands that connect with TLS.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TrustArgs {
    /// PEM file with the certificates to trust: of an authority, or the server's own [default: the variable
    /// `INCIDENT_CACERT`, else the system's authorities]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Server")]
    pub(super) cacert: Option<PathBuf>,

    /// What was read of the file: a pipe can be read only once.
    #[arg(skip)]
    read: OnceLock<Trust>,
}

impl TrustArgs {
    /// The flag with which another command trusts the same certificates.
    pub(super) fn flags(&self) -> String {
        self.cacert.as_deref().map(|file| format!(" --cacert {}", shell::file(file))).unwrap_or_default()
    }

    /// Adds the certificates to trust to the endpoints with TLS.
    ///
    /// # Errors
    /// The file has no certificates; or --cacert is given for servers without TLS.
    pub(super) fn add_to(&self, endpoints: &Endpoints) -> Result<Endpoints, Failure> {
        // The variable may be set for other servers; the flag is meant for this one.
        if self.cacert.is_some() && !endpoints.are_encrypted() {
            let error = anyhow!("--cacert is of no use: {endpoints} is not encrypted");
            let hint = "leave out --cacert, or give a server with TLS, as in --url wss://HOST:PORT/ws";
            return Err(Failure::new(Exit::Usage, error).hint(hint));
        }
        self.add_where_encrypted(endpoints)
    }

    /// The same if --cacert may be meant for others than these endpoints.
    ///
    /// # Errors
    /// The file has no certificates.
    pub(super) fn add_where_encrypted(&self, endpoints: &Endpoints) -> Result<Endpoints, Failure> {
        if !endpoints.are_encrypted() {
            return Ok(endpoints.clone());
        }
        let Some(trust) = self.trust()? else { return Ok(endpoints.clone()) };
        let add = |one: Endpoint| if one.is_encrypted() { one.with_trust(trust.clone()) } else { one };
        Ok(endpoints.map(add))
    }

    /// The certificates to trust; `None` for those of the system.
    fn trust(&self) -> Result<Option<Trust>, Failure> {
        if let Some(read) = self.read.get() {
            return Ok(Some(read.clone()));
        }
        let variable = || std::env::var_os(VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let Some(file) = self.cacert.clone().or_else(variable) else { return Ok(None) };
        let trust = Trust::in_file(&file).map_err(|error| {
            let hint = match error {
                TrustError::Empty(_) => {
                    "PEM begins with -----BEGIN CERTIFICATE-----; `openssl x509 -in FILE -inform der` converts DER to PEM"
                }
                _ => "give --cacert or INCIDENT_CACERT a PEM file with the certificate of an authority",
            };
            Failure::new(Exit::Usage, error).hint(hint)
        })?;
        Ok(Some(self.read.get_or_init(|| trust).clone()))
    }
}
