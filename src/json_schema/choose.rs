//! Choosing the one fault that explains best why a value does not match.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::fault::Fault;
use super::leaf::{Leaf, What};

/// The fault to report.
pub(super) fn chosen(fault: &Fault) -> Leaf {
    first(&leaves(fault))
}

/// The first of several faults that says something of its own.
fn first(leaves: &[Leaf]) -> Leaf {
    // That a field may not be there (`unevaluatedProperties`) often only follows from another fault.
    let own = leaves.iter().find(|leaf| !matches!(leaf.what, What::Forbidden));
    own.or(leaves.first())
        .cloned()
        .unwrap_or(Leaf { path: Vec::new(), what: What::Predicate("does not match the contract".to_owned()) })
}

/// Every fault, one for each choice between alternatives. Each part of the tree is looked at once.
fn leaves(fault: &Fault) -> Vec<Leaf> {
    match fault {
        Fault::One(leaf) => vec![leaf.clone()],
        Fault::All(faults) => faults.iter().flat_map(leaves).collect(),
        Fault::Any { path, branches } => vec![alternative(path, branches).1],
    }
}

/// One alternative and what is known about it.
struct Candidate {
    index: usize,
    leaves: Vec<Leaf>,
}

impl Candidate {
    /// The places where another value was expected than is there.
    fn other_values(&self) -> impl Iterator<Item = (&[String], &[String])> {
        self.leaves.iter().filter_map(|leaf| match &leaf.what {
            What::Values { want, .. } => Some((leaf.path.as_slice(), want.as_slice())),
            _ => None,
        })
    }
}

/// Of several alternatives for the value at `path`, none of which fits, the one that was probably meant, and why it does
/// not fit. `None` if that cannot be told; the fault is then one of all of them.
pub(super) fn alternative(path: &[String], branches: &[Fault]) -> (Option<usize>, Leaf) {
    let all: Vec<Candidate> = (branches.iter().enumerate())
        .map(|(index, branch)| Candidate { index, leaves: leaves(branch) })
        .collect();
    // Alternatives of another type, such as null, say little beside those of the type that the value has.
    let has_type = |candidate: &&Candidate| {
        let mut leaves = candidate.leaves.iter();
        !leaves.any(|leaf| leaf.path == path && matches!(leaf.what, What::Type { .. }))
    };
    let mut candidates: Vec<&Candidate> = all.iter().filter(has_type).collect();
    if candidates.is_empty() {
        candidates = all.iter().collect();
    }
    // A field such as `type` has another fixed value in each alternative: all but the meant one fail there.
    let mut failing = HashMap::<&[String], usize>::new();
    for (place, _) in candidates.iter().flat_map(|candidate| candidate.other_values()) {
        *failing.entry(place).or_default() += 1;
    }
    let unlikely = |candidate: &Candidate| {
        let most = |is_fixed: bool| {
            let places = candidate.other_values().filter(|(_, want)| (want.len() == 1) == is_fixed);
            places.map(|(place, _)| failing[place]).max().unwrap_or_default()
        };
        (most(true), most(false))
    };
    let least = candidates.iter().map(|candidate| unlikely(candidate)).min();
    candidates.retain(|candidate| Some(unlikely(candidate)) == least);
    if candidates.len() > 1
        && let Some(leaf) = common(&candidates).or_else(|| missing_in_all(&candidates))
    {
        return (None, leaf);
    }
    let deepest = |candidate: &Candidate| candidate.leaves.iter().map(|leaf| leaf.path.len()).max();
    let best =
        candidates.iter().min_by_key(|found| (found.leaves.len(), Reverse(deepest(found)), found.index));
    match best {
        Some(best) => (Some(best.index), first(&best.leaves)),
        None => (None, first(&[])),
    }
}

/// The fault of all alternatives at one place: another value or another type than any of them has.
fn common(candidates: &[&Candidate]) -> Option<Leaf> {
    let (first, rest) = candidates.split_first()?;
    first.leaves.iter().find_map(|leaf| {
        let same = |candidate: &&Candidate| {
            candidate.leaves.iter().find(|other| other.path == leaf.path && is_alike(leaf, other)).cloned()
        };
        let others: Vec<Leaf> = rest.iter().map(same).collect::<Option<_>>()?;
        others.into_iter().try_fold(leaf.clone(), merged)
    })
}

fn is_alike(one: &Leaf, other: &Leaf) -> bool {
    matches!(
        (&one.what, &other.what),
        (What::Type { .. }, What::Type { .. }) | (What::Values { .. }, What::Values { .. })
    )
}

fn merged(mut one: Leaf, other: Leaf) -> Option<Leaf> {
    match (&mut one.what, other.what) {
        (What::Type { want, .. }, What::Type { want: more, .. }) => add(want, more),
        (What::Values { want, .. }, What::Values { want: more, .. }) => add(want, more),
        _ => return None,
    }
    Some(one)
}

fn add<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for new in more {
        if !list.contains(&new) {
            list.push(new);
        }
    }
}

/// The fields that every alternative misses at one place.
fn missing_in_all(candidates: &[&Candidate]) -> Option<Leaf> {
    let (first, rest) = candidates.split_first()?;
    first.leaves.iter().find_map(|leaf| {
        let What::Missing(names) = &leaf.what else { return None };
        let misses = |candidate: &&Candidate, name: &String| {
            let mut leaves = candidate.leaves.iter().filter(|other| other.path == leaf.path);
            leaves.any(|other| matches!(&other.what, What::Missing(names) if names.contains(name)))
        };
        let everywhere = |name: &&String| rest.iter().all(|candidate| misses(candidate, name));
        let names: Vec<String> = names.iter().filter(everywhere).cloned().collect();
        (!names.is_empty()).then(|| Leaf { path: leaf.path.clone(), what: What::Missing(names) })
    })
}
