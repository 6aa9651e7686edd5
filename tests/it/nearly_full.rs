//! A disk with room for a small write and not for an event: the journal is either paused or not, and does not change its mind
//! with each event.

use std::fs;

use rlimit::Resource;

use crate::harness::{Scratch, get, soon};
use crate::moved::Served;
use crate::publish::{action, places, publish, started};

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_could_not_store_an_event_waits_for_as_much_room() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let server = Served::over(&journal);
    let address = server.address();
    places(&publish(address, &[started("a", "0")]).await);
    let limit = |bytes: u64| {
        rlimit::prlimit(server.id().cast_signed(), Resource::FSIZE, Some((bytes, u64::MAX)), None).unwrap();
    };
    // Room for a few pages of the log.
    limit(fs::metadata(folder.path().join("journal.db-wal")).unwrap().len() + 3 * 4_120);
    let large = |id: &str| action("a", id, &"x".repeat(30_000));
    assert_eq!(publish(address, &[large("1")]).await.status, 503);
    // The writer tries four times a second, and may have found room for less.
    for turn in 0..40 {
        let small = action("a", &format!("small-{turn}"), "fits");
        assert_eq!(publish(address, &[small]).await.status, 503, "turn {turn}");
        assert_eq!(get(address, "/readyz").await.status, 503, "turn {turn}");
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    limit(u64::MAX);
    server.until_ready(200).await;
    places(&publish(address, &[large("1")]).await);
    let log = soon("the end", async { server.stop() }).await;
    let said = |text: &str| log.matches(text).count();
    assert_eq!((said("cannot be written"), said("can be written again")), (1, 1), "{log}");
    // What failed was the server's own.
    assert_eq!((said("another program"), said("after a commit that failed")), (0, 1), "{log}");
}
