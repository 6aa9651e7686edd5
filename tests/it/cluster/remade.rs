//! Sessions of browsers when the second stream, which has them, is made anew, restored older or purged under servers that run: what is not
//! in it any more has ended on all servers, and what begins or ends from then on does so on all.

use async_nats::Client;
use serde_json::Value;

use super::backup::{Backup, answers};
use crate::harness::nats::NatsServer;
use crate::harness::trio::Trio;
use crate::harness::{READ, Serving, WRITE};
use crate::shared_sessions::{BOTH, NO_WRITE, Servers, becomes, log_in, log_out, scope};

/// Two servers over a stream, what reaches its nats-server, and the name of the second stream.
async fn two() -> (Servers, Serving, Serving, Client, String) {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let servers = Servers::over(nats, &name);
    servers.write("a", BOTH);
    servers.write("b", BOTH);
    let (a, b) = (servers.start("a"), servers.start("b"));
    let client = async_nats::connect(format!("127.0.0.1:{}", nats.port)).await.unwrap();
    (servers, a, b, client, format!("{name}_ctl"))
}

/// What begins and ends on one server does so on the other one.
async fn are_one(servers: &Servers, a: &Serving, b: &Serving) {
    for (one, other) in [(a, b), (b, a)] {
        let session = log_in(one, READ).await;
        becomes(other, session.cookie(), "read").await;
        assert_eq!(log_out(one, session.cookie()).await.status, 204);
        becomes(other, session.cookie(), "none").await;
    }
    let writer = log_in(b, WRITE).await;
    becomes(a, writer.cookie(), "write").await;
    servers.write("a", NO_WRITE);
    becomes(b, writer.cookie(), "none").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn sessions_go_on_together_when_their_stream_was_made_anew() {
    let (servers, a, b, client, stream) = two().await;
    let old = log_in(&a, READ).await;
    becomes(&b, old.cookie(), "read").await;
    // The new stream does not get so far while this test runs.
    for _ in 0..100 {
        log_in(&a, READ).await;
    }
    let newest = log_in(&a, READ).await;
    becomes(&b, newest.cookie(), "read").await;
    answers(&client, &format!("STREAM.DELETE.{stream}"), Value::Null).await;
    drop(a);
    // With `create=1`.
    let a = servers.start("a");
    becomes(&b, old.cookie(), "none").await;
    becomes(&a, old.cookie(), "none").await;
    are_one(&servers, &a, &b).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn sessions_that_a_restored_stream_does_not_have_end_and_what_has_ended_stays_so() {
    let (servers, a, b, client, stream) = two().await;
    let (stays, ended) = (log_in(&a, READ).await, log_in(&a, READ).await);
    let (stays, ended) = (stays.cookie(), ended.cookie());
    becomes(&b, ended, "read").await;
    let backup = Backup::of(&client, &stream).await;
    let new = log_in(&a, READ).await;
    becomes(&b, new.cookie(), "read").await;
    assert_eq!(log_out(&b, ended).await.status, 204);
    becomes(&a, ended, "none").await;
    for _ in 0..100 {
        log_in(&a, READ).await;
    }
    answers(&client, &format!("STREAM.DELETE.{stream}"), Value::Null).await;
    backup.restore(&client, &stream).await;
    for server in [&a, &b] {
        becomes(server, new.cookie(), "none").await;
        assert_eq!(scope(server, stays).await, "read");
        assert_eq!(scope(server, ended).await, "none");
    }
    are_one(&servers, &a, &b).await;
    // The back-up says of it that it is in use; a server that starts now hears from the others that it is not.
    let c = servers.start("b");
    assert_eq!((scope(&c, stays).await.as_str(), scope(&c, ended).await.as_str()), ("read", "none"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn sessions_end_when_their_stream_is_purged() {
    let (servers, a, b, client, stream) = two().await;
    let session = log_in(&a, READ).await;
    becomes(&b, session.cookie(), "read").await;
    answers(&client, &format!("STREAM.PURGE.{stream}"), Value::Null).await;
    becomes(&b, session.cookie(), "none").await;
    becomes(&a, session.cookie(), "none").await;
    are_one(&servers, &a, &b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn sessions_in_a_stream_with_three_replicas_count_at_once_on_all_servers() {
    let trio = Trio::near().await;
    let servers = Servers::at(trio.location());
    servers.write("a", BOTH);
    let (a, b) = (servers.start("a"), servers.start("a"));
    for round in 0..20 {
        let (one, other) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let session = log_in(one, READ).await;
        assert_eq!(scope(other, session.cookie()).await, "read");
        assert_eq!(log_out(other, session.cookie()).await.status, 204);
        becomes(one, session.cookie(), "none").await;
    }
}
