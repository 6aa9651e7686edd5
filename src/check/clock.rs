//! The rules `clock` and `latency`: the times of events, and the time until they arrive.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::finding::{Finding, Place};
use super::frame::Frame;
use super::rules::{Found, RuleId};
use super::times::Warnings;

/// The server's clock may be set back by more than this. Then only the times of each incident go on rising.
const STEP: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The times of each stream.
    streams: HashMap<String, Latest>,
    latency: Histogram,
    pub(super) warnings: Warnings,
    /// Events without a time.
    pub(super) timeless: u64,
}

/// The latest times of a stream.
#[derive(Debug, Default)]
struct Latest {
    /// The time before the last one.
    earlier: Option<Timestamp>,
    last: Option<(Timestamp, Place)>,
    /// Whether its first time was compared with another one.
    is_compared: bool,
    /// The last time fell: from which time, of which event. The next one shows which of the two is wrong.
    fell: Option<(Timestamp, Place)>,
}

impl Latest {
    fn push(&mut self, time: Timestamp, place: Place) {
        let last = self.last.replace((time, place));
        self.earlier = last.map(|(time, _)| time);
    }

    /// The finding about a time that fell, if one did. `next` is the time of the event after it.
    fn settle(&mut self, next: Option<Timestamp>) -> Option<Finding> {
        let (high, place) = self.fell.take()?;
        let (low, low_place) = self.last.as_ref()?;
        let finding = match next {
            Some(next) if (*low..high).contains(&next) => {
                Finding::new(format!("the time is {high}, ahead of the next one, which is {low}"))
                    .place(&place)
            }
            _ => Finding::new(format!("the time goes back from {high} to {low}")).place(low_place),
        };
        Some(finding.field("/time"))
    }
}

impl Clock {
    /// Checks the time of an event. `before` is the time of the incident's event before it. Returns whether the time may
    /// be right.
    pub(super) fn see(
        &mut self,
        stream: &str,
        before: Option<Timestamp>,
        is_live: bool,
        frame: &Frame,
        context: &Context,
        found: &mut Found,
    ) -> bool {
        let Some(time) = frame.head.as_ref().and_then(|head| head.time) else {
            self.timeless += u64::from(!frame.is_faulty);
            return false;
        };
        if !self.streams.contains_key(stream) {
            self.streams.insert(stream.to_owned(), Latest::default());
        }
        // Inserted above if it was not there.
        let Some(times) = self.streams.get_mut(stream) else { return true };
        if let Some(finding) = times.settle(Some(time)) {
            found.add(RuleId::Clock, finding);
        }
        let (earlier, last) = (times.earlier, times.last.clone());
        let is_alone = last.is_none();
        if !is_alone {
            let compared = if std::mem::replace(&mut times.is_compared, true) { 1 } else { 2 };
            (0..compared).for_each(|_| found.judged(RuleId::Clock));
        }
        times.push(time, frame.place());
        if let Some((last, place)) = last.filter(|(last, _)| time < *last) {
            let set_back = last.duration_since(time) > STEP && before.is_none_or(|before| before <= time);
            if !set_back {
                times.fell = Some((last, place));
                // Below two earlier times it is the wrong one itself.
                if earlier.is_some_and(|earlier| time < earlier)
                    && let Some(finding) = times.settle(None)
                {
                    found.add(RuleId::Clock, finding);
                }
                return false;
            }
            self.warnings.set_back(last.duration_since(time).as_secs_f64(), frame);
        }
        // A time alone is compared with the local clock, if at all.
        if is_live && self.arrive(time, frame, context, found) && is_alone {
            found.judged(RuleId::Clock);
            if let Some(times) = self.streams.get_mut(stream) {
                times.is_compared = true;
            }
        }
        true
    }

