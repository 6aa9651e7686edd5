//! `incident check-journal nats://…` says what a server would say that starts over the stream, and saves what is whole.

use incident::journal::{ReadLimit, open};
use serde_json::Value;

use super::{TEN, append, file, fill, opened};
use crate::harness::nats::NatsServer;
use crate::harness::{Ran, Scratch, incident, started};

fn check(location: &str, args: &[&str]) -> Ran {
    incident(&[&["check-journal", location], args].concat()).run()
}

/// The location of a new stream, and of the same one without the right to create it.
fn places() -> (std::path::PathBuf, String, String) {
    let name = NatsServer::fresh_name();
    let location = NatsServer::shared().location(&name);
    let text = location.display().to_string().replace("&create=1", "");
    (location, text, name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_sound_stream_passes_and_is_backed_up_while_it_is_served() {
    let (location, text, _) = places();
    let absent = check(&text, &[]);
    assert_eq!(absent.status, Some(3), "{absent:?}");
    assert!(absent.stderr.contains("there is no stream"), "{absent:?}");
    fill(&location).await;
    let log = opened(&location);
    let _lease = log.lease().await.unwrap();
    let ran = check(&text, &[]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    for piece in [
        "PASS streams",
        "PASS epoch",
        "PASS chain      11 events",
        "PASS incidents  3, 2 of them open",
        "PASS plans      1 of open",
        "PASS lease      term 1; a server holds it",
    ] {
        assert!(ran.stdout.contains(piece), "{piece} is not in\n{}", ran.stdout);
    }
    let folder = Scratch::new();
    let copy = folder.path().join("backup.db").display().to_string();
    let ran = check(&text, &["--json", "--backup", &copy]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&found["sound"], &found["oldest"], &found["head"]), (&true.into(), &21.into(), &31.into()));
    assert_eq!(check(&copy, &[]).status, Some(0));
    let copied = open(copy.as_ref(), TEN).unwrap().journal;
    assert_eq!(copied.extent(), log.extent());
    assert!(copied.stream() != log.stream(), "a backup is another stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_is_whole_of_a_damaged_stream_is_saved_into_a_file_and_a_stream() {
    let (location, text, name) = places();
    fill(&location).await;
    let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
    let answer = client.request(format!("incident.{name}.ev.x"), "{}".into()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.payload).contains(r#""seq":32"#), "{answer:?}");
    assert!(open(&location, TEN).is_err());
    let ran = check(&text, &[]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("FAIL chain      event 32 is damaged"), "{ran:?}");
    assert!(ran.stdout.contains("Events 21 to 31 are sound") && ran.stderr.contains("--salvage"), "{ran:?}");
    let folder = Scratch::new();
    let (saved, (target, saved_stream, _)) = (folder.path().join("saved.db"), places());
    for into in [&*saved.display().to_string(), &*saved_stream] {
        let ran = check(&text, &["--salvage", into]);
        assert_eq!(ran.status, Some(5), "{ran:?}");
        assert!(ran.stderr.contains("11 events, 21 to 31"), "{ran:?}");
        assert_eq!(check(into, &[]).status, Some(0));
    }
    for place in [&saved, &target] {
        let log = opened(place);
        assert_eq!((log.extent().oldest, log.extent().head), (21, 31));
        assert_eq!(log.read(0, ReadLimit::ALL).await.unwrap().len(), 11);
        let open = log.open_incidents().await.unwrap();
        assert_eq!(open[0].plan.as_ref().map(|plan| plan.len()), Some(1_600_000), "the plan was saved too");
        assert_eq!(append(&log, vec![started("new")]).await[0].position, 32);
    }
}

/// The other way round: a damaged file is saved into a stream, and that into a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_is_whole_of_a_damaged_file_is_saved_into_a_stream_and_back() {
    let folder = Scratch::new();
    let (damaged, back) = (file(&folder, "damaged.db"), file(&folder, "back.db"));
    fill(&damaged).await;
    let old = opened(&damaged).stream().clone();
    let shell = rusqlite::Connection::open(&damaged).unwrap();
    assert_eq!(shell.execute("UPDATE events SET data = '{}' WHERE position = 28", []).unwrap(), 1);
    drop(shell);
    let (target, text, _) = places();
    let ran = check(damaged.to_str().unwrap(), &["--salvage", &text]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("7 events, 21 to 27"), "{ran:?}");
    assert_eq!(check(&text, &[]).status, Some(0));
    let ran = check(&text, &["--salvage", back.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "it is sound: {ran:?}");
    let mut names = vec![old];
    for place in [&target, &back] {
        let log = opened(place);
        assert_eq!((log.extent().oldest, log.extent().head), (21, 27));
        assert_eq!(log.read(0, ReadLimit::ALL).await.unwrap().len(), 7);
        assert!(!names.contains(log.stream()), "each is another stream");
        names.push(log.stream().clone());
        let open = log.open_incidents().await.unwrap();
        assert_eq!(open[0].plan.as_ref().map(|plan| plan.len()), Some(1_600_000), "the plan was saved too");
        assert_eq!(append(&log, vec![started("new")]).await[0].position, 28);
    }
}

/// What retention has dropped is no loss; what an operator has purged is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn events_that_were_purged_by_hand_fail() {
    let (location, text, name) = places();
    fill(&location).await;
    let ran = check(&text, &[]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
    let purge = format!("$JS.API.STREAM.PURGE.{name}");
    client.request(purge, serde_json::json!({ "seq": 25 }).to_string().into()).await.unwrap();
    let ran = check(&text, &[]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(
        ran.stdout.contains(
            "FAIL epoch      events 21 to 24 are gone, and nothing says that retention has dropped them"
        ),
        "{}",
        ran.stdout
    );
}

/// What was told and is gone is not passed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_plan_that_is_gone_and_a_configuration_that_is_wrong_fail() {
    let (location, text, name) = places();
    fill(&location).await;
    let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
    let ask = async |what: String, body: Value| {
        let answer = client.request(format!("$JS.API.{what}"), body.to_string().into()).await.unwrap();
        serde_json::from_slice::<Value>(&answer.payload).unwrap()
    };
    let filter = serde_json::json!({ "filter": format!("incident.{name}.ctl.plan.>") });
    ask(format!("STREAM.PURGE.{name}_ctl"), filter).await;
    let mut config = ask(format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
    config["max_age"] = 3_600_000_000_000_u64.into();
    let updated = ask(format!("STREAM.UPDATE.{name}"), config).await;
    assert!(updated["error"].is_null(), "{updated}");
    let ran = check(&text, &[]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("FAIL plans") && ran.stdout.contains("FAIL streams"), "{}", ran.stdout);
    assert!(ran.stdout.contains("max_age"), "{}", ran.stdout);
}
