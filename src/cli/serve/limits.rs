//! The limits of what clients may use.

use crate::cli::duration::at_least_100ms;
use crate::cli::numbers::whole;
use crate::scenario::Micros;
use crate::server::Options;

/// Flags that limit what clients may use.
#[derive(Debug, clap::Args)]
pub(super) struct LimitArgs {
    /// The most clients at once, if the limit of open files allows as many; more get status 503
    #[arg(
        long,
        default_value_t = Options::default().max_clients,
        value_name = "COUNT",
        value_parser = whole::<u32>(1, 1_000_000),
        help_heading = "Limits"
    )]
    pub(super) max_clients: u32,

    /// New connections per second from one address; more get status 429
    #[arg(
        long,
        default_value_t = Options::default().admit_rate,
        value_name = "COUNT",
        value_parser = whole::<u32>(1, 1_000_000),
        help_heading = "Limits"
    )]
    pub(super) admit_rate: u32,

    /// The threads that serve clients [default: one for each core that the server may use]
    #[arg(long, value_name = "COUNT", value_parser = whole::<u32>(1, 1_024), help_heading = "Limits")]
    pub(super) threads: Option<u32>,

    /// Disconnect a client that accepts no data for this long
    #[arg(
        long,
        default_value_t = Options::default().write_deadline.into(),
        value_name = "DURATION",
        value_parser = at_least_100ms,
        help_heading = "Limits"
    )]
    pub(super) write_deadline: Micros,

    /// Close a connection whose request, including the TLS handshake, has not arrived after this long
    #[arg(
        long,
        default_value_t = Options::default().request_deadline.into(),
        value_name = "DURATION",
        value_parser = at_least_100ms,
        help_heading = "Limits"
    )]
    pub(super) request_deadline: Micros,

    /// The largest request head: request line and headers
    #[arg(
        long,
        default_value_t = Options::default().header_bytes as u32,
        value_name = "BYTES",
        value_parser = whole::<u32>(8_192, 1_048_576),
        help_heading = "Limits"
    )]
    pub(super) max_header_bytes: u32,

    /// The largest message from a client; the server ignores the content of messages
    #[arg(
        long,
        default_value_t = Options::default().message_bytes as u32,
        value_name = "BYTES",
        value_parser = whole::<u32>(125, 1_048_576),
        help_heading = "Limits"
    )]
    pub(super) max_message_bytes: u32,

    /// Messages and pings per second from a client
    #[arg(
        long,
        default_value_t = Options::default().message_rate,
        value_name = "COUNT",
        value_parser = whole::<u32>(1, 1_000_000),
        help_heading = "Limits"
    )]
    pub(super) max_message_rate: u32,

    /// Events per second that each token may publish, four times as many at once; more get status 429
    #[arg(
        long,
        default_value_t = Options::default().publish_rate,
        value_name = "COUNT",
        value_parser = whole::<u32>(1, 1_000_000),
        help_heading = "Limits"
    )]
    pub(super) publish_rate: u32,
}
