//! The course of an incident, held at the door.

use serde_json::{Value, json};

use super::{action, event, places, publish, refusal, resolved, started};
use crate::harness::{Http, Local};

async fn refused(server: &Local, event: Value) -> (String, Vec<(String, String)>) {
    refusal(&publish(server.address, &[event]).await)
}

#[tokio::test]
async fn milestones_costs_phases_and_claims_are_held() {
    let server = Local::start().await;
    let mut first = started("a", "1");
    first["data"]["phases"] = json!([{ "name": "find", "start_s": 0 }, { "name": "mend", "start_s": 60 }]);
    let act = |id: &str, more: Value| {
        let mut event = action("a", id, "works");
        event["data"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let cost = |id: &str, total: f64, currency: &str| {
        event(
            "a",
            id,
            "system_metrics",
            &json!({ "cost": { "currency": currency, "total": total, "per_minute": 1 } }),
        )
    };
    let claim =
        |id: &str, text: &str| act(id, json!({ "hypotheses": [{ "id": "h", "claim": text, "p": 0.5 }] }));
    let sound = [
        first,
        act("2", json!({ "marks": ["detected"], "phase": "mend" })),
        cost("3", 10.0, "USD"),
        claim("4", "The pool is exhausted"),
    ];
    places(&publish(server.address, &sound).await);
    for (event, kind, pointer) in [
        (act("5", json!({ "marks": ["detected"] })), "lifecycle", "/data/marks/0"),
        (act("5", json!({ "phase": "find" })), "lifecycle", "/data/phase"),
        (act("5", json!({ "phase": "other" })), "lifecycle", "/data/phase"),
        (cost("5", 9.0, "USD"), "value", "/data/cost/total"),
        (cost("5", 11.0, "EUR"), "value", "/data/cost/currency"),
        (claim("5", "Something else"), "value", "/data/hypotheses/0/claim"),
    ] {
        assert_eq!(refused(&server, event).await.1, [(kind.to_owned(), pointer.to_owned())]);
    }
    let mut end = resolved("a", "9");
    end["data"]["durations"] = json!({ "resolve_s": 900 });
    end["data"]["actions"] = json!({ "total": 77, "failed": 0 });
    let (_, errors) = refused(&server, end).await;
    let pointers: Vec<_> = errors.iter().map(|(_, pointer)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/data/durations/resolve_s", "/data/actions"]);
    assert_eq!(places(&publish(server.address, &[resolved("a", "9")]).await), [(5, 5, false)]);
}

#[tokio::test]
async fn two_that_expect_the_same_index_are_told_apart() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "1")]).await);
    let expecting = |id: &str| {
        let mut event = action("a", id, "decides");
        event["afterindex"] = 1.into();
        event
    };
    assert_eq!(places(&publish(server.address, &[expecting("2")]).await), [(2, 2, false)]);
    let second = publish(server.address, &[expecting("3")]).await;
    assert_eq!((second.status, refusal(&second).0.as_str()), (409, "index-moved"));
    assert_eq!(second.json()["errors"][0]["current"], 2);
    assert_eq!(places(&publish(server.address, &[expecting("2")]).await), [(2, 2, true)], "a repeat is none");
}

#[tokio::test]
async fn a_real_incident_that_is_cancelled_takes_no_further_event() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "1"), action("a", "2", "works")]).await);
    let cancelled = Http::new(server.address, "DELETE", "/api/incidents/a").send().await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let late = publish(server.address, &[action("a", "3", "late")]).await;
    assert_eq!((late.status, refusal(&late).0.as_str()), (409, "incident-closed"));
    assert_eq!(places(&publish(server.address, &[action("a", "2", "works")]).await).len(), 1);
}
