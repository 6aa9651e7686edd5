//! A disk on which reads do not return: requests that wait for them are answered, it is told once, `/readyz` says so, and
//! everything goes on by itself.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Http, PATIENCE, Running, Scratch, get, incident, ms, soon};

/// Makes every read of a journal's files wait while the file in `HANG_READS` is there; but for the writer's.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void wait_for_disk(int fd) {
    const char *flag = getenv("HANG_READS");
    char link[64], path[4096], name[17] = {0};
    if (flag == NULL || access(flag, F_OK) != 0) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (strstr(path, "journal.db") == NULL) return;
    prctl(PR_GET_NAME, name);
    if (strcmp(name, "journal") == 0) return;
    while (access(flag, F_OK) == 0) usleep(20000);
}

ssize_t read(int fd, void *buffer, size_t length) {
    static ssize_t (*next)(int, void *, size_t);
    if (next == NULL) next = dlsym(RTLD_NEXT, "read");
    wait_for_disk(fd);
    return next(fd, buffer, length);
}

ssize_t pread64(int fd, void *buffer, size_t length, off_t offset) {
    static ssize_t (*next)(int, void *, size_t, off_t);
    if (next == NULL) next = dlsym(RTLD_NEXT, "pread64");
    wait_for_disk(fd);
    return next(fd, buffer, length, offset);
}
"#;

/// Cargo needs the compiler, too.
fn build_shim(folder: &Path) {
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    assert!(built.unwrap().success());
}

fn serve(folder: &Path) -> (Running, SocketAddr) {
    build_shim(folder);
    let journal = folder.join("journal.db");
    let args = ["serve", "--port", "0", "--json", "--journal", journal.to_str().unwrap()];
    let run = incident(&args)
        // The loader takes a space in a path for the end of a name.
        .at(folder)
        .env("LD_PRELOAD", "./shim.so")
        .env("HANG_READS", folder.join("hang").to_str().unwrap());
    let mut server = run.spawn();
    let ready: Value = serde_json::from_str(&server.lines().recv().unwrap()).unwrap();
    (server, ready["websocket"].as_str().unwrap().split('/').nth(2).unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_while_it_is_read_keeps_no_request_waiting() {
    let folder = Scratch::new();
    let (mut server, address) = serve(folder.path());
    let started = Http::trigger(address, r#"{"scenario":"database-outage"}"#).send().await;
    let id = started.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/incidents/{id}/events");
    assert_eq!(get(address, &path).await.status, 200);
    std::fs::write(folder.path().join("hang"), "").unwrap();
    // What is cached counts until the next commit, which the playing incident makes.
    let began = std::time::Instant::now();
    loop {
        let status = get(address, &path).await.status;
        if status == 503 {
            break;
        }
        assert!(status == 200 && began.elapsed() < 3 * PATIENCE, "{status}");
        tokio::time::sleep(ms(50)).await;
    }
    let ready = get(address, "/readyz").await;
    assert!(ready.status == 503 && ready.body.contains("a read has lasted longer than 5 s"), "{ready:?}");
    server.says("the journal cannot be read");
    std::fs::remove_file(folder.path().join("hang")).unwrap();
    soon("the end of the trouble", async {
        while get(address, "/readyz").await.status != 200 {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
    assert_eq!(get(address, &path).await.status, 200);
    server.signal("TERM");
    let told = server.end();
    assert_eq!(told.status, Some(0), "{told:?}");
    assert_eq!(told.stderr.matches("the journal cannot be read").count(), 1, "{}", told.stderr);
    assert!(told.stderr.contains("the journal can be read again"), "{}", told.stderr);
}

/// Listings take turns: those that wait behind one that hangs are told the reason, not that the server is busy.
#[tokio::test(flavor = "multi_thread")]
async fn listings_are_told_that_the_disk_hangs_and_at_once_when_it_is_known() {
    let folder = Scratch::new();
    let (server, address) = serve(folder.path());
    let started = Http::trigger(address, r#"{"scenario":"database-outage"}"#).send().await;
    assert_eq!(started.status, 202);
    std::fs::write(folder.path().join("hang"), "").unwrap();
    let ask = |path: String| tokio::spawn(async move { get(address, &path).await });
    let listings: Vec<_> = (0..12).map(|_| ask("/api/incidents".to_owned())).collect();
    for listing in listings {
        let detail = soon("an answer", listing).await.unwrap().problem(503);
        assert!(detail.contains("a read has lasted longer than 5 s"), "{detail}");
    }
    assert_eq!(get(address, "/readyz").await.status, 503);
    // It is known now: eight listings one after the other would take longer than one is waited for.
    soon("eight answers", async {
        for _ in 0..8 {
            let detail = get(address, "/api/incidents").await.problem(503);
            assert!(detail.contains("a read has lasted longer than 5 s"), "{detail}");
        }
    })
    .await;
    std::fs::remove_file(folder.path().join("hang")).unwrap();
    soon("the end of the trouble", async {
        while get(address, "/api/incidents").await.status != 200 {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
    drop(server);
}

/// Also while reads hang, the server stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_stops_although_its_reads_hang() {
    let folder = Scratch::new();
    let (server, address) = serve(folder.path());
    let started = Http::trigger(address, r#"{"scenario":"database-outage"}"#).send().await;
    let path = format!("/api/incidents/{}/events", started.json()["id"].as_str().unwrap());
    std::fs::write(folder.path().join("hang"), "").unwrap();
    let requests = (0..12).map(|_| {
        tokio::spawn({
            let path = path.clone();
            async move { get(address, &path).await.status }
        })
    });
    let requests: Vec<_> = requests.collect();
    soon("the trouble", async {
        while get(address, "/readyz").await.status != 503 {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
    server.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || server.end());
    assert_eq!(soon("the end", ended).await.unwrap().status, Some(0));
    drop(requests);
}
