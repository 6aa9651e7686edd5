//! In which incident each alert was told of last. A sender's groups change: a route of Alertmanager is edited, or `group_by` of the
//! receiver. An alert that fires belongs to the incident in which it fires all the same, and its end is its end there.

use std::collections::HashMap;

/// The fewest alerts above which those are looked for that are known no more.
const FEW: usize = 20_000;

/// For each alert of a receiver the digest of the group in which it last began to fire or was resolved. It is a hint: whether the
/// group still knows the alert says the group.
#[derive(Debug, Clone, Default)]
pub(super) struct Homes {
    /// By receiver and fingerprint, those of real incidents and those of drills.
    digests: [HashMap<String, HashMap<String, String>>; 2],
    count: usize,
    /// From how many alerts on the next search is worth it.
    full: usize,
}

impl Homes {
    /// An alert began to fire in this group, or was resolved.
    pub(super) fn put(&mut self, receiver: &str, fingerprint: &str, is_drill: bool, digest: &str) {
        let digests = &mut self.digests[usize::from(is_drill)];
        let alerts = match digests.get_mut(receiver) {
            Some(alerts) => alerts,
            None => digests.entry(receiver.to_owned()).or_default(),
        };
        match alerts.get_mut(fingerprint) {
            Some(known) if known == digest => {}
            Some(known) => digest.clone_into(known),
            None => {
                alerts.insert(fingerprint.to_owned(), digest.to_owned());
                self.count += 1;
            }
        }
    }

    /// The group in which an alert was told of last.
    pub(super) fn of(&self, receiver: &str, fingerprint: &str, is_drill: bool) -> Option<&str> {
        self.digests[usize::from(is_drill)].get(receiver)?.get(fingerprint).map(String::as_str)
    }

    /// Whether there are many more than after the last call of [`Homes::keep`].
    pub(super) fn is_full(&self) -> bool {
        self.count > self.full.max(FEW)
    }

    /// Keeps the alerts that their group knows: `knows` gets a digest and a fingerprint.
    pub(super) fn keep(&mut self, knows: impl Fn(&str, &str) -> bool) {
        for digests in &mut self.digests {
            digests.retain(|_, alerts| {
                alerts.retain(|fingerprint, digest| knows(digest, fingerprint));
                !alerts.is_empty()
            });
        }
        self.count = self.digests.iter().flat_map(HashMap::values).map(HashMap::len).sum();
        self.full = 2 * self.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_group_knows_is_forgotten() {
        let mut homes = Homes::default();
        for number in 0..=FEW {
            homes.put("prod", &number.to_string(), false, if number % 2 == 0 { "a" } else { "b" });
        }
        homes.put("prod", "1", false, "a");
        assert!(homes.is_full());
        homes.keep(|digest, _| digest == "a");
        assert!(!homes.is_full());
        let of = |receiver, fingerprint, is_drill| homes.of(receiver, fingerprint, is_drill);
        assert_eq!(of("prod", "1", false), Some("a"));
        assert_eq!(
            (of("prod", "3", false), of("other", "1", false), of("prod", "1", true)),
            (None, None, None)
        );
        assert_eq!(homes.count, FEW / 2 + 2);
    }
}
