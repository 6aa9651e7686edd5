//! How many sessions there may be, and how often one may begin.

use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;

use crate::harness::{Http, Local, READ, WRITE, options, tokens};
use crate::login::{later, list, login, opened, session};

/// One of many sessions: of each address only so many may begin at once.
async fn session_of_many(server: &Local, number: u32) {
    let from = [127, 0, 1, (number / 50) as u8].into();
    assert_eq!(login(server, READ).from(from).send().await.status, 200);
}

#[tokio::test]
async fn there_are_so_many_sessions_and_no_more() {
    let server = Local::closed().await;
    let (watched, first, second) =
        (session(&server, READ).await, session(&server, READ).await, session(&server, READ).await);
    let _stream = opened(&server, &watched).await;
    assert_eq!(list(&server, &first).await, 200, "it was used later than the second");
    for number in 0..998 {
        session_of_many(&server, number).await;
    }
    assert_eq!(list(&server, &second).await, 401, "the one that was used the longest ago");
    assert_eq!((list(&server, &first).await, list(&server, &watched).await), (200, 200));
}

/// A program that logs in for each of its requests would push out everybody, and leaves a note of each in a shared journal.
#[tokio::test]
async fn an_address_may_log_in_so_often_and_those_who_are_in_stay_so() {
    let server = Local::closed().await;
    let cookie = session(&server, READ).await;
    let mut refused = None;
    for _ in 0..1_000 {
        let reply = login(&server, READ).send().await;
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("there is no limit");
    assert_eq!(refused.header("retry-after"), "1", "{refused:?}");
    let detail = refused.problem(429);
    assert!(detail.contains("log-ins") && detail.contains("cookie") && detail.contains("Bearer"), "{detail}");
    assert_eq!(list(&server, &cookie).await, 200);
    let other = login(&server, READ).from([127, 0, 1, 1].into()).send().await;
    assert_eq!(other.status, 200, "another address has its own share");
    let with_token = Http::new(server.address, "GET", "/api/incidents").bearer(READ).send().await;
    assert_eq!(with_token.status, 200, "a token needs no log-in");
    later(1).await;
    assert_eq!(login(&server, READ).send().await.status, 200);
}

/// Whoever may only read can't end the sessions of those who may write, and no token those of all others.
#[tokio::test]
async fn logins_with_one_token_push_out_no_sessions_of_others() {
    const OTHER: &str = "r3ad-0therother012345";
    let known = [(Scope::Read, READ), (Scope::Read, OTHER), (Scope::Write, WRITE)];
    let server = Local::with(Options { tokens: tokens(&known), ..options() }, Retention::default()).await;
    let mut write = Vec::new();
    for _ in 0..5 {
        write.push(session(&server, WRITE).await);
    }
    let other = session(&server, OTHER).await;
    for number in 0..1_005 {
        session_of_many(&server, number).await;
    }
    for cookie in write.iter().chain([&other]) {
        assert_eq!(list(&server, cookie).await, 200, "it was used longest ago and is still there");
    }
}
