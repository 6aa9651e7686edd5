//! A disk that hangs: a write does not return. The journal says so, requests are answered, the server stops, and everything goes
//! on by itself when the write returns.

use std::sync::Arc;
use std::time::Duration;

use incident::journal::{
    Append, Extent, Health, Journal, JournalError, Log, OpenError, Retention, Sqlite, TimeSource, TroubleKind,
};
use incident::player::{PlayError, Player, Speed};
use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Gated, Http, Local, Scratch, Timeline, library, metrics, options, soon, started};
use crate::publish::{action, places, publish, refusal, started as begun};

/// A clock at which the writer of a journal waits, as it would for a disk, in the middle of a transaction.
#[derive(Debug, Default)]
struct Gate {
    is_closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn close(&self) {
        *self.is_closed.lock() = true;
    }

    fn open(&self) {
        *self.is_closed.lock() = false;
        self.changed.notify_all();
    }
}

impl TimeSource for Gate {
    fn wall(&self) -> Timestamp {
        if std::thread::current().name() == Some("journal") {
            let mut is_closed = self.is_closed.lock();
            while *is_closed {
                self.changed.wait(&mut is_closed);
            }
        }
        Timestamp::now()
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_says_that_its_disk_hangs_and_recovers_by_itself() {
    let folder = Scratch::new();
    let gate = Arc::new(Gate::default());
    let source = Arc::clone(&gate) as Arc<dyn TimeSource>;
    let file = folder.path().join("journal.db");
    let journal = Arc::new(Sqlite::with_clocks(&file, Retention::default(), source).unwrap());
    journal.append(vec![started("a")].into()).await.unwrap();
    let mut health = journal.health();
    assert!(health.borrow().is_none());
    gate.close();
    let hanging = tokio::spawn({
        let journal = Arc::clone(&journal);
        async move { journal.append(vec![metrics("a", 2)].into()).await }
    });
    let said = soon("the trouble", health.wait_for(Option::is_some)).await.unwrap().clone().unwrap();
    assert_eq!(said.kind(), TroubleKind::Hung);
    assert!(said.to_string().contains("lasted longer than 5 s"), "{said}");
    // What comes now is refused at once, and is not stored later.
    match soon("an answer", journal.append(vec![metrics("a", 2), metrics("a", 3)].into())).await {
        Err(error @ JournalError::Unavailable(_)) => assert!(error.is_temporary()),
        other => panic!("{other:?}"),
    }
    assert!(!hanging.is_finished(), "what waits is not given up");
    gate.open();
    assert_eq!(soon("the append", hanging).await.unwrap().unwrap()[0].position, 2);
    soon("the end of the trouble", health.wait_for(Option::is_none)).await.unwrap();
    assert_eq!(journal.extent(), Extent { oldest: 1, head: 2 });
    journal.append(vec![metrics("a", 3)].into()).await.unwrap();
}

/// The lock stays with the writer that hangs: it may still commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_hangs_is_closed_without_waiting_and_stays_locked() {
    let folder = Scratch::new();
    let gate = Arc::new(Gate::default());
    let source = Arc::clone(&gate) as Arc<dyn TimeSource>;
    let file = folder.path().join("journal.db");
    let journal = Sqlite::with_clocks(&file, Retention::default(), source).unwrap();
    gate.close();
    let append = journal.append(vec![started("a")].into());
    soon("the trouble", journal.health().wait_for(Option::is_some)).await.unwrap();
    drop(append);
    drop(journal);
    assert!(matches!(Sqlite::open(&file, Retention::default()), Err(OpenError::Held { .. })));
    gate.open();
    let opened = soon("the end of the writer", async {
        loop {
            match Sqlite::open(&file, Retention::default()) {
                Err(OpenError::Held { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                opened => return opened.unwrap(),
            }
        }
    });
    assert_eq!(opened.await.extent().head, 1, "nothing was waiting for the answer, and it is stored");
}

#[tokio::test(start_paused = true)]
async fn who_starts_or_cancels_an_incident_is_answered_and_it_is_done_all_the_same() {
    let gated = Gated::new(0);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let player = Player::new(Journal::from(Arc::clone(&gated)), tasks.clone(), stop, Arc::default());
    let outage = || Timeline::compile(library().get("database-outage").unwrap(), 42).plan();
    gated.writable.send_replace(false);
    let error = player.start(outage(), Speed::REAL_TIME).await.unwrap_err();
    assert!(matches!(error, PlayError::Unanswered), "{error}");
    assert_eq!(gated.extent().head, 0);
    gated.writable.send_replace(true);
    gated.follow().wait_for(|extent| extent.head >= 2).await.unwrap();
    let id = gated.memory.read(0, incident::journal::ReadLimit::ALL).await.unwrap()[0].subject.to_string();
    gated.writable.send_replace(false);
    let error = player.cancel(&id).await.unwrap_err();
    assert!(matches!(error, PlayError::Unanswered), "{error}");
    gated.writable.send_replace(true);
    tasks.close();
    tasks.wait().await;
    assert!(player.cancel(&id).await.unwrap().is_some_and(|end| !end.cancelled_now), "it was ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_are_told_what_may_have_become_of_them_and_the_server_stops() {
    let gated = Gated::new(0);
    let server = Local::over(options(), Journal::from(Arc::clone(&gated))).await;
    places(&publish(server.address, &[begun("a", "1")]).await);
    gated.writable.send_replace(false);
    let waits = action("a", "2", "waits");
    let events = [waits.clone()];
    let (published, triggered) = soon("both answers", async {
        tokio::join!(
            publish(server.address, &events),
            Http::trigger(server.address, r#"{"scenario":"database-outage"}"#).send()
        )
    })
    .await;
    assert_eq!((published.status, triggered.status), (503, 503), "{published:?} {triggered:?}");
    assert!(!published.header("retry-after").is_empty() && !triggered.header("retry-after").is_empty());
    assert_eq!(refusal(&published).0, "journal-paused");
    assert!(published.body.contains("may be stored: send the same again"), "{}", published.body);
    assert!(triggered.problem(503).contains("list the incidents"), "{}", triggered.body);
    gated.writable.send_replace(true);
    gated.follow().wait_for(|extent| extent.head >= 3).await.unwrap();
    let again = places(&publish(server.address, &[waits]).await);
    assert!(again[0].2, "it was stored, and is a repeat now: {again:?}");
    // And while something hangs again, the server stops.
    gated.writable.send_replace(false);
    let appends = *gated.appends.borrow();
    let address = server.address;
    let hanging = tokio::spawn(async move { publish(address, &[action("a", "3", "hangs")]).await });
    gated.appends.subscribe().wait_for(|now| *now > appends).await.unwrap();
    soon("the end", server.drained()).await;
    drop(hanging);
}
