//! Disks that are full: of the nats-server that leads, and of all.

use super::oracle::Watched;
use crate::harness::machines::Machines;
use crate::harness::trio::{THREE, Trio};

/// Gives each nats-server a disk of its own, which is small.
fn small_disks(machines: &Machines) {
    for number in 0..THREE {
        machines.run(number, "mkdir -p /mnt; mount -t tmpfs -o size=96m small /mnt");
    }
}

const FILL: &str = "dd if=/dev/zero of=/mnt/filler bs=64k 2>/dev/null || true";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and network namespaces: ./tests/run installs them and runs this"]
async fn a_full_disk_of_the_leader_is_a_hiccup() {
    let trio = Trio::prepared(small_disks).await;
    let machines = trio.machines.as_ref().unwrap();
    let watched = Watched::over(&trio);
    watched.drill(9).await;
    watched.writes(20).await;
    let leader = trio.leader().await;
    watched.fault_of_nats("the disk of the leading nats-server is full");
    machines.run(leader, FILL);
    watched.writes(40).await;
    machines.run(leader, "rm /mnt/filler");
    watched.fault_of_nats("the disk of the nats-server has room again");
    watched.writes(20).await;
    watched.end().await;
}

/// Unlike with SQLite it does not heal alone: the nats-servers have to be started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and network namespaces: ./tests/run installs them and runs this"]
async fn full_disks_of_all_pause_the_stream_until_the_nats_servers_are_started_again() {
    let mut trio = Trio::prepared(small_disks).await;
    let watched = Watched::over(&trio);
    watched.drill(9).await;
    watched.writes(20).await;
    watched.fault_of_nats("all disks are full");
    for number in 0..THREE {
        trio.machines.as_ref().unwrap().run(number, FILL);
    }
    watched.pauses().await;
    for number in 0..THREE {
        trio.machines.as_ref().unwrap().run(number, "rm /mnt/filler");
    }
    watched.fault_of_nats("the nats-servers are started again");
    for number in 0..THREE {
        trio.nats[number].kill();
        trio.nats[number].start();
    }
    watched.writes(20).await;
    watched.end().await;
}
