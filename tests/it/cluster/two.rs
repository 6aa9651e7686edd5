//! Two servers over one stream of one real nats-server: what one starts the other shows, and when the one that plays is killed,
//! the other goes on.

use std::collections::{BTreeMap, BTreeSet};

use incident::client::{Follower, Item};
use incident::contract::{Message, MessageType};

use crate::harness::nats::NatsServer;
use crate::harness::{Numbers, Serving, get, soon};
use crate::publish::{action, publish};

fn serve(server: &NatsServer, name: &str) -> Serving {
    serve_with(server, name, &[])
}

fn serve_with(server: &NatsServer, name: &str, more: &[&str]) -> Serving {
    let location = server.location(name).display().to_string();
    Serving::with(&[&["--journal", &location, "--heartbeat", "200ms"], more].concat())
}

/// Everything that a client of a server is sent until as many incidents have ended, by position.
async fn follow(url: String, ends: usize) -> BTreeMap<u64, String> {
    let mut follower = Follower::connect(url.parse().unwrap(), Some("0".to_owned()), true).await.unwrap();
    let (mut seen, mut ended) = (BTreeMap::new(), 0);
    while ended < ends {
        match soon("at least a heartbeat", follower.next()).await.unwrap().expect("it reconnects") {
            Item::Event { envelope, raw } => {
                let position = envelope.position().unwrap().n;
                assert!(seen.insert(position, raw).is_none(), "{position} came twice");
                if matches!(envelope.message(), Ok(Message::IncidentResolved(_))) {
                    ended += 1;
                }
            }
            Item::Gap { from, to } => panic!("{from} to {to} never came"),
            Item::Back { lost, reset, .. } => assert_eq!((lost, reset), (Some(0), None)),
            _ => {}
        }
    }
    seen
}

