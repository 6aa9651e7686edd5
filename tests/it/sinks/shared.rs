//! Several servers with one journal: one of them tells the sinks, and another goes on when it is killed.

use super::fake::{Fake, is_firing, scenario};
use crate::harness::nats::NatsServer;
use crate::harness::{Numbers, Scratch, Serving};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn only_the_server_that_plays_tells_sinks_and_another_takes_over() {
    let fakes = [Fake::start().await, Fake::start().await];
    let (_scenarios, drill) = scenario();
    let sink = |fake: &Fake| {
        format!("[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"{}\"\n", fake.url())
    };
    // Each has an Alertmanager of its own, so that it is seen which one tells.
    let folder = Scratch::new().with("0.toml", &sink(&fakes[0])).with("1.toml", &sink(&fakes[1]));
    let journal = NatsServer::shared().location(&NatsServer::fresh_name()).display().to_string();
    let serve = |number: usize| {
        let sinks = folder.path().join(format!("{number}.toml")).display().to_string();
        let fixed = ["serve", "--port", "0", "--json", "--quiet"];
        let own = ["--journal", &journal, "--scenarios", &drill, "--sinks", &sinks];
        Serving::alone(&[&fixed[..], &own].concat())
    };
    let first = serve(0);
    Numbers::until(first.address(), "incident_cluster_lease_held", 1.0).await;
    let second = serve(1);
    // Whichever server starts it.
    let ran = second.incident(&["trigger", "drill", "--speed", "2", "--no-wait", "--json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let id = serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap();
    let id = id["incident"].as_str().or(id["id"].as_str()).unwrap().to_owned();
    let (old, errors) = (fakes[0].until_firing("Old").await, fakes[0].until_firing("Errors").await);
    assert_eq!(fakes[1].tries(), 0, "the other stands by");
    Numbers::of(second.address())
        .await
        .are(&[("incident_sink_posts_total{result=\"accepted\",sink=\"pager\"}", 0)]);
    first.signal("KILL");
    drop(first);
    let goes_on = fakes[1].until_firing("Old").await;
    assert_eq!((&goes_on["labels"], &goes_on["startsAt"]), (&old["labels"], &old["startsAt"]));
    let over = fakes[1].until("Errors", |alert| !is_firing(alert)).await;
    assert_eq!((&over["labels"], &over["startsAt"]), (&errors["labels"], &errors["startsAt"]));
    assert_eq!(second.incident(&["cancel", &id]).run().status, Some(0));
    fakes[1].until_over("Old").await;
}
