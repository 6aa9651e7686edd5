//! The rule `expect`, for the course of one incident: it does what the scenario's `[expect]` says, in planned seconds.

use super::announced::Announced;
use super::expected::Expected;
use super::finding::{Finding, Place, quoted};
use super::frame::Frame;
use super::names::{MOST, Names, short};
use super::rules::{Found, RuleId};
use super::tally::Totals;
use crate::contract::{IncidentResolved, Mark, Message, Outcome, Status};
use crate::scenario::{Bounds, Counts, Expect, Micros};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

/// What an incident did, as far as `[expect]` asks for it.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// The phases of the events, in order.
    phases: Vec<String>,
    /// The steps that completed, with their place in the order of completion.
    completed: Names<(usize, Place)>,
    /// The screen second of the last event.
    last_screen: Option<f64>,
    reached: [Option<Place>; 3],
    first_action: Option<Place>,
    /// Pauses that are too long. Events that are late may be why.
    silences: Vec<Finding>,
    /// Whether the rule `phases` has found something: then the phases of the events say nothing.
    is_phase_wrong: bool,
    /// The last event, and its second.
    last: Option<(f64, Place)>,
    /// Whether anything was compared before the end.
    has_compared: bool,
    /// Whether it was judged, as far as that can be done.
    pub(super) is_judged: bool,
    /// Whether it was judged only in part, because its end or other events are missing, or wrong.
    pub(super) is_partial: bool,
}

/// The end of an incident.
pub(super) struct Resolution<'a> {
    pub(super) resolved: &'a IncidentResolved,
    /// The second at which it came, if that is certain.
    pub(super) second: Option<f64>,
    pub(super) frame: &'a Frame,
    /// Whether its cause is one of the hypotheses.
    pub(super) names_cause: bool,
}

/// How many pauses are reported.
const KEPT: usize = 100;

impl Course {
    pub(super) fn see(
        &mut self,
        expected: &Expected,
        announced: &Announced,
        message: &Message,
        offset_s: f64,
        frame: &Frame,
        is_phase_wrong: bool,
    ) {
        self.is_phase_wrong |= is_phase_wrong;
        self.last = Some((offset_s, frame.place()));
        if let Some(phase) = message.phase()
            && self.phases.last().is_none_or(|last| *last != *short(phase))
            && self.phases.len() < MOST
        {
            self.phases.push(short(phase).into_owned());
        }
        if let Message::AgentAction(action) = message {
            if self.first_action.is_none() {
                self.first_action = Some(frame.place());
            }
            for mark in &action.marks {
                self.reached[*mark as usize].get_or_insert_with(|| frame.place());
            }
            if let Some(step) = action.step.as_ref().filter(|_| action.status == Status::Completed) {
                let place = self.completed.len();
                if !self.completed.contains(step) {
                    self.completed.set(step, (place, frame.place()));
                }
            }
        }
        let Some(most) = expected.expect.max_silence else { return };
        let screen = announced.screen_s(offset_s);
        let Some(last) = self.last_screen.replace(screen) else { return };
        self.has_compared = true;
        if screen - last > most.secs() + MILLISECOND {
            let text = format!("no message for {:.1} s; {most} is allowed", screen - last);
            if self.silences.len() < KEPT {
                self.silences.push(Finding::new(text).at(frame).hint(hint(expected)));
            }
        }
    }

    /// Whether there were more steps or phases than are followed.
    pub(super) fn is_full(&self) -> bool {
        self.completed.is_full || self.phases.len() == MOST
    }

    /// Reports the pauses that are too long, unless something else is why.
    pub(super) fn silent(&mut self, is_explained: bool, found: &mut Found) {
        let findings = std::mem::take(&mut self.silences).into_iter().filter(|_| !is_explained);
        findings.for_each(|finding| found.add(RuleId::Expect, finding));
    }

    /// The next event does not follow the last one: the time between them says nothing.
    pub(super) fn interrupt(&mut self) {
        self.last_screen = None;
    }