fn trigger(server: &Serving, scenario: &str, speed: &str) -> String {
    let ran = server.incident(&["trigger", scenario, "--no-wait", "--speed", speed, "--json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    answer["incident"].as_str().or(answer["id"].as_str()).unwrap_or(&ran.stdout).to_owned()
}

fn types(seen: &BTreeMap<u64, String>) -> Vec<String> {
    let kind = |raw: &String| serde_json::from_str::<serde_json::Value>(raw).unwrap()["type"].to_string();
    seen.values().map(kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_one_server_starts_the_other_shows_with_the_same_ids() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let (a, b) = (serve(nats, &name), serve(nats, &name));
    let watching = [&a, &b].map(|server| tokio::spawn(follow(server.url().to_owned(), 2)));
    // One of them plays both, whichever started them.
    trigger(&a, "database-outage", "400");
    trigger(&b, "database-outage", "400");
    let [of_a, of_b] = watching;
    let (of_a, of_b) = (soon("a", of_a).await.unwrap(), soon("b", of_b).await.unwrap());
    assert_eq!(of_a, of_b, "the same positions and bytes");
    assert_eq!(of_a.keys().copied().collect::<Vec<_>>(), (1..=of_a.len() as u64).collect::<Vec<_>>());
    let ends =
        types(&of_a).iter().filter(|kind| kind.contains(MessageType::IncidentResolved.as_str())).count();
    assert_eq!(ends, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn when_the_server_that_plays_is_killed_the_other_goes_on() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let first = serve(nats, &name);
    // The first one has the lease before the second one asks.
    let warm = tokio::spawn(follow(first.url().to_owned(), 1));
    trigger(&first, "database-outage", "1000");
    soon("the first incident", warm).await.unwrap();
    let second = serve(nats, &name);
    let watching = tokio::spawn(follow(second.url().to_owned(), 2));
    // It is started on the server that does not play, and takes some seconds.
    let id = trigger(&second, "database-outage", "40");
    let mut begun =
        Follower::connect(second.url().parse().unwrap(), Some("0".to_owned()), true).await.unwrap();
    let mut of_second = 0;
    while of_second < 3 {
        if let Item::Event { raw, .. } = soon("events", begun.next()).await.unwrap().unwrap() {
            of_second += usize::from(raw.contains(&id));
        }
    }
    first.signal("KILL");
    drop(first);
    let seen = tokio::time::timeout(std::time::Duration::from_secs(60), watching).await.unwrap().unwrap();
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), (1..=seen.len() as u64).collect::<Vec<_>>());
    let indexes: BTreeSet<(String, u64)> = seen.values().map(|raw| place(raw)).collect();
    assert_eq!(indexes.len(), seen.len(), "each event once");
}

/// What is published through one server is judged by what was published through the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn publishers_of_one_incident_may_use_any_server() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let (a, b) = (serve(nats, &name), serve(nats, &name));
    let publish = |server: &Serving, args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = server.incident(&[&["publish"], args.as_slice()].concat()).run();
        (ran.status, ran.stderr)
    };
    let published = |server: &Serving, args: &[String], position: u32| {
        let (status, said) = publish(server, args);
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains(&format!("the last at position {position}")), "{said}");
    };
    let started = ["started", "--subject", "pay-1", "--title", "Checkout fails"].map(str::to_owned);
    published(&a, &started, 1);
    let note = |text: &str| ["note", "--subject", "pay-1", "--by", "Zoë Ott", text].map(str::to_owned);
    for position in 2..10 {
        let server = if position % 2 == 0 { &b } else { &a };
        published(server, &note(&format!("note {position}")), position);
    }
    let resolved = ["resolved", "--subject", "pay-1", "it is over"].map(str::to_owned);
    published(&b, &resolved, 10);
    let (status, said) = publish(&a, &note("too late"));
    assert!(status != Some(0) && said.contains("has ended"), "{said}");
    let (of_a, of_b) = (follow(a.url().to_owned(), 1).await, follow(b.url().to_owned(), 1).await);
    assert_eq!(of_a, of_b);
    assert_eq!(of_a.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn metrics_and_readiness_say_who_plays() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let first = serve(nats, &name);
    Numbers::until(first.address(), "incident_cluster_lease_held", 1.0).await;
    let second = serve(nats, &name);
    trigger(&second, "database-outage", "1000");
    soon("the incident", follow(second.url().to_owned(), 1)).await;
    let read = "incident_journal_head_position";
    for (server, leads, says) in [
        (&first, 1, "ready: this server plays the incidents\n"),
        (&second, 0, "ready: another server plays the incidents\n"),
    ] {
        let numbers = Numbers::until(server.address(), read, 108.0).await;
        numbers.are(&[
            ("incident_cluster_shared", 1),
            ("incident_cluster_lease_held", leads),
            ("incident_cluster_lease_term", 1),
            ("incident_cluster_lag_events", 0),
            ("incident_cluster_epoch_changes_total", 0),
            ("incident_cluster_replicas_behind", 0),
        ]);
        assert!(numbers.get("incident_cluster_confirmed_age_seconds") < 3.0);
        assert_eq!(get(server.address(), "/readyz").await.body, says);
    }
    first.signal("KILL");
    drop(first);
    Numbers::until(second.address(), "incident_cluster_lease_held", 1.0)
        .await
        .are(&[("incident_cluster_lease_term", 2)]);
}

/// An operator changes a stream under a server: it says what could be lost now, and goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_was_made_unsafe_is_named() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let server = serve(nats, &name);
    let ready = "ready: this server plays the incidents\n";
    let metric = "incident_cluster_unsafe_configuration";
    Numbers::until(server.address(), "incident_cluster_lease_held", 1.0).await.are(&[(metric, 0)]);
    assert_eq!(get(server.address(), "/readyz").await.body, ready);
    let client = async_nats::connect(format!("127.0.0.1:{}", nats.port)).await.unwrap();
    let ask = async |what: String, body: String| {
        let answer = client.request(format!("$JS.API.{what}"), body.into()).await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        answer["config"].clone()
    };
    let control = format!("{name}_ctl");
    for (stream, key, value) in
        [(&name, "max_age", 3_600_000_000_000_u64), (&control, "max_msgs_per_subject", 2)]
    {
        let before = ask(format!("STREAM.INFO.{stream}"), String::new()).await;
        let mut config = before.clone();
        config[key] = value.into();
        ask(format!("STREAM.UPDATE.{stream}"), config.to_string()).await;
        Numbers::until(server.address(), metric, 1.0).await;
        let reply = get(server.address(), "/readyz").await;
        let warning = format!("{ready}warning: the stream {stream} has {key} = {value}, ");
        assert!(reply.status == 200 && reply.body.starts_with(&warning), "{reply:?}");
        ask(format!("STREAM.UPDATE.{stream}"), before.to_string()).await;
        Numbers::until(server.address(), metric, 0.0).await;
    }
    assert_eq!(get(server.address(), "/readyz").await.body, ready);
}

