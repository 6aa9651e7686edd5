//! `GET /api/incidents/ID/events`: one incident's events as they were streamed, part by part.

use std::net::SocketAddr;

use incident::journal::Retention;

use crate::harness::{Client, Local, action, get, metrics, options, resolved, soon, started, story};

/// Every line of the answers, which are followed by their links, and the number of answers.
async fn all(address: SocketAddr, id: &str) -> (Vec<String>, usize) {
    let path = format!("/api/incidents/{id}/events");
    let (mut lines, mut answers, mut query) = (Vec::new(), 0, String::new());
    loop {
        let reply = get(address, &format!("{path}{query}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"));
        answers += 1;
        lines.extend(reply.body.lines().map(str::to_owned));
        let link = reply.header("link");
        if link.is_empty() {
            return (lines, answers);
        }
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        next.unwrap_or_else(|| panic!("{link}")).clone_into(&mut query);
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
        assert_eq!(all(server.address, id).await.0, own, "{id}");
    }
    let later = get(server.address, "/api/incidents/a/events?after=3").await;
    assert_eq!(later.body.lines().count(), 1);
    assert_eq!(get(server.address, "/api/incidents/a/events?after=9007199254740991").await.body, "");
}

#[tokio::test]
async fn a_long_incident_comes_in_parts_none_of_which_is_large() {
    let server = Local::start().await;
    server.append(story("long", 20_000)).await;
    let (lines, answers) = all(server.address, "long").await;
    assert_eq!(lines.len(), 20_000);
    assert!(answers > 2, "{answers} answers");
    let first = get(server.address, "/api/incidents/long/events").await;
    assert!(first.body.len() < 4 * 1024 * 1024, "{}", first.body.len());
}

/// What lies between its events is read, but not all of it for one request: others wait meanwhile.
#[tokio::test]
async fn one_request_reads_a_bounded_part_of_what_lies_between() {
    let server = Local::start().await;
    let own = [vec![started("a")], vec![metrics("a", 2)], vec![resolved("a", 3)]];
    for (n, events) in own.into_iter().enumerate() {
        server.append(events).await;
        server.append(story(&format!("other-{n}"), 12_000)).await;
    }
    let first = get(server.address, "/api/incidents/a/events").await;
    assert_eq!((first.body.lines().count(), first.header("link")), (1, "<?after=10000>; rel=\"next\""));
    let (lines, answers) = all(server.address, "a").await;
    assert_eq!((lines.len(), answers), (3, 3));
    // An incident that is open goes on later: there is no next part yet.
    server.append(vec![started("open")]).await;
    let open = get(server.address, "/api/incidents/open/events").await;
    assert_eq!((open.body.lines().count(), open.header("link")), (1, ""));
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

/// A client that reads part by part must not take what is left for what follows its part.
#[tokio::test]
async fn a_part_whose_next_events_retention_has_dropped_is_refused() {
    let server = Local::with(options(), Retention { events: 30, age: None }).await;
    server.append(story("b", 20)).await;
    server.append(vec![started("other")]).await;
    let mut index = 1;
    while server.journal.extent().oldest < 6 {
        index += 1;
        server.append(vec![metrics("other", index)]).await;
    }
    let oldest = server.journal.extent().oldest;
    assert!(oldest < 20, "{oldest}");
    let part =
        async |after: u64| get(server.address, &format!("/api/incidents/b/events?after={after}")).await;
    for after in [1, oldest - 2] {
        let reply = part(after).await;
        let detail = reply.problem(410);
        assert_eq!((&reply.json()["reason"], &reply.json()["oldest"]), (&"expired".into(), &oldest.into()));
        let found = [
            format!("after position {after},"),
            format!("has position {oldest};"),
            "without `after`".to_owned(),
        ];
        assert!(found.iter().all(|found| detail.contains(found)), "{detail}");
    }
    // What the client has is enough, or it has nothing yet: then the first index says that the beginning is gone.
    for after in [oldest - 1, 0] {
        let reply = part(after).await;
        assert_eq!((reply.status, reply.body.lines().count() as u64), (200, 21 - oldest));
        assert!(
            reply.body.lines().next().unwrap().contains(&format!("\"index\":{oldest},")),
            "{}",
            reply.body
        );
    }
    assert_eq!(part(20).await.body, "");
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
