//! The beliefs in the hypotheses of one incident, while its events are folded for a report: an event costs as much as it says, however
//! many hypotheses were told before.

use std::collections::HashMap;

use super::state::HypothesisState;
use super::work::step;
use crate::contract::HypothesisBelief;

#[derive(Default)]
pub(super) struct Believed {
    /// The place of each hypothesis, by its id.
    places: HashMap<String, usize>,
    /// The places of those that the newest event lists, in order.
    listed: Vec<usize>,
}

impl Believed {
    /// An event that lists hypotheses lists all of them: a missing one has the probability 0. As [`super::fold`] does it.
    pub(super) fn take(&mut self, known: &mut Vec<HypothesisState>, beliefs: Vec<HypothesisBelief>) {
        if beliefs.is_empty() {
            return;
        }
        for place in self.listed.drain(..) {
            step();
            known[place].p = 0.0;
        }
        for HypothesisBelief { id, claim, p } in beliefs {
            step();
            match self.places.get(&id) {
                Some(&place) => {
                    let old = &mut known[place];
                    (old.p, old.peak, old.claim) = (p, old.peak.max(p), claim);
                    self.listed.push(place);
                }
                None => {
                    self.places.insert(id.clone(), known.len());
                    self.listed.push(known.len());
                    known.push(HypothesisState { id, claim, p, peak: p });
                }
            }
        }
        self.listed.sort_unstable();
        self.listed.dedup();
    }

    /// The probabilities that are not 0, each with the place of its hypothesis, in order of the places.
    pub(super) fn now(&self, known: &[HypothesisState]) -> Vec<(usize, f64)> {
        let listed = self.listed.iter().inspect(|_| step());
        listed.map(|place| (*place, known[*place].p)).filter(|(_, p)| *p != 0.0).collect()
    }
}
