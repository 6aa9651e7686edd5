//! Counts the steps of the loops that a report is made with, for the test that holds them to the size of what was told. Counted in
//! unit tests alone.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// One step of a loop over hypotheses, or over what was told of them.
#[inline]
pub(super) fn step() {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
}

/// The steps that something takes.
#[cfg(test)]
pub(super) fn steps_of<T>(what: impl FnOnce() -> T) -> (T, u64) {
    let before = STEPS.get();
    let done = what();
    (done, STEPS.get() - before)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::contract::Envelope;
    use crate::report::History;

    fn event(index: u64, kind: &str, data: &str) -> Envelope {
        let text = format!(
            r#"{{"specversion":"1.0","id":"{index}","source":"/streams/S","type":"{kind}","subject":"it",
                "time":"2026-11-22T10:00:00.000000Z","index":{index},"data":{data}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    /// An action that believes most in the first of so many hypotheses.
    fn believing(index: u64, ids: std::ops::Range<u64>) -> Envelope {
        let mut beliefs = String::new();
        for (place, id) in ids.enumerate() {
            let p = if place == 0 { 0.5 } else { 0.001 };
            let comma = if place == 0 { "" } else { "," };
            write!(beliefs, r#"{comma}{{"id":"h{id}","claim":"It is {id}","p":{p}}}"#).unwrap();
        }
        let data = format!(
            r#"{{"synthetic":false,"agent":"a","action":"looked","status":"completed","summary":"s","hypotheses":[{beliefs}]}}"#
        );
        event(index, "agent_action", &data)
    }

    /// The steps of the report of an incident in which so many hypotheses come up, and each is believed in once more later.
    fn steps(hypotheses: u64) -> u64 {
        let started = r#"{"synthetic":false,"title":"t","severity":"SEV1","services":[],
            "impact_started_at":"2026-11-22T10:00:00.000000Z"}"#;
        let mut events = vec![event(1, "incident_started", started)];
        for first in (0..hypotheses).step_by(100) {
            events.push(believing(events.len() as u64 + 1, first..first + 100));
        }
        for id in (0..hypotheses).rev() {
            events.push(believing(events.len() as u64 + 1, id..id + 1));
        }
        let (report, steps) = steps_of(|| History::all(&events)[0].markdown());
        assert_eq!(report.matches("| It is ").count() as u64, hypotheses);
        steps
    }

    #[test]
    fn a_report_takes_as_long_as_what_was_told_of_hypotheses() {
        let (few, many) = (steps(500), steps(2_000));
        assert!(few >= 1_000, "{few} steps: the loops are counted");
        assert!(many < 5 * few, "{few} steps for 500 hypotheses, {many} for 2,000");
    }
}
