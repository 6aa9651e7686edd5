//! Flags of every form of `incident publish`.

use std::time::Duration;

use jiff::Timestamp;

use crate::cli::duration::at_least_100ms;
use crate::cli::remote::Remote;
use crate::cli::time::time;
use crate::scenario::Micros;

/// Where to, as whom, and how long to try.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Sending {
    /// The publisher, for events that name none: a URI reference
    #[arg(long, value_name = "SOURCE", default_value = "/incident/publish")]
    pub(super) source: String,

    /// How long to repeat a request that the server cannot answer now
    #[arg(
        long,
        default_value_t = Duration::from_secs(60).into(),
        value_name = "DURATION",
        value_parser = at_least_100ms
    )]
    pub(super) retry_for: Micros,

    /// Print the server's answers as JSON, one a line
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) remote: Remote,
}

/// What every event that is made from flags has.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct About {
    /// The incident's name: lower-case letters, digits and hyphens
    #[arg(long, value_name = "NAME")]
    pub(super) subject: String,

    /// The event's name; with the same --id and --time it is stored once [default: a random one]
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,

    /// When it happened, as in 2026-11-22T10:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) time: Option<Timestamp>,

    #[command(flatten)]
    pub(super) sending: Sending,
}
