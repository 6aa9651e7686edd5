//! What engines promise to publishers and to players: places, keys, leases, plans.

use incident::journal::{Appended, Batch, JournalError, Key, Place, ReadLimit, Record};

use super::{Log, append};
use crate::harness::{metrics, resolved, soon, started};

/// A record that asks for the next place in its incident.
fn next(record: Record, publisher: &str, id: &str, digest: u8) -> Record {
    let key = Key { source: publisher.to_owned(), id: id.to_owned(), digest: [digest; 32] };
    Record { place: Place::Next(key), ..record }
}

pub async fn the_journal_gives_the_next_place(log: Log) {
    let said = |appended: Vec<Appended>| {
        appended.iter().map(|event| (event.position, event.index, event.new)).collect::<Vec<_>>()
    };
    let batch = vec![
        next(started("real"), "/pay", "1", 1),
        next(metrics("real", 0), "/pay", "2", 2),
        metrics("real", 3),
        next(metrics("real", 0), "/pay", "3", 3),
    ];
    let first = log.append(batch.clone()).await.unwrap();
    assert_eq!(said(first), [(1, 1, true), (2, 2, true), (3, 3, true), (4, 4, true)]);
    let again = log.append(batch).await.unwrap();
    assert_eq!(
        said(again),
        [(1, 1, false), (2, 2, false), (3, 3, false), (4, 4, false)],
        "under the same keys"
    );
    let name = |publisher: &str, id: &str| (publisher.to_owned(), id.to_owned());
    let found = log.keyed(vec![name("/pay", "3"), name("/other", "3"), name("/pay", "1")]).await.unwrap();
    let found: Vec<_> = found.iter().map(|found| found.map(|event| (event.position, event.index))).collect();
    assert_eq!(found, [Some((4, 4)), None, Some((1, 1))], "a publisher can ask for its names");
    let other = log.append(next(metrics("real", 0), "/other", "2", 2)).await.unwrap();
    assert_eq!(said(other), [(5, 5, true)], "another publisher has names of its own");
    let stored = log.read(4, ReadLimit::events(1)).await.unwrap().remove(0);
    assert!(stored.encode(log.stream()).contains(r#""index":5,"data""#), "{stored:?}");
}

pub async fn a_key_names_one_event(log: Log) {
    append(&log, vec![next(started("real"), "/pay", "1", 1)]).await;
    let reused = log.append(vec![started("b"), next(metrics("real", 0), "/pay", "1", 9)]).await;
    match reused {
        Err(JournalError::KeyReused { publisher, id, position }) => {
            assert_eq!((publisher.as_str(), id.as_str(), position), ("/pay", "1", Some(1)));
        }
        other => panic!("{other:?}"),
    }
    let twice = vec![next(metrics("real", 0), "/pay", "2", 2), next(metrics("real", 0), "/pay", "2", 3)];
    assert!(matches!(log.append(twice).await, Err(JournalError::KeyReused { position: None, .. })));
    assert_eq!(log.extent().head, 1, "nothing of the batches is in");
    append(&log, vec![next(resolved("real", 0), "/pay", "end", 4)]).await;
    let after = log.append(next(metrics("real", 0), "/pay", "late", 5)).await;
    assert!(matches!(after, Err(JournalError::Ended { position: Some(2), .. })), "{after:?}");
    assert_eq!(
        append(&log, vec![next(resolved("real", 0), "/pay", "end", 4)]).await,
        [2],
        "a repeat is none"
    );
}

pub async fn publishers_of_one_incident_stay_gapless(log: Log) {
    append(&log, vec![next(started("real"), "/start", "1", 0)]).await;
    let publishers = (0..32).map(|task: u8| {
        let log = log.clone();
        tokio::spawn(async move {
            for number in 0..20_u8 {
                let record =
                    next(metrics("real", 0), &format!("/agents/{task}"), &number.to_string(), number);
                let first = log.append(record.clone()).await.unwrap();
                let again = log.append(record).await.unwrap();
                assert!(first[0].new && !again[0].new, "{first:?} {again:?}");
                assert_eq!((first[0].position, first[0].index), (again[0].position, again[0].index));
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    let events = log.read(0, ReadLimit::ALL).await.unwrap();
    assert_eq!(events.iter().map(|event| event.index).collect::<Vec<_>>(), (1..=641).collect::<Vec<_>>());
}

pub async fn what_a_lost_lease_appends_is_refused(log: Log) {
    let first = log.lease().await.unwrap();
    let under = |term, record: Record| Batch { records: vec![record], term: Some(term), ..Batch::default() };
    assert!(log.append(under(first.term(), started("a"))).await.is_ok());
    let second = log.lease().await.unwrap();
    soon("the loss", first.lost()).await;
    assert!(first.is_lost() && !second.is_lost());
    let late = log.append(under(first.term(), metrics("a", 2))).await;
    assert!(matches!(late, Err(JournalError::LeaseLost)), "{late:?}");
    assert!(log.append(under(second.term(), metrics("a", 2))).await.is_ok());
    assert_eq!(append(&log, vec![metrics("a", 3)]).await, [3], "other appends need no lease");
}

/// A publisher has judged its event against those that it knows: another one may have been stored since.
pub async fn what_was_judged_against_other_events_is_refused(log: Log) {
    append(&log, vec![started("a"), metrics("a", 2)]).await;
    let key = |id: &str| Key { source: "/pay".to_owned(), id: id.to_owned(), digest: [1; 32] };
    let after = |id: &str, expected| Batch {
        records: vec![Record { place: Place::Next(key(id)), ..metrics("a", 0) }],
        expected: vec![("a".to_owned(), expected), ("b".to_owned(), 7)],
        term: None,
    };
    for expected in [0, 1, 3] {
        let moved = log.append(after("1", expected)).await;
        assert!(matches!(moved, Err(JournalError::Moved { has: 2, .. })), "{expected}: {moved:?}");
    }
    // A repeat adds nothing, so nothing has moved for it.
    for new in [true, false] {
        let appended = log.append(after("1", 2)).await.unwrap()[0];
        assert_eq!((appended.position, appended.new), (3, new));
    }
    append(&log, vec![resolved("a", 4)]).await;
    let ended = log.append(after("2", 2)).await;
    assert!(matches!(ended, Err(JournalError::Ended { position: Some(4), .. })), "{ended:?}");
}

pub async fn the_plan_of_an_open_incident_is_found(log: Log) {
    append(&log, vec![Record { plan: Some("the plan".into()), ..started("a") }, started("bare")]).await;
    assert_eq!(log.plan("a").await.unwrap().as_deref(), Some("the plan"));
    assert_eq!(log.plan("bare").await.unwrap(), None);
    assert_eq!(log.plan("nobody").await.unwrap(), None);
    append(&log, vec![resolved("a", 2)]).await;
    assert_eq!(log.plan("a").await.unwrap(), None, "what has ended is not played");
}

pub async fn an_append_says_what_was_new(log: Log) {
    let said = |appended: Vec<Appended>| {
        appended.iter().map(|event| (event.position, event.index, event.new)).collect::<Vec<_>>()
    };
    let first = log.append(vec![started("a"), metrics("a", 2), metrics("a", 2)]).await.unwrap();
    assert_eq!(said(first), [(1, 1, true), (2, 2, true), (2, 2, false)], "a repeat in the same batch too");
    append(&log, vec![started("b")]).await;
    let again = log.append(vec![metrics("a", 2), metrics("a", 3)]).await.unwrap();
    assert_eq!(said(again), [(2, 2, false), (4, 3, true)], "whatever else was appended meanwhile");
}
