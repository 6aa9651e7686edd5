//! `GET /api/incidents/ID/events`: one incident's events as they were streamed, part by part.

use incident::journal::Retention;

use crate::harness::{Client, Local, action, get, metrics, options, resolved, soon, started, story};

/// Every line of the answers, asked for until there are no more, and the number of answers that had some.
async fn all(server: &Local, id: &str) -> (Vec<String>, usize) {
    let (mut lines, mut answers, mut last) = (Vec::new(), 0, 0);
    loop {
        let reply = get(server.address, &format!("/api/incidents/{id}/events?after={last}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"));
        if reply.body.is_empty() {
            return (lines, answers);
        }
        answers += 1;
        lines.extend(reply.body.lines().map(str::to_owned));
        let event: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        last = event["id"].as_str().unwrap().parse::<u64>().unwrap();
    }
}

#[tokio::test]
async fn the_events_of_one_incident_are_those_of_the_stream_and_no_others() {
    let server = Local::start().await;
    server.append(vec![started("a"), started("b"), metrics("a", 2)]).await;
    server.append(vec![action("b", 2, "looked"), resolved("a", 3), started("a-2"), resolved("b", 3)]).await;
    let streamed = Client::connect(server.address, "?after=0").await.up_to(7).await;
    for (id, positions) in [("a", vec![1, 3, 5]), ("b", vec![2, 4, 7]), ("a-2", vec![6])] {
        let own = streamed.iter().filter(|event| positions.contains(&event.position));
        let own: Vec<String> = own.map(|event| event.frame.clone()).collect();
        assert_eq!(all(&server, id).await.0, own, "{id}");
    }
    let later = get(server.address, "/api/incidents/a/events?after=3").await;
    assert_eq!(later.body.lines().count(), 1);
    assert_eq!(get(server.address, "/api/incidents/a/events?after=9007199254740991").await.body, "");
}

#[tokio::test]
async fn a_long_incident_comes_in_parts_none_of_which_is_large() {
    let server = Local::start().await;
    server.append(story("long", 20_000)).await;
    let (lines, answers) = all(&server, "long").await;
    assert_eq!(lines.len(), 20_000);
    assert!(answers > 2, "{answers} answers");
    let first = get(server.address, "/api/incidents/long/events").await;
    assert!(first.body.len() < 4 * 1024 * 1024, "{}", first.body.len());
}

/// Every answer about it is the same: nothing of it can be asked for.
#[tokio::test]
async fn an_incident_that_retention_has_dropped_is_listed_no_more() {
    let server = Local::in_a_file(options(), Retention { events: 30, age: None }).await;
    server.append(story("old", 20)).await;
    let listed = async || -> Vec<String> {
        let list = get(server.address, "/api/incidents").await.json();
        let all = list["incidents"].as_array().unwrap().iter();
        all.map(|incident| incident["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed().await, ["old"]);
    server.append(story("new", 2_000)).await;
    soon("retention", async {
        while server.journal.extent().oldest <= 20 {
            server.append(story(&format!("more-{}", server.journal.extent().head), 100)).await;
        }
    })
    .await;
    assert!(!listed().await.contains(&"old".to_owned()));
    for path in ["", "/events", "/report.md"] {
        let detail = get(server.address, &format!("/api/incidents/old{path}")).await.problem(404);
        assert!(detail.contains("GET /api/incidents lists them"), "{path}: {detail}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_no_position_is_a_problem() {
    let server = Local::start().await;
    server.append(vec![started("a")]).await;
    let detail = get(server.address, "/api/incidents/b/events").await.problem(404);
    assert!(detail.contains("GET /api/incidents lists them"), "{detail}");
    for query in ["after=x", "after=-1", "after=1.5", "before=1"] {
        let detail = get(server.address, &format!("/api/incidents/a/events?{query}")).await.problem(400);
        assert!(detail.contains("?after=17"), "{query}: {detail}");
    }
}
