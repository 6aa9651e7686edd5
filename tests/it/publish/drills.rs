//! People and programs add actions to a drill while it is played, and the drill goes on.

use incident::scenario::Library;
use serde_json::{Value, json};

use super::{action, event, places, publish, refusal, resolved, started};
use crate::harness::{Http, Local, Scratch, Serving, Timeline, get, incident, ms};

/// Waits until a drill has ended, and gives its events as they were sent.
async fn ended(server: &Serving, id: &str) -> Vec<Value> {
    loop {
        let state = get(server.address(), &format!("/api/incidents/{id}")).await.json();
        if state["state"] != "open" {
            break;
        }
        tokio::time::sleep(ms(50)).await;
    }
    let ran = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let folder = Scratch::new().with("run.ndjson", &ran.stdout);
    let judged = incident(&["validate", "run.ndjson", "--verbose"]).at(folder.path()).run();
    assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
    let events = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["subject"] == id).collect()
}

/// The id of a drill that has begun.
async fn drill(server: &Serving, speed: u32) -> String {
    let body = format!("{{\"scenario\":\"database-outage\",\"speed\":{speed}}}");
    let reply = Http::trigger(server.address(), &body).send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_adds_actions_and_the_drill_goes_on() {
    let server = Serving::with(&[]);
    let id = drill(&server, 40).await;
    let mut added = Vec::new();
    for number in 0..8 {
        let mut event = action(&id, &number.to_string(), "Calls the database team");
        event["data"]["status"] = if number == 3 { "failed".into() } else { "completed".into() };
        let place = places(&publish(server.address(), std::slice::from_ref(&event)).await)[0];
        let again = places(&publish(server.address(), &[event]).await)[0];
        assert_eq!((again.0, again.1, again.2), (place.0, place.1, true));
        added.push(place.1);
        tokio::time::sleep(ms(150)).await;
    }
    let events = ended(&server, &id).await;
    let indexes: Vec<u64> = events.iter().map(|event| event["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, (1..=events.len() as u64).collect::<Vec<_>>());
    let own: Vec<&Value> = events.iter().filter(|event| event["data"]["origin"].is_object()).collect();
    assert_eq!(own.iter().map(|event| event["index"].as_u64().unwrap()).collect::<Vec<_>>(), added);
    assert!(own.iter().all(|event| event["data"]["synthetic"] == true), "the drill says what it is");
    let finished = events
        .iter()
        .filter(|event| event["type"] == "agent_action" && event["data"]["status"] != "in_progress");
    assert_eq!(events.last().unwrap()["data"]["actions"]["total"], finished.count());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenario_alone_tells_the_course_of_a_drill() {
    let server = Serving::with(&[]);
    let id = drill(&server, 1).await;
    let mut marked = action(&id, "m", "It is mitigated");
    marked["data"]["marks"] = json!(["mitigated"]);
    let sample = event(&id, "s", "system_metrics", &json!({ "metrics": { "errors": 1 } }));
    for (event, pointer) in [
        (marked, "/data/marks"),
        (sample, "/type"),
        (resolved(&id, "r"), "/type"),
        (started(&id, "b"), "/type"),
    ] {
        let reply = publish(server.address(), &[event]).await;
        assert_eq!(reply.status, 409, "{}", reply.body);
        assert_eq!(refusal(&reply).1, [("incident-is-played".to_owned(), pointer.to_owned())]);
    }
    let mixed = publish(server.address(), &[started("other", "1"), action(&id, "2", "note")]).await;
    assert_eq!(refusal(&mixed).0, "incident-is-played");
    assert_eq!(get(server.address(), "/api/incidents/other").await.status, 404, "nothing was stored");
}

/// As in a journal that was salvaged.
#[tokio::test]
async fn a_drill_without_its_plan_gets_no_real_events() {
    let server = Local::start().await;
    let library = Library::shipped().unwrap();
    let drill = Timeline::compile(library.get("database-outage").unwrap(), 42).records("a", 9);
    server.append(drill).await;
    for event in [action("a", "1", "note"), resolved("a", "2")] {
        let reply = publish(server.address, &[event]).await;
        assert_eq!((reply.status, refusal(&reply).0.as_str()), (409, "incident-is-played"), "{}", reply.body);
    }
    assert_eq!(server.journal_head(), 9);
}

/// The plan goes on where it was, also after a kill, and counts what was added before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_drill_with_added_actions_goes_on_after_a_kill() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let mut server = Serving::with(&["--journal", &journal]);
    let port = server.address().port().to_string();
    let again = ["serve", "--port", &port, "--journal", &journal, "--json", "--quiet"];
    let id = drill(&server, 30).await;
    for round in 0..4 {
        for note in 0..3 {
            places(&publish(server.address(), &[action(&id, &format!("{round}-{note}"), "note")]).await);
            tokio::time::sleep(ms(120)).await;
        }
        server.signal("KILL");
        drop(server);
        server = Serving::again(&again);
    }
    let events = ended(&server, &id).await;
    assert_eq!(events.last().unwrap()["data"]["outcome"], "resolved");
    assert_eq!(events.iter().filter(|event| event["data"]["origin"].is_object()).count(), 12);
}

/// What is added to a drill is bounded as a real incident is, also across a kill: every reader holds the state of an open incident.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_to_a_drill_is_bounded() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let mut server = Serving::with(&["--journal", &journal]);
    let port = server.address().port().to_string();
    let again = ["serve", "--port", &port, "--journal", &journal, "--json", "--quiet"];
    let id = drill(&server, 1).await;
    let large = |place: usize| {
        let mut event = action(&id, &format!("l{place}"), "looked");
        event["data"]["agent"] = format!("agent {place}").into();
        event["data"]["evidence"] = json!([{ "kind": "log", "ref": "a", "text": "x".repeat(60_000) }]);
        event
    };
    let mut taken = 0;
    let refused = loop {
        if taken == 8 {
            server.signal("KILL");
            drop(server);
            server = Serving::again(&again);
        }
        let reply = publish(server.address(), &[large(taken)]).await;
        match reply.status {
            200 => taken += 1,
            // It is about to be continued.
            503 => tokio::time::sleep(ms(20)).await,
            _ => break refusal(&reply).1,
        }
    };
    assert_eq!(refused, [("value".to_owned(), "/data".to_owned())]);
    assert!((10..18).contains(&taken), "{taken} times 60 kB");
    assert!(places(&publish(server.address(), &[large(0)]).await)[0].2, "a repeat is none");
    let state = get(server.address(), &format!("/api/incidents/{id}")).await;
    assert_eq!(state.status, 200, "{}", state.body);
    places(&publish(server.address(), &[action(&id, "small", "a short note of one who is known")]).await);
}
