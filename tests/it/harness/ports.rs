//! Ports for servers that have to keep theirs over several starts.

use std::collections::BTreeSet;
use std::net::TcpListener;

use parking_lot::Mutex;

/// Ports that are free now, and that no other test of this process is given.
pub fn free_ports(many: usize) -> Vec<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let (mut given, mut ports, mut held) = (GIVEN.lock(), Vec::new(), Vec::new());
    while ports.len() < many {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        held.push(one);
        if given.insert(port) {
            ports.push(port);
        }
    }
    ports
}
