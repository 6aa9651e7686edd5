//! `kill -9` of the server in the middle of a drill: its alerts go on as they were, and end.

use super::fake::{Fake, is_firing, scenario};
use crate::harness::{Scratch, Serving};

#[tokio::test]
async fn after_a_kill_alerts_go_on_under_the_same_labels_since_the_same_time() {
    let fake = Fake::start().await;
    let (scenarios, drill) = scenario();
    let folder = Scratch::new().with(
        "sinks.toml",
        &format!("[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"{}\"\n", fake.url()),
    );
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (journal, sinks) = (path("journal.db"), path("sinks.toml"));
    let args = [
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        &journal,
        "--scenarios",
        &drill,
        "--sinks",
        &sinks,
    ];
    let server = Serving::alone(&[&args[..], &["--speed", "2", "--trigger", "drill"]].concat());
    let (old, errors) = (fake.until_firing("Old").await, fake.until_firing("Errors").await);
    server.signal("KILL");
    server.end();
    let before = fake.posts().len();

    // Some of them end while no server runs.
    let over = errors["startsAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
        + jiff::SignedDuration::from_secs(10);
    let left = over.duration_since(jiff::Timestamp::now());
    tokio::time::sleep(std::time::Duration::try_from(left).unwrap_or_default()).await;
    let server = Serving::alone(&args);
    let ended = fake.until("Errors", |alert| !is_firing(alert)).await;
    assert_eq!((&ended["labels"], &ended["startsAt"]), (&errors["labels"], &errors["startsAt"]));
    let ends: jiff::Timestamp = ended["endsAt"].as_str().unwrap().parse().unwrap();
    assert!(ends < over, "when it should have, not when the server came back");
    let again = fake.posts()[before..]
        .iter()
        .flat_map(|post| post.alerts.clone())
        .find(|alert| alert["labels"]["alertname"] == "Old");
    let again = again.expect("what still fires is told at once");
    assert_eq!((&again["labels"], &again["startsAt"]), (&old["labels"], &old["startsAt"]));

    let listed = server.incident(&["list", "--running"]).run().stdout;
    let id = listed.split_whitespace().next().unwrap().to_owned();
    assert_eq!(server.incident(&["cancel", &id]).run().status, Some(0));
    let over = fake.until_over("Old").await;
    assert_eq!((&over["labels"], &over["startsAt"]), (&old["labels"], &old["startsAt"]));
    drop(scenarios);
}