/// A drill takes actions from the server that plays it, and the others say which one that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_action_for_a_drill_is_sent_to_the_server_that_plays_it() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let first = serve(nats, &name);
    Numbers::until(first.address(), "incident_cluster_lease_held", 1.0).await;
    let second = serve(nats, &name);
    let id = trigger(&second, "database-outage", "1");
    for server in [&first, &second] {
        Numbers::until(server.address(), "incident_incidents_open", 1.0).await;
    }
    let events = [action(&id, "1", "Looks")];
    let publish = async |server: &Serving| publish(server.address(), &events).await;
    let reply = publish(&second).await;
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert!(reply.body.contains("/problems/played-elsewhere"), "{}", reply.body);
    assert_eq!(reply.header("retry-after"), "1");
    // Without --peers no server knows an address of another one.
    assert_eq!(reply.json()["servers"], serde_json::Value::Null);
    let (a, b) = ("http://a.example:7911/", "http://b.example/incident/");
    let third = serve_with(nats, &name, &["--peers", &format!("{a},{b}")]);
    Numbers::until(third.address(), "incident_incidents_open", 1.0).await;
    let reply = publish(&third).await;
    assert_eq!(reply.status, 503, "{}", reply.body);
    let refused = reply.json();
    assert_eq!(refused["servers"], serde_json::json!([a, b]), "{}", reply.body);
    let told = format!("/readyz says that it plays; the servers are {a}, {b}");
    assert!(refused["detail"].as_str().unwrap().ends_with(&told), "{}", reply.body);
    let began = std::time::Instant::now();
    let reply = loop {
        let reply = publish(&first).await;
        // It may be about to pick it up.
        assert!(reply.status < 300 || reply.status == 503, "{}: {}", reply.status, reply.body);
        if reply.status < 300 || began.elapsed() > crate::harness::PATIENCE {
            break reply;
        }
        tokio::time::sleep(crate::harness::ms(20)).await;
    };
    assert!(reply.status < 300, "{}: {}", reply.status, reply.body);
}

/// The limit is that of all servers together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_most_drills_are_counted_over_all_servers() {
    use incident::journal::{Record, Retention, open};
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let log = open(&nats.location(&name), Retention::default()).unwrap().journal;
    let drill = |number: u64| Record {
        plan: Some("no plan".into()),
        ..crate::harness::started(&format!("drill-{number}"))
    };
    for first in (0..1_000).step_by(250) {
        log.append((first..first + 250).map(drill).collect::<Vec<_>>()).await.unwrap();
    }
    // This handle keeps the lease, so that the server plays none of them.
    let _lease = log.lease().await.unwrap();
    let server = serve(nats, &name);
    Numbers::of(server.address()).await.are(&[("incident_incidents_open", 1_000)]);
    let ran = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    assert!(ran.status != Some(0) && ran.stderr.contains("1000 incidents are already open"), "{ran:?}");
}

