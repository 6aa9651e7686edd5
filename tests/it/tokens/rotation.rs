//! The token file is read again while the server runs.

use std::fs;

use super::{both, file, replace};
use crate::harness::{Client, Http, READ, Scratch, Serving, WRITE, get, incident, ms, soon};

const NEW: &str = "n3w-0123456789abcdef";

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

#[tokio::test]
async fn tokens_are_rotated_without_a_restart() {
    let scratch = Scratch::new();
    let path = file(&scratch, "tokens.txt", &both());
    let server = Serving::with(&["--token-file", path.to_str().unwrap()]);
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
    let said = server.says("stay valid");
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
    server.says("every request is refused");
    assert_eq!((asked(NEW).await, get(address, "/api/incidents").await.status), (401, 401));
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}
