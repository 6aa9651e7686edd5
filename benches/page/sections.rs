//! What is measured of the page, section by section.

use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep};

use crate::Options;
use crate::browser::Browser;
use crate::common::report::{Goal, Row, Section};
use crate::load::Load;

/// The number of events that the page has received, as it says it.
const RECEIVED: &str = "Number(document.querySelector('#received').dataset.count)";
const NODES: &str = "document.querySelectorAll('*').length";
const HEAP_MB: &str = "(gc(), performance.memory.usedJSHeapSize / 1e6)";

/// Notes the time of each frame from now on.
const WATCH_FRAMES: &str = "(() => { window.frames_ms = []; let last = performance.now(); const frame = () => {
    const now = performance.now(); window.frames_ms.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame); return true; })()";

/// Loading the page without an incident: bytes, requests, the first paint.
pub(crate) async fn load(browser: &Browser, options: &Options) -> anyhow::Result<Section> {
    let server = Load::start(0).await?;
    let (mut bytes, mut requests, mut paint) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        // Another address is another cache key, so each round is a first visit.
        browser.goto(&format!("{}?round={round}", server.url)).await?;
        browser.until("performance.getEntriesByName('first-contentful-paint').length").await?;
        browser.until("document.documentElement.dataset.connection === 'live'").await?;
        let entries =
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]";
        let files = format!("{entries}.filter((file) => !file.name.includes('/api/'))");
        bytes.push(
            browser
                .number(&format!("{files}.reduce((sum, file) => sum + file.transferSize, 0) / 1000"))
                .await?,
        );
        requests.push(browser.number(&format!("{files}.length")).await?);
        paint.push(
            browser.number("performance.getEntriesByName('first-contentful-paint')[0].startTime").await?,
        );
    }
    // What a first visit transfers: later ones are answered with 304.
    bytes.truncate(1);
    let rows = vec![
        Row::new("over the wire, first visit", "kB", bytes).goal(Goal::AtMost(100.0)),
        Row::new("requests", "", requests).goal(Goal::AtMost(20.0)),
        Row::new("first paint", "ms", paint).goal(Goal::AtMost(300.0)),
    ];
    let about = "the page without an incident, over loopback".to_owned();
    Ok(Section { name: "load", about, rows, note: None })
}

/// A page that comes to an incident of many events.
pub(crate) async fn late(browser: &Browser, options: &Options) -> anyhow::Result<Section> {
    let mut server = Load::start(1).await?;
    server.write(options.events.saturating_sub(1)).await?;
    let events = server.total();
    let (mut usable, mut seconds, mut cpu, mut nodes, mut heap, mut scrub) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    for round in 0..options.rounds {
        browser.goto("about:blank").await?;
        let (start, before) = (Instant::now(), browser.cpu_us()?);
        browser.goto(&format!("{}?round={round}", server.url)).await?;
        browser.until("document.documentElement.dataset.view === 'incident'").await?;
        usable.push(start.elapsed().as_secs_f64());
        browser.until(&format!("{RECEIVED} >= {events}")).await?;
        browser.until("document.querySelector('#connection').innerText === 'Live'").await?;
        seconds.push(start.elapsed().as_secs_f64());
        cpu.push((browser.cpu_us()? - before) / 1e6);
        nodes.push(browser.number(NODES).await?);
        heap.push(browser.number(HEAP_MB).await?);
        let script = "(() => { const start = performance.now(); dispatchEvent(new CustomEvent('scrub-to', { detail: 1500 }));
            document.querySelector('connection-status').offsetTop; return performance.now() - start; })()";
        scrub.push(browser.number(script).await?);
    }
    let rows = vec![
        Row::new("the incident is seen, with its progress", "s", usable),
        Row::new("caught up and live", "s", seconds).goal(Goal::AtMost(3.0)),
        Row::new("CPU of the whole browser until then", "s", cpu),
        Row::new("nodes", "", nodes).goal(Goal::AtMost(12_000.0)),
        Row::new("heap", "MB", heap).goal(Goal::AtMost(60.0)),
        Row::new("a scrub to the middle", "ms", scrub).goal(Goal::AtMost(100.0)),
    ];
    Ok(Section { name: "late", about: format!("one incident with {events} events"), rows, note: None })
}