    /// Compares the time of a live event with its arrival. Returns whether the rule `clock` did.
    pub(super) fn arrive(
        &mut self,
        time: Timestamp,
        frame: &Frame,
        context: &Context,
        found: &mut Found,
    ) -> bool {
        let (Some(began), Some(arrival)) = (context.began, frame.arrival.filter(|_| context.arrivals)) else {
            return false;
        };
        let arrived =
            began.saturating_add(SignedDuration::try_from(arrival).unwrap_or_default()).unwrap_or(began);
        let latency = arrived.duration_since(time);
        self.latency.add(latency.as_secs_f64());
        let seconds = latency.as_secs_f64();
        if let Some(skew) = context.limits.skew.filter(|skew| seconds.abs() > skew.as_secs_f64()) {
            let (far, allowed) = (seconds.abs(), skew.as_secs_f64());
            let way = if seconds < 0.0 { "ahead of" } else { "behind" };
            let text = format!("the time is {far:.3} s {way} the local clock; {allowed:.3} s is allowed");
            let finding = Finding::new(text).at(frame).field("/time");
            found.add(RuleId::Clock, finding.hint("--limit clock.skew=DURATION allows more"));
        }
        context.limits.skew.is_some()
    }

    pub(super) fn finish(&mut self, context: &Context, found: &mut Found) {
        let fell = self.streams.values_mut().filter_map(|times| times.settle(None));
        fell.for_each(|finding| found.add(RuleId::Clock, finding));
        for (share, allowed) in &context.limits.latency {
            let Some(latency) = self.latency.quantile(*share) else { continue };
            found.judged(RuleId::Latency);
            if latency > allowed.as_secs_f64() {
                let (of, allowed) = (words(*share), allowed.as_secs_f64());
                let text = format!("{of} took up to {latency:.3} s to arrive; {allowed:.3} s is allowed");
                let hint = "latency is the arrival by the local clock minus `time`: both clocks must agree";
                found.add(RuleId::Latency, Finding::new(text).hint(hint));
            }
        }
    }

    /// `p50 1.2 ms, p99 4.0 ms`, or `None` if no live event arrived.
    pub(super) fn latencies(&self) -> Option<String> {
        let shown = |share| self.latency.quantile(share).map(|seconds| format!("{:.1} ms", seconds * 1e3));
        Some(format!("p50 {}, p99 {}, max {}", shown(0.5)?, shown(0.99)?, shown(1.0)?))
    }

    /// That `clock.skew` is set and no time could be compared with the local clock.
    pub(super) fn uncompared(&self, context: &Context) -> Option<String> {
        let is_asked = context.limits.skew.is_some() && self.latency.quantile(1.0).is_none();
        is_asked.then(|| format!("clock.skew was not checked: {}", lacking(context)))
    }
}

/// Why no time was compared with the local clock.
pub(super) fn lacking(context: &Context) -> &'static str {
    if context.arrivals {
        "no live event with a time arrived"
    } else if context.profile.is_some() {
        "arrival times are only checked with --url or --sse"
    } else {
        "arrival times are only checked with --real-time or --url"
    }
}

fn words(share: f64) -> String {
    if share >= 1.0 {
        "all live events".to_owned()
    } else {
        format!("{:.0} of 100 live events", share * 100.0)
    }
}

/// How many values fall into each range. The ranges grow by 1/16 of their size, so a quantile is off by 6 % at most, and
/// the memory does not grow with the number of values.
#[derive(Debug, Default)]
struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: f64,
}

impl Histogram {
    /// The first range ends here, in seconds.
    const FIRST: f64 = 1e-4;

    fn add(&mut self, seconds: f64) {
        let place = match (seconds / Self::FIRST).log2() {
            power if power > 0.0 => 1 + (power * 16.0) as usize,
            _ => 0,
        };
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
        self.max = if self.total == 0 { seconds } else { self.max.max(seconds) };
        self.total += 1;
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let place = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some((Self::FIRST * 2_f64.powf(place as f64 / 16.0)).min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_the_values() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=1000).for_each(|ms| histogram.add(f64::from(ms) / 1e3));
        for (share, exact) in [(0.5, 0.5), (0.95, 0.95), (0.99, 0.99), (1.0, 1.0)] {
            let near = histogram.quantile(share).unwrap_or_default();
            assert!((near / exact - 1.0).abs() < 0.07, "{share}: {near} is not near {exact}");
        }
    }
}
