//! One difference between two versions of a schema.

/// What a difference breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Breaks {
    /// Nothing: it is compatible.
    Nothing,
    /// Programs that read messages of the new version and were written for the old one.
    Readers,
    /// Programs that write messages of the old version.
    Writers,
    /// Readers and writers.
    Both,
}

impl Breaks {
    /// What is broken if either of two things, or both, happened; `None` if neither did.
    pub(super) fn of(readers: bool, writers: bool) -> Option<Self> {
        match (readers, writers) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Readers),
            (false, true) => Some(Self::Writers),
            (false, false) => None,
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A JSON pointer into the old version; of something new, into the new version.
    pub pointer: String,
    /// What changed: one sentence in plain words, without a full stop.
    pub text: String,
    /// What it breaks.
    pub breaks: Breaks,
}