    /// Judges the whole incident, or if `is_whole` is false only what can be said without the events that are missing.
    pub(super) fn finish(
        &mut self,
        expected: &Expected,
        totals: &Totals,
        end: Option<&Resolution<'_>>,
        must_end: bool,
        is_whole: bool,
        found: &mut Found,
    ) {
        let expect = &expected.expect;
        self.is_judged = true;
        // Nothing is compared with an empty table.
        if *expect == Expect::default() {
            return;
        }
        let mut add = |finding: Finding| found.add(RuleId::Expect, finding.hint(hint(expected)));
        // What had not happened when somebody cancelled it might have happened later.
        let cancelled = end.filter(|end| end.resolved.outcome == Outcome::Cancelled);
        let ended = is_whole && cancelled.is_none() && end.is_some();
        // Another rule tells that the end is missing, and what has not come with it is not met.
        let is_late = is_whole && end.is_none() && must_end;
        let names_cause = end.is_none_or(|end| end.names_cause);
        self.is_partial = !ended
            || (expect.phases.is_some() && self.is_phase_wrong)
            || (expect.root_cause.is_some() && !names_cause);
        self.has_compared |= ended;
        let mark = |mark: Mark| totals.reached(mark).zip(self.reached[mark as usize].clone());
        // If no action is marked as the detection, the first action counts as the detection.
        let first_action = totals.first_action.filter(|_| is_whole && !totals.was_reached(Mark::Detected));
        let detected = mark(Mark::Detected).or(first_action.zip(self.first_action.clone()));
        // Nobody knows when.
        let sometime = |what: &str| match what {
            "detected" => totals.was_reached(Mark::Detected),
            "diagnosed" => totals.was_reached(Mark::Diagnosed),
            "mitigated" => totals.was_reached(Mark::Mitigated),
            _ => end.is_some(),
        };
        for (what, bounds, reached) in [
            ("detected", expect.detect, detected),
            ("diagnosed", expect.diagnose, mark(Mark::Diagnosed)),
            ("mitigated", expect.mitigate, mark(Mark::Mitigated)),
            ("resolved", expect.resolve, end.and_then(|end| Some((end.second?, end.frame.place())))),
        ] {
            match (bounds, reached) {
                (Some(_), reached) if what == "resolved" && cancelled.is_some() => {
                    self.has_compared = true;
                    let after = reached.map_or_else(String::new, |(second, _)| format!(" after {second} s"));
                    let finding = Finding::new(format!("the incident was cancelled{after}, not resolved"));
                    add(match cancelled {
                        Some(end) => finding.place(&end.frame.place()),
                        None => finding,
                    });
                }
                (Some(bounds), Some((offset_s, place))) => {
                    self.has_compared = true;
                    if let Some(finding) = duration(what, bounds, offset_s) {
                        add(finding.place(&place));
                    }
                }
                (Some(_), None) if (ended || is_late) && !sometime(what) => {
                    self.has_compared = true;
                    add(Finding::new(format!("the incident was never {what}")));
                }
                // It goes on, and can't be in time any more.
                (Some(Bounds { max: Some(most), .. }), None) if is_whole && !sometime(what) => {
                    if let Some((last, place)) = &self.last
                        && *last > most.secs() + MILLISECOND
                    {
                        self.has_compared = true;
                        let text =
                            format!("the incident is not {what} after {last} s; allowed is at most {most}");
                        add(Finding::new(text).place(place));
                    }
                }
                _ => {}
            }
        }
        let counts = [
            count("actions", expect.actions, totals.actions.total, ended),
            count("failed actions", expect.failed, totals.actions.failed, ended),
        ];
        let counts = counts.into_iter().flatten().filter(|_| is_whole);
        counts.for_each(|finding| {
            self.has_compared = true;
            add(finding);
        });
        if ended {
            self.whole(expect, end, &mut add);
        }
        if self.has_compared {
            found.judged(RuleId::Expect);
        }
    }

    fn whole(&self, expect: &Expect, end: Option<&Resolution<'_>>, add: &mut impl FnMut(Finding)) {
        let phases = expect.phases.as_ref().filter(|_| !self.is_phase_wrong);
        // Those that were seen are remembered in their short form.
        let phases: Option<Vec<_>> = phases.map(|wanted| wanted.iter().map(|name| short(name)).collect());
        if let Some(wanted) = phases.filter(|wanted| *wanted != self.phases) {
            let (seen, wanted) = (self.phases.join(", "), wanted.join(", "));
            add(Finding::new(format!("the phases were {seen}; expected are {wanted}")));
        }
        if let Some(finding) = expect.order.as_ref().and_then(|order| self.in_order(order)) {
            add(finding);
        }
        // A cause that is no hypothesis is reported as such.
        let names_cause = end.is_none_or(|end| end.names_cause);
        if let Some(wanted) = expect.root_cause.as_ref().filter(|_| names_cause) {
            let cause = end.and_then(|end| end.resolved.root_cause.as_ref());
            if cause != Some(wanted) {
                let cause = cause.map_or_else(|| "not named".to_owned(), |cause| quoted(cause));
                add(Finding::new(format!("the root cause is {cause}; expected is {wanted:?}")));
            }
        }
    }

    /// Checks that steps complete in the expected order. A step that never completes breaks the order too.
    fn in_order(&self, order: &[String]) -> Option<Finding> {
        let mut last: Option<(usize, &String)> = None;
        for step in order {
            let Some((number, place)) = self.completed.get(step) else {
                return Some(Finding::new(format!("step {step:?} never completed")));
            };
            if let Some((_, earlier)) = last.filter(|(before, _)| number < before) {
                let text = format!("step {step:?} completed before {earlier:?}");
                return Some(Finding::new(text).place(place));
            }
            last = Some((*number, step));
        }
        None
    }
}

fn hint(expected: &Expected) -> String {
    format!("see [expect] in {}", expected.origin)
}

fn duration(what: &str, bounds: Bounds, seconds: f64) -> Option<Finding> {
    let low = bounds.min.map_or(0.0, Micros::secs);
    let high = bounds.max.map_or(f64::INFINITY, Micros::secs);
    if (low - MILLISECOND..=high + MILLISECOND).contains(&seconds) {
        return None;
    }
    let allowed = match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return None,
    };
    Some(Finding::new(format!("the incident was {what} after {seconds} s; allowed is {allowed}")))
}

/// What is wrong with a number; unless it `has_ended`, it can only be too high.
fn count(what: &str, bounds: Option<Counts>, seen: u32, has_ended: bool) -> Option<Finding> {
    let mut bounds = bounds?;
    bounds.min = bounds.min.filter(|_| has_ended);
    let (low, high) = (bounds.min.unwrap_or(0), bounds.max.unwrap_or(u32::MAX));
    (!(low..=high).contains(&seen)).then(|| match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => Finding::new(format!("{seen} {what}, expected {min} to {max}")),
        (Some(min), None) => Finding::new(format!("{seen} {what}, expected at least {min}")),
        _ => Finding::new(format!("{seen} {what}, expected at most {high}")),
    })
}
