//! A browser's own `EventSource` on `/events`: it comes back by itself, with what it saw last.

use super::driver::Browser;
use crate::harness::{Client, Local, Proxy, action, metrics, resolved, started};

/// Keeps everything that comes, as it comes.
const LISTEN: &str = r"
    window.seen = []; window.opened = []; window.lost = 0;
    const source = window.source = new EventSource('/events?after=0');
    source.onerror = () => window.lost++;
    source.addEventListener('stream_opened', (event) =>
      window.opened.push([event.lastEventId, JSON.parse(event.data).data.follows.kind]));
    for (const kind of ['incident_started', 'agent_action', 'system_metrics', 'incident_resolved'])
      source.addEventListener(kind, (event) => window.seen.push([event.lastEventId, event.data]));
    for (const kind of ['message', 'heartbeat'])
      source.addEventListener(kind, (event) => window.beat = event.lastEventId);
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_event_source_that_is_cut_off_misses_and_repeats_nothing() {
    let server = Local::start().await;
    let proxy = Proxy::to(server.address).await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.run(LISTEN, Vec::new()).await;
    page.until("what was there", "seen.length === 2").await;
    for cut in 1..=3_u64 {
        proxy.cut();
        page.until("the cut", &format!("lost === {cut}")).await;
        server.append(vec![metrics("a", cut + 2)]).await;
        page.until("the return", &format!("opened.length === {} && seen.length === {}", cut + 1, cut + 2))
            .await;
    }
    server.append(vec![resolved("a", 6)]).await;
    page.until("the end", "seen.length === 6").await;
    let all = Client::connect(server.address, "?after=0").await.up_to(6).await;
    let all: Vec<_> = all.into_iter().map(|event| (server.position(event.position), event.frame)).collect();
    assert_eq!(page.value("window.seen").await, serde_json::json!(all), "each once, in order, verbatim");
    let opened = [0, 2, 3, 4].map(|n| (server.position(n), if n == 0 { "started" } else { "resumed" }));
    assert_eq!(page.value("window.opened").await, serde_json::json!(opened));
    page.until("a heartbeat that moved nothing", &format!("window.beat === {:?}", server.position(6))).await;
}

/// An `EventSource` gives up on any answer but 200: a position that is none will not become one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_event_source_with_a_wrong_position_gives_up() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.run("window.source = new EventSource('/events?after=17');", Vec::new()).await;
    page.until("the end", "source.readyState === EventSource.CLOSED").await;
}

/// 30 pages stay through a drain, a server that is gone, one that is full, and a proxy's 502: none is closed for good.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_documented_page_comes_back_from_everything() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let server = Local::start().await;
    let broken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::between(vec![server.address, broken.local_addr().unwrap()]).await;
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = broken.accept().await {
            let _ = socket.read(&mut [0; 4_096]).await;
            let _ = socket.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    server.append(vec![started("a"), action("a", 2, "looked")]).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.run("window.shown = []; window.show = (event) => window.shown.push(event.id);", Vec::new()).await;
    // As a page that a script element loads: what it declares is not kept from the test.
    page.run(&crate::sse::back::documented_page(), Vec::new()).await;
    page.until("what was there", "shown.length === 1").await;
    proxy.switch(1);
    tokio::time::sleep(crate::harness::ms(4_000)).await;
    server.append(vec![action("a", 3, "looked again")]).await;
    proxy.switch(0);
    page.until("the return", "shown.length === 2").await;
    assert_eq!(page.value("window.shown").await, serde_json::json!(["2", "3"]), "each once, in order");
}

/// The page's own `EventSource` meets a server that stops and its successor.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn event_sources_outlive_a_drain() {
    const SOURCES: usize = 5;
    let stream = incident::contract::StreamId::generate(1_700_000_000_000, 5);
    let memory = incident::journal::Memory::new(stream, incident::journal::Retention::default());
    let journal = incident::journal::Journal::new(memory);
    let options =
        || incident::server::Options { drain: crate::harness::ms(60_000), ..crate::harness::options() };
    let (old, new) =
        (Local::over(options(), journal.clone()).await, Local::over(options(), journal.clone()).await);
    let proxy = Proxy::between(vec![old.address, new.address]).await;
    // They keep the old server draining for a while.
    let mut clients = Vec::new();
    for _ in 0..1_500 {
        clients.push(old.client().await);
    }
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    let listen = format!(
        "window.seen = 0; window.returns = 0;
         window.sources = Array.from({{ length: {SOURCES} }}, () => {{
           const source = new EventSource('/events');
           source.onopen = () => window.returns++;
           source.addEventListener('incident_started', () => window.seen++);
           return source;
         }});"
    );
    page.run(&listen, Vec::new()).await;
    page.until("them all", &format!("returns === {SOURCES}")).await;
    let draining = tokio::spawn(old.drained());
    page.until("a return to the server that drains", &format!("returns > {SOURCES}")).await;
    proxy.switch(1);
    drop(clients);
    draining.await.unwrap();
    new.append(vec![started("after")]).await;
    page.until("all of them at the successor", &format!("seen === {SOURCES}")).await;
    let closed = "sources.filter((source) => source.readyState === EventSource.CLOSED).length";
    assert_eq!(page.value(closed).await, 0);
}
