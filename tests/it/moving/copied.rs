//! A copy has everything of its journal, whichever engines the two have.

use incident::journal::{CopyError, Naming, OpenError, Phase, Retention, copy, open};

use super::{TEN, append, are_same, file, fill, opened};
use crate::harness::nats::NatsServer;
use crate::harness::{Scratch, ms, soon, started, story};

fn whole(_: Phase, _: u64, _: u64) -> bool {
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_copied_into_a_file_event_for_event() {
    let folder = Scratch::new();
    let (from, to) = (file(&folder, "from.db"), file(&folder, "to.db"));
    fill(&from).await;
    let copied = copied(&from, &to, Naming::Same).await.unwrap();
    assert_eq!((copied.oldest, copied.head), (21, 31));
    are_same(&from, &to).await;
    let again = copied_error(&from, &to).await;
    assert!(matches!(again, CopyError::Open(OpenError::Exists { .. })), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_file_becomes_a_stream_and_a_file_again() {
    let folder = Scratch::new();
    let (from, back) = (file(&folder, "from.db"), file(&folder, "back.db"));
    let stream = NatsServer::shared().location(&NatsServer::fresh_name());
    fill(&from).await;
    let copied_there = copied(&from, &stream, Naming::Same).await.unwrap();
    assert_eq!((copied_there.oldest, copied_there.head), (21, 31), "the same positions");
    let copied_back = copied(&stream, &back, Naming::Same).await.unwrap();
    assert_eq!(copied_back, copied_there);
    are_same(&from, &back).await;
    let (from, second) =
        (file(&folder, "second.db"), NatsServer::shared().location(&NatsServer::fresh_name()));
    fill(&from).await;
    copied(&from, &second, Naming::Same).await.unwrap();
    are_same(&from, &second).await;
    // It can still get another name, and be copied into a stream.
    let third = NatsServer::shared().location(&NatsServer::fresh_name());
    let renamed = copied(&second, &third, Naming::New).await.unwrap();
    let whole = Retention::default();
    let (one, other) = (opened(&second), open(&third, whole).unwrap().journal);
    let extent = other.extent();
    assert_eq!((extent.oldest, extent.head), (renamed.oldest, renamed.head));
    assert!(one.stream() != other.stream() && *other.stream() == renamed.stream);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_copy_that_was_interrupted_is_not_served_and_goes_on() {
    let folder = Scratch::new();
    let from = file(&folder, "from.db");
    let name = NatsServer::fresh_name();
    let to = NatsServer::shared().location(&name);
    {
        let log = open(&from, Retention::default()).unwrap().journal;
        append(&log, story("long", 1_800)).await;
    }
    let mut calls = 0;
    let (source, target) = (from.clone(), to.clone());
    let stopped = tokio::task::spawn_blocking(move || {
        copy(&source, &target, Naming::Same, &mut |phase, _, _| {
            calls += u64::from(phase == Phase::Copies);
            calls < 2
        })
    });
    let stopped = stopped.await.unwrap();
    assert!(matches!(stopped, Err(CopyError::Interrupted)), "{stopped:?}");
    let refused = open(&to, TEN).unwrap_err();
    let OpenError::Unusable { source, .. } = refused else { panic!("{refused}") };
    assert!(source.to_string().contains("copy-journal"), "{source}");
    // Another journal does not go on with it.
    let other = file(&folder, "other.db");
    append(&opened(&other), vec![started("x")]).await;
    let error = copied_error(&other, &to).await;
    assert!(format!("{error:?}").contains("unfinished copy of something else"), "{error:?}");

    let mut begins = None;
    let (source, target) = (from.clone(), to.clone());
    let going_on = tokio::task::spawn_blocking(move || {
        let done = copy(&source, &target, Naming::Same, &mut |phase, done, _| {
            if phase == Phase::Copies {
                begins.get_or_insert(done);
            }
            true
        });
        (done, begins)
    });
    let (done, begins) = going_on.await.unwrap();
    assert_eq!(done.unwrap().head, 1_800);
    assert!(begins.unwrap() > 1_000, "it has gone on behind what was there: {begins:?}");
    let log = open(&to, Retention::default()).unwrap().journal;
    assert_eq!((log.extent().oldest, log.extent().head), (1, 1_800));
    let full = copied_error(&from, &to).await;
    assert!(format!("{full:?}").contains("is there already"), "{full:?}");
}

/// Two servers would write two histories under one name, or clients would get a `reset` where none was promised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_unfinished_copy_goes_on_only_with_the_naming_that_it_was_begun_with() {
    let folder = Scratch::new();
    let from = file(&folder, "from.db");
    append(&open(&from, Retention::default()).unwrap().journal, story("long", 1_200)).await;
    for (begun, other) in [(Naming::Same, Naming::New), (Naming::New, Naming::Same)] {
        let to = NatsServer::shared().location(&NatsServer::fresh_name());
        let (source, target) = (from.clone(), to.clone());
        let stopped = tokio::task::spawn_blocking(move || {
            copy(&source, &target, begun, &mut |phase, _, _| phase != Phase::Copies)
        });
        assert!(matches!(stopped.await.unwrap(), Err(CopyError::Interrupted)));
        let error = copied(&from, &to, other).await.unwrap_err().to_string();
        let begun_how =
            if begun == Naming::New { "begun with --new-stream" } else { "begun without --new-stream" };
        assert!(error.contains(begun_how), "{error}");
        let copied = copied(&from, &to, begun).await.unwrap();
        let own = open(&from, Retention::default()).unwrap().journal.stream().clone();
        assert_eq!(copied.stream == own, begun == Naming::Same, "{copied:?}");
    }
}

/// Retention has dropped every event: what follows gets the next position, and the first server that starts over the copy gives it
/// no other name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_journal_without_events_keeps_its_place_and_its_name() {
    let folder = Scratch::new();
    let (from, back) = (file(&folder, "from.db"), file(&folder, "back.db"));
    let stream = NatsServer::shared().location(&NatsServer::fresh_name());
    let name = {
        let brief = Retention { events: 10, age: Some(ms(1)) };
        let log = open(&from, brief).unwrap().journal;
        append(&log, story("gone", 20)).await;
        let is_empty = |extent: &incident::journal::Extent| extent.oldest == 21;
        soon("retention", async {
            while !is_empty(&log.extent()) {
                tokio::time::sleep(ms(20)).await;
            }
        })
        .await;
        log.stream().clone()
    };
    let copied_there = copied(&from, &stream, Naming::Same).await.unwrap();
    assert_eq!((copied_there.oldest, copied_there.head), (21, 20));
    let copied_back = copied(&stream, &back, Naming::Same).await.unwrap();
    assert_eq!(copied_back, copied_there);
    for place in [&stream, &back] {
        for position in 21..24 {
            let log = opened(place);
            assert_eq!((log.stream(), log.extent().head), (&name, position - 1), "{}", place.display());
            let appended = append(&log, vec![started(&format!("new-{position}"))]).await;
            assert_eq!(appended[0].position, position);
        }
        assert!(opened(place).append(vec![started("gone")]).await.is_err(), "its id is known");
    }
}

async fn copied(
    from: &std::path::Path,
    to: &std::path::Path,
    naming: Naming,
) -> Result<incident::journal::Copied, CopyError> {
    let (from, to) = (from.to_owned(), to.to_owned());
    tokio::task::spawn_blocking(move || copy(&from, &to, naming, &mut whole)).await.unwrap()
}

async fn copied_error(from: &std::path::Path, to: &std::path::Path) -> CopyError {
    copied(from, to, Naming::Same).await.unwrap_err()
}
