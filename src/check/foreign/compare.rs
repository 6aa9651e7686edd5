//! Compares what two connections got.

/// An event as it is remembered for comparing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// What makes it known.
    pub(super) identity: u64,
    /// A hash of its content.
    pub(super) digest: u64,
    /// Whether a fault of it was reported, which may be why its content differs.
    pub(super) is_faulty: bool,
    /// Its sequence number.
    pub(super) n: Option<u64>,
    /// What it is called.
    pub(super) label: String,
}

/// The first difference between what was expected and what came. What came may go on when the expected events are over.
pub(super) fn difference<'a>(mut expected: impl Iterator<Item = &'a Seen>, got: &[Seen]) -> Option<String> {
    for (place, event) in got.iter().enumerate() {
        match expected.next() {
            // The stream went on meanwhile.
            None => return None,
            Some(wanted)
                if wanted.identity == event.identity
                    && (wanted.digest == event.digest || wanted.is_faulty || event.is_faulty) => {}
            Some(wanted) if wanted.identity == event.identity => {
                return Some(format!("{} came with another content", event.label));
            }
            Some(wanted) => {
                return Some(format!(
                    "{} came as number {}; expected {}",
                    event.label,
                    place + 1,
                    wanted.label
                ));
            }
        }
    }
    match (expected.next(), expected.count()) {
        (None, _) => None,
        (Some(first), 0) => Some(format!("1 event is missing, {}", first.label)),
        (Some(first), more) => Some(format!("{} events are missing, from {} on", more + 1, first.label)),
    }
}

/// The first difference between what two connections got at the same time. Each of them may have begun later than the other.
/// Of a connection that is not `is_whole` only the beginning is known.
pub(super) fn twin(main: &[Seen], other: &[Seen], is_whole: bool) -> Option<String> {
    let (Some(first), Some(first_main)) = (other.first(), main.first()) else {
        return (!main.is_empty()).then(|| format!("got none of {} events", main.len()));
    };
    let later = (0..main.len()).filter(|at| main[*at].identity == first.identity);
    let earlier = (0..other.len()).filter(|at| other[*at].identity == first_main.identity);
    let mut wrong = None;
    let starts = later.map(|at| (at, 0)).chain(earlier.map(|at| (0, at)));
    // Equal messages without a number or id may fit in more than one place.
    for (main_at, other_at) in starts.take(1_000) {
        let (expected, got) = (&main[main_at..], &other[other_at..]);
        let known = if is_whole { expected.len() } else { expected.len().min(got.len()) };
        match difference(expected[..known].iter(), got) {
            None => return None,
            Some(what) => wrong = wrong.or(Some(what)),
        }
    }
    Some(wrong.unwrap_or_else(|| format!("got {} first, which this client did not get", first.label)))
}

#[cfg(test)]
mod tests {
    use super::Seen;

    fn twin(main: &[Seen], other: &[Seen]) -> Option<String> {
        super::twin(main, other, true)
    }

    fn told(main: &[Seen], other: &[Seen]) -> String {
        twin(main, other).unwrap_or_default()
    }

    fn seen(events: &[u64]) -> Vec<Seen> {
        events
            .iter()
            .map(|n| Seen {
                identity: *n,
                digest: *n,
                is_faulty: false,
                n: None,
                label: format!("event {n}"),
            })
            .collect()
    }

    #[test]
    fn connections_that_began_at_different_moments_agree() {
        let all = seen(&[1, 2, 3, 4]);
        assert_eq!(twin(&all, &all), None);
        assert_eq!(twin(&all, &seen(&[3, 4])), None);
        assert_eq!(twin(&seen(&[3, 4]), &all), None);
        assert_eq!(twin(&all, &seen(&[2, 3, 4, 5])), None);
        // Equal messages in a row.
        assert_eq!(twin(&seen(&[7, 7, 7, 8]), &seen(&[7, 8])), None);
        // Of one that is not known to its end, the end is not missing.
        assert_eq!(super::twin(&all, &seen(&[1, 2]), false), None);
    }

    #[test]
    fn a_difference_is_told() {
        let all = seen(&[1, 2, 3, 4]);
        assert_eq!(told(&all, &seen(&[1, 2, 4])), "event 4 came as number 3; expected event 3");
        assert_eq!(told(&all, &seen(&[1, 2])), "2 events are missing, from event 3 on");
        assert_eq!(told(&all, &[]), "got none of 4 events");
        let mut changed = all.clone();
        changed[2].digest = 9;
        assert_eq!(told(&all, &changed), "event 3 came with another content");
        assert_eq!(told(&all, &seen(&[8, 9])), "got event 8 first, which this client did not get");
    }
}
