//! What follows a position, over every engine: everything, exactly the rest, or a reset that says why.

use incident::contract::{Follows, Position, ResetReason};
use incident::journal::Retention;

use crate::harness::{Client, Event, Local, get, metrics, resolved, started, story};

fn positions(range: std::ops::RangeInclusive<u64>, seen: &[Event]) {
    let seen: Vec<u64> = seen.iter().map(|event| event.position).collect();
    assert_eq!(seen, range.collect::<Vec<_>>());
}

async fn a_newcomer_on_an_empty_stream_is_told_that_nothing_is_there(serving: Serving) {
    let server = serving(Retention::default()).await;
    let client = server.client().await;
    assert_eq!(client.opened.follows, Follows::Started { from: 1, to: 0 });
    assert_eq!((client.opened.head, client.opened.oldest), (0, 1));
    assert_eq!(client.opened.stream, server.journal.stream().as_str());
    assert_eq!(client.opened.contract, incident::contract::CONTRACT_VERSION);
    let skew = jiff::Timestamp::now().duration_since(client.opened.server_time);
    assert!(skew.abs() < jiff::SignedDuration::from_secs(10), "the server's clock: {skew}");
}

async fn a_newcomer_begins_with_the_oldest_open_incident(serving: Serving) {
    let server = serving(Retention::default()).await;
    server.append(story("ended", 3)).await;
    server.append(vec![started("open"), metrics("open", 2)]).await;
    server.append(story("ended-too", 2)).await;
    let mut client = server.client().await;
    assert_eq!(client.opened.follows, Follows::Started { from: 4, to: 7 });
    positions(4..=7, &client.up_to(7).await);
    // With its end nothing is open: only what is new follows.
    server.append(vec![resolved("open", 3)]).await;
    positions(8..=8, &client.up_to(8).await);
    let later = server.client().await;
    assert_eq!(later.opened.follows, Follows::Started { from: 9, to: 8 });
}

async fn a_position_resumes_exactly_after_itself(serving: Serving) {
    let server = serving(Retention::default()).await;
    server.append(story("a", 20)).await;
    for n in [0, 1, 7, 19] {
        let mut client = server.client_after(n).await;
        assert_eq!(client.opened.follows, Follows::Resumed { from: n + 1, to: 20 });
        positions(n + 1..=20, &client.up_to(20).await);
    }
    let mut at_the_head = server.client_after(20).await;
    assert_eq!(at_the_head.opened.follows, Follows::Resumed { from: 21, to: 20 });
    server.append(story("b", 2)).await;
    positions(21..=22, &at_the_head.up_to(22).await);
}

async fn nothing_as_a_position_replays_all_that_is_kept(serving: Serving) {
    let server = serving(Retention { events: 10, age: None }).await;
    for subject in ["a", "b", "c", "d"] {
        server.append(story(subject, 5)).await;
    }
    let mut client = Client::connect(server.address, "?after=0").await;
    assert_eq!(client.opened.follows, Follows::Started { from: 11, to: 20 });
    assert_eq!(client.opened.oldest, 11);
    positions(11..=20, &client.up_to(20).await);
}

async fn a_position_of_another_stream_is_reset_to_a_newcomers_start(serving: Serving) {
    let server = serving(Retention::default()).await;
    server.append(story("ended", 2)).await;
    server.append(vec![started("open")]).await;
    let mut client = Client::connect(server.address, "?after=01ELSEWHERE00000/2").await;
    let reset = Follows::Reset { reason: ResetReason::OtherStream, from: 3, to: 3 };
    assert_eq!(client.opened.follows, reset);
    positions(3..=3, &client.up_to(3).await);
}

async fn a_position_beyond_the_head_is_reset_to_a_newcomers_start(serving: Serving) {
    let server = serving(Retention::default()).await;
    server.append(story("ended", 2)).await;
    let reset = Follows::Reset { reason: ResetReason::Ahead, from: 3, to: 2 };
    // The largest position that there can be is one.
    assert_eq!(server.client_after(Position::LIMIT - 1).await.opened.follows, reset);
    let mut client = server.client_after(3).await;
    assert_eq!(client.opened.follows, reset);
    server.append(story("new", 2)).await;
    positions(3..=4, &client.up_to(4).await);
}

async fn a_position_whose_followers_were_dropped_is_reset_to_the_oldest_kept(serving: Serving) {
    let server = serving(Retention { events: 5, age: None }).await;
    server.append(story("a", 5)).await;
    server.append(story("b", 5)).await;
    let mut client = server.client_after(4).await;
    assert_eq!(client.opened.follows, Follows::Reset { reason: ResetReason::Expired, from: 6, to: 10 });
    positions(6..=10, &client.up_to(10).await);
    // 6 is the next after 5: nothing is missing.
    let whole = server.client_after(5).await;
    assert_eq!(whole.opened.follows, Follows::Resumed { from: 6, to: 10 });
}

async fn what_is_no_position_is_a_400_that_says_what_one_is(serving: Serving) {
    let server = serving(Retention::default()).await;
    let stream = server.position(0).trim_end_matches("/0").to_owned();
    for bad in ["17", "-1", "", "x", "/3", "+1", "01%2F02%2F03"] {
        let detail = get(server.address, &format!("/ws?after={bad}")).await.problem(400);
        assert!(detail.contains("position"), "{bad}: {detail}");
    }
    for bad in ["-1", "+1", "", "a", "1.0", "9007199254740992", "18446744073709551615", "0x1", "1/2"] {
        let detail = get(server.address, &format!("/ws?after={stream}/{bad}")).await.problem(400);
        assert!(detail.contains("position"), "{bad}: {detail}");
    }
    let detail = get(server.address, "/ws?afer=0").await.problem(400);
    assert!(detail.contains("afer") && detail.contains("after"), "{detail}");
    assert!(get(server.address, "/ws?after=0&after=0").await.problem(400).contains("after"));
}

/// How a server comes up over an engine.
type Serving = fn(Retention) -> std::pin::Pin<Box<dyn Future<Output = Local>>>;

macro_rules! over_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $test() {
                super::$test(|retention| {
                    Box::pin(crate::harness::Local::with(crate::harness::options(), retention))
                }).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test] async fn $test() {
                super::$test(|retention| {
                    Box::pin(crate::harness::Local::in_a_file(crate::harness::options(), retention))
                }).await;
            })+
        }
    };
}

over_every_engine!(
    a_newcomer_on_an_empty_stream_is_told_that_nothing_is_there,
    a_newcomer_begins_with_the_oldest_open_incident,
    a_position_resumes_exactly_after_itself,
    nothing_as_a_position_replays_all_that_is_kept,
    a_position_of_another_stream_is_reset_to_a_newcomers_start,
    a_position_beyond_the_head_is_reset_to_a_newcomers_start,
    a_position_whose_followers_were_dropped_is_reset_to_the_oldest_kept,
    what_is_no_position_is_a_400_that_says_what_one_is,
);
