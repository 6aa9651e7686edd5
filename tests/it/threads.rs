//! `serve --threads`: so many threads serve the clients, and each of them delivers.

use std::fs;

use incident::journal::Retention;
use incident::server::Options;

use crate::harness::{Http, Local, Numbers, incident, options};

/// Clients that one thread gets before the next one gets any.
const FEW: usize = 256;

/// The flag reaches the threads of the process, the banner and the metrics.
#[tokio::test]
async fn so_many_threads_serve_clients_as_the_flag_says() {
    for count in [1, 3] {
        let text = count.to_string();
        let mut server =
            incident(&["serve", "--port", "0", "--journal", "memory", "--threads", &text]).spawn();
        let socket = server.says("WebSocket");
        let address = socket.rsplit("://").next().unwrap().trim_end_matches("/ws").parse().unwrap();
        assert!(server.says("Threads").contains(&format!("{count} for clients")));
        server.says("Ready in");
        Numbers::of(address).await.are(&[("incident_client_threads", count)]);
        if cfg!(target_os = "linux") {
            let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
            let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
            assert_eq!(names.filter(|name| name.starts_with("clients-")).count() as u64, count);
        }
        server.signal("TERM");
        assert_eq!(server.end().status, Some(0));
    }
}

/// Without the flag there is one for each core that the process may use.
#[tokio::test]
async fn without_the_flag_each_core_has_a_thread() {
    let server = Local::start().await;
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    Numbers::of(server.address).await.are(&[("incident_client_threads", cores)]);
}

/// More clients than one thread takes at first: those of every thread get every event.
#[tokio::test]
async fn clients_of_every_thread_get_everything() {
    for threads in [1, 4] {
        let threads = std::num::NonZeroUsize::new(threads);
        let server = Local::with(Options { threads, ..options() }, Retention::default()).await;
        let mut clients = Vec::new();
        for _ in 0..FEW + 8 {
            clients.push(server.client().await);
        }
        let body = r#"{"scenario":"database-outage","speed":1000}"#;
        assert_eq!(Http::trigger(server.address, body).send().await.status, 202);
        for client in &mut clients {
            assert_eq!(client.up_to(108).await.len(), 108);
        }
    }
}
