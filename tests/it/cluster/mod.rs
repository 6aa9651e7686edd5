//! Several servers over one stream: what one starts the others show, and whatever fails, clients of all are told one history.

mod killed;
mod oracle;
mod two;

/// How often each fault comes: a few times with all other tests, and as often as `./dev cluster` says.
fn rounds(few: usize) -> usize {
    std::env::var("INCIDENT_CLUSTER_ROUNDS").map_or(few, |rounds| rounds.parse().expect("a number"))
}
