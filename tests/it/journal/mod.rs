//! What every journal engine promises, as one suite over [`Journal`]: a new engine adds one line at the end.

#[cfg(feature = "nats")]
mod nats;
mod publishing;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use incident::contract::{MAX_EVENT_BYTES, Position, StreamId};
use incident::journal::{
    Append, Appended, Batch, Extent, Journal, JournalError, Key, Memory, Pending, Place, ReadLimit, Record,
    Retention, Span, Sqlite,
};

use publishing::{
    a_key_names_one_event, an_append_says_what_was_new, publishers_of_one_incident_stay_gapless,
    the_journal_gives_the_next_place, the_plan_of_an_open_incident_is_found,
    what_a_lost_lease_appends_is_refused, what_was_judged_against_other_events_is_refused,
};

use crate::harness::{Scratch, action, metrics, resolved, soon, started, story};

type Log = Journal;

async fn append(log: &Log, records: Vec<Record>) -> Vec<u64> {
    log.append(records).await.unwrap().into_iter().map(|event| event.position).collect()
}

async fn positions(log: &Log, after: u64, limit: usize) -> Vec<u64> {
    log.read(after, ReadLimit::events(limit)).await.unwrap().iter().map(|event| event.position).collect()
}

/// Waits until the log begins and ends at these positions: an engine may drop events a moment after an append.
async fn reaches(log: &Log, oldest: u64, head: u64) {
    let mut extent = log.follow();
    let wanted = Extent { oldest, head };
    let reached = soon("retention", extent.wait_for(|extent| *extent == wanted)).await;
    assert!(reached.is_ok(), "the log has ended");
}

async fn begins_empty(log: Log) {
    assert_eq!(log.extent(), Extent { oldest: 1, head: 0 });
    assert!(log.read(0, ReadLimit::events(10)).await.unwrap().is_empty());
    assert!(log.open_incidents().await.unwrap().is_empty());
    assert!(append(&log, Vec::new()).await.is_empty(), "an empty batch is no event");
    assert_eq!(log.extent().head, 0);
    assert!(format!("{}/0", log.stream()).parse::<Position>().is_ok(), "its name can stand in a position");
}

async fn positions_are_gapless_in_the_order_of_the_appends(log: Log) {
    assert_eq!(append(&log, vec![started("a")]).await, [1]);
    assert_eq!(append(&log, vec![started("b"), metrics("a", 2), metrics("b", 2)]).await, [2, 3, 4]);
    let read = log.read(0, ReadLimit::events(10)).await.unwrap();
    let told: Vec<_> = read.iter().map(|event| (event.position, &*event.subject, event.index)).collect();
    assert_eq!(told, [(1, "a", 1), (2, "b", 1), (3, "a", 2), (4, "b", 2)]);
    assert_eq!(log.extent(), Extent { oldest: 1, head: 4 });
}

async fn data_is_kept_verbatim(log: Log) {
    append(&log, vec![started("a")]).await;
    let odd = action("a", 2, "tab\t quote\" Ünïcode \u{1f525} \u{2028} </script>");
    append(&log, vec![odd.clone()]).await;
    let read = log.read(1, ReadLimit::events(1)).await.unwrap();
    assert_eq!(read[0].data.get(), odd.data.get());
    assert_eq!(read[0].kind, odd.kind);
    // A frame is a pure function of what is stored.
    assert_eq!(
        read[0].encode(log.stream()),
        log.read(1, ReadLimit::events(1)).await.unwrap()[0].encode(log.stream())
    );
}

async fn a_repeat_yields_the_position_it_has(log: Log) {
    let records = vec![started("a"), metrics("a", 2)];
    assert_eq!(append(&log, records.clone()).await, [1, 2]);
    assert_eq!(append(&log, records.clone()).await, [1, 2]);
    assert_eq!(append(&log, vec![metrics("a", 2), metrics("a", 3), metrics("a", 2)]).await, [2, 3, 2]);
    assert_eq!(append(&log, vec![metrics("a", 4), metrics("a", 4), started("a")]).await, [4, 4, 1]);
    assert_eq!(log.extent().head, 4);
    // What was there first stays, whatever a repeat says.
    append(&log, vec![action("a", 2, "another event with the same name")]).await;
    assert_eq!(log.read(1, ReadLimit::events(1)).await.unwrap()[0].data.get(), records[1].data.get());
}

