//! The rule `lifecycle` by a profile: what begins, begins once and first; what ends, ends once and last.

use std::collections::BTreeMap;

use super::super::context::Context;
use super::super::finding::{Finding, Place, quoted};
use super::super::frame::{ForeignRole, Frame};
use super::super::rules::{Found, RuleId};

/// How many subjects are followed. Events of further ones are not judged.
pub(super) const SUBJECTS: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Lives {
    subjects: BTreeMap<String, Life>,
    /// Events of further subjects.
    pub(super) unfollowed: u64,
}

#[derive(Debug, Default)]
struct Life {
    events: u64,
    has_begun: bool,
    has_ended: bool,
    /// How many events came after the end, and where the first of them was.
    after: u64,
    after_end: Option<Place>,
    last: Place,
}

impl Lives {
    /// Takes an event that is in its place: neither late nor repeated. If `at_first`, it is the first event of its subject for
    /// certain.
    pub(super) fn see(
        &mut self,
        subject: &str,
        role: ForeignRole,
        at_first: bool,
        frame: &Frame,
        found: &mut Found,
    ) {
        if !self.subjects.contains_key(subject) {
            if self.subjects.len() >= SUBJECTS {
                self.unfollowed += 1;
                return;
            }
            self.subjects.insert(subject.to_owned(), Life::default());
        }
        // Inserted above if it was not there.
        let Some(life) = self.subjects.get_mut(subject) else { return };
        // A stream in which nothing begins or ends can't break the rule.
        if role != ForeignRole::Middle || at_first || life.has_begun || life.has_ended {
            found.judged(RuleId::Lifecycle);
        }
        let name = quoted(subject);
        let kind = frame.head.as_ref().map(|head| quoted(&head.kind)).unwrap_or_default();
        if life.has_ended {
            life.after += 1;
            life.after_end.get_or_insert_with(|| frame.place());
            return;
        }
        if role == ForeignRole::Begin {
            let wrong = if life.has_begun {
                Some(format!("{name} begins twice: {kind} came before"))
            } else if life.events > 0 {
                let events = if life.events == 1 { "event" } else { "events" };
                Some(format!("{name} begins with {kind} after {} {events} of it", life.events))
            } else {
                None
            };
            if let Some(wrong) = wrong {
                found.add(RuleId::Lifecycle, Finding::new(wrong).at(frame));
            }
            life.has_begun = true;
        } else if at_first && life.events == 0 {
            let wrong = format!("{name} begins with {kind}, which begins nothing according to the profile");
            found.add(RuleId::Lifecycle, Finding::new(wrong).at(frame));
        }
        life.has_ended = role == ForeignRole::End;
        life.events += 1;
        life.last = frame.place();
    }

    /// Judges the end of the stream. If `is_cut`, that is why ends are missing.
    pub(super) fn finish(&self, context: &Context, is_cut: bool, found: &mut Found) {
        for (subject, life) in &self.subjects {
            let name = quoted(subject);
            if let Some(place) = &life.after_end {
                let events = if life.after == 1 { "event" } else { "events" };
                let text = format!("{name} has {} {events} after its end", life.after);
                found.add(RuleId::Lifecycle, Finding::new(text).place(place));
            } else if life.has_begun && !life.has_ended && !is_cut && context.must_resolve.requires(subject) {
                let text = format!("{name} began and never ended");
                found.add(RuleId::Lifecycle, Finding::new(text).place(&life.last));
            }
        }
    }

    /// Whether no event has a subject.
    pub(super) fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// `3 began, 2 of them ended`.
    pub(super) fn summary(&self) -> String {
        let count = |wanted: fn(&Life) -> bool| self.subjects.values().filter(|life| wanted(life)).count();
        let (began, ended) = (count(|life| life.has_begun), count(|life| life.has_ended));
        format!("{} subjects: {began} began, {ended} ended", self.subjects.len())
    }
}
