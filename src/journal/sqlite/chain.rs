//! The checksum of each row, chained to the row before. A flipped byte, a missing row and a foreign row all break the
//! chain.

use sha2::{Digest, Sha256};

/// The checksum that the first event is chained to.
pub(super) const ORIGIN: i64 = 0;

/// The parts of a row that clients receive.
pub(super) struct Row<'a> {
    pub(super) position: u64,
    pub(super) time_us: i64,
    pub(super) subject: &'a str,
    pub(super) index: u64,
    pub(super) kind: &'a str,
    pub(super) data: &'a str,
}

/// The first eight bytes of the SHA-256 digest of the previous checksum and of every part with its length.
pub(super) fn checksum(before: i64, row: &Row<'_>) -> i64 {
    let mut hash = Sha256::new();
    hash.update(before.to_le_bytes());
    hash.update(row.position.to_le_bytes());
    hash.update(row.time_us.to_le_bytes());
    hash.update(row.index.to_le_bytes());
    for text in [row.subject, row.kind, row.data] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    first_eight(&hash.finalize())
}

/// The checksum of a text that is not chained to another.
pub(super) fn of_text(text: &str) -> i64 {
    first_eight(&Sha256::digest(text))
}

/// The checksum of what an incident has as its plan, or of that it has none: a plan is followed only for its own incident.
pub(super) fn of_plan(subject: &str, plan: Option<&str>) -> i64 {
    let mut hash = Sha256::new();
    hash.update((subject.len() as u64).to_le_bytes());
    hash.update(subject);
    if let Some(plan) = plan {
        hash.update([1]);
        hash.update(plan);
    }
    first_eight(&hash.finalize())
}

fn first_eight(digest: &[u8]) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(bytes)
}
