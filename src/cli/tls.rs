//! `serve`'s certificate.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueHint;

use super::exit::{Exit, Failure};
use crate::server::tls_config;

/// Flags for TLS; without them the server speaks plain HTTP.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct Tls {
    /// Certificate chain in PEM, the server's own first
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,

    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
}

impl Tls {
    pub(super) fn config(&self) -> Result<Option<Arc<rustls::ServerConfig>>, Failure> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        let config = tls_config(certificate, key).map_err(|error| {
            Failure::new(Exit::Usage, error).hint("both files are PEM, as certificate authorities give them")
        })?;
        Ok(Some(config))
    }
}
