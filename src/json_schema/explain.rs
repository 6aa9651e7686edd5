//! The explanation of a fault: a place and a sentence.

use super::choose::{alternative, chosen};
use super::fault::Fault;
use super::leaf::Leaf;
use super::{pointer, sentence};

/// Why a value does not match its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// A JSON pointer into the value; empty for the value as a whole.
    pub pointer: String,
    /// What is wrong there and what was expected: one sentence in plain words, without a full stop.
    pub text: String,
}

impl From<Leaf> for Mismatch {
    fn from(leaf: Leaf) -> Self {
        let text = sentence::text(&leaf);
        let pointer = leaf.path.iter().fold(String::new(), |path, token| pointer::join(&path, token));
        Self { pointer, text }
    }
}

impl Fault {
    /// The explanation in one sentence.
    pub fn explain(&self) -> Mismatch {
        chosen(self).into()
    }
}

/// Of several alternatives for one value, none of which fits, the one that was probably meant, and why it does not fit.
/// `None` if that cannot be told; the explanation then covers all of them.
pub fn closest(branches: &[Fault]) -> (Option<usize>, Mismatch) {
    let (index, leaf) = alternative(&[], branches);
    (index, leaf.into())
}
