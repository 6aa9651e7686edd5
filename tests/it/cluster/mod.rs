//! Several servers over one stream: what one starts the others show, and whatever fails, clients of all are told one history.

mod absent;
mod backup;
mod behind;
mod clocks;
mod cut;
mod disk;
mod example;
mod handover;
mod history;
mod killed;
mod oracle;
mod permitted;
mod proxied;
mod remade;
mod secured;
mod silence;
mod small;
mod stalled;
mod told;
mod two;

use std::time::Duration;

/// How long something stands still or is cut off: longer in the long run.
fn standing() -> Duration {
    Duration::from_secs(if rounds(1) > 1 { 20 } else { 5 })
}

/// How often each fault comes: a few times with all other tests, and as often as `./dev cluster` says.
fn rounds(few: usize) -> usize {
    std::env::var("INCIDENT_CLUSTER_ROUNDS").map_or(few, |rounds| rounds.parse().expect("a number"))
}
