//! The `time` of events while the machine's clock is set.

use incident::journal::{ClockDoubt, Steps, TimeSource};
use jiff::{SignedDuration, Timestamp};

use super::{ALL, NOON, YEAR, append_one, back, engines, forward, hours, open, secs};
use crate::harness::{Clocks, Scratch, metrics, resolved, started};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_step_forward_is_followed_at_once() {
    for (clocks, journal, _folder) in engines(NOON, ALL) {
        let before = append_one(&journal, started("a")).await;
        clocks.pass(secs(1));
        clocks.step(forward(hours(2)));
        let after = append_one(&journal, metrics("a", 2)).await;
        assert_eq!(after.duration_since(before), forward(hours(2) + secs(1)));
        assert_eq!(journal.clock().steps(), Steps { forward: 1, back: 0 });
    }
}

#[tokio::test]
async fn a_small_step_back_is_hidden_and_caught_up() {
    for (clocks, journal, _folder) in engines(NOON, ALL) {
        let mut before = append_one(&journal, started("a")).await;
        clocks.step(back(secs(40)));
        for index in 2..10 {
            clocks.pass(secs(10));
            let time = append_one(&journal, metrics("a", index)).await;
            assert_eq!(time.duration_since(before), SignedDuration::from_secs(5), "half as fast");
            before = time;
        }
        assert_eq!(journal.clock().ahead(), secs(0), "80 s have passed, 40 s were shown");
        clocks.pass(secs(10));
        let time = append_one(&journal, metrics("a", 10)).await;
        assert_eq!(time.duration_since(before), SignedDuration::from_secs(10));
        assert_eq!(journal.clock().steps(), Steps { forward: 0, back: 1 });
        // Another incident is dated no earlier.
        assert!(append_one(&journal, started("b")).await >= time);
    }
}

#[tokio::test]
async fn a_large_step_back_is_followed_by_the_next_incident_alone() {
    for (clocks, journal, _folder) in engines("2031-11-22T12:00:00Z", ALL) {
        let wrong = append_one(&journal, started("old")).await;
        clocks.pass(secs(5));
        clocks.step(back(5 * YEAR));
        assert_eq!(append_one(&journal, started("new")).await, clocks.wall(), "the corrected time");
        clocks.pass(secs(5));
        let old = append_one(&journal, metrics("old", 2)).await;
        assert_eq!(old.duration_since(wrong), SignedDuration::from_secs(10), "at the steady clock's rate");
        assert!(journal.clock().ahead() > 4 * YEAR, "{:?}", journal.clock().ahead());
        clocks.pass(secs(1));
        let end = append_one(&journal, resolved("old", 3)).await;
        assert_eq!(end.duration_since(old), SignedDuration::from_secs(1));
        assert_eq!(append_one(&journal, metrics("new", 2)).await, clocks.wall());
        assert_eq!(journal.clock().ahead(), secs(0));
    }
}

/// What the machine's clock showed while nothing was appended makes no difference.
#[tokio::test]
async fn a_step_back_after_a_long_silence_shortens_no_incident() {
    for (clocks, journal, _folder) in engines(NOON, ALL) {
        let before = append_one(&journal, started("a")).await;
        clocks.pass(hours(1));
        clocks.step(back(secs(600)));
        let after = append_one(&journal, metrics("a", 2)).await;
        assert_eq!(after.duration_since(before), forward(hours(1)));
        assert_eq!(append_one(&journal, started("b")).await, clocks.wall());
    }
}

/// One run with the clock years ahead, then a machine whose clock is right.
#[tokio::test]
async fn years_ahead_then_a_start_with_the_right_clock() {
    let folder = Scratch::new();
    let wrong = Clocks::at("2031-01-01T00:00:00Z");
    let journal = open(folder.path(), &wrong, ALL);
    let mut last = append_one(&journal, started("open")).await;
    drop(journal);
    let clocks = Clocks::at(NOON);
    let journal = open(folder.path(), &clocks, ALL);
    let doubt = journal.clock().doubt().unwrap().to_string();
    assert!(doubt.starts_with("the newest event is dated 2031-01-01T00:00:00Z, 4 years ahead"), "{doubt}");
    for index in 2..6 {
        clocks.pass(secs(10));
        let time = append_one(&journal, metrics("open", index)).await;
        assert!(time > last, "{time} does not stand still");
        last = time;
    }
    assert_eq!(append_one(&journal, started("fresh")).await, clocks.wall());
    assert_eq!(append_one(&journal, resolved("fresh", 2)).await, clocks.wall());
    drop(journal);
    // Once the newest event is a right one, nothing is to be said.
    let journal = open(folder.path(), &clocks, ALL);
    assert_eq!(journal.clock().doubt(), None);
    clocks.pass(secs(1));
    assert!(append_one(&journal, resolved("open", 6)).await > last, "not even over two restarts");
}

