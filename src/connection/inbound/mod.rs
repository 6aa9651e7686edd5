//! What clients send: it is read, answered where the protocol requires it, bounded, and otherwise ignored.

mod allowance;
mod ignored;
mod messages;

use std::io::ErrorKind;

use super::dialect::Dialect;
use super::wire::{Read, Wire};
use crate::delivery::End;

pub(super) use allowance::Allowance;
use ignored::Ignored;
use messages::Messages;

/// Bytes that are read from one client before the next one has its turn.
const TURN: usize = 64 * 1024;

/// What one client sends.
pub(super) enum Inbound {
    WebSocket(Messages),
    EventStream(Ignored),
}

/// The result of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Everything was read.
    All,
    /// The client's turn is over, and there may be more.
    More,
}

impl Inbound {
    /// `tail` is what the client sent behind its handshake.
    pub(super) fn new(dialect: Dialect, tail: Vec<u8>, allowance: &Allowance) -> Self {
        match dialect {
            Dialect::WebSocket => Self::WebSocket(Messages::new(tail, allowance)),
            Dialect::EventStream(_) => Self::EventStream(Ignored::default()),
        }
    }

    /// A heartbeat interval begins: the counters restart.
    pub(super) fn beat(&mut self) {
        match self {
            Self::WebSocket(messages) => messages.beat(),
            Self::EventStream(ignored) => ignored.beat(),
        }
    }

    /// Reads what there is by way of `scratch`, and appends answers to `answers`.
    ///
    /// # Errors
    /// The client left, broke the protocol or sent too much.
    pub(super) fn hear(
        &mut self,
        wire: &mut Wire,
        scratch: &mut [u8],
        answers: &mut Vec<u8>,
        allowance: &Allowance,
    ) -> Result<Heard, End> {
        let mut turn = 0;
        loop {
            let (fed, raw) = match wire.read(scratch) {
                Ok(Read { bytes, raw }) => (&scratch[..bytes], raw),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Heard::All),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(End::Gone),
            };
            turn += raw;
            match self {
                Self::WebSocket(messages) => messages.take(fed, raw, answers, allowance)?,
                Self::EventStream(ignored) => ignored.take(raw, allowance)?,
            }
            if turn >= TURN {
                return Ok(Heard::More);
            }
        }
    }

    /// Processes what the client sent behind its handshake.
    pub(super) fn hear_tail(&mut self, answers: &mut Vec<u8>, allowance: &Allowance) -> Result<(), End> {
        match self {
            Self::WebSocket(messages) => messages.take_tail(answers, allowance),
            Self::EventStream(_) => Ok(()),
        }
    }
}
