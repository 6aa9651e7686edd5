//! `incident copy-journal`: whoever outgrows one machine goes on, and clients notice nothing.

use serde_json::Value;

use super::{file, fill};
use crate::harness::nats::{NatsServer, at};
use crate::harness::{Client, Numbers, Scratch, Serving, get, incident, ms, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_incident_goes_on_on_a_stream_and_clients_resume_at_their_positions() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db").display().to_string();
    let name = NatsServer::fresh_name();
    let created = NatsServer::shared().location(&name).display().to_string();
    let stream = created.replace("&create=1", "");
    let server = Serving::with(&["--journal", &file, "--seed", "42"]);
    let ran = server.incident(&["trigger", "database-outage", "--speed", "20", "--no-wait"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let seen = Client::connect(server.address(), "?after=0").await.up_to(20).await;
    let last = seen.last().unwrap();
    let envelope: Value = serde_json::from_str(&last.frame).unwrap();
    let position =
        format!("{}/{}", envelope["source"].as_str().unwrap().rsplit('/').next().unwrap(), last.position);

    // Nobody must write into it meanwhile, unless the copy is another stream.
    let ran = incident(&["copy-journal", &file, &stream]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("in use") && ran.stderr.contains("--new-stream"), "{ran:?}");
    let snapshot = folder.path().join("snapshot.db").display().to_string();
    let ran = incident(&["copy-journal", &file, &snapshot, "--new-stream", "--json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(found["head"].as_u64().unwrap() >= 20, "{found}");

    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let ran = incident(&["copy-journal", &file, &stream]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("were copied and compared"), "{ran:?}");
    assert!(ran.stderr.contains(&format!("was copied any more ({file})")), "{ran:?}");
    assert!(!ran.stderr.contains(found["stream"].as_str().unwrap()), "that one has a name of its own");

    let server = Serving::with(&["--journal", &stream]);
    let mut client =
        Client::connect(server.address(), &format!("?after={}", position.replace('/', "%2F"))).await;
    let rest = client.up_to(108).await;
    assert_eq!(rest.first().map(|event| event.position), Some(last.position + 1), "no reset");
    assert!(rest.last().unwrap().frame.contains("incident_resolved"));

    // Back again, while it is served.
    let back = folder.path().join("back.db").display().to_string();
    let ran = incident(&["copy-journal", &stream, &back]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("has the lease") && ran.stderr.contains("--new-stream"), "{ran:?}");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    // Two streams of one server differ only by their names.
    let other = NatsServer::shared().location(&NatsServer::fresh_name()).display().to_string();
    let ran = incident(&["copy-journal", &stream, &other]).run();
    assert!(ran.status == Some(0) && ran.stderr.contains(&format!(", stream {name})")), "{ran:?}");
    let ran = incident(&["copy-journal", &stream, &back, "--quiet"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(incident(&["check-journal", &back]).run().status, Some(0));
}

/// Several copies of one journal at once: those that only read it do not keep each other out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_at_the_same_time_take_no_notice_of_each_other() {
    let folder = Scratch::new();
    let from = file(&folder, "from.db");
    fill(&from).await;
    let lock = file(&folder, "from.db-lock");
    std::fs::remove_file(&lock).unwrap();
    for round in 0..2 {
        let copies: Vec<_> = (0..6)
            .map(|number| {
                let to = file(&folder, &format!("to-{round}-{number}.db")).display().to_string();
                incident(&["copy-journal", &from.display().to_string(), &to, "--quiet"]).spawn()
            })
            .collect();
        for copy in copies {
            let ran = copy.end();
            assert_eq!(ran.status, Some(0), "{ran:?}");
        }
        // As a server leaves it that was killed.
        std::fs::write(&lock, "process 1\n").unwrap();
    }
}

/// A target that is there already, or that something has open: what to do about the target, not about the journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_target_that_is_taken_is_told_with_what_has_it() {
    let folder = Scratch::new();
    let from = file(&folder, "from.db");
    fill(&from).await;
    let from = from.display().to_string();
    let fails = |to: &str, status: i32, said: [&str; 2]| {
        for command in [["copy-journal", &from, to].as_slice(), &["check-journal", &from, "--backup", to]] {
            let ran = incident(command).run();
            let text: String = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(ran.status, Some(status), "{command:?}: {ran:?}");
            assert!(text.contains(said[0]), "{command:?}: {text}");
            let hint = if command[0] == "copy-journal" { said[1] } else { "name another" };
            assert!(text.contains(hint) && !text.contains("docs/cluster.md"), "{command:?}: {text}");
        }
    };
    let nats = NatsServer::shared();
    let stream = nats.location(&NatsServer::fresh_name()).display().to_string();
    let target = file(&folder, "served.db").display().to_string();
    for to in [&stream, &target] {
        let server = Serving::with(&["--journal", to]);
        soon("a server that plays", async {
            while get(server.address(), "/readyz").await.status != 200 {
                tokio::time::sleep(ms(20)).await;
            }
        })
        .await;
        if to == &stream {
            Numbers::until(server.address(), "incident_cluster_lease_held", 1.0).await;
        }
        fails(to, 3, ["is in use by", "or name another target: a journal that a server has open"]);
        server.signal("TERM");
        server.end();
    }
    fails(
        &stream,
        2,
        ["is there already, and is no unfinished copy", "name another stream with stream=NAME"],
    );
    fails(&target, 2, ["already exists", "name another file, or remove this one"]);
}

#[test]
fn what_cannot_be_copied_is_said_with_what_to_do() {
    let folder = Scratch::new().with("text.db", "no database").with("empty.db", "");
    let at_folder = |name: &str| folder.path().join(name).display().to_string();
    let (text, empty, to) = (at_folder("text.db"), at_folder("empty.db"), at_folder("to.db"));
    for (from, to, status, said) in [
        (&*at_folder("missing.db"), &*to, 2, "does not exist"),
        (&*text, &*to, 2, "no SQLite database"),
        (&*empty, &*to, 2, "nothing to copy"),
        ("memory", &*to, 2, "in memory"),
        (&*empty, "-", 2, "stdout"),
    ] {
        let ran = incident(&["copy-journal", from, to]).run();
        assert_eq!(ran.status, Some(status), "{from} {to}: {ran:?}");
        assert!(ran.stderr.contains(said), "{from} {to}: {ran:?}");
    }
    // Nothing listens there.
    let nowhere = at(1, "x").display().to_string();
    for args in [["copy-journal", &*nowhere, &*to], ["check-journal", &*nowhere, "--json"]] {
        let ran = incident(&args).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert!(ran.stderr.contains("NATS") && ran.stderr.contains("docs/cluster.md"), "{ran:?}");
    }
}