/// They had one clock before the start, and have one after it: no event is dated before an earlier one of another.
#[tokio::test]
async fn open_incidents_that_are_dated_ahead_go_on_together() {
    let folder = Scratch::new();
    let wrong = Clocks::at("2026-11-24T12:00:00Z");
    let journal = open(folder.path(), &wrong, ALL);
    append_one(&journal, started("a")).await;
    append_one(&journal, started("b")).await;
    wrong.pass(secs(400));
    let newest = append_one(&journal, metrics("a", 2)).await;
    drop(journal);
    let clocks = Clocks::at(NOON);
    let journal = open(folder.path(), &clocks, ALL);
    let mut last = newest;
    for index in 3..6 {
        for (subject, index) in [("a", index), ("b", index - 1)] {
            clocks.pass(secs(5));
            let time = append_one(&journal, metrics(subject, index)).await;
            assert_eq!(time.duration_since(last), SignedDuration::from_secs(5), "{subject}");
            last = time;
        }
    }
    assert_eq!(append_one(&journal, started("fresh")).await, clocks.wall());
}

/// A machine without a battery for its clock starts in 1970, and learns the time later.
#[tokio::test]
async fn a_start_in_1970() {
    let folder = Scratch::new();
    let journal = open(folder.path(), &Clocks::at(NOON), ALL);
    append_one(&journal, started("open")).await;
    drop(journal);
    let clocks = Clocks::at("1970-01-01T00:00:10Z");
    let journal = open(folder.path(), &clocks, ALL);
    let doubt = journal.clock().doubt().unwrap();
    assert!(matches!(doubt, ClockDoubt::NeverSet { .. }), "{doubt:?}");
    assert!(doubt.to_string().contains("1970-01-01T00:00:10Z, so it was never set"), "{doubt}");
    clocks.pass(secs(10));
    let open_at = append_one(&journal, metrics("open", 2)).await;
    assert_eq!(open_at, at(NOON) + secs(10), "an open incident goes on");
    let early = append_one(&journal, started("early")).await;
    assert_eq!(early, at("1970-01-01T00:00:20Z"));
    clocks.step(at(NOON).duration_since(at("1970-01-01T00:00:00Z")));
    let corrected = append_one(&journal, metrics("early", 2)).await;
    assert!(corrected >= at(NOON), "{corrected}");
    assert!(append_one(&journal, metrics("open", 3)).await >= open_at);
    assert_eq!(journal.clock().steps(), Steps { forward: 1, back: 0 });
}

#[tokio::test]
async fn a_short_way_back_over_a_restart_is_hidden() {
    let folder = Scratch::new();
    let clocks = Clocks::at(NOON);
    let journal = open(folder.path(), &clocks, ALL);
    let before = append_one(&journal, started("a")).await;
    drop(journal);
    clocks.step(back(secs(30)));
    let journal = open(folder.path(), &clocks, ALL);
    assert_eq!(journal.clock().doubt(), None);
    clocks.pass(secs(2));
    assert!(append_one(&journal, started("b")).await > before);
}

/// Drift and corrections by parts of a second are no steps.
#[tokio::test]
async fn a_small_correction_is_not_counted() {
    for (clocks, journal, _folder) in engines(NOON, ALL) {
        append_one(&journal, started("a")).await;
        clocks.step(back(secs(2)));
        clocks.pass(secs(5));
        append_one(&journal, metrics("a", 2)).await;
        clocks.step(forward(secs(2)));
        append_one(&journal, metrics("a", 3)).await;
        assert_eq!(journal.clock().steps(), Steps::default());
    }
}
