//! Retention by age while the machine's clock is set.

use incident::journal::{Extent, Journal, Retention};

use super::{ALL, NOON, YEAR, append, append_one, back, engines, forward, hours, in_memory, open, secs};
use crate::harness::{Clocks, Local, Scratch, metrics, options, resolved, soon, started, story};

const HOUR: Retention = Retention { events: 1_000_000, age: Some(hours(1)) };

/// A laptop that slept, or a clock that is set after the boot.
#[tokio::test]
async fn a_step_forward_makes_no_event_older() {
    for (clocks, journal, _folder) in engines(NOON, HOUR) {
        append_one(&journal, started("a")).await;
        clocks.pass(secs(30));
        clocks.step(forward(hours(2)));
        append(&journal, [metrics("a", 2), resolved("a", 3)]).await;
        append_one(&journal, started("b")).await;
        assert_eq!(journal.extent(), Extent { oldest: 1, head: 4 });
        clocks.pass(hours(1));
        append_one(&journal, metrics("b", 2)).await;
        assert_eq!(journal.extent().oldest, 4, "an hour later they go");
    }
}

/// An event that is dated years ahead is not kept for years.
#[tokio::test]
async fn events_from_the_future_go_too() {
    for (clocks, journal, _folder) in engines("2031-01-01T00:00:00Z", HOUR) {
        append(&journal, story("a", 10)).await;
        clocks.step(back(4 * YEAR));
        append(&journal, story("b", 10)).await;
        clocks.pass(secs(3_599));
        append_one(&journal, started("c")).await;
        assert_eq!(journal.extent().oldest, 1);
        clocks.pass(secs(2));
        append_one(&journal, metrics("c", 2)).await;
        assert_eq!(journal.extent().oldest, 21);
    }
}

/// After a start, what an earlier process left is as old as the wall clock says, if it can be right.
#[tokio::test]
async fn what_an_earlier_process_left_goes_by_its_age() {
    for (then, now, kept_for) in [
        // Half of its age is over.
        (NOON, "2026-11-22T12:30:00Z", hours(1) / 2),
        // It is too old: clients that come back have a while.
        (NOON, "2026-11-23T12:00:00Z", secs(600)),
        // One of the times is wrong.
        ("2031-01-01T00:00:00Z", NOON, hours(1)),
        (NOON, "1970-01-01T00:00:00Z", hours(1)),
    ] {
        let folder = Scratch::new();
        let journal = open(folder.path(), &Clocks::at(then), HOUR);
        append(&journal, story("a", 20)).await;
        drop(journal);
        let clocks = Clocks::at(now);
        let journal = open(folder.path(), &clocks, HOUR);
        clocks.pass(kept_for.saturating_sub(secs(1)));
        append_one(&journal, started("b")).await;
        assert_eq!(journal.extent().oldest, 1, "{then}, then {now}");
        clocks.pass(secs(2));
        append_one(&journal, metrics("b", 2)).await;
        assert_eq!(journal.extent().oldest, 21, "{then}, then {now}");
    }
}

/// A clock that is ahead at the start, as after a boot, and is set soon after: what an earlier process left is as old as the clock
/// says then. But it is not kept for ever, wherever the clock is set to.
#[tokio::test]
async fn a_clock_that_was_ahead_at_the_start_deletes_nothing() {
    for (back_by, kept_for) in [(YEAR, secs(3_000)), (2 * YEAR, hours(1)), (hours(2), secs(600))] {
        let folder = Scratch::new();
        let journal = open(folder.path(), &Clocks::at(NOON), HOUR);
        append(&journal, story("a", 20)).await;
        drop(journal);
        let clocks = Clocks::at(NOON);
        clocks.pass(secs(600));
        clocks.step(forward(YEAR));
        let journal = open(folder.path(), &clocks, HOUR);
        clocks.pass(secs(20));
        clocks.step(back(back_by));
        clocks.pass(kept_for.saturating_sub(secs(21)));
        append_one(&journal, started("b")).await;
        assert_eq!(journal.extent().oldest, 1, "set back by {back_by:?}");
        clocks.pass(secs(2));
        append_one(&journal, metrics("b", 2)).await;
        assert_eq!(journal.extent().oldest, 21, "set back by {back_by:?}");
    }
}

/// A run with a wrong clock is as old as what was appended before and after it.
#[tokio::test]
async fn a_wrong_run_between_two_right_ones_goes_with_them() {
    let folder = Scratch::new();
    for (name, wall) in [("a", NOON), ("b", "2031-01-01T00:00:00Z"), ("c", "2026-11-22T12:20:00Z")] {
        append(&open(folder.path(), &Clocks::at(wall), HOUR), story(name, 10)).await;
    }
    let clocks = Clocks::at("2026-11-22T12:40:00Z");
    let journal = open(folder.path(), &clocks, HOUR);
    append_one(&journal, started("d")).await;
    for (minutes, oldest) in [(19, 1), (2, 21), (20, 31)] {
        clocks.pass(secs(minutes * 60));
        append_one(&journal, started(&format!("after {minutes} and {oldest}"))).await;
        assert_eq!(journal.extent().oldest, oldest);
    }
}

/// The engine's limit may be smaller than a commit.
#[tokio::test]
async fn no_event_goes_in_the_commit_that_adds_it() {
    for retention in [Retention { events: 3, age: None }, Retention { age: Some(secs(0)), ..ALL }] {
        let journal = in_memory(&Clocks::at(NOON), retention);
        append(&journal, story("a", 20)).await;
        assert_eq!(journal.extent(), Extent { oldest: 1, head: 20 });
        append(&journal, story("b", 20)).await;
        assert_eq!(journal.extent(), Extent { oldest: 21, head: 40 });
    }
}

/// The end of an incident reaches those who follow it, and those who come back for it.
#[tokio::test(flavor = "multi_thread")]
async fn who_follows_an_incident_hears_its_end_after_a_step() {
    for (clocks, journal, _folder) in engines(NOON, HOUR) {
        let server = Local::over(options(), Journal::clone(&journal)).await;
        server.append(vec![started("a"), metrics("a", 2)]).await;
        let mut client = server.client_after(0).await;
        clocks.step(forward(hours(2)));
        server.append(vec![resolved("a", 3)]).await;
        soon("the end", client.up_to(3)).await;
        let mut again = server.client_after(2).await;
        soon("the end, again", again.up_to(3)).await;
    }
}
