//! `serve`'s limits: what clients may cost.

use std::time::Duration;

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use crate::scenario::Micros;

/// Files that are open beside the clients': the journal, requests, connections that say nothing.
const OTHER_FILES: u64 = 2_048;

/// Flags that bound what clients may cost.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// The most clients at once; more are told 503
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) max_clients: u32,

    /// New connections a second from one address; more are told 429
    #[arg(long, default_value_t = 1_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) admit_rate: u32,

    /// How long a client may take nothing before it is closed
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    write_deadline: Micros,

    /// How long a request, its TLS handshake included, may take to come
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    request_deadline: Micros,

    /// The largest head of a request
    #[arg(long, default_value_t = 16 * 1024, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(8_192..=1_048_576))]
    pub(super) max_header_bytes: u32,

    /// The largest message a client may send, though nobody reads it
    #[arg(long, default_value_t = 16 * 1024, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(125..=1_048_576))]
    pub(super) max_message_bytes: u32,

    /// Messages and pings a second that a client may send
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) max_message_rate: u32,
}

impl Limits {
    pub(super) fn write_deadline(&self) -> Result<Duration, Failure> {
        positive("--write-deadline", self.write_deadline)
    }

    pub(super) fn request_deadline(&self) -> Result<Duration, Failure> {
        positive("--request-deadline", self.request_deadline)
    }

    /// The usual soft limit of 1024 descriptors is no limit for a server of 10,000 clients: raises it as far as it
    /// goes, and says if that is not far enough.
    pub(super) fn raise_open_files(&self) {
        let wanted = u64::from(self.max_clients) + OTHER_FILES;
        match rlimit::increase_nofile_limit(wanted) {
            Ok(allowed) if allowed < wanted => {
                let clients = allowed.saturating_sub(OTHER_FILES).max(allowed / 2);
                tracing::warn!(
                    allowed,
                    "only {allowed} open files are allowed: enough for about {clients} clients, not for \
                     --max-clients {}; raise the hard limit (ulimit -Hn)",
                    self.max_clients
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
        }
    }
}

/// A duration that can be waited for.
pub(super) fn positive(flag: &str, duration: Micros) -> Result<Duration, Failure> {
    if duration.0 < 100_000 {
        return Err(Failure::new(Exit::Usage, anyhow!("{flag} is at least 100ms")));
    }
    Ok(Duration::from_micros(duration.0))
}
