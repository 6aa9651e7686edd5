//! Streams of other programs, read and judged by a profile. The rules that need no contract apply to them: the same folds
//! judge their sequence numbers and times as judge the positions and times of our own stream.

mod compare;
mod fold;
mod in_order;
mod lives;
mod quiet;
pub(super) mod reading;
mod recent;
mod words;

pub(super) use fold::{Shared, Strangers};
