//! `incident trigger --alerts-to`: the client posts by itself, and ends what it began.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::fake::{Does, Fake, is_firing, scenario};
use crate::harness::{Scratch, Serving, incident};

fn server(more: &[&str]) -> (Serving, Scratch) {
    let (folder, file) = scenario();
    let args = ["serve", "--port", "0", "--json", "--quiet", "--journal", "memory", "--scenarios", &file];
    (Serving::alone(&[&args[..], more].concat()), folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alerts_of_a_drill_come_and_go_with_it() {
    let (one, other) = (Fake::start().await, Fake::start().await);
    let (server, _folder) = server(&[]);
    let token = Scratch::new().with("token", "a-t0ken\n");
    let (first, second, file) = (one.url(), other.url(), token.path().join("token"));
    let args = [
        "trigger",
        "drill",
        "--speed",
        "30",
        "--alerts-to",
        &first,
        "--alerts-to",
        &second,
        "--alert-label",
        "by=me",
    ];
    let run = server.incident(&[&args[..], &["--alerts-token-file", file.to_str().unwrap()]].concat());
    let ran = tokio::task::spawn_blocking(|| run.run()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for fake in [&one, &other] {
        for name in ["Errors", "Later", "Old"] {
            let told = fake.told(name).unwrap_or_else(|| panic!("{name}: {ran:?}"));
            assert!(!is_firing(&told), "{told}");
            let labels = &told["labels"];
            assert_eq!((&labels["by"], &labels["synthetic"]), (&"me".into(), &"true".into()));
        }
        assert!(fake.posts().iter().all(|post| post.authorization == "Bearer a-t0ken"));
        assert!(fake.posts()[0].alerts.is_empty(), "it is asked first whether it takes alerts");
    }
    assert!(
        ran.stderr.contains(&format!("No alert of the drill fires at {first} any more.")),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn ctrl_c_ends_the_alerts_before_the_command_ends() {
    let fake = Fake::start().await;
    let (server, _folder) = server(&[]);
    let running = server.incident(&["trigger", "drill", "--alerts-to", &fake.url()]).spawn();
    let fires = fake.until_firing("Old").await;
    running.signal("INT");
    let ran = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("goes on. Watch it") && ran.stderr.contains("No alert of the drill fires"),
        "{}",
        ran.stderr
    );
    let over = fake.told("Old").unwrap();
    assert!(!is_firing(&over) && over["startsAt"] == fires["startsAt"], "{over}");
    assert!(fake.told("Later").is_none());
}

#[tokio::test]
async fn if_the_end_can_not_be_told_it_says_that_they_end_by_themselves() {
    let fake = Fake::start().await;
    let (server, _folder) = server(&[]);
    let mut running = server.incident(&["trigger", "drill", "--alerts-to", &fake.url()]).spawn();
    fake.until_firing("Old").await;
    fake.does(Does::Answers(500));
    running.says("drill-");
    running.signal("TERM");
    let ran = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let said = format!(
        "{} could not be told that the alerts are over: they end by themselves within 90 s",
        fake.url()
    );
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_if_the_alerts_can_not_be_posted() {
    let fake = Fake::start().await;
    let (server, _folder) = server(&[]);
    let run = |args: &[&str]| server.incident(&[&["trigger", "drill"], args].concat()).run();
    fake.does(Does::Answers(401));
    let refused = run(&["--alerts-to", &fake.url()]);
    assert_eq!(refused.status, Some(3), "{refused:?}");
    assert!(
        refused.stderr.contains("nothing was started") && refused.stderr.contains("401"),
        "{}",
        refused.stderr
    );
    let nowhere = run(&["--alerts-to", "http://127.0.0.1:1"]);
    assert_eq!(nowhere.status, Some(3), "{nowhere:?}");
    for (args, said) in [
        (&["--alerts-to", "127.0.0.1:9093"][..], "is not the URL of an Alertmanager"),
        (&["--alerts-to", "http://me:secret@a/"], "no user and no password"),
        (&["--alerts-to", "http://a", "--alert-label", "team"], "write NAME=VALUE"),
        (&["--alerts-to", "http://a", "--alert-label", "run=x"], "every alert has its own run"),
        (&["--alert-label", "a=b"], "--alerts-to"),
        (&["--alerts-to", "http://a", "--no-wait"], "cannot be used with"),
    ] {
        let ran = run(args);
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    }
    let listed = server.incident(&["list", "--running"]).run();
    assert_eq!(listed.stdout, "", "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_without_alerts_is_refused_before_it_starts() {
    let fake = Fake::start().await;
    let plain = Serving::with(&["--journal", "memory"]);
    let ran = plain.incident(&["trigger", "database-outage", "--alerts-to", &fake.url()]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("has no alerts; nothing was started"), "{}", ran.stderr);
    let listed = plain.incident(&["list", "--running"]).run();
    assert_eq!(listed.stdout, "", "{listed:?}");
}

/// The server is never told where the client posts, and a client without the right to start drills learns nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_alertmanager_that_fails_meanwhile_is_noted_and_the_drill_goes_on() {
    let fake = Fake::start().await;
    let (server, _folder) = server(&[]);
    let mut running =
        server.incident(&["trigger", "drill", "--speed", "6", "--alerts-to", &fake.url()]).spawn();
    fake.until_firing("Old").await;
    fake.does(Does::Answers(503));
    running.says("alerts can't be posted, and are tried again");
    fake.does(Does::Takes);
    running.says("takes alerts again");
    let ran = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(!is_firing(&fake.told("Old").unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_crosses_the_network_unencrypted_is_warned_of() {
    let (server, _folder) = server(&[]);
    let token = Scratch::new().with("token", "a-t0ken\n");
    let file = token.path().join("token");
    // Nobody listens there: only what is said before matters.
    let args = ["trigger", "drill", "--alerts-to", "http://192.0.2.1:1", "--alerts-token-file"];
    let mut running = server.incident(&[&args[..], &[file.to_str().unwrap()]].concat()).spawn();
    let said = running.says("unencrypted");
    assert!(said.contains("192.0.2.1:1") && !said.contains("a-t0ken"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_told_with_where_the_right_ones_are() {
    let (server, _folder) = server(&[]);
    let ran = server.incident(&["trigger", "drill", "--set", "x=1"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no parameters") && ran.stderr.contains("incident list --json"), "{ran:?}");
}

/// Some servers answer every path with their page.
#[test]
fn a_web_page_is_no_alertmanager() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>";
            let _ = client.write_all(answer.as_bytes());
        }
    });
    let (server, _folder) = server(&[]);
    let ran = server.incident(&["trigger", "drill", "--alerts-to", &url]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(
        ran.stderr.contains("nothing was started") && ran.stderr.contains("a page for people"),
        "{ran:?}"
    );
}

/// A password may stand in what is hardly a URL.
#[test]
fn a_value_that_is_no_url_is_repeated_without_a_password() {
    for value in ["me:s3cret@a:9093", "https:/me:s3cret@a", "a/?key=s3cret"] {
        for command in [["trigger", "drill", "--alerts-to", value], ["serve", "--quiet", "--peers", value]] {
            let ran = incident(&command).run();
            assert_eq!(ran.status, Some(2), "{ran:?}");
            assert!(!ran.stderr.contains("s3cret"), "{command:?}: {ran:?}");
        }
    }
}

/// `password_file` is no file with tokens.
#[test]
fn a_missing_file_with_a_secret_is_called_so() {
    let sink = "[[sink]]\nname = \"a\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1\"\n";
    let folder =
        Scratch::new().with("sinks.toml", &format!("{sink}username = \"u\"\npassword_file = \"none\"\n"));
    let file = folder.path().join("sinks.toml").display().to_string();
    let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--sinks", &file]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("the file with secrets ") && !ran.stderr.contains("token file"), "{ran:?}");
}
