//! A long replay: it is read over HTTP, whole and once, whatever happens to the connection meanwhile.

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::{Local, Proxy, action, metrics, started};
use incident::journal::Record;

/// Events of one incident; every third has a row.
fn long(events: u64) -> Vec<Record> {
    let middle = (2..=events).map(|index| match index % 3 {
        0 => action("long", index, &format!("Looked at shard {index}")),
        _ => metrics("long", index),
    });
    [started("long")].into_iter().chain(middle).collect()
}

const COUNT: &str = "Number(document.querySelector('#received').dataset.count)";
const ASKED: &str =
    "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/events?after=')).length";
const LAST: &str = "document.querySelector('#feed .row:last-child')?.innerText";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn it_is_read_over_http_and_what_follows_comes_live() {
    let server = Local::start().await;
    server.append(long(12_000)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("all of it", &format!("{COUNT} === 12000")).await;
    assert_eq!(page.value(ASKED).await, 1);
    page.until("the newest row", &format!("{LAST}.includes('shard 12000')")).await;
    page.until("the present", "document.querySelector('#connection').innerText === 'Live'").await;
    server.append(vec![action("long", 12_001, "And then")]).await;
    page.until("what follows", &format!("{LAST}.includes('And then')")).await;
    assert_eq!(page.value("document.querySelector('#feed .row:last-child').dataset.live").await, "");
    assert_eq!(page.value("document.querySelector('#feed .row.gap')").await, Value::Null);
    assert_eq!(page.value(ASKED).await, 1);
    // It was no interruption.
    assert_eq!(page.value("document.querySelector('#recovery')?.checkVisibility() ?? false").await, false);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_replay_that_is_cut_goes_on_where_it_was() {
    let server = Local::start().await;
    server.append(long(40_000)).await;
    let proxy = Proxy::to(server.address).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.until("some of it", &format!("{COUNT} > 0")).await;
    proxy.cut();
    page.until("all of it", &format!("{COUNT} === 40000")).await;
    page.until("the present", "document.querySelector('#connection').innerText === 'Live'").await;
    assert_eq!(page.value("document.querySelector('#feed .row.gap')").await, Value::Null);
    page.until("the newest row", &format!("{LAST}.includes('shard 39999')")).await;
}

/// A stream whose sockets and answers over HTTP are stand-ins: the answer never comes, as from a proxy that waits for its end.
const HELD_BACK: &str = r"
    const sockets = [];
    window.WebSocket = class {
      constructor(url) { this.url = String(url); this.closed = false; sockets.push(this); }
      close() { this.closed = true; }
    };
    let asked = 0;
    window.fetch = (url, { signal }) => {
      asked += 1;
      return new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('aborted'))));
    };
    const { Stream } = await import('/stream.js');
    const handlers = { event() {}, opened() {}, gap() {}, recovered() {}, refused() {}, heard() {}, changed() {} };
    const stream = new Stream('ws://127.0.0.1:1/', handlers);
    stream.start();
    const [opened, event] = args;
    const open = (socket) => socket.onmessage({ data: JSON.stringify(opened) });
    open(sockets[0]);
    while (sockets.length < 2) await new Promise((go) => setTimeout(go, 10));
    open(sockets[1]);
    sockets[1].onmessage({ data: JSON.stringify(event) });
    return [asked, sockets[0].closed, sockets[1].closed, stream.connection.received];
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn behind_a_proxy_that_holds_answers_back_it_comes_through_the_socket() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let opened = json!({
        "specversion": "1.0", "id": "1", "source": "/servers/a", "type": "stream_opened", "time": "2026-11-22T10:00:00Z",
        "data": {
            "contract": "1.1", "stream": "01M8CZSSC22Y0D2H", "head": 50_000, "oldest": 1, "heartbeat_ms": 20,
            "follows": { "kind": "started", "from": 1, "to": 50_000 }, "server_time": "2026-11-22T10:00:00Z",
        },
    });
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/streams/01M8CZSSC22Y0D2H", "type": "deploy_marker", "index": 1,
        "subject": "it", "time": "2026-11-22T10:00:00Z", "data": {},
    });
    assert_eq!(page.run(HELD_BACK, vec![opened, event]).await, json!([1, true, false, 1]));
}
