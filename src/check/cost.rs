//! The rule `cost`, for one incident: the total never falls, and grows at the announced rates.

use super::announced::Announced;
use super::finding::{Finding, quoted};
use super::frame::Frame;
use super::rules::{Found, RuleId};
use crate::contract::{Cost, Message, Role};

/// Totals are rounded to cents, so the difference of two totals may be wrong by one cent.
const CENT: f64 = 0.011;

#[derive(Debug, Default)]
pub(super) struct Growth {
    /// The total before, and its second if that can be trusted.
    last: Option<(Option<f64>, Cost)>,
    /// How many totals came that were compared with none yet.
    totals: u64,
    /// The current phase, by its place, and the rate in it, as the first sample says; `None` if another one said another.
    rate: Option<(usize, Option<f64>)>,
    /// Whether a total grew in another time than the seconds say.
    pub(super) is_doubtful: bool,
    /// The highest rate in a sample.
    highest: f64,
    /// The growth that needs the highest rate, where phases passed that had no sample. Their rate is not known before
    /// the end.
    steepest: Option<(f64, Finding)>,
}

impl Growth {
    /// Checks a total. `offset_s` is `None` if the second of the event is not known exactly.
    pub(super) fn see(
        &mut self,
        announced: Option<&Announced>,
        message: &Message,
        offset_s: Option<f64>,
        frame: &Frame,
        found: &mut Found,
    ) {
        let Some(cost) = message.cost() else { return };
        self.totals += 1;
        let is_final = message.kind().role() == Role::End;
        if !is_final {
            self.highest = self.highest.max(cost.per_minute);
        }
        if !is_final && let Some((phase, rate)) = self.changed_rate(announced, message.phase(), cost) {
            let text = format!(
                "per_minute is {} in the phase {}, but {rate} in a sample before; a phase has one rate",
                cost.per_minute,
                quoted(&phase)
            );
            found.add(RuleId::Cost, Finding::new(text).at(frame).field("/data/cost/per_minute"));
            self.last = None;
            return;
        }
        let last = self.last.take();
        self.last = Some((offset_s, cost.clone()));
        let Some((since, before)) = last else { return };
        (0..std::mem::take(&mut self.totals)).for_each(|_| found.judged(RuleId::Cost));
        let fault =
            |text: String, field: &str| Finding::new(text).at(frame).field(format!("/data/cost/{field}"));
        let finding = if before.currency != cost.currency {
            let (was, is) = (quoted(&before.currency), quoted(&cost.currency));
            Some(fault(format!("the currency changes from {was} to {is}"), "currency"))
        } else if cost.total < before.total {
            Some(fault(format!("the total falls from {} to {}", before.total, cost.total), "total"))
        } else if let (Some(since), Some(until)) = (since, offset_s) {
            let borders = announced.map(|announced| announced.borders(since, until)).unwrap_or_default();
            let grown = Grown { since, until, before: &before, cost, is_final };
            let wrong = self.judge(&grown, borders, &fault);
            self.is_doubtful |= wrong.is_some();
            wrong
        } else {
            // The rate of a real incident may change at any time.
            None
        };
        if let Some(finding) = finding {
            found.add(RuleId::Cost, finding);
            // The next total is compared with this one again only if both can be right.
            self.last = None;
        }
    }

    /// Notes the rate of a sample of a drill. Returns the phase and the rate before if it is another one in the same phase.
    fn changed_rate(
        &mut self,
        announced: Option<&Announced>,
        phase: Option<&str>,
        cost: &Cost,
    ) -> Option<(String, f64)> {
        let announced = announced.filter(|announced| announced.is_generated && announced.is_sound)?;
        let place = announced.place_of(phase?)?;
        match self.rate {
            Some((known, rate)) if known == place => {
                let rate = rate.filter(|rate| (rate - cost.per_minute).abs() > f64::EPSILON)?;
                self.rate = Some((place, None));
                Some((announced.phases[place].name.clone(), rate))
            }
            _ => {
                self.rate = Some((place, Some(cost.per_minute)));
                None
            }
        }
    }

    fn judge(
        &mut self,
        grown: &Grown<'_>,
        borders: &[f64],
        fault: &impl Fn(String, &str) -> Finding,
    ) -> Option<Finding> {
        let growth = grown.cost.total - grown.before.total;
        let Some((known, unseen_minutes)) = grown.unseen(borders) else {
            let (low, high) = grown.rates();
            let minutes = grown.minutes();
            let allowed = low * minutes - CENT..=high * minutes + CENT;
            return (!allowed.contains(&growth))
                .then(|| fault(grown.text(growth, low * minutes, high * minutes), "total"));
        };
        if growth < known - CENT {
            return Some(fault(grown.text(growth, known, known + self.highest * unseen_minutes), "total"));
        }
        // A phase without a sample may have any rate from 0 to the highest rate of the others.
        let needed = (growth - known - CENT) / unseen_minutes.max(f64::MIN_POSITIVE);
        if self.steepest.as_ref().is_none_or(|(steepest, _)| needed > *steepest) {
            let text = grown.text(growth, known, known + self.highest * unseen_minutes);
            self.steepest = Some((needed, fault(text, "total")));
        }
        None
    }

    pub(super) fn finish(&mut self, found: &mut Found) {
        if let Some((needed, finding)) = self.steepest.take()
            && needed > self.highest
        {
            found.add(RuleId::Cost, finding);
        }
    }
}

/// The growth of the total between two events.
struct Grown<'a> {
    since: f64,
    until: f64,
    before: &'a Cost,
    cost: &'a Cost,
    is_final: bool,
}

impl Grown<'_> {
    fn minutes(&self) -> f64 {
        (self.until - self.since).max(0.0) / 60.0
    }

    /// The lower and the higher of the rates at both ends: at every moment between, one of the two applies. The final
    /// cost has no rate of its own.
    fn rates(&self) -> (f64, f64) {
        let other = if self.is_final { self.before.per_minute } else { self.cost.per_minute };
        (self.before.per_minute.min(other), self.before.per_minute.max(other))
    }

    /// If phases began between the two: the growth at known rates, and for how many minutes the rate is unknown.
    fn unseen(&self, borders: &[f64]) -> Option<(f64, f64)> {
        let (from, to) = match (borders, self.is_final) {
            ([first, ..], true) => (*first, self.until),
            ([first, .., last], false) => (*first, *last),
            _ => return None,
        };
        let minutes = |from: f64, to: f64| (to - from).max(0.0) / 60.0;
        let known = self.before.per_minute * minutes(self.since, from)
            + self.cost.per_minute * minutes(to, self.until);
        Some((known, minutes(from, to)))
    }

    fn text(&self, growth: f64, least: f64, most: f64) -> String {
        let seconds = (self.until - self.since).max(0.0);
        format!("the total grows by {growth:.2} in {seconds:.1} s; its rates allow {least:.2} to {most:.2}")
    }
}
