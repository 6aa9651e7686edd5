//! Journals that move from one engine to another: `incident copy-journal`, and `check-journal` over streams of NATS.

mod checked;
mod command;
mod copied;

use std::path::{Path, PathBuf};

use incident::journal::{Appended, Journal, Key, Place, ReadLimit, Record, Retention, open};

use crate::harness::{Scratch, metrics, resolved, soon, started, story};

/// Ten events are kept, and those of open incidents.
const TEN: Retention = Retention { events: 10, age: None };

/// An id that can be neither a word of a subject nor a header.
const ODD: &str = "größer than.> *";

fn key() -> Key {
    Key { source: "/pay load\r\n".to_owned(), id: "ü.1".to_owned(), digest: [7; 32] }
}

fn opened(location: &Path) -> Journal {
    open(location, TEN).unwrap().journal
}

async fn append(log: &Journal, records: Vec<Record>) -> Vec<Appended> {
    log.append(records).await.unwrap()
}

/// Fills a journal of any engine: the first incident is gone, one with a plan is open, one has events of a publisher.
async fn fill(location: &Path) {
    let log = opened(location);
    append(&log, story("gone", 20)).await;
    let plan = "a plan, ".repeat(200_000);
    append(&log, vec![Record { plan: Some(plan.into()), ..started(ODD) }]).await;
    append(&log, vec![Record { place: Place::Next(key()), ..metrics(ODD, 0) }]).await;
    append(&log, story("over", 8)).await;
    append(&log, vec![started("told")]).await;
    let oldest = |extent: &incident::journal::Extent| extent.oldest == 21;
    soon("retention", log.follow().wait_for(oldest)).await.unwrap();
}

/// Whether two journals are the same, and go on in the same way.
async fn are_same(one: &Path, other: &Path) {
    let logs = [opened(one), opened(other)];
    assert_eq!(logs[0].extent(), logs[1].extent());
    let mut told = Vec::new();
    for log in &logs {
        let events = log.read(0, ReadLimit::ALL).await.unwrap();
        let events: Vec<_> = events.iter().map(|event| event.encode(log.stream())).collect();
        let open = log.open_incidents().await.unwrap();
        let keyed = log.keyed(vec![(key().source, key().id)]).await.unwrap();
        let spans = log.incidents(10).await.unwrap();
        told.push((log.stream().clone(), events, open, keyed, spans));
    }
    assert_eq!(told[0], told[1]);
    let (_, events, open, keyed, _) = &told[0];
    assert_eq!((events.len(), open.len()), (11, 2));
    assert_eq!(open[0].plan.as_ref().map(|plan| plan.len()), Some(1_600_000));
    assert_eq!(keyed[0].map(|keyed| (keyed.position, keyed.index)), Some((22, 2)));
    for log in &logs {
        let again = Record { place: Place::Next(key()), ..metrics(ODD, 0) };
        let again = append(log, vec![again]).await[0];
        assert_eq!((again.position, again.new), (22, false), "its key is known");
        let gone = log.append(vec![started("gone")]).await;
        assert!(gone.is_err(), "the id of what is gone names no other incident: {gone:?}");
        let end = append(log, vec![resolved(ODD, 3)]).await[0];
        assert_eq!((end.position, end.new), (32, true));
    }
}

fn file(folder: &Scratch, name: &str) -> PathBuf {
    folder.path().join(name)
}
