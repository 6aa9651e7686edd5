//! The flags of `watch`.

use std::path::PathBuf;

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use regex::Regex;

use crate::cli::complete;
use crate::cli::format::probability;
use crate::cli::numbers::{LARGEST, whole};
use crate::cli::remote::Remote;
use crate::contract::MessageType;
use crate::hub::After;

/// Follow the events of a server in the terminal
///
/// Shows the open incidents from their beginning, then each event as it happens. On a terminal each event is a line, and
/// a footer shows the state of the incident. In a pipe the columns are separated by tabs: time, position, incident, type,
/// phase, confidence, summary.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident watch --incident database-outage-x7k2p --until-resolved
  incident watch --json | jq .data                   Each event as one JSON object
  incident watch --after 0 --record run.ndjson       Record everything that the server has kept")]
pub(in crate::cli) struct Watch {
    #[command(flatten)]
    pub(super) remote: Remote,

    /// Start after this position, as in an event's source and id; 0 replays all events that the server has kept [default:
    /// the start of the oldest open incident]
    #[arg(long, value_name = "STREAM/N", help_heading = "Range")]
    pub(super) after: Option<After>,

    /// Show only the last N of the replayed events
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0, LARGEST), help_heading = "Range")]
    pub(super) tail: Option<usize>,

    /// Exit when all past events were shown
    #[arg(long, help_heading = "Range")]
    pub(super) no_follow: bool,

    /// Exit when the incident has ended; without --incident, the first that ends from now on
    #[arg(long, conflicts_with = "no_follow", help_heading = "Range")]
    pub(super) until_resolved: bool,

    /// Show only this incident
    #[arg(long, value_name = "ID", add = complete::incidents(), help_heading = "Filter")]
    pub(super) incident: Option<String>,

    /// Show only events of this phase; repeat the flag for several
    #[arg(long, help_heading = "Filter")]
    pub(super) phase: Vec<String>,

    /// Show only events of this type; repeat the flag for several
    #[arg(long = "type", value_name = "TYPE", value_parser = message_types(), help_heading = "Filter")]
    pub(super) kind: Vec<MessageType>,

    /// Show only actions with at least this confidence, from 0 to 1
    #[arg(long, value_name = "P", value_parser = probability, help_heading = "Filter")]
    pub(super) min_confidence: Option<f64>,

    /// Show only events whose agent, action or summary matches
    #[arg(long, value_name = "REGEX", help_heading = "Filter")]
    pub(super) include: Option<Regex>,

    /// Hide events whose agent, action or summary matches
    #[arg(long, value_name = "REGEX", help_heading = "Filter")]
    pub(super) exclude: Option<Regex>,

    /// Print each event verbatim, one JSON object per line
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// Record every event that arrives, shown or not, in this file, one JSON object per line, for `incident serve
    /// --replay`, `incident report` and `incident validate`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(super) record: Option<PathBuf>,

    /// Show the time of day in UTC instead of the time since the start of the incident
    #[arg(long, help_heading = "Output")]
    pub(super) utc: bool,

    /// Exit when the connection ends, instead of reconnecting
    #[arg(long, help_heading = "Server")]
    pub(super) no_reconnect: bool,
}

/// The types of events. Control messages are never shown.
fn message_types() -> impl TypedValueParser<Value = MessageType> {
    let events = MessageType::ALL.iter().copied().filter(|kind| !kind.is_control());
    PossibleValuesParser::new(events.map(MessageType::as_str))
        .try_map(|name| MessageType::from_name(&name).ok_or("it is not a message type"))
}
