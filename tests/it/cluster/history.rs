//! A stream that is deleted and made again, or has lost events: servers that run pause, start anew by themselves, and tell their
//! clients `reset`, never "lost 0".

use serde_json::{Value, json};

use super::oracle::Watched;
use crate::harness::ms;
use crate::harness::trio::{STREAM, Trio};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_is_deleted_and_made_again_is_told_as_another_one() {
    let trio = Trio::near().await;
    let watched = Watched::without_publishers(&trio);
    watched.drill(60).await;
    tokio::time::sleep(ms(2_000)).await;
    let old = watched.stream();
    assert!(!old.is_empty());
    let config = trio.answers(&format!("STREAM.INFO.{STREAM}"), Value::Null).await["config"].clone();
    trio.answers(&format!("STREAM.DELETE.{STREAM}"), Value::Null).await;
    watched.pauses().await;
    for number in 0..3 {
        let why = watched.paused(number).unwrap();
        assert!(why.contains("is gone") || why.contains("confirm nothing"), "{why}");
    }
    watched.allow_resets();
    // As an operator restores it: the same configuration, and older content, which is none here.
    watched.turn_over();
    trio.answers(&format!("STREAM.CREATE.{STREAM}"), config).await;
    watched.reset_from(&old).await;
    watched.turn_over();
    watched.drill(30).await;
    watched.end().await;
    let info = trio.answers(&format!("STREAM.INFO.{STREAM}"), json!(null)).await;
    assert_ne!(info["config"]["metadata"]["incident.stream"], json!(old));
}
