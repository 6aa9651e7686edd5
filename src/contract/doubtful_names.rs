//! Names of a list that the schema allows and that were probably not meant: who shows or counts them shows too many.

use std::collections::HashSet;

/// Why a name is doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is empty, or has spaces alone.
    Empty,
    /// The list has had it before.
    Again,
}

/// The doubtful ones of some names: their places, from 0, and why.
pub fn doubtful_names<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (usize, Doubt)> {
    let mut known = HashSet::new();
    names.enumerate().filter_map(move |(place, name)| match name.trim() {
        "" => Some((place, Doubt::Empty)),
        _ => (!known.insert(name)).then_some((place, Doubt::Again)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_and_what_comes_again_is_doubtful() {
        let found: Vec<_> = doubtful_names(["a", "", "b", "a", " ", "A", "a"].into_iter()).collect();
        let wanted = [(1, Doubt::Empty), (3, Doubt::Again), (4, Doubt::Empty), (6, Doubt::Again)];
        assert_eq!(found, wanted);
    }
}