/// The incident and the index of an event.
fn place(raw: &str) -> (String, u64) {
    let event: serde_json::Value = serde_json::from_str(raw).unwrap();
    (event["subject"].to_string(), event["index"].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_location_that_cannot_be_used_is_refused_with_what_to_do() {
    let nats = NatsServer::shared();
    let name = NatsServer::fresh_name();
    let located = |query: &str| format!("nats://127.0.0.1:{}?stream={name}{query}", nats.port);
    for (query, named) in [("", "durability"), ("&durability=always", "create=1")] {
        let ran = crate::harness::incident(&["serve", "--port", "0", "--journal", &located(query)]).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert!(ran.stderr.contains(named) && ran.stderr.contains("docs/cluster.md"), "{}", ran.stderr);
    }
}

/// What a command says when its server is killed and it goes on with the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn watch_and_trigger_go_on_with_the_other_server_when_theirs_is_killed() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let (a, b) = (serve(nats, &name), serve(nats, &name));
    let both = format!("{},{}", a.url(), b.url());
    let run = |args: &[&str]| crate::harness::incident(args).env("INCIDENT_URL", &both).spawn();
    let mut triggered = run(&["trigger", "database-outage", "--speed", "30", "--json"]);
    let begun = triggered.lines();
    let first = begun.recv_timeout(crate::harness::PATIENCE).unwrap();
    let (id, _) = place(&first);
    let id = id.trim_matches('"').to_owned();
    let mut watched = run(&["watch", "--incident", &id, "--json", "--until-resolved"]);
    let seen = watched.lines();
    assert_eq!(seen.recv_timeout(crate::harness::PATIENCE).unwrap(), first);
    a.signal("KILL");
    for command in [&mut triggered, &mut watched] {
        let back = command.says("reconnected to");
        assert!(back.contains(b.url()) && back.contains(", 0 lost"), "{back}");
    }
    let rest = |first: Option<&String>, lines: std::sync::mpsc::Receiver<String>| {
        let mut all: Vec<String> = first.cloned().into_iter().collect();
        while let Ok(line) = lines.recv_timeout(std::time::Duration::from_secs(40)) {
            all.push(line);
        }
        all
    };
    let (of_trigger, of_watch) = (rest(Some(&first), begun), rest(Some(&first), seen));
    assert_eq!(of_trigger, of_watch, "the same events in both, each once");
    let indexes: Vec<u64> = of_trigger.iter().map(|line| place(line).1).collect();
    assert_eq!(indexes, (1..=indexes.len() as u64).collect::<Vec<_>>());
    assert_eq!((triggered.end().status, watched.end().status), (Some(0), Some(0)));
}

/// A publisher may go on to the next server while the first one's answer is under way. `source` and `id` name one event for
/// ever: each server answers with its place, whichever has stored it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_both_servers_are_sent_at_once_is_a_repeat_for_one_of_them() {
    use crate::publish::{places, publish, resolved, started};
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let (a, b) = (serve(nats, &name), serve(nats, &name));
    for number in 0..60 {
        let id = format!("both-{number}");
        let (start, end) = (started(&id, &format!("{id}-start")), resolved(&id, &format!("{id}-end")));
        let look = action(&id, &format!("{id}-look"), "Looks");
        for events in [vec![start, look], vec![end]] {
            let (of_a, of_b) = tokio::join!(publish(a.address(), &events), publish(b.address(), &events));
            let (of_a, of_b) = (places(&of_a), places(&of_b));
            for (one, other) in of_a.iter().zip(&of_b) {
                assert_eq!((one.0, one.1), (other.0, other.1), "one event has one place");
                assert!(one.2 != other.2, "{one:?} {other:?}: it is new for one of them");
            }
        }
    }
}

/// Another program's message has paused all servers for good. Then the stream is deleted, and one server is started that makes it
/// anew: the others follow by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn servers_that_damage_has_paused_follow_a_stream_that_is_made_anew() {
    use crate::publish::started;
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let location = nats.location(&name).display().to_string();
    // They keep their ports when they start anew.
    let ports = crate::harness::ports::free_ports(2);
    let serve = |port: &u16| {
        let port = port.to_string();
        Serving::again(&["serve", "--port", &port, "--json", "--quiet", "--journal", &location])
    };
    let servers: Vec<Serving> = ports.iter().map(serve).collect();
    assert_eq!(publish(servers[0].address(), &[started("old", "1")]).await.status, 200);
    let client = async_nats::connect(format!("127.0.0.1:{}", nats.port)).await.unwrap();
    client.request(format!("incident.{name}.ev.foo"), "{}".into()).await.unwrap();
    let answers = async |server: &Serving, status: u16, says: &str| {
        soon("it is ready or not", async {
            loop {
                // While it starts anew, nobody listens.
                let asked = crate::harness::Http::new(server.address(), "GET", "/readyz").try_send().await;
                if asked.is_some_and(|reply| reply.status == status && reply.body.contains(says)) {
                    return;
                }
                tokio::time::sleep(crate::harness::ms(50)).await;
            }
        })
        .await;
    };
    for server in &servers {
        answers(server, 503, "is damaged").await;
    }
    client.request(format!("$JS.API.STREAM.DELETE.{name}"), "".into()).await.unwrap();
    let third = serve(&0);
    assert_eq!(publish(third.address(), &[started("new", "1")]).await.status, 200);
    for server in &servers {
        answers(server, 200, "ready").await;
        let known = get(server.address(), "/api/incidents/new").await;
        assert_eq!(known.status, 200, "{}", known.body);
        assert_eq!(get(server.address(), "/api/incidents/old").await.status, 404);
    }
}
