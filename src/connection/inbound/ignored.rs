//! What a client of an event stream sends: its request was the last thing on the connection, so everything is dropped.

use super::allowance::Allowance;
use crate::delivery::End;

/// Counts what is dropped.
#[derive(Default)]
pub(in crate::connection) struct Ignored {
    /// Since the last heartbeat.
    bytes: usize,
}

impl Ignored {
    pub(super) fn beat(&mut self) {
        self.bytes = 0;
    }

    /// The socket gave so many bytes: 0 at the end of what the client sends.
    pub(super) fn take(&mut self, raw: usize, allowance: &Allowance) -> Result<(), End> {
        self.bytes += raw;
        match raw {
            0 => Err(End::Left),
            _ if self.bytes > allowance.bytes => Err(End::Flood),
            _ => Ok(()),
        }
    }
}