/// A page that follows several incidents while events come.
pub(crate) async fn follow(browser: &Browser, options: &Options, per_second: u64) -> anyhow::Result<Section> {
    let mut server = Load::start(options.incidents).await?;
    server.write(200).await?;
    let (mut p99, mut fps, mut core) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        // Of so many open incidents a page shows the list, until a person opens one.
        browser.goto(&format!("{}?incident=load-0&round={round}", server.url)).await?;
        browser.until("document.documentElement.dataset.view === 'incident'").await?;
        sleep(Duration::from_secs(1)).await;
        let time = Duration::from_secs(options.seconds);
        // Watching the frames asks for sixty a second, so the CPU is measured before.
        let (start, before) = (Instant::now(), browser.cpu_us()?);
        server.stream(per_second, time).await?;
        core.push((browser.cpu_us()? - before) / 1e4 / start.elapsed().as_secs_f64());
        browser.value(WATCH_FRAMES).await?;
        let start = Instant::now();
        server.stream(per_second, time).await?;
        let took = start.elapsed().as_secs_f64();
        let frames = browser.value("window.frames_ms").await?;
        let mut frames: Vec<f64> =
            frames.as_array().context("frames")?.iter().filter_map(serde_json::Value::as_f64).collect();
        frames.sort_by(f64::total_cmp);
        fps.push(frames.len() as f64 / took);
        p99.push(frames.get(frames.len() * 99 / 100).copied().context("no frames")?);
        let total = server.total();
        browser.until(&format!("{RECEIVED} >= {total}")).await?;
    }
    let busy = per_second >= 1_000;
    let p99 = Row::new("frames, p99", "ms", p99);
    let fps = Row::new("frames per second", "", fps);
    let core = Row::new("CPU of the whole browser", "% of a core", core);
    let rows = if busy {
        vec![fps.goal(Goal::AtLeast(30.0)), p99, core]
    } else {
        vec![p99.goal(Goal::AtMost(16.8)), fps, core.goal(Goal::AtMost(25.0))]
    };
    let name = if busy { "flood" } else { "many" };
    let about = format!("{} incidents, {per_second} messages/s for {} s", options.incidents, options.seconds);
    Ok(Section { name, about, rows, note: None })
}

/// Hours of an incident in bursts: what the page keeps must not grow.
pub(crate) async fn hours(browser: &Browser, options: &Options) -> anyhow::Result<Section> {
    const PARTS: u64 = 4;
    let mut server = Load::start(3).await?;
    browser.goto(&server.url).await?;
    browser.until("document.documentElement.dataset.view === 'incident'").await?;
    let (mut nodes, mut heap) = (Vec::new(), Vec::new());
    for _ in 0..PARTS {
        for _ in 0..10 {
            server.write(options.events / PARTS / 10).await?;
            let total = server.total();
            browser.until(&format!("{RECEIVED} >= {total}")).await?;
        }
        sleep(Duration::from_millis(500)).await;
        nodes.push(browser.number(NODES).await?);
        heap.push(browser.number(HEAP_MB).await?);
    }
    let last = PARTS as usize - 1;
    let rows = vec![
        Row::single("nodes, last quarter to second", "×", nodes[last] / nodes[1]).goal(Goal::AtMost(1.05)),
        Row::single("heap, last quarter to second", "×", heap[last] / heap[1]).goal(Goal::AtMost(1.1)),
        Row::single("nodes at the end", "", nodes[last]),
        Row::single("heap at the end", "MB", heap[last]),
    ];
    let about = format!(
        "3 incidents, {} events in bursts: 8 hours at {:.1}/s",
        server.total(),
        server.total() as f64 / 28_800.0
    );
    Ok(Section { name: "hours", about, rows, note: None })
}