async fn a_gap_is_refused_with_all_of_its_batch(log: Log) {
    append(&log, vec![started("a")]).await;
    let batch = vec![started("b"), metrics("a", 2), metrics("a", 4)];
    match log.append(batch).await {
        Err(JournalError::Gap { subject, index, has }) => {
            assert_eq!((subject.as_str(), index, has), ("a", 4, 2));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(log.append(vec![metrics("new", 2)]).await, Err(JournalError::Gap { has: 0, .. })));
    assert_eq!(log.extent().head, 1, "nothing of the batches is in");
    assert_eq!(positions(&log, 0, 10).await, [1]);
    assert_eq!(log.open_incidents().await.unwrap().len(), 1, "b did not begin");
    assert_eq!(append(&log, vec![metrics("a", 2), started("b")]).await, [2, 3], "and it goes on");
}

async fn nothing_follows_the_end_of_an_incident(log: Log) {
    append(&log, story("a", 3)).await;
    for index in [4, 5] {
        let refused = log.append(vec![started("b"), metrics("a", index)]).await;
        let ended = matches!(&refused, Err(JournalError::Ended { position: Some(3), .. }));
        assert!(ended || index > 4, "event {index} after the end: {refused:?}");
        assert!(refused.is_err(), "event {index} after the end: {refused:?}");
    }
    let batch = vec![started("c"), resolved("c", 2), metrics("c", 3)];
    assert!(matches!(log.append(batch).await, Err(JournalError::Ended { .. })), "not in one batch either");
    assert_eq!(append(&log, vec![resolved("a", 3)]).await, [3], "a repeat is none");
    assert_eq!(log.extent().head, 3, "nothing of the batches is in");
}

async fn age_lets_go_of_what_is_over(log: Log) {
    append(&log, story("a", 50)).await;
    append(&log, vec![started("open")]).await;
    append(&log, vec![metrics("open", 2)]).await;
    // Nothing of what is open.
    reaches(&log, 51, 52).await;
    assert_eq!(positions(&log, 0, usize::MAX).await, [51, 52]);
}

async fn what_can_be_no_event_is_refused(log: Log) {
    let zero = Record { place: Place::At(0), ..started("a") };
    assert!(matches!(log.append(vec![zero]).await, Err(JournalError::Refused(_))), "an index of 0");
    let control = Record { kind: incident::contract::MessageType::Heartbeat, ..started("a") };
    assert!(matches!(log.append(vec![started("b"), control]).await, Err(JournalError::Refused(_))));
    let large = action("b", 2, &"x".repeat(MAX_EVENT_BYTES));
    assert!(matches!(log.append(vec![started("b"), large]).await, Err(JournalError::Refused(_))));
    let again = Record { place: Place::At(2), ..started("b") };
    for first in [vec![action("b", 1, "looks")], vec![resolved("b", 1)], vec![started("b"), again]] {
        let refused = log.append(first).await;
        assert!(matches!(refused, Err(JournalError::Refused(_))), "starts once and first: {refused:?}");
    }
    assert_eq!(log.extent().head, 0);
}

/// The limit is the encoded event's, envelope included: what a client reads as one message.
async fn no_event_is_larger_than_the_contract_allows(log: Log) {
    let fits = action("a", 2, &"x".repeat(MAX_EVENT_BYTES - 1_000));
    append(&log, vec![started("a"), fits]).await;
    assert!(
        log.read(1, ReadLimit::events(1)).await.unwrap()[0].encode(log.stream()).len() <= MAX_EVENT_BYTES
    );
    let bare = action("a", 3, "").data.get().len();
    let whole = action("a", 3, &"x".repeat(MAX_EVENT_BYTES - bare));
    assert_eq!(whole.data.get().len(), MAX_EVENT_BYTES, "the data alone fills it");
    assert!(matches!(log.append(vec![whole]).await, Err(JournalError::Refused(_))));
}

async fn times_never_fall_while_no_clock_is_set(log: Log) {
    append(&log, vec![started("a")]).await;
    for index in 2..300 {
        append(&log, vec![metrics("a", index)]).await;
    }
    let read = log.read(0, ReadLimit::events(300)).await.unwrap();
    assert!(read.windows(2).all(|pair| pair[0].time <= pair[1].time));
    assert!(read.iter().all(|event| event.time.subsec_nanosecond() % 1_000 == 0), "whole microseconds");
}

async fn it_reads_in_pages(log: Log) {
    append(&log, story("a", 25)).await;
    assert_eq!(positions(&log, 0, 10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(positions(&log, 10, 10).await, (11..=20).collect::<Vec<_>>());
    assert_eq!(positions(&log, 20, 10).await, (21..=25).collect::<Vec<_>>());
    assert_eq!(positions(&log, 24, 1).await, [25]);
    for (after, limit) in [(25, 10), (26, 10), (1_000_000, 10), (Position::LIMIT, 10), (0, 0)] {
        assert!(positions(&log, after, limit).await.is_empty(), "{limit} after {after}");
    }
}

async fn a_follower_wakes_when_events_are_visible(log: Log) {
    let mut extent = log.follow();
    assert_eq!(extent.borrow_and_update().head, 0);
    let writer = tokio::spawn({
        let log = log.clone();
        async move { append(&log, story("a", 100)).await }
    });
    soon("the follower", extent.changed()).await.unwrap();
    let head = extent.borrow_and_update().head;
    assert_eq!(positions(&log, 0, 1_000).await.last(), Some(&head));
    writer.await.unwrap();
    assert_eq!(log.follow().borrow().head, 100, "who comes later sees the present");
    append(&log, vec![started("a")]).await;
    assert!(!extent.has_changed().unwrap(), "a repeat is no news");
}

async fn open_incidents_come_with_their_plans(log: Log) {
    let planned =
        |subject: &str| Record { plan: Some(Arc::from(format!("plan of {subject}"))), ..started(subject) };
    append(&log, vec![planned("z"), planned("a"), metrics("z", 2), started("bare")]).await;
    append(&log, story("ended", 3)).await;
    let open = log.open_incidents().await.unwrap();
    let told: Vec<_> = open
        .iter()
        .map(|open| (open.subject.as_str(), open.start, open.index, open.plan.as_deref()))
        .collect();
    let wanted = [("z", 1, 2, Some("plan of z")), ("a", 2, 1, Some("plan of a")), ("bare", 4, 1, None)];
    assert_eq!(told, wanted, "in order of their start");
    let bare = Span { subject: "bare".to_owned(), start: 4, end: None };
    assert_eq!(log.open_without_plan().await.unwrap(), [bare]);
    append(&log, vec![resolved("z", 3), resolved("bare", 2)]).await;
    assert_eq!(log.open_incidents().await.unwrap()[0].subject, "a");
    assert_eq!(log.open_without_plan().await.unwrap(), []);
}

async fn incidents_are_found_by_name_and_by_age(log: Log) {
    append(&log, vec![started("z"), started("a"), metrics("z", 2), resolved("z", 3)]).await;
    append(&log, story("later", 3)).await;
    let span = |subject: &str, start, end| Span { subject: subject.to_owned(), start, end };
    let all = [span("z", 1, Some(4)), span("a", 2, None), span("later", 5, Some(7))];
    assert_eq!(log.incidents(10).await.unwrap(), all, "in order of their start");
    assert_eq!(log.incidents(2).await.unwrap(), all[1..], "the newest");
    assert!(log.incidents(0).await.unwrap().is_empty());
    assert_eq!(log.incident("z").await.unwrap().as_ref(), Some(&all[0]));
    assert_eq!(log.incident("a").await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(log.incident("nobody").await.unwrap(), None);
}

async fn concurrent_appends_stay_gapless(log: Log) {
    const TASKS: u64 = 32;
    const EACH: u64 = 50;
    let writers = (0..TASKS).map(|task| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut got = Vec::new();
            for record in story(&format!("incident-{task}"), EACH) {
                // Twice, as somebody who did not hear the answer would.
                let first = append(&log, vec![record.clone()]).await;
                assert_eq!(append(&log, vec![record]).await, first);
                got.extend(first);
                tokio::task::yield_now().await;
            }
            assert!(got.windows(2).all(|pair| pair[0] < pair[1]));
            got
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut all = HashSet::new();
    for writer in writers {
        all.extend(writer.await.unwrap());
    }
    assert_eq!(all, (1..=TASKS * EACH).collect());
    assert_eq!(positions(&log, 0, usize::MAX).await, (1..=TASKS * EACH).collect::<Vec<_>>());
    assert!(log.open_incidents().await.unwrap().is_empty());
}

/// For a journal that keeps 10 events.
async fn retention_drops_the_oldest_but_nothing_of_an_open_incident(log: Log) {
    append(&log, story("a", 6)).await;
    append(&log, vec![started("open")]).await;
    append(&log, story("b", 20)).await;
    // All of `a` may go; `open` holds what follows it.
    reaches(&log, 7, 27).await;
    assert_eq!(positions(&log, 0, 3).await, [7, 8, 9], "reading begins with the oldest kept");
    assert_eq!(append(&log, vec![started("open")]).await, [7], "a repeat is still known");
    append(&log, vec![resolved("open", 2)]).await;
    reaches(&log, 19, 28).await;
    assert_eq!(positions(&log, 0, usize::MAX).await, (19..=28).collect::<Vec<_>>());
    let span = log.incident("open").await.unwrap().expect("its end is kept");
    assert_eq!((span.start, span.end), (7, Some(28)));
    // An incident that began, kept nothing but its tail and is long over: its tail is still gapless.
    append(&log, story("c", 100)).await;
    // No event goes in the commit that adds it.
    append(&log, vec![started("d")]).await;
    reaches(&log, 120, 129).await;
    assert_eq!(log.incident("open").await.unwrap(), None, "nothing of it is kept");
    let gone = log.append(vec![metrics("c", 2)]).await;
    assert!(matches!(&gone, Err(JournalError::Refused(why)) if why.contains("retention")), "{gone:?}");
    // The id of what is gone names no other incident.
    let gone = log.append(vec![started("open")]).await;
    assert!(matches!(&gone, Err(JournalError::Refused(why)) if why.contains("retention")), "{gone:?}");
    let key = Key { source: "/pay".to_owned(), id: "1".to_owned(), digest: [1; 32] };
    let again = Record { place: Place::Next(key), ..started("open") };
    assert!(matches!(log.append(vec![again]).await, Err(JournalError::Ended { position: Some(28), .. })));
    let kept = log.incidents(usize::MAX).await.unwrap();
    assert_eq!(kept.iter().map(|span| span.subject.as_str()).collect::<Vec<_>>(), ["c", "d"]);
}

macro_rules! conformance {
    ($engine:ident: $new:expr, keeping 10: $small:expr, keeping what is young: $young:expr) => {
        conformance!($engine []: $new, keeping 10: $small, keeping what is young: $young);
    };
    ($engine:ident $ignore:tt: $new:expr, keeping 10: $small:expr, keeping what is young: $young:expr) => {
        mod $engine {
            conformance!(
                $ignore $new; begins_empty positions_are_gapless_in_the_order_of_the_appends data_is_kept_verbatim
                a_repeat_yields_the_position_it_has a_gap_is_refused_with_all_of_its_batch
                nothing_follows_the_end_of_an_incident
                what_can_be_no_event_is_refused no_event_is_larger_than_the_contract_allows
                times_never_fall_while_no_clock_is_set
                it_reads_in_pages a_follower_wakes_when_events_are_visible
                open_incidents_come_with_their_plans incidents_are_found_by_name_and_by_age
                concurrent_appends_stay_gapless an_append_says_what_was_new the_journal_gives_the_next_place
                a_key_names_one_event publishers_of_one_incident_stay_gapless
                what_a_lost_lease_appends_is_refused what_was_judged_against_other_events_is_refused the_plan_of_an_open_incident_is_found
            );
            conformance!($ignore $small; retention_drops_the_oldest_but_nothing_of_an_open_incident);
            conformance!($ignore $young; age_lets_go_of_what_is_over);
        }
    };
    ([$($ignore:meta)?] $new:expr; $promise:ident $($rest:ident)*) => {
        $(#[$ignore])?
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            super::$promise($new).await;
        }
        conformance!([$($ignore)?] $new; $($rest)*);
    };
    ($ignore:tt $new:expr;) => {};
}

const ALL: Retention = Retention { events: 1_000_000, age: None };
const TEN: Retention = Retention { events: 10, age: None };
const YOUNG: Retention = Retention { events: 1_000_000, age: Some(Duration::from_micros(1)) };

fn in_memory(retention: Retention) -> Log {
    Journal::new(Memory::new(StreamId::generate(1_700_000_000_000, 7), retention))
}

conformance!(
    memory: crate::journal::in_memory(crate::journal::ALL),
    keeping 10: crate::journal::in_memory(crate::journal::TEN),
    keeping what is young: crate::journal::in_memory(crate::journal::YOUNG)
);

/// The way into a journal file, and the folder that goes with it.
struct InAFolder {
    appends: Arc<dyn Append>,
    _folder: Scratch,
}

impl Append for InAFolder {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        self.appends.append(batch)
    }
}

fn in_a_file(retention: Retention) -> Log {
    let folder = Scratch::new();
    let journal = Sqlite::open(&folder.path().join("journal.db"), retention).unwrap();
    Journal::new(journal).wrap_appends(|appends| InAFolder { appends, _folder: folder })
}

conformance!(
    sqlite: crate::journal::in_a_file(crate::journal::ALL),
    keeping 10: crate::journal::in_a_file(crate::journal::TEN),
    keeping what is young: crate::journal::in_a_file(crate::journal::YOUNG)
);

#[cfg(feature = "nats")]
conformance!(
    on_nats [ignore = "needs nats-server: ./tests/run installs it and runs this"]:
    crate::journal::nats::fresh(crate::journal::ALL),
    keeping 10: crate::journal::nats::fresh(crate::journal::TEN),
    keeping what is young: crate::journal::nats::fresh(crate::journal::YOUNG)
);
