//! A journal that stores events without an answer, as one does whose process is killed between commit and answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use incident::contract::StreamId;
use incident::journal::{
    Append, Appended, Batch, Journal, JournalError, Memory, Pending, ReadLimit, Retention, Trouble,
    TroubleKind,
};

use super::{action, places, publish, refusal, resolved, started};
use crate::harness::{Http, Local, get, ms, options};

/// While `silent`, it stores and says that it could not.
struct Silent {
    appends: Arc<dyn Append>,
    silent: Arc<AtomicBool>,
}

impl Append for Silent {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        Box::pin(async move {
            let appended = self.appends.append(batch).await?;
            if self.silent.load(Ordering::Relaxed) {
                Err(JournalError::Unavailable(Trouble::new(TroubleKind::Io)))
            } else {
                Ok(appended)
            }
        })
    }
}

async fn server() -> (Local, Arc<AtomicBool>) {
    let silent = Arc::new(AtomicBool::new(false));
    let stream = StreamId::generate(1_700_000_000_000, incident::random::bits());
    let journal = Journal::new(Memory::new(stream, Retention::default()))
        .wrap_appends(|appends| Silent { appends, silent: Arc::clone(&silent) });
    (Local::over(options(), journal).await, silent)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_without_an_answer_is_found_under_its_id() {
    let (server, silent) = server().await;
    places(&publish(server.address, &[started("a", "1")]).await);
    silent.store(true, Ordering::Relaxed);
    let batch = [action("a", "2", "works"), action("a", "3", "works")];
    let refused = publish(server.address, &batch).await;
    assert_eq!((refused.status, refusal(&refused).0.as_str()), (503, "journal-paused"));
    assert_eq!(refused.header("retry-after"), "5");
    silent.store(false, Ordering::Relaxed);
    assert_eq!(places(&publish(server.address, &batch).await), [(2, 2, true), (3, 3, true)]);
    let rest = [batch[1].clone(), resolved("a", "4")];
    assert_eq!(places(&publish(server.address, &rest).await), [(3, 3, true), (4, 4, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_goes_on_after_an_action_that_was_stored_without_an_answer() {
    let (server, silent) = server().await;
    let body = "{\"scenario\":\"database-outage\",\"speed\":40}";
    let id = Http::trigger(server.address, body).send().await.json()["id"].as_str().unwrap().to_owned();
    for round in 0..4 {
        tokio::time::sleep(ms(200)).await;
        let note = [action(&id, &round.to_string(), "note")];
        silent.store(true, Ordering::Relaxed);
        let first = publish(server.address, &note).await;
        assert_eq!(first.status, 503, "{}", first.body);
        silent.store(false, Ordering::Relaxed);
        // The player may be about to find out how far the incident has come.
        let place = loop {
            let again = publish(server.address, &note).await;
            if again.status == 200 {
                break places(&again)[0];
            }
            assert_eq!(again.status, 503, "{}", again.body);
            tokio::time::sleep(ms(20)).await;
        };
        assert!(place.0 > 0);
    }
    loop {
        let state = get(server.address, &format!("/api/incidents/{id}")).await.json();
        if state["state"] != "open" {
            assert_eq!(state["state"], "resolved", "{state}");
            break;
        }
        tokio::time::sleep(ms(50)).await;
    }
    let events = server.journal.read(0, ReadLimit::ALL).await.unwrap();
    let indexes: Vec<u64> = events.iter().map(|event| event.index).collect();
    assert_eq!(indexes, (1..=events.len() as u64).collect::<Vec<_>>());
    let own = events.iter().filter(|event| event.data.get().contains("\"origin\""));
    assert_eq!(own.count(), 4, "each once");
}
