//! The real binary on a machine whose wall clock is set while it runs: libfaketime moves it and leaves the steady clock.

use std::path::{Path, PathBuf};

use crate::harness::{Numbers, PATIENCE, Run, Running, Scratch, get, incident};

/// The library below one of Debian's folders for architectures.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let library = folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|file| file.exists());
    library.expect("Debian's package faketime is installed")
}

/// A machine whose wall clock a file sets.
struct Machine(Scratch);

impl Machine {
    fn at(wall: &str) -> Self {
        Self(Scratch::new().with("wall", wall))
    }

    fn set(&self, wall: &str) {
        let (new, file) = (self.0.path().join("wall.new"), self.0.path().join("wall"));
        std::fs::write(&new, wall).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    fn fakes(&self, run: Run) -> Run {
        let wall = self.0.path().join("wall");
        run.env("LD_PRELOAD", library().to_str().unwrap())
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_TIMESTAMP_FILE", wall.to_str().unwrap())
    }

    /// A server with a journal in a file, and its URL.
    fn serve(&self, journal: &Path, further: &[&str]) -> (Running, String) {
        let fixed = ["serve", "--port", "0", "--json", "--journal", journal.to_str().unwrap()];
        let mut server = self.fakes(incident(&[&fixed, further].concat())).spawn();
        let ready = server.lines().recv_timeout(PATIENCE).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        (server, ready["websocket"].as_str().unwrap().to_owned())
    }
}

async fn numbers(url: &str) -> Numbers {
    Numbers::of(url.split('/').nth(2).unwrap().parse().unwrap()).await
}

/// A laptop that slept, or a clock that is set after the boot: a retention age of an hour takes nothing of an incident
/// that has just ended.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: ./tests/run installs it and runs this"]
async fn who_triggers_after_a_sleep_hears_the_end() {
    let (machine, folder) = (Machine::at("+0"), Scratch::new());
    let (mut server, url) = machine.serve(&folder.path().join("journal.db"), &["--retain-age", "1h"]);
    machine.set("+2h");
    let ran =
        incident(&["trigger", "database-outage", "--speed", "60", "--timeout", "14s", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    server.says("this machine's clock was set forward, or the machine was suspended");
    let numbers = numbers(&url).await;
    let head = numbers.get("incident_journal_head_position") as u64;
    assert!(head > 100, "{head}");
    numbers.are(&[
        ("incident_journal_oldest_position", 1),
        ("incident_clock_steps_total{direction=\"forward\"}", 1),
        ("incident_clock_steps_total{direction=\"back\"}", 0),
        ("incident_clock_ahead_seconds", 0),
    ]);
}

/// One run with the clock years ahead does not spoil the next one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: ./tests/run installs it and runs this"]
async fn years_ahead_then_back_in_the_present() {
    let (machine, folder) = (Machine::at("+1500d"), Scratch::new());
    let journal = folder.path().join("journal.db");
    let trigger = |url: &str| {
        let ran =
            incident(&["trigger", "database-outage", "--speed", "60", "--timeout", "14s", "--url", url])
                .run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    };
    let (server, url) = machine.serve(&journal, &[]);
    trigger(&url);
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
    machine.set("+0");
    let (mut server, url) = machine.serve(&journal, &[]);
    let line = server.says("the clock seems to be wrong");
    assert!(line.contains("4 years ahead of this machine's clock"), "{line}");
    assert!(numbers(&url).await.get("incident_clock_ahead_seconds") > 1_499.0 * 86_400.0);
    trigger(&url);
    assert!(numbers(&url).await.get("incident_clock_ahead_seconds") < 61.0);
    let list = get(url.split('/').nth(2).unwrap().parse().unwrap(), "/api/incidents").await;
    let list: serde_json::Value = serde_json::from_str(&list.body).unwrap();
    let apart = list["incidents"].as_array().unwrap().iter().map(|incident| {
        let time: jiff::Timestamp = incident["time"].as_str().unwrap().parse().unwrap();
        time.duration_since(jiff::Timestamp::now()).abs().as_hours()
    });
    let mut apart: Vec<i64> = apart.collect();
    apart.sort_unstable();
    assert!(apart[0] == 0 && apart[1] > 1_499 * 24, "{apart:?}");
}

/// A machine without a battery for its clock: it starts in 1970, and the clock is set while an incident is open.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: ./tests/run installs it and runs this"]
async fn a_boot_in_1970_is_said_and_survived() {
    let (machine, folder) = (Machine::at("@1970-01-01 01:00:00"), Scratch::new());
    let (mut server, url) = machine.serve(&folder.path().join("journal.db"), &["--retain-age", "1h"]);
    server.says("so it was never set");
    let args = ["trigger", "database-outage", "--speed", "30", "--timeout", "14s", "--url", &url];
    let trigger = incident(&args).spawn();
    server.says("incident started");
    machine.set("+0");
    server.says("this machine's clock was set forward");
    let ran = trigger.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    numbers(&url).await.are(&[("incident_journal_oldest_position", 1)]);
}
