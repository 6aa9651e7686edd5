//! What is secret is nowhere to be read.

use incident::client::Endpoint;
use incident::server::Options;
use incident::token::{Scope, Token, for_server};

use super::{both, file, hides};
use crate::harness::{Http, READ, Ran, Raw, Running, Scratch, WRITE, incident, tokens};

#[test]
fn what_holds_a_token_does_not_show_it() {
    let endpoint: Endpoint = "ws://127.0.0.1:7911/ws".parse().unwrap();
    let endpoint = endpoint.with_token(WRITE.parse().unwrap());
    let options = Options { tokens: tokens(&[(Scope::Write, WRITE)]), ..Options::default() };
    let token: Token = WRITE.parse().unwrap();
    let wrong = for_server("tokens.txt", &format!("write {WRITE} {WRITE}"));
    let header = endpoint.authorization().unwrap();
    for shown in [
        format!("{endpoint:?} {endpoint} {} {}", endpoint.http("/"), endpoint.websocket(Some("0"))),
        format!("{options:?}"),
        format!("{token:?} {:?}", token.digest()),
        format!("{wrong:?}"),
        format!("{header:?}"),
    ] {
        assert!(!shown.contains(WRITE) && !shown.contains("0123456789"), "{shown}");
    }
    assert_eq!(header.to_str().unwrap(), format!("Bearer {WRITE}"), "it is there");
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
            ran.stderr.contains("a client sent a wrong token") && ran.stderr.contains("DEBUG"),
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
        for path in ["/events", "/api/incidents/a/events"] {
            for query in [format!("after={token}"), token.to_owned(), format!("{token}=1")] {
                let refused = request("GET", &format!("{path}?{query}")).bearer(READ).send().await;
                assert_eq!(refused.status, 400, "{path}?{query}");
            }
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
    request("POST", "/logout").header("Cookie", &cookie).origin(&format!("http://{address}")).send().await;
    cookie
}
