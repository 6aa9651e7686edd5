//! What was read of a file and of all files that it names.

use std::path::PathBuf;

use crate::token::Digest;

/// The receivers or sinks of a file, and every file that was read for them.
#[derive(Debug)]
pub(super) struct NamedFiles<T> {
    pub(super) setups: Vec<T>,
    /// Each with the digest of what was read.
    pub(super) files: Vec<(PathBuf, Digest)>,
    /// The same of the files with certificates to trust, which may be longer.
    pub(super) certificates: Vec<(PathBuf, Digest)>,
}
