//! Every command that asks a server shows it a token, and says what to do when that is not enough.

use super::{both, file, hides, replace};
use crate::harness::{READ, Scratch, Serving, WRITE, incident};

#[tokio::test]
async fn every_command_shows_its_token() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let server = Serving::with(&["--token-file", path.to_str().unwrap(), "--speed", "200"]);
    // A server's own file is good for its clients, and so is a token alone.
    let own = file(&scratch, "alone", &format!("{WRITE}\n"));
    let read = file(&scratch, "read", &format!("read {READ}\n"));
    for file in [&path, &own] {
        let flag = ["--token-file", file.to_str().unwrap()];
        let run = |args: &[&str]| server.incident(&[args, &flag].concat()).run();
        let triggered = run(&["trigger", "database-outage"]);
        assert_eq!(triggered.status, Some(0), "{}", triggered.stderr);
        let id = triggered.stdout.split(' ').next().unwrap();
        let watched = run(&["watch", "--incident", id, "--no-follow", "--json"]);
        assert!(watched.status == Some(0) && watched.stdout.contains("incident_resolved"), "{watched:?}");
        let report = run(&["report", id]);
        assert!(report.status == Some(0) && report.stdout.contains(id), "{report:?}");
        let judged = run(&["validate", "--trigger", "database-outage", "--rule", "order"]);
        assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
        let left = run(&["trigger", "database-outage", "--speed", "1", "--timeout", "100ms"]);
        let again = format!(" --url {} --token-file {}", server.url(), file.display());
        assert!(left.status == Some(4) && left.stderr.contains(&again), "{}", left.stderr);
        let cancelled = run(&["trigger", "--cancel", id]);
        assert!(
            cancelled.status == Some(0) && cancelled.stderr.contains("is already resolved"),
            "{cancelled:?}"
        );
    }
    let flag = ["--token-file", read.to_str().unwrap()];
    for args in [&["watch", "--no-follow"][..], &["validate", "--for", "100ms", "--rule", "order"]] {
        let ran = server.incident(&[args, &flag].concat()).run();
        assert_ne!(ran.status, Some(3), "{args:?}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn who_is_refused_is_told_what_to_do() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let server = Serving::with(&["--token-file", path.to_str().unwrap()]);
    let commands = [
        &["trigger", "database-outage"][..],
        &["trigger", "--cancel", "x-aaaaa"],
        &["watch"],
        &["watch", "--incident", "x-aaaaa"],
        &["report", "x-aaaaa"],
        &["validate", "--for", "100ms"],
    ];
    for args in commands {
        let nobody = server.incident(args).run();
        assert_eq!(nobody.status, Some(3), "{args:?}: {}", nobody.stderr);
        for piece in ["401", "requires a token", "--token-file FILE", "INCIDENT_TOKEN"] {
            assert!(nobody.stderr.contains(piece), "{args:?}: {piece} is not in\n{}", nobody.stderr);
        }
        let wrong = server.incident(args).env("INCIDENT_TOKEN", "wr0ng-0123456789").run();
        assert_eq!(wrong.status, Some(3), "{args:?}: {}", wrong.stderr);
        assert!(wrong.stderr.contains("unknown or was withdrawn"), "{}", wrong.stderr);
        hides(&wrong, &["wr0ng"]);
    }
    for args in &commands[..2] {
        let reader = server.incident(args).env("INCIDENT_TOKEN", READ).run();
        assert_eq!(reader.status, Some(3), "{args:?}: {}", reader.stderr);
        assert!(reader.stderr.contains("403") && reader.stderr.contains("write token"), "{}", reader.stderr);
    }
    let nowhere = incident(&["validate", "--token-file", path.to_str().unwrap()]).run();
    assert!(nowhere.status == Some(2) && nowhere.stderr.contains("--url"), "{nowhere:?}");
}

#[test]
fn a_watcher_whose_token_is_withdrawn_leaves_and_says_why() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let server = Serving::with(&["--token-file", path.to_str().unwrap()]);
    let mut watch = server.incident(&["watch"]).env("INCIDENT_TOKEN", READ).spawn();
    let triggered =
        server.incident(&["trigger", "database-outage", "--no-wait"]).env("INCIDENT_TOKEN", WRITE);
    assert_eq!(triggered.run().status, Some(0));
    let lines = watch.lines();
    lines.recv_timeout(crate::harness::PATIENCE).expect("an event");
    replace(&path, &format!("write {WRITE}\n"));
    watch.says("connection lost (1012");
    let ran = watch.end();
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("401") && ran.stderr.contains("withdrawn"), "{}", ran.stderr);
}
