//! A server that is stopped in order: it gives the lease back, and another plays at once.

use std::time::Duration;

use incident::contract::Message;

use super::oracle::Watched;
use super::rounds;
use crate::harness::trio::Trio;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_that_is_stopped_hands_over() {
    let mut trio = Trio::near().await;
    let watched = Watched::over(&trio);
    watched.drill(12).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let holder = trio.holder().await;
        let hub = trio.take_hub(holder);
        watched.fault("the server that plays is stopped in order");
        hub.signal("TERM");
        let ended = tokio::task::spawn_blocking(move || hub.end()).await.unwrap();
        assert_eq!(ended, Some(0));
        trio.holder().await;
        trio.start_hub(holder).await;
    }
    // Less than others wait for a holder that has died.
    let pause = watched.longest_pause(|message| matches!(message, Message::SystemMetrics(_)));
    assert!(pause < Duration::from_secs(3), "the drills paused for {pause:?}");
    watched.end().await;
}
