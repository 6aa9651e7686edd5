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

/// The clocks of publishers differ: what ends an incident may be dated before what mitigated it, or before its start.
#[tokio::test]
async fn no_incident_ends_before_it_was_mitigated() {
    let server = Local::start().await;
    let at =
        |seconds: i64| (incident::contract::now() + jiff::SignedDuration::from_secs(seconds)).to_string();
    let mut first = started("a", "1");
    (first["time"], first["data"]["impact_started_at"]) = (at(0).into(), at(-120).into());
    let mut mitigated = action("a", "2", "rolled back");
    (mitigated["time"], mitigated["data"]["marks"]) = (at(-60).into(), json!(["mitigated"]));
    let mut end = resolved("a", "3");
    end["time"] = at(-1_800).into();
    let mut contradicts = end.clone();
    contradicts["data"]["durations"] = json!({ "resolve_s": 2 });
    places(&publish(server.address, &[first, mitigated]).await);
    let wanted = vec![("value".to_owned(), "/data/durations/resolve_s".to_owned())];
    assert_eq!(refused(&server, contradicts).await.1, wanted);
    places(&publish(server.address, &[end]).await);
    let state = crate::harness::get(server.address, "/api/incidents/a").await.json();
    let durations = &state["resolution"]["durations"];
    assert!(durations["mitigate_s"].as_f64().is_some_and(|second| second > 50.0), "{durations}");
    assert_eq!(durations["resolve_s"], durations["mitigate_s"], "{durations}");
}

