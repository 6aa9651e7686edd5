//! Servers that start anew by themselves while a file of theirs has a mistake, or can't be read again.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use crate::anew::{Stream, add, ready, serve};
use crate::harness::{Http, Raw, Running, Scratch, WRITE, get, soon};
use crate::tls::Authority;

const OTHER: &str = "0ther-0123456789abcdef";
const STAY: &str = "the previous tokens stay valid";

async fn status(address: SocketAddr, token: &str) -> u16 {
    Http::new(address, "GET", "/api/incidents").bearer(token).send().await.status
}

/// Purges the stream, and waits until the server has started anew and has said this in between.
async fn starts_anew(server: &mut Running, address: SocketAddr, stream: &Stream, says: &str) {
    stream.purge().await;
    server.says("this server starts anew");
    server.says(says);
    assert_eq!(ready(server), address);
}

/// As while it runs: the tokens stay, and the file is taken as soon as it is mended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_mistake_in_the_file_with_tokens_does_not_end_a_start_anew() {
    let folder = Scratch::new().with("tokens", &format!("write {WRITE}\n"));
    let (stream, file) = (Stream::new(), folder.path().join("tokens"));
    let mut server = serve(&stream, &["--token-file", file.to_str().unwrap()]).spawn();
    let address = ready(&mut server);
    add(address, "a").await;
    fs::write(&file, format!("rite {OTHER}\n")).unwrap();
    server.says(STAY);
    starts_anew(&mut server, address, &stream, STAY).await;
    assert_eq!((status(address, WRITE).await, status(address, OTHER).await), (200, 401));
    fs::write(&file, format!("write {WRITE}\nwrite {OTHER}\n")).unwrap();
    server.says("was read again");
    assert_eq!((status(address, WRITE).await, status(address, OTHER).await), (200, 200));
    // What it has handed over is what it took last.
    add(address, "b").await;
    fs::remove_file(&file).unwrap();
    server.says("cannot be read (no such file); the previous tokens stay valid");
    starts_anew(&mut server, address, &stream, "cannot be read (no such file); the previous").await;
    assert_eq!((status(address, WRITE).await, status(address, OTHER).await), (200, 200));
    fs::write(&file, format!("write {WRITE}\n")).unwrap();
    server.says("was read again");
    assert_eq!((status(address, WRITE).await, status(address, OTHER).await), (200, 401));
    server.signal("TERM");
    let said = server.end().stderr;
    assert_eq!(said.matches(STAY).count(), 4, "each is told once by each process: {said}");
}

/// The pipe with the tokens that a process hands on is there as long as the new one runs, which may not have needed them.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn no_token_stays_in_the_pipe_that_a_start_anew_was_handed() {
    let folder = Scratch::new().with("tokens", &format!("write {WRITE}\n"));
    let (stream, file) = (Stream::new(), folder.path().join("tokens"));
    let mut server = serve(&stream, &["--token-file", file.to_str().unwrap()]).spawn();
    let address = ready(&mut server);
    add(address, "a").await;
    stream.purge().await;
    server.says("this server starts anew");
    assert_eq!(ready(&mut server), address);
    let process = format!("/proc/{}", server.id());
    let variables = fs::read_to_string(format!("{process}/environ")).unwrap();
    let pipe = variables.split('\0').find_map(|set| set.strip_prefix("INCIDENT_TOKENS_BEFORE=/dev/fd/"));
    let pipe = format!("{process}/fd/{}", pipe.unwrap());
    let left = tokio::task::spawn_blocking(move || fs::read_to_string(pipe).unwrap());
    assert_eq!(soon("the end of the pipe", left).await.unwrap(), "");
}

