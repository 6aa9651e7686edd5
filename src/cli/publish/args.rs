//! The flags of `incident publish`.

use std::path::PathBuf;

use clap::ValueHint;

use super::sending::Sending;
use super::single::Single;

/// Publish events of real incidents, or actions in a drill
///
/// Sends CloudEvents, one a line, and answers once the server has stored them. Sent again under the same ids they are
/// stored once: a request that fails is repeated until the server has answered. A line without `id` gets one from its
/// content, a line without `time` the time now.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  incident publish started --subject checkout-42 --title 'Checkout fails' --severity SEV2 --service checkout
  incident publish action --subject checkout-42 --agent ci 'Rolled back release 88' --mark mitigated
  incident publish note --subject checkout-42 --by Alice Called the database team
  incident publish metrics --subject checkout-42 error_rate=0.02 --users 120
  incident publish resolved --subject checkout-42 'Rolled back'
  incident publish events.ndjson                     Publish a file
  my-agent | incident publish -                      Publish lines as they come"
)]
pub(in crate::cli) struct Publish {
    #[command(subcommand)]
    pub(super) single: Option<Single>,

    /// File with one CloudEvent in JSON on each line; - for standard input
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(super) file: Option<PathBuf>,

    #[command(flatten)]
    pub(super) sending: Sending,
}
