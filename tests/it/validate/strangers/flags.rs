//! The flags for streams of other programs: what they send, what is printed of them, and what does not go together.

use std::sync::{Arc, Mutex};

use super::server::{Asked, Talk, say, talk};
use super::{Over, serve, validate};
use crate::harness::{Scratch, incident};

/// A server that remembers what its clients said. Its stream lacks a type.
fn listening(asked_for: &Arc<Mutex<Vec<Asked>>>) -> Talk {
    let asked_for = asked_for.clone();
    talk(move |asked| {
        asked_for.lock().unwrap().push(asked.clone());
        vec![say(r#"{"timestamp":"2026-11-22T10:00:00Z"}"#)]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_flags_say_is_sent_and_secrets_are_not_printed() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut args = serve(Over::Subscribed, listening(&heard)).await;
    args[1] += "?room=7&key=hidden";
    let folder = Scratch::new().with("key.txt", "s3cret\n").with("hello.json", "{\"op\":\"hi\"}\n");
    let folder = folder.with(
        "p.toml",
        "type = \"/type\"\nquery = \"fast=1\"\nsend = [\"@first.txt\"]\nheaders = { X-Two = \"@two.txt\" }\n",
    );
    let folder = folder.with("first.txt", "first").with("two.txt", "tw0secret");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, hello, kept) = (path("key.txt"), path("hello.json"), path("kept"));
    let flags = [
        "--profile",
        &path("p.toml"),
        "--for",
        "300ms",
        "--gentle",
        "--clients",
        "1",
        "--header",
        &format!("X-Api-Key: @{key}"),
        "--header",
        "X-Plain: maybe-secret",
        "--send",
        &format!("@{hello}"),
        "--subprotocol",
        "rooms.v2",
        "--subprotocol",
        "rooms.v1",
        "--transcripts",
        &kept,
    ];
    args.extend(flags.map(str::to_owned));
    let run = args.clone();
    let ran = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = run.iter().map(String::as_str).collect();
        incident(&[&["validate"], args.as_slice()].concat()).run()
    });
    let ran = ran.await.unwrap();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let asked = heard.lock().unwrap()[0].clone();
    assert_eq!(asked.query, "room=7&key=hidden&fast=1");
    assert_eq!(asked.header("x-api-key"), Some("s3cret"));
    assert_eq!(asked.header("x-two"), Some("tw0secret"));
    assert_eq!(asked.header("x-plain"), Some("maybe-secret"));
    assert_eq!(asked.header("sec-websocket-protocol"), Some("rooms.v2, rooms.v1"));
    assert_eq!(asked.first.as_deref(), Some("first"));
    // The command to repeat has every flag, and no secret.
    let again = ran.stdout.lines().find(|line| line.starts_with("Again: ")).unwrap();
    for word in ["--profile", "--for 300ms", "--gentle", "--subprotocol rooms.v2", "--subprotocol rooms.v1"] {
        assert!(again.contains(word), "{word}: {again}");
    }
    assert!(again.contains(&format!("--header 'X-Api-Key: @{key}'")), "{again}");
    assert!(again.contains("--header 'X-Plain: @FILE'"), "{again}");
    assert!(again.contains(&format!("--send @{hello}")), "{again}");
    let transcript = std::fs::read_to_string(format!("{kept}/server.ndjson")).unwrap();
    for secret in ["s3cret", "tw0secret", "maybe-secret", "hidden"] {
        assert!(!transcript.contains(secret), "{transcript}");
        assert!(secret == "hidden" || !format!("{ran:?}").contains(secret), "{ran:?}");
    }
}

/// A line of flags, the status and a part of what is said about it.
type Refused = (&'static str, i32, &'static str);

const REFUSED: [Refused; 21] = [
    ("--profile plain", 2, "the profile plain needs a stream to read"),
    ("--profile plain --url ws://127.0.0.1:1/", 2, "it has to be said how long to listen"),
    ("--profile sse --url ws://127.0.0.1:1/ --for 1s", 2, "reads the id or event field of an event stream"),
    ("--profile plian --url ws://127.0.0.1:1/ --for 1s", 2, "did you mean \"plain\"?"),
    (
        "--profile nothing --url ws://127.0.0.1:1/ --for 1s",
        2,
        "incident, plain, sequence, sse, cloudevents, or the path",
    ),
    ("--profile nowhere.toml --url ws://127.0.0.1:1/ --for 1s", 2, "the profile nowhere.toml cannot be read"),
    (
        "--profile plain --url ws://127.0.0.1:1/ --for 1s --trigger x",
        2,
        "--trigger starts a scenario on one of our servers",
    ),
    ("--profile plain --url ws://127.0.0.1:1/ --for 1s --expect x.toml", 2, "--expect is about incidents"),
    ("--profile plain database-outage", 2, "is a scenario"),
    (
        "--profile send.toml --sse http://127.0.0.1:1/ --for 1s",
        2,
        "sends texts, which an event stream can't take",
    ),
    (
        "--profile sub.toml --sse http://127.0.0.1:1/ --for 1s",
        2,
        "offers subprotocols, which an event stream can't take",
    ),
    ("--send x", 2, "--url <URL>|--sse <URL>"),
    ("--sse http://127.0.0.1:1/ --send x", 2, "'--send <TEXT>'"),
    ("--sse http://127.0.0.1:1/ --url ws://127.0.0.1:1/", 2, "cannot be used with"),
    ("--sse ws://127.0.0.1:1/", 2, "is not the URL of an event stream"),
    ("--sse http://127.0.0.1:1/x?y=1", 2, "is not the URL of an event stream"),
    ("--url ws://127.0.0.1:1/x?y=1", 2, "a URL with a query needs a --profile"),
    ("--url ws://127.0.0.1:1/ --header X", 2, "a header is NAME: VALUE"),
    ("--url ws://127.0.0.1:1/ --header Upgrade:x", 2, "belongs to the connection"),
    ("--url ws://127.0.0.1:1/ --header X:@nowhere.txt", 2, "nowhere.txt cannot be read"),
    ("--url ws://127.0.0.1:1/ --subprotocol a/b", 2, "is not the name of a subprotocol"),
];

#[test]
fn flags_that_do_not_go_together_are_refused_with_words() {
    let folder = Scratch::new()
        .with("send.toml", "type = \"/type\"\nsend = [\"x\"]\n")
        .with("sub.toml", "type = \"/type\"\nsubprotocols = [\"x\"]\n");
    for (flags, status, said) in REFUSED {
        let args: Vec<&str> = ["validate"].into_iter().chain(flags.split(' ')).collect();
        let ran = incident(&args).at(folder.path()).run();
        assert_eq!(ran.status, Some(status), "{flags}: {ran:?}");
        assert!(ran.stderr.contains(said), "{flags}: {ran:?}");
    }
    let args = ["validate", "--url", "ws://127.0.0.1:1/", "--header", "Authorization: x"];
    let ran = incident(&args).env("INCIDENT_TOKEN", "0123456789abcdef0123456789abcdef").run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("both a token and a header set Authorization"), "{ran:?}");
    let args = ["validate", "--profile", "incident", "--contract", "nowhere.json"];
    let ran = incident(&args).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("nowhere.json"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subprotocol_that_the_server_does_not_know_is_told() {
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", plain.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = plain.accept().await {
            tokio::spawn(async move { drop(tokio_tungstenite::accept_async(tcp).await) });
        }
    });
    let args = ["--url", &url, "--profile", "plain", "--for", "1s", "--subprotocol", "rooms.v1"];
    let ran = validate(args.map(str::to_owned).to_vec()).await;
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("it accepts none of the subprotocols rooms.v1"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_whose_profile_is_gone_says_so() {
    let folder = Scratch::new().with(
        "x.ndjson",
        "{\"transcript\":1,\"target\":\"ws://x\",\"began\":\"2026-11-22T10:00:00Z\",\"arrivals\":true,\"profile\":\"gone.toml\"}\n",
    );
    let ran = validate(vec![folder.path().join("x.ndjson").display().to_string()]).await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("the profile \"gone.toml\" that the transcript names is not there"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("--profile may name another"), "{ran:?}");
}
