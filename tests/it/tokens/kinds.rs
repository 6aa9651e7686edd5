//! What stands where a token file should: pipes, folders, devices, sockets and huge files hold up neither the start nor
//! rotation nor the end; and SIGHUP where there is no file.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::{both, file};
use crate::harness::{Http, Running, Scratch, WRITE, get, incident};
use crate::tls::Authority;

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Waits until it is ready; where.
fn ready(server: &mut Running) -> std::net::SocketAddr {
    let socket = server.says("WebSocket");
    server.says("Ready in");
    socket.rsplit("://").next().unwrap().trim_end_matches("/ws").parse().unwrap()
}

/// What is to be said of a thing that is no token file, and how to put it there.
type Thing<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn kinds(path: &Path) -> Vec<Thing<'_>> {
    vec![
        ("it is a pipe", Box::new(move || pipe(path))),
        ("it is a directory", Box::new(move || fs::create_dir(path).unwrap())),
        ("it is a device", Box::new(move || symlink("/dev/zero", path).unwrap())),
        ("it is a socket", Box::new(move || drop(UnixListener::bind(path).unwrap()))),
        ("65536", Box::new(move || File::create(path).unwrap().set_len(1 << 36).unwrap())),
    ]
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }.unwrap();
}

#[tokio::test]
async fn what_comes_in_the_place_of_a_token_file_holds_up_neither_rotation_nor_the_end() {
    let folder = Scratch::new();
    let path = file(&folder, "t", &both());
    let mut server = incident(&["serve", "--port", "0", "--token-file", path.to_str().unwrap()]).spawn();
    let address = ready(&mut server);
    for (said, put) in kinds(&path) {
        fs::remove_file(&path).unwrap();
        put();
        server.signal("HUP");
        let line = server.says(said);
        assert!(line.contains("stay valid") && line.contains("cannot be read"), "{line}");
        let asked = Http::new(address, "GET", "/api/incidents").bearer(WRITE).send().await;
        assert_eq!(asked.status, 200, "{said}");
        remove(&path);
        file(&folder, "t", &both());
        server.signal("HUP");
        server.says("was read again");
    }
    fs::remove_file(&path).unwrap();
    pipe(&path);
    server.says("it is a pipe");
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}

#[test]
fn what_is_no_token_file_is_refused_at_the_start() {
    let folder = Scratch::new();
    let path = folder.path().join("t");
    for (said, put) in kinds(&path) {
        put();
        for command in [&["serve", "--port", "0"][..], &["watch"]] {
            let ran = incident(&[command, &["--token-file", path.to_str().unwrap()]].concat()).run();
            assert_eq!(ran.status, Some(2), "{said} {command:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
        remove(&path);
    }
}

#[test]
fn a_pipe_in_the_place_of_a_key_holds_up_neither_renewal_nor_the_end() {
    let authority = Authority::with_server();
    let flags = authority.flags("server");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut server =
        incident(&[&["serve", "--port", "0", "--journal", "memory"], &flags[..]].concat()).spawn();
    ready(&mut server);
    let key = authority.folder().join("server.key");
    fs::remove_file(&key).unwrap();
    pipe(&key);
    server.signal("HUP");
    let line = server.says("it is a pipe");
    assert!(line.contains("stays in use"), "{line}");
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}

/// `--token-file <(pass show incident)`
#[tokio::test]
async fn a_pipe_that_is_written_to_is_read_once() {
    let folder = Scratch::new();
    let path = folder.path().join("t");
    pipe(&path);
    let mut server = incident(&["serve", "--port", "0", "--token-file", path.to_str().unwrap()]).spawn();
    let writing = path.clone();
    let writer = std::thread::spawn(move || fs::write(writing, both()).unwrap());
    let address = ready(&mut server);
    writer.join().unwrap();
    server.signal("HUP");
    server.says("no file to read again");
    let asked = Http::new(address, "GET", "/api/incidents").bearer(WRITE).send().await;
    assert_eq!(asked.status, 200);
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}

/// Whoever rotates logs or tokens with a signal does not end a server that has no file.
#[tokio::test]
async fn a_hangup_without_a_file_does_not_end_the_server() {
    let mut server = incident(&["serve", "--port", "0", "--journal", "memory"]).spawn();
    let address = ready(&mut server);
    for _ in 0..3 {
        server.signal("HUP");
        server.says("no file to read again");
    }
    assert_eq!(get(address, "/healthz").await.status, 200);
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}

/// The dashboard of a folder is read for every request.
#[tokio::test]
async fn a_pipe_in_the_dashboards_folder_holds_up_nobody() {
    let folder = Scratch::new();
    pipe(&folder.path().join("index.html"));
    let folder = folder.text();
    let mut server =
        incident(&["serve", "--port", "0", "--journal", "memory", "--dashboard", folder]).spawn();
    let address = ready(&mut server);
    for _ in 0..8 {
        get(address, "/").await.problem(404);
    }
    assert_eq!(get(address, "/healthz").await.status, 200);
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}
