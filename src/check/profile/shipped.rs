//! The profiles that are built into the program: the files of `profiles/`.

use super::described::Profile;
use super::read;

/// Name, one line about it, and text of each shipped profile. Our own stream needs none: its name is `incident`.
pub const SHIPPED_PROFILES: [(&str, &str); 4] = [
    ("plain", include_str!("../../../profiles/plain.toml")),
    ("sequence", include_str!("../../../profiles/sequence.toml")),
    ("sse", include_str!("../../../profiles/sse.toml")),
    ("cloudevents", include_str!("../../../profiles/cloudevents.toml")),
];

impl Profile {
    /// The name of the profile of our own stream, which is the default.
    pub const OWN: &str = "incident";

    /// The shipped profile of this name.
    pub fn shipped(name: &str) -> Option<Self> {
        let (name, text) = SHIPPED_PROFILES.iter().find(|(known, _)| *known == name)?;
        // A test reads each of them.
        read::profile(name, text).ok()
    }
}
