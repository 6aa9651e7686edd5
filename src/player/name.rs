//! Incident ids like `database-outage-x7k2p`.

/// Letters and digits that are not taken for one another when read aloud or copied by hand.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// The scenario's id and five random characters: 33 million names a scenario.
pub(super) fn fresh(scenario: &str) -> String {
    let random = crate::random::bits();
    let suffix = (0..5).map(|place| char::from(ALPHABET[(random >> (5 * place)) as usize & 31]));
    format!("{scenario}-{}", suffix.collect::<String>())
}
