//! How far senders are believed when they say since when an alert fires: what comes from outside must give an incident no times by
//! which it lasts for centuries, or by which its alert is never new again and never ends.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::state::Known;
use crate::contract::can_be_now;

/// How far the clock of a sender may be ahead, as that of a publisher.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// How long before the server heard of it an impact may have begun.
const LONGEST: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A server that was started without a clock believes its senders, but no time from here on: 2100-01-01.
const LAST_S: i64 = 4_102_444_800;

/// Whether an alert that is heard of now can fire since then.
fn can_be(since: Timestamp, now: Timestamp) -> bool {
    if can_be_now(now) {
        now.checked_add(AHEAD).map_or(true, |latest| since <= latest)
    } else {
        since.as_second() < LAST_S
    }
}

/// Which firing of an alert is the newer one: the one that begins with `told`, or the one that is known. If one of them begins in the
/// future, they are the same for all that is known.
pub(super) fn compare(told: Timestamp, known: &Known, now: Timestamp) -> Ordering {
    if can_be(told, now) && can_be(known.starts_at, known.changed) {
        told.cmp(&known.starts_at)
    } else {
        Ordering::Equal
    }
}

/// When the impact of alerts began: with the first that can be believed, or now.
pub(super) fn impact(begins: impl Iterator<Item = Timestamp>, now: Timestamp) -> Timestamp {
    let first = now.checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
    let began = begins.filter(|since| *since >= first && can_be(*since, now)).min().unwrap_or(now);
    if can_be_now(now) { began.min(now) } else { began }
}
