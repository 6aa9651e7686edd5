//! What a value lacks, as a tree.

use super::leaf::Leaf;

/// Why a value does not match a schema.
#[derive(Debug, Clone)]
pub enum Fault {
    /// One thing is wrong.
    One(Leaf),
    /// All of these are wrong.
    All(Vec<Fault>),
    /// None of these alternatives fits; `path` leads to the value that they are alternatives for.
    Any {
        /// The tokens of a JSON pointer.
        path: Vec<String>,
        /// Why each alternative does not fit.
        branches: Vec<Fault>,
    },
}
