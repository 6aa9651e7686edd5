//! Tokens of the real binary: files and variables, rotation while it serves, and every command that shows one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::harness::{
    Client, Http, READ, Ran, Raw, Running, Scratch, Serving, WRITE, get, incident, ms, soon,
};

const NEW: &str = "n3w-0123456789abcdef";

/// A token file that only its owner reads.
fn file(scratch: &Scratch, name: &str, text: &str) -> PathBuf {
    let path = scratch.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Replaces a file's content as careful people do: another file in its place.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

fn both() -> String {
    format!("# the wallboard\nread {READ}\n\n  write\t{WRITE} # and who rehearses\r\n")
}

fn serving(tokens: &Path) -> Serving {
    Serving::with(&["--token-file", tokens.to_str().unwrap()])
}

async fn status(server: &Serving, token: &str) -> u16 {
    Http::new(server.address(), "GET", "/api/incidents").bearer(token).send().await.status
}

async fn until(server: &Serving, token: &str, wanted: u16) {
    let waiting = async {
        while status(server, token).await != wanted {
            tokio::time::sleep(ms(30)).await;
        }
    };
    soon("the file to be read again", waiting).await;
}

/// A run that fails has none of these in what it says.
fn hides(ran: &Ran, secrets: &[&str]) {
    for secret in secrets {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line_and_without_the_token() {
    let scratch = Scratch::new();
    for (text, line, says) in [
        (format!("{WRITE}\n"), ":1: ", "expected `read TOKEN` or `write TOKEN`"),
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
        (String::new(), ": ", "no token is in it"),
        ("# nothing yet\n\n".to_owned(), ": ", "no token is in it"),
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
        [("missing", "No such file"), (".", "directory"), ("long", "65536"), ("binary", "UTF-8")]
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
    let mut server = serve.env("INCIDENT_TOKEN", NEW).spawn();
    server.says("INCIDENT_TOKEN is set but not in");
    let socket = server.says("WebSocket");
    let address = socket.rsplit("ws://").next().unwrap().trim_end_matches("/ws").parse().unwrap();
    server.says("2 tokens from");
    let asked = |token| Http::new(address, "GET", "/api/incidents").bearer(token).send();
    assert_eq!((asked(NEW).await.status, asked(READ).await.status), (401, 200));
}

#[tokio::test]
async fn tokens_are_rotated_without_a_restart() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let server = serving(&path);
    let header = format!("Bearer {WRITE}");
    let mut old = Client::with_headers(server.address(), "", &[("Authorization", &header)]).await.unwrap();
    // The new one beside the old, then the old one withdrawn.
    replace(&path, &format!("write {WRITE}\nwrite {NEW}\nread {READ}\n"));
    until(&server, NEW, 200).await;
    assert_eq!(status(&server, WRITE).await, 200);
    replace(&path, &format!("write {NEW}\nread {READ}\n"));
    until(&server, WRITE, 401).await;
    assert_eq!((status(&server, NEW).await, status(&server, READ).await), (200, 200));
    assert_eq!(old.closed().await.0, 1012);
}

#[tokio::test]
async fn a_hangup_reads_the_file_and_what_is_wrong_with_it_changes_nothing() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let text = path.to_str().unwrap();
    let mut server = incident(&["serve", "--port", "0", "--token-file", text]).spawn();
    let socket = server.says("WebSocket");
    let address = socket.rsplit("ws://").next().unwrap().trim_end_matches("/ws").parse().unwrap();
    server.says("Ready in");
    let asked =
        async |token: &str| Http::new(address, "GET", "/api/incidents").bearer(token).send().await.status;
    assert_eq!(asked(WRITE).await, 200, "it serves, and so listens to signals");

    replace(&path, &format!("write {NEW}\nread s3cret\n"));
    server.signal("HUP");
    let said = server.says("stay good");
    assert!(said.contains("tokens.txt:2: ") && !said.contains("s3cret"), "{said}");
    assert_eq!((asked(WRITE).await, asked(NEW).await), (200, 401));

    fs::remove_file(&path).unwrap();
    server.signal("HUP");
    server.says("cannot be read");
    assert_eq!(asked(WRITE).await, 200);

    fs::write(&path, format!("write {NEW}\n")).unwrap();
    server.signal("HUP");
    let said = server.says("was read again");
    assert!(said.contains("write=1") && said.contains("withdrawn=2"), "{said}");
    assert_eq!((asked(WRITE).await, asked(NEW).await), (401, 200));

    fs::write(&path, "# closed for the night\n").unwrap();
    server.signal("HUP");
    server.says("nobody gets in");
    assert_eq!((asked(NEW).await, get(address, "/api/incidents").await.status), (401, 401));
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}

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
        let cancelled = run(&["trigger", "--cancel", id]);
        assert!(cancelled.status == Some(2) && cancelled.stderr.contains("has ended"), "{cancelled:?}");
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
    let server = serving(&path);
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
        for piece in ["401", "asks for a token", "--token-file FILE", "INCIDENT_TOKEN"] {
            assert!(nobody.stderr.contains(piece), "{args:?}: {piece} is not in\n{}", nobody.stderr);
        }
        let wrong = server.incident(args).env("INCIDENT_TOKEN", "wr0ng-0123456789").run();
        assert_eq!(wrong.status, Some(3), "{args:?}: {}", wrong.stderr);
        assert!(wrong.stderr.contains("unknown here or withdrawn"), "{}", wrong.stderr);
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
    let server = serving(&path);
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

/// Everything that can go wrong with a token goes wrong, with all that the server can say about it being said.
#[tokio::test]
async fn no_secret_is_in_what_it_prints_whatever_happens() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let flags = ["serve", "--port", "0", "-vv", "--token-file", path.to_str().unwrap()];
    for json in [false, true] {
        let more: &[&str] = if json { &["--json"] } else { &[] };
        let mut server = incident(&[&flags[..], more].concat()).spawn();
        let stdout = json.then(|| server.lines());
        let ready = match &stdout {
            Some(lines) => lines.recv_timeout(crate::harness::PATIENCE).unwrap(),
            None => server.says("WebSocket") + "\"",
        };
        let address = ready.split("ws://").nth(1).unwrap().split("/ws").next().unwrap().parse().unwrap();
        let cookie = provoke(address).await;
        let id = cookie.split_once('=').unwrap().1.to_owned();
        server.signal("TERM");
        let told = ready.clone() + &stdout.map(|lines| lines.iter().collect::<String>()).unwrap_or_default();
        let ran = ended(server, told).await;
        assert_eq!(ran.status, Some(0));
        assert!(
            ran.stderr.contains("a wrong token was shown") && ran.stderr.contains("DEBUG"),
            "{}",
            ran.stderr
        );
        hides(&ran, &[READ, WRITE, "wr0ng", &id]);
    }
}

async fn ended(server: Running, stdout: String) -> Ran {
    let mut ran = tokio::task::spawn_blocking(move || server.end()).await.unwrap();
    ran.stdout += &stdout;
    ran
}

/// Good and wrong tokens in every place where one can stand; the cookie of a session.
async fn provoke(address: std::net::SocketAddr) -> String {
    let request = |method: &str, path: &str| Http::new(address, method, path);
    for token in [READ, WRITE, "wr0ng-0123456789"] {
        for path in ["/api/incidents", "/ws", "/nothing", "/api/session"] {
            request("GET", path).bearer(token).send().await;
            request("GET", path).header("Authorization", token).send().await;
            request("GET", &format!("{path}?token={token}")).send().await;
            request("GET", &format!("{path}?after={token}")).bearer(READ).send().await;
            request("GET", path)
                .header("Cookie", &format!("incident-{}={token}", address.port()))
                .send()
                .await;
        }
        let trigger = Http::trigger(address, &format!(r#"{{"scenario":"{token}"}}"#));
        trigger.bearer(WRITE).origin("http://evil.example").send().await;
        Http::trigger(address, r#"{"scenario":"database-outage"}"#).bearer(token).send().await;
        let post = request("POST", "/login").header("Content-Type", "application/json");
        post.body(&format!(r#"{{"{token}":1}}"#)).send().await;
        let mut raw = Raw::connect(address).await;
        raw.send(
            format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\u{1}\r\n\r\n").as_bytes(),
        )
        .await;
        raw.rest().await;
    }
    let login = |token: &str| {
        let post = request("POST", "/login").header("Content-Type", "application/json");
        post.body(&format!(r#"{{"token":"{token}"}}"#)).send()
    };
    login("wr0ng-0123456789").await;
    let cookie = login(WRITE).await.cookie().to_owned();
    request("GET", "/api/incidents").header("Cookie", &cookie).send().await;
    request("POST", "/logout").header("Cookie", &cookie).send().await;
    cookie
}
