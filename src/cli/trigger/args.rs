//! The flags of `trigger`.

use std::path::PathBuf;

use clap::ValueHint;

use super::alerts::AlertArgs;
use crate::cli::complete;
use crate::cli::duration::at_least_100ms;
use crate::cli::numbers::{LARGEST, whole};
use crate::cli::remote::Remote;
use crate::cli::settings_args::SettingsArgs;
use crate::player::Speed;
use crate::scenario::Micros;

/// Start an incident on a running server and follow it until it ends
///
/// Ctrl-C stops following; the incident goes on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident trigger database-outage --speed 10        Start an incident, ten times faster than real time
  incident trigger memory-leak --report report.md    Also write its report when it has ended
  incident trigger api-overload --alerts-to http://127.0.0.1:9093
                                                     Also play its alerts into an Alertmanager
  incident cancel memory-leak-x7k2p                  Cancel an incident")]
pub(in crate::cli) struct Trigger {
    /// The scenario to play: one that the server has; `incident list` prints the names
    #[arg(required_unless_present = "cancel", add = complete::of_server())]
    pub(super) scenario: Option<String>,

    #[command(flatten)]
    pub(super) remote: Remote,

    /// Print the incident's id, with --json the server's answer, and exit; the incident goes on
    #[arg(long, conflicts_with_all = ["timeout", "reconnect_for"])]
    pub(super) no_wait: bool,

    /// Stop waiting, with exit status 4, if the incident has not ended after this long
    #[arg(long, value_name = "DURATION", value_parser = at_least_100ms)]
    pub(super) timeout: Option<Micros>,

    /// Give up, with exit status 3, if the connection is lost for this long; the incident goes on
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = at_least_100ms, help_heading = "Server")]
    pub(super) reconnect_for: Micros,

    /// Play this many times faster than the scenario says [default: the server's --speed]
    #[arg(long, value_name = "FACTOR")]
    pub(super) speed: Option<Speed>,

    /// Seed of noise and failures [default: the scenario's]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>(0, LARGEST))]
    pub(super) seed: Option<u64>,

    #[command(flatten)]
    pub(super) settings: SettingsArgs,

    #[command(flatten)]
    pub(super) alerts: AlertArgs,

    /// Print the incident's events on stdout, one JSON object per line
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// Write the post-incident report as Markdown to this file when the incident has ended
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "no_wait",
        value_hint = ValueHint::FilePath,
        help_heading = "Output"
    )]
    pub(super) report: Option<PathBuf>,

    /// The same as `incident cancel INCIDENT`
    #[arg(long, value_name = "INCIDENT", add = complete::running(), hide = true, conflicts_with_all = ["scenario", "no_wait", "timeout", "speed", "seed", "set", "json", "report", "alerts_to"])]
    pub(super) cancel: Option<String>,
}
