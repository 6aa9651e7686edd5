//! The names of incidents, like `database-outage-x7k2p`.

use sha2::{Digest, Sha256};

/// Letters and digits that people do not confuse when they read them aloud or copy them by hand.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// The most bytes of a scenario's id in a name.
const LONGEST: usize = 64;

/// A new name: the scenario's id and five random characters, for 33 million names per scenario.
pub(super) fn fresh(scenario: &str) -> String {
    with_suffix(scenario, crate::random::bits())
}

/// The name of an incident in a replay: always the same for the same key and the same number of the replay.
pub(super) fn derived(scenario: &str, key: &str, number: u64) -> String {
    let digest = Sha256::digest(format!("{number} {key}"));
    with_suffix(scenario, digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

/// A recording may name a longer scenario than a file can have.
fn with_suffix(scenario: &str, bits: u64) -> String {
    let fits =
        scenario.char_indices().map(|(start, c)| start + c.len_utf8()).take_while(|end| *end <= LONGEST);
    let scenario = &scenario[..fits.last().unwrap_or_default()];
    let suffix = (0..5).map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]));
    format!("{scenario}-{}", suffix.collect::<String>())
}
