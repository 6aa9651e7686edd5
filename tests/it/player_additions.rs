//! Events beside the plan of an incident that is played: actions that people add, also through another server, and what another
//! program has put there.

use std::time::Duration;

use incident::contract::{Message, Outcome};
use incident::journal::Key;
use incident::player::{Adding, Addition};

use crate::harness::action;
use crate::player::{outage, over, stage};

/// Another server of the same journal has added an action just before it lost the lease.
#[tokio::test(start_paused = true)]
async fn an_action_that_another_server_has_added_does_not_end_the_incident() {
    let (stage, timeline) = (stage(), outage());
    let id = stage.start(&timeline, 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let index = stage.of(&id).await.len() as u64 + 1;
    let mut added = action(&id, index, "from elsewhere");
    let mut data: serde_json::Value = serde_json::from_str(added.data.get()).unwrap();
    data["origin"] = serde_json::json!({ "source": "/people", "id": "1" });
    added.data = serde_json::value::to_raw_value(&data).unwrap();
    assert!(stage.journal.append(added).await.unwrap()[0].new);
    stage.over().await;
    let played = stage.of(&id).await;
    assert_eq!(played.len(), timeline.events.len() + 1, "the whole plan, and the action");
    let Ok(Message::IncidentResolved(resolved)) = played.last().unwrap().message() else { panic!("an end") };
    assert_ne!(resolved.outcome, Outcome::Cancelled);
}

/// A publisher that knows the incident's name gives it an event: the plan no longer fits it, and nothing is skipped.
#[tokio::test(start_paused = true)]
async fn an_incident_with_an_event_of_another_program_is_ended_as_cancelled() {
    let stage = stage();
    let id = stage.start(&outage(), 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let index = stage.of(&id).await.len() as u64 + 1;
    let foreign = stage.journal.append(action(&id, index, "from elsewhere")).await.unwrap();
    assert!(foreign[0].new);
    stage.over().await;
    assert_eq!(stage.head(), foreign[0].position + 1, "nothing of the plan follows");
    let end = stage.of(&id).await.pop().unwrap();
    let Ok(Message::IncidentResolved(resolved)) = end.message() else { panic!("{end:?}") };
    assert_eq!(resolved.outcome, Outcome::Cancelled);
    assert!(resolved.summary.contains(&format!("event {}", foreign[0].position)), "{}", resolved.summary);
}

/// What the next server has added, this one has not read: its action would be judged by an old state.
#[tokio::test(start_paused = true)]
async fn a_player_that_lost_the_lease_adds_nothing() {
    let first = stage();
    let id = first.start(&outage(), 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let addition = |id: &str| {
        let data = serde_json::json!({
            "agent": "@ana", "action": "noted", "status": "completed", "summary": "I look at it",
            "origin": { "source": "/people", "id": id },
        });
        let key = Key { source: "/people".to_owned(), id: id.to_owned(), digest: [0; 32] };
        Addition { key, data: data.as_object().unwrap().clone(), after_index: None }
    };
    let added = first.player.add(&id, vec![addition("1")], Adding::Together).await;
    assert!(added.is_ok_and(|added| added[0].as_ref().is_ok_and(|added| added.new)));
    let second = over(first.journal.clone());
    let head = first.journal.extent().head;
    let _lease = second.journal.lease().await.unwrap();
    let refused = first.player.add(&id, vec![addition("2")], Adding::Together).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(first.journal.extent().head, head);
}
