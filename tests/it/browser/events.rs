//! A browser's own `EventSource` on `/events`: it comes back by itself, with what it saw last.

use super::driver::Browser;
use crate::harness::{Client, Local, Proxy, metrics, resolved, started};

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
