//! Where a server's tokens come from, and what is wrong with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{both, file, hides};
use crate::harness::{Http, READ, Scratch, WRITE, incident};

#[test]
fn a_mistake_in_the_file_is_told_with_its_line_and_without_the_token() {
    let scratch = Scratch::new();
    for (text, line, says) in [
        (format!("{WRITE}\n"), ":1: ", "expected `read TOKEN`, `publish TOKEN [SOURCE …]` or `write TOKEN`"),
        (format!("read {READ}\n\nadmin {WRITE}\n"), ":3: ", "expected"),
        (format!("Write {WRITE}\n"), ":1: ", "expected"),
        (format!("write {WRITE} more\n"), ":1: ", "expected"),
        (format!("write:{WRITE}\n"), ":1: ", "expected"),
        ("write\n".to_owned(), ":1: ", "expected"),
        ("read s3cret-0123456789\nwrite s3cret-0123456789\u{e9}\n".to_owned(), ":2: ", "not visible ASCII"),
        ("write s3cret-0123456789\u{1}\n".to_owned(), ":1: ", "not visible ASCII"),
        (format!("write {}\n", "s3cret".repeat(100)), ":1: ", "more than 512"),
        ("# rotate\nwrite s3cret-0123456789\nread s3cret-0\n".to_owned(), ":3: ", "at least 16 are needed"),
        (format!("write {WRITE}\nread {READ}\nread {WRITE}\n"), ":3: ", "the same token as on line 1"),
        (String::new(), ": ", "the file has no token"),
        ("# nothing yet\n\n".to_owned(), ": ", "the file has no token"),
    ] {
        let path = file(&scratch, "tokens.txt", &text);
        let ran = incident(&["serve", "--port", "0", "--token-file", path.to_str().unwrap()]).run();
        assert_eq!(ran.status, Some(2), "{text:?}: {}", ran.stderr);
        let place = format!("tokens.txt{line}");
        assert!(ran.stderr.contains(&place) && ran.stderr.contains(says), "{text:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("try:"), "{}", ran.stderr);
        hides(&ran, &[READ, WRITE, "s3cret"]);
    }
}

#[test]
fn a_file_that_is_none_is_told() {
    let scratch = Scratch::new();
    file(&scratch, "long", &format!("write {WRITE}\n").repeat(4_000));
    fs::write(scratch.path().join("binary"), [0xff, 0xfe, 0x00]).unwrap();
    for (name, says) in
        [("missing", "no such file"), (".", "directory"), ("long", "65536"), ("binary", "UTF-8")]
    {
        let path = scratch.path().join(name);
        let path = path.to_str().unwrap();
        for command in [&["serve", "--port", "0"][..], &["watch"], &["trigger", "x"]] {
            let ran = incident(&[command, &["--token-file", path]].concat()).run();
            assert_eq!(ran.status, Some(2), "{command:?} {name}: {}", ran.stderr);
            assert!(ran.stderr.contains(says) && ran.stderr.contains(path), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_file_that_others_can_read_is_warned_about() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let text = path.to_str().unwrap();
    // Nobody listens there: only what is said before matters.
    let client = || incident(&["watch", "--url", "ws://127.0.0.1:1/ws", "--token-file", text]).run().stderr;
    let server = || incident(&["serve", "--bind", "192.0.2.1", "--token-file", text]).run().stderr;
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o622, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for said in [client(), server()] {
            assert_eq!(said.contains("other users can read"), warned, "{mode:o}: {said}");
            assert_eq!(said.contains("chmod 600"), warned, "{said}");
        }
    }
}

#[tokio::test]
async fn variables_are_tokens_too() {
    let mut server = incident(&["serve", "--port", "0"])
        .env("INCIDENT_TOKEN", WRITE)
        .env("INCIDENT_READ_TOKEN", READ)
        .spawn();
    let socket = server.says("WebSocket");
    let url = format!("ws://{}", socket.rsplit("ws://").next().unwrap());
    server.says("2 tokens from the environment (1 read, 1 write)");
    let args = ["trigger", "database-outage", "--no-wait", "--url", &url];
    assert_eq!(incident(&args).env("INCIDENT_TOKEN", WRITE).run().status, Some(0));
    assert_eq!(incident(&args).env("INCIDENT_TOKEN", READ).run().status, Some(3));
    assert_eq!(incident(&args).run().status, Some(3));
    let watch = incident(&["watch", "--no-follow", "--url", &url]).env("INCIDENT_TOKEN", READ).run();
    assert!(watch.stdout.contains("incident_started"), "{watch:?}");
}

#[test]
fn a_variable_that_is_no_token_is_told_by_name() {
    for (value, says) in
        [("", "empty"), ("s3cret 0123456789", "visible ASCII"), ("s3cret-0123456789\n", "visible ASCII")]
    {
        for args in [&["serve", "--port", "0"][..], &["watch"], &["trigger", "x"], &["report", "x"]] {
            let ran = incident(args).env("INCIDENT_TOKEN", value).run();
            assert_eq!(ran.status, Some(2), "{args:?} {value:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("INCIDENT_TOKEN") && ran.stderr.contains(says), "{}", ran.stderr);
            hides(&ran, &["s3cret"]);
        }
    }
    let serve = incident(&["serve", "--port", "0"]);
    let short = serve.env("INCIDENT_READ_TOKEN", "s3cret").run();
    assert_eq!(short.status, Some(2), "{}", short.stderr);
    assert!(short.stderr.contains("INCIDENT_READ_TOKEN") && short.stderr.contains("16"), "{}", short.stderr);
    hides(&short, &["s3cret"]);
    let same =
        incident(&["serve", "--port", "0"]).env("INCIDENT_READ_TOKEN", WRITE).env("INCIDENT_TOKEN", WRITE);
    let same = same.run();
    assert_eq!(same.status, Some(2), "{}", same.stderr);
    hides(&same, &[WRITE]);
}

#[tokio::test]
async fn a_file_says_it_all_and_variables_beside_it_open_nothing() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let serve = incident(&["serve", "--port", "0", "--token-file", path.to_str().unwrap()]);
    let mut server = serve.env("INCIDENT_TOKEN", "n3w-0123456789abcdef").spawn();
    server.says("INCIDENT_TOKEN is set, but its token is not in");
    let socket = server.says("WebSocket");
    let address = socket.rsplit("ws://").next().unwrap().trim_end_matches("/ws").parse().unwrap();
    server.says("2 tokens from");
    let asked = |token| Http::new(address, "GET", "/api/incidents").bearer(token).send();
    assert_eq!((asked("n3w-0123456789abcdef").await.status, asked(READ).await.status), (401, 200));
}

#[test]
fn with_tokens_it_may_listen_to_other_machines_and_says_what_that_means() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let flags = ["serve", "--port", "0", "--bind", "0.0.0.0"];
    let refused = incident(&flags).run();
    assert!(refused.status == Some(2) && refused.stderr.contains("--token-file"), "{refused:?}");
    let mut server = incident(&[&flags[..], &["--token-file", path.to_str().unwrap()]].concat()).spawn();
    server.says("unencrypted");
    server.says("Ready in");
    let client = incident(&["watch", "--url", "ws://192.0.2.1:1/ws"]).env("INCIDENT_TOKEN", READ);
    let mut client = client.spawn();
    let said = client.says("unencrypted");
    assert!(said.contains("192.0.2.1:1") && !said.contains(READ), "{said}");
}
