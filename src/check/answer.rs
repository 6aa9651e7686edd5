//! The rule `positions`: what a server answers to a text that is no position, or to one from which the stream can't be
//! resumed.

use super::finding::{cut, quoted};
use super::further::Connection;
use super::observation::Promise;
use crate::contract::Follows;

/// What is wrong with the answer to a position that is not one of the stream.
pub(super) fn wrong(position: &str, expected: &Promise, connection: &Connection) -> Option<String> {
    let asked = quoted(position);
    if let Some(why) = &connection.failed {
        return Some(format!("the connection for the position {asked} failed: {}", cut(why)));
    }
    // What was found about the answer is why it is no proper reset.
    if connection.has_faults {
        return None;
    }
    let reason = connection.greeting().map(|opened| match &opened.follows {
        Follows::Reset { reason, .. } => reason.as_str(),
        Follows::Started { .. } | Follows::Resumed { .. } => "no reset",
    });
    match (expected, connection.refused, reason) {
        (Promise::BadRequest, Some(400), _) => None,
        (Promise::Reset(wanted), None, Some(reason)) if reason == wanted => None,
        (Promise::BadRequest, None, _) => {
            Some(format!("the position {asked} was accepted; expected the HTTP status 400"))
        }
        (Promise::BadRequest, Some(status), _) => {
            Some(format!("the position {asked} was refused with the HTTP status {status}; expected 400"))
        }
        (Promise::Reset(wanted), Some(status), _) => Some(format!(
            "the position {asked} was refused with the HTTP status {status}; expected a reset, {wanted}"
        )),
        (Promise::Reset(wanted), None, Some(reason)) => {
            Some(format!("the position {asked} got {reason}; expected a reset, {wanted}"))
        }
        (Promise::Reset(wanted), None, None) => {
            Some(format!("the position {asked} got no stream_opened; expected a reset, {wanted}"))
        }
    }
}