/// A publisher may tell only in the resolution when it mitigated: that was not after the end.
#[tokio::test]
async fn a_mark_that_the_resolution_alone_tells_was_reached_before_the_end() {
    let server = Local::start().await;
    let at =
        |seconds: i64| (incident::contract::now() + jiff::SignedDuration::from_secs(seconds)).to_string();
    let mut first = started("a", "1");
    (first["time"], first["data"]["impact_started_at"]) = (at(0).into(), at(-600).into());
    places(&publish(server.address, &[first]).await);
    let end = |durations: Value| {
        let mut end = resolved("a", "2");
        (end["time"], end["data"]["durations"]) = (at(0).into(), durations);
        end
    };
    let wanted = |name: &str| ("value".to_owned(), format!("/data/durations/{name}"));
    for (durations, wrong) in [
        (json!({ "mitigate_s": 1e9, "resolve_s": 600 }), vec![wanted("mitigate_s")]),
        (
            json!({ "detect_s": 700, "mitigate_s": 650.5, "resolve_s": 600 }),
            vec![wanted("detect_s"), wanted("mitigate_s")],
        ),
        (json!({ "mitigate_s": 1e9, "resolve_s": 1e9 }), vec![wanted("mitigate_s"), wanted("resolve_s")]),
    ] {
        assert_eq!(refused(&server, end(durations)).await.1, wrong);
    }
    // The clock that told the mark and the one that told the end may differ by a moment.
    places(&publish(server.address, &[end(json!({ "mitigate_s": 600.9 }))]).await);
    let state = crate::harness::get(server.address, "/api/incidents/a").await.json();
    let durations = &state["resolution"]["durations"];
    assert_eq!((&durations["mitigate_s"], &durations["resolve_s"]), (&json!(600.9), &json!(600.9)));
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

/// Every reader holds the state of an open incident, so no publisher makes it grow without end.
#[tokio::test]
async fn what_is_remembered_of_an_incident_is_bounded() {
    let server = Local::start().await;
    let sample = |id: usize, names: std::ops::Range<usize>| {
        let metrics: serde_json::Map<String, Value> =
            names.map(|name| (format!("m{name}"), name.into())).collect();
        event("a", &format!("m{id}"), "system_metrics", &json!({ "metrics": metrics }))
    };
    let act = |id: String, agent: &str, more: Value| {
        let mut event = action("a", &id, "works");
        event["data"]["agent"] = agent.into();
        event["data"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let forecast = |quantity: &str| json!({ "forecast": { "quantity": quantity, "unit": "s", "p50": 1 } });
    places(&publish(server.address, &[started("a", "1"), sample(0, 0..1_000)]).await);
    for batch in 0..4 {
        let agents = (0..250).map(|place| {
            let name = format!("{batch}-{place}");
            act(format!("a{name}"), &format!("agent {name}"), forecast(&name))
        });
        places(&publish(server.address, &agents.collect::<Vec<_>>()).await);
    }
    for (event, pointer) in [
        (sample(1, 1_000..1_001), "/data/metrics"),
        (act("b".to_owned(), "another", json!({})), "/data/agent"),
        (act("b".to_owned(), "agent 0-0", forecast("another")), "/data/forecast/quantity"),
    ] {
        assert_eq!(refused(&server, event).await.1, [("value".to_owned(), pointer.to_owned())]);
    }
    // What is known may be told again.
    places(
        &publish(server.address, &[sample(2, 0..1_000), act("c".to_owned(), "agent 0-0", json!({}))]).await,
    );
    let large = |place: usize| {
        let evidence = json!([{ "kind": "log", "ref": "a", "text": "x".repeat(60_000) }]);
        act(format!("d{place}"), &format!("agent 0-{place}"), json!({ "evidence": evidence }))
    };
    let mut taken = 0;
    let refused = loop {
        let reply = publish(server.address, &[large(taken)]).await;
        if reply.status != 200 {
            break refusal(&reply).1;
        }
        taken += 1;
    };
    assert_eq!(refused, [("value".to_owned(), "/data".to_owned())]);
    assert!((10..18).contains(&taken), "{taken} times 60 kB");
    // An action without evidence leaves that of the one before.
    places(&publish(server.address, &[act("e".to_owned(), "agent 0-0", json!({}))]).await);
    assert_eq!(publish(server.address, &[large(taken)]).await.status, 422);
    let other = json!({ "evidence": [{ "kind": "log", "ref": "a" }] });
    places(&publish(server.address, &[act("f".to_owned(), "agent 0-0", other), large(taken)]).await);
}

/// Whatever is told again and again, with and without what a state keeps of the action before: the state stays small.
#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_an_action_makes_a_state_grow_without_end() {
    let server = Local::start().await;
    let long = "x".repeat(50_000);
    let parts = [
        json!({ "evidence": [{ "kind": "log", "ref": "a", "text": long }] }),
        json!({ "action": long }),
        json!({ "action": long, "confidence": 0.5 }),
        json!({ "summary": long }),
        json!({ "forecast": { "quantity": "q", "unit": long, "p50": 1 } }),
        json!({ "hypotheses": [{ "id": "h", "claim": long, "p": 0.5 }] }),
        json!({ "confidence": 0.5, "hypotheses": [{ "id": long, "claim": "c", "p": 0.5 }] }),
    ];
    for (which, part) in parts.iter().enumerate() {
        let subject = format!("i-{which}");
        places(&publish(server.address, &[started(&subject, &format!("s{which}"))]).await);
        let mut refused = 0;
        for number in 0..50 {
            let told = |id: &str, more: &Value| {
                let mut event = action(&subject, &format!("{which}-{number}-{id}"), "works");
                let data = event["data"].as_object_mut().unwrap();
                data.insert("agent".to_owned(), format!("agent {number}").into());
                data.extend(more.as_object().unwrap().clone());
                if let Some(quantity) =
                    data.get_mut("forecast").and_then(|forecast| forecast.get_mut("quantity"))
                {
                    *quantity = format!("q{number}").into();
                }
                if let Some(id) = data.get_mut("hypotheses").and_then(|all| all[0].get_mut("id")) {
                    *id = format!("{}{number}", id.as_str().unwrap()).into();
                }
                event
            };
            for event in [told("large", part), told("small", &json!({}))] {
                refused += usize::from(publish(server.address, &[event]).await.status != 200);
            }
        }
        let state = crate::harness::get(server.address, &format!("/api/incidents/{subject}")).await;
        assert_eq!(state.status, 200, "{which}");
        assert!(state.body.len() < 2_500_000, "{which}: {} bytes", state.body.len());
        assert!(refused > 0 || state.body.len() < 200_000, "{which}: {refused} refused");
    }
}
