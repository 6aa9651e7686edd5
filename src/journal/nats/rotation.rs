//! Which nats-server is connected to next. The client prefers those that have not refused a connection lately; but one that takes
//! connections may be cut off from its cluster, or have a wrong configuration. Then all of them are tried in turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::{ReconnectToServer, Server};

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Rotation(AtomicUsize);

impl Rotation {
    /// From now on each connection is made to the next server in turn.
    pub(super) fn begin(&self) {
        self.0.fetch_max(1, Ordering::Relaxed);
    }

    /// The server that is connected to works: the client chooses again.
    pub(super) fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The server whose turn it is; `None` if the client chooses.
    pub(super) fn next(&self, mut servers: Vec<Server>) -> Option<ReconnectToServer> {
        if self.0.load(Ordering::Relaxed) == 0 || servers.is_empty() {
            return None;
        }
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        // The client's order changes.
        servers.sort_by_key(ToString::to_string);
        let server = servers.swap_remove(turn % servers.len());
        Some(ReconnectToServer { addr: server.addr, delay: None })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_server_has_its_turn_and_the_client_chooses_when_one_works() {
        let server = |port: u16| Server {
            addr: format!("nats://127.0.0.1:{port}").parse().unwrap(),
            // One that takes connections has none.
            failed_attempts: usize::from(port) % 3,
            did_connect: true,
            is_discovered: false,
            last_error: None,
        };
        let servers = || vec![server(4_223), server(4_221), server(4_222)];
        let rotation = Rotation::default();
        let chosen = || rotation.next(servers()).map(|chosen| chosen.addr.port());
        assert_eq!(chosen(), None);
        rotation.begin();
        let tried: HashSet<_> = (0..3)
            .map(|_| {
                rotation.begin();
                chosen().unwrap()
            })
            .collect();
        assert_eq!(tried.len(), 3);
        rotation.end();
        assert_eq!(chosen(), None);
        assert_eq!(rotation.next(Vec::new()).map(|_| ()), None);
    }
}
