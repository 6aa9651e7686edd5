//! The times of the events that are in the file when it is opened.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::clock::Found;
use super::super::time_source::HIDDEN;
use super::head::Head;

/// How many of the newest events are searched for the latest time.
const NEWEST: u64 = 1_000;

/// How many samples are taken of the times of all events.
const SAMPLES: u64 = 1_024;

/// The times of the newest events, as the clock needs them.
pub(super) fn newest(connection: &Connection, head: Head, wall_us: i64) -> rusqlite::Result<Found> {
    let newest_us = at(connection, head.position)?;
    let future = wall_us.saturating_add(HIDDEN.as_micros() as i64);
    let latest_us = connection.query_row(
        "SELECT max(time_us) FROM events WHERE position > ?1 AND time_us <= ?2",
        params![head.position.saturating_sub(NEWEST), future],
        |row| row.get(0),
    )?;
    Ok(Found { newest_us, latest_us })
}

/// The positions and times of about [`SAMPLES`] events, the newest one included, in order.
pub(super) fn sample(connection: &Connection, head: Head) -> rusqlite::Result<Vec<(u64, i64)>> {
    let kept = (head.position + 1).saturating_sub(head.oldest);
    let stride = kept.div_ceil(SAMPLES).max(1);
    let back = (0..kept.div_ceil(stride)).rev();
    let mut samples = Vec::new();
    for position in back.map(|strides| head.position - strides * stride) {
        if let Some(time_us) = at(connection, position)? {
            samples.push((position, time_us));
        }
    }
    Ok(samples)
}

fn at(connection: &Connection, position: u64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT time_us FROM events WHERE position = ?1")?
        .query_row([position], |row| row.get(0))
        .optional()
}