/// What is withdrawn stays so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_file_without_tokens_opens_nothing_at_a_start_anew() {
    for then in ["", "rite x\n"] {
        let folder = Scratch::new().with("tokens", &format!("write {WRITE}\n"));
        let (stream, file) = (Stream::new(), folder.path().join("tokens"));
        let mut server = serve(&stream, &["--token-file", file.to_str().unwrap()]).spawn();
        let address = ready(&mut server);
        add(address, "a").await;
        fs::write(&file, "# none\n").unwrap();
        server.says("every request is refused");
        let says = if then.is_empty() { "every request is refused" } else { STAY };
        if !then.is_empty() {
            fs::write(&file, then).unwrap();
            server.says(STAY);
        }
        starts_anew(&mut server, address, &stream, says).await;
        assert_eq!(status(address, WRITE).await, 401, "{then:?}");
        assert_eq!(get(address, "/api/incidents").await.status, 401, "{then:?}");
    }
}

/// It was found good when the process decided to start anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_mistake_that_is_made_while_the_process_drains_does_not_end_a_start_anew() {
    let sink = "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9/\"\n";
    let folder = Scratch::new().with("sinks.toml", sink);
    let (stream, sinks) = (Stream::new(), folder.path().join("sinks.toml"));
    let mut server = serve(&stream, &["--sinks", sinks.to_str().unwrap()]).spawn();
    let address = ready(&mut server);
    add(address, "a").await;
    // It drains as long as a body is on its way.
    let mut raw = Raw::connect(address).await;
    let head = "POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    raw.send(head.as_bytes()).await;
    stream.purge().await;
    server.says("this server starts anew");
    fs::write(&sinks, "[[sink]]\nnmae = \"pager\"\n").unwrap();
    server.says("starts anew as soon as this is mended");
    fs::write(&sinks, sink).unwrap();
    assert_eq!(ready(&mut server), address);
    drop(raw);
}

/// It came without a pipe; the file with sinks has named one since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_pipe_that_sinks_name_later_keeps_a_server_from_ending_for_nothing() {
    let sink = "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9/\"\n";
    let folder = Scratch::new().with("sinks.toml", sink);
    let (stream, sinks) = (Stream::new(), folder.path().join("sinks.toml"));
    let pipe = folder.path().join("secret");
    let mut server = serve(&stream, &["--sinks", sinks.to_str().unwrap()]).spawn();
    let address = ready(&mut server);
    add(address, "a").await;
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writes = pipe.clone();
    let written = std::thread::spawn(move || fs::write(writes, "s3cret-0123456789").unwrap());
    fs::write(&sinks, format!("{sink}token_file = \"secret\"\n")).unwrap();
    server.says("was read again: 1 sinks");
    written.join().unwrap();
    stream.purge().await;
    let said = server.says("stop it and start it again");
    assert!(said.contains("secret came through a pipe"), "{said}");
    assert_eq!(get(address, "/healthz").await.status, 200);
}

/// The server that it becomes would end at once, and nobody would start it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_mistake_in_another_file_is_waited_for() {
    const SINK: &str = "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9/\"\n";
    const RECEIVER: &str =
        "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"prod.token\"\n";
    let authority = Authority::with_server();
    fs::write(authority.folder().join("prod.token"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let sound = fs::read_to_string(authority.folder().join("server.pem")).unwrap();
    for (name, text, flags) in [
        ("sinks.toml", SINK, &["--sinks", "sinks.toml"][..]),
        ("receivers.toml", RECEIVER, &["--receivers", "receivers.toml"]),
        ("server.pem", &sound, &["--tls-cert", "server.pem", "--tls-key", "server.key"]),
    ] {
        let file = authority.folder().join(name);
        fs::write(&file, text).unwrap();
        let (stream, of_tls) = (Stream::new(), name.ends_with("pem"));
        let mut before = serve(&stream, &[]).spawn();
        add(ready(&mut before), "a").await;
        before.signal("TERM");
        before.end();
        let mut server = serve(&stream, flags).at(authority.folder()).spawn();
        let address = ready(&mut server);
        fs::write(&file, "[[nothing\n").unwrap();
        stream.purge().await;
        let said = server.says("starts anew as soon as this is mended");
        assert!(said.contains(name), "{said}");
        if !of_tls {
            assert_eq!(get(address, "/healthz").await.status, 200, "{name}");
        }
        fs::write(&file, text).unwrap();
        server.says("another one: this server starts anew");
        assert_eq!(ready(&mut server), address, "{name}");
    }
}
