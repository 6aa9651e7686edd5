//! Machines whose clocks differ by seconds: drills go on in time when another server plays, and no time falls.

use std::path::PathBuf;

use super::oracle::Watched;
use super::rounds;
use crate::harness::Run;
use crate::harness::trio::{THREE, Trio};

/// The library below one of Debian's folders for architectures.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let library = folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|file| file.exists());
    library.expect("Debian's package faketime is installed")
}

fn set(run: Run, wall: &str) -> Run {
    run.env("LD_PRELOAD", library().to_str().unwrap()).env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME", wall)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and libfaketime: ./tests/run installs them and runs this"]
async fn servers_whose_clocks_differ_play_one_after_the_other() {
    const WALLS: [&str; THREE] = ["-5s", "+0s", "+5s"];
    let mut trio = Trio::near().await;
    for (number, wall) in WALLS.iter().enumerate() {
        trio.kill_hub(number);
        trio.start_hub_as(number, |run| set(run, wall)).await;
    }
    let watched = Watched::over(&trio);
    watched.judges_by_arrival();
    // Each has heard of the others' clocks: it has been running for a while.
    watched.writes(20).await;
    watched.drill(12).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let holder = trio.holder().await;
        watched.fault("the server that plays is killed, clocks differ");
        trio.kill_hub(holder);
        trio.holder().await;
        trio.start_hub_as(holder, |run| set(run, WALLS[holder])).await;
    }
    watched.end().await;
}
