//! What is measured of the page, section by section.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use crate::Options;
use crate::browser::Browser;
use crate::common::report::{Goal, Row, Section};
use crate::load::Load;

/// The number of events that the page has received, as it says it.
const RECEIVED: &str = "Number(document.querySelector('#received').dataset.count)";
const NODES: &str = "document.querySelectorAll('*').length";
/// Whether the page says that it shows the present.
const IS_LIVE: &str = "document.querySelector('#connection').innerText === 'Live'";
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);
const HEAP_MB: &str = "(gc(), performance.memory.usedJSHeapSize / 1e6)";

/// Notes two times of each frame from now on: the frame's own, which steps over a frame that was missed, and that of the clock when
/// its script begins, which also waits for its turn on a core.
const WATCH_FRAMES: &str = "(() => { window.frames_ms = []; window.clock_ms = []; let own = 0; let last = 0; const frame = (time) => {
    const now = performance.now(); if (own > 0) { window.frames_ms.push(time - own); window.clock_ms.push(now - last); }
    own = time; last = now; requestAnimationFrame(frame); }; requestAnimationFrame(frame); return true; })()";

/// A page that shows a number, and another one as often as the incident's page draws.
const COUNTER: &str = "data:text/html,<p id=a>0</p><script>let n=0;setInterval(()=>requestAnimationFrame(()=>{a.textContent=++n}),80)</script>";

/// Loading the page without an incident: bytes, requests, the first paint.
pub(crate) async fn load(browser: &Browser, options: &Options) -> anyhow::Result<Section> {
    let server = Load::start(0, options.dashboard.as_deref()).await?;
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
    let mut server = Load::start(1, options.dashboard.as_deref()).await?;
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
    let mut server = Load::start(options.incidents, options.dashboard.as_deref()).await?;
    server.write(200).await?;
    let busy = per_second >= 1_000;
    let time = Duration::from_secs(options.seconds);
    let (mut incident, mut list, mut counter) = (Cost::default(), Cost::default(), Cost::default());
    for round in 0..options.rounds {
        // Of so many open incidents a page shows the list, until a person opens one.
        for (cost, query, view) in
            [(&mut incident, "incident=load-0", "incident"), (&mut list, "list", "board")]
        {
            if busy && view == "board" {
                continue;
            }
            browser.goto(&format!("{}?{query}&round={round}", server.url)).await?;
            browser.until(&format!("document.documentElement.dataset.view === '{view}'")).await?;
            cost.add(browser, options, async |server| server.stream(per_second, time).await, &mut server)
                .await?;
            let total = server.total();
            browser.until(&format!("{RECEIVED} >= {total}")).await?;
        }
        if !busy {
            // What the machine and this browser take by themselves.
            browser.goto(COUNTER).await?;
            let wait = async |_: &mut Load| {
                sleep(time).await;
                Ok(())
            };
            counter.add(browser, options, wait, &mut server).await?;
        }
    }
    let p99 = Row::new("frames, p99", "ms", incident.p99);
    let fps = Row::new("frames per second", "", incident.fps);
    let core = Row::new("CPU of the whole browser", "% of a core", incident.core);
    let clock = Row::new("… p99 by the clock of scripts", "ms", incident.clock);
    let rows = if busy {
        vec![fps.goal(Goal::AtLeast(30.0)), p99, clock, core]
    } else {
        vec![
            p99.goal(Goal::AtMost(16.8)),
            clock,
            fps,
            core.goal(Goal::AtMost(25.0)),
            Row::new("the list: frames, p99", "ms", list.p99).goal(Goal::AtMost(16.8)),
            Row::new("the list: CPU", "% of a core", list.core).goal(Goal::AtMost(25.0)),
            Row::new("a page that only counts: frames, p99", "ms", counter.p99),
            Row::new("… p99 by the clock of scripts", "ms", counter.clock),
            Row::new("… CPU", "% of a core", counter.core),
        ]
    };
    let name = if busy { "flood" } else { "many" };
    let about = format!("{} incidents, {per_second} messages/s for {} s", options.incidents, options.seconds);
    Ok(Section { name, about, rows, note: None })
}

/// What a page costs while something happens, a value a round.
#[derive(Default)]
struct Cost {
    p99: Vec<f64>,
    clock: Vec<f64>,
    fps: Vec<f64>,
    core: Vec<f64>,
}

impl Cost {
    /// Measures the page that is open, twice: watching the frames asks for sixty a second, so the CPU is measured before.
    async fn add(
        &mut self,
        browser: &Browser,
        options: &Options,
        happen: impl AsyncFn(&mut Load) -> anyhow::Result<()>,
        server: &mut Load,
    ) -> anyhow::Result<()> {
        sleep(Duration::from_secs(1)).await;
        let (start, before) = (Instant::now(), browser.cpu_us()?);
        happen(server).await?;
        self.core.push((browser.cpu_us()? - before) / 1e4 / start.elapsed().as_secs_f64());
        browser.value(WATCH_FRAMES).await?;
        let start = Instant::now();
        happen(server).await?;
        let took = start.elapsed().as_secs_f64();
        let (frames, clock) = (times(browser, "frames_ms").await?, times(browser, "clock_ms").await?);
        self.fps.push(frames.len() as f64 / took);
        self.p99.push(p99(&frames).with_context(|| format!("no frames in {} s", options.seconds))?);
        self.clock.push(p99(&clock).context("no frames")?);
        Ok(())
    }
}

/// The times that a page has noted, in order.
async fn times(browser: &Browser, name: &str) -> anyhow::Result<Vec<f64>> {
    let noted = browser.value(&format!("window.{name}")).await?;
    let noted = noted.as_array().context("the page has noted times")?;
    // Browsers tell tenths of a millisecond.
    let mut times: Vec<f64> =
        noted.iter().filter_map(serde_json::Value::as_f64).map(|ms| (ms * 10.0).round() / 10.0).collect();
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn p99(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() * 99 / 100).copied()
}

/// Eight hours of drills, played fast: what the page keeps must not grow. It shows the present all the time: what a page that is behind
/// does not show yet, it does not keep.
pub(crate) async fn hours(browser: &Browser, options: &Options) -> anyhow::Result<Section> {
    const PARTS: u64 = 4;
    const HOURS_S: f64 = 8.0 * 3_600.0;
    const PER_SECOND: u64 = 1_500;
    let seconds = options.events as f64 / PER_SECOND as f64;
    let mut server = Load::drills(3, options.dashboard.as_deref(), HOURS_S / seconds).await?;
    browser.goto(&server.url).await?;
    browser.until("document.documentElement.dataset.view === 'incident'").await?;
    let (mut nodes, mut heap, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let (mut looks, mut live) = (0.0, 0.0);
    for _ in 0..PARTS {
        let part = Duration::from_secs_f64(seconds / PARTS as f64);
        let start = Instant::now();
        while start.elapsed() < part {
            server.stream(PER_SECOND, LOOK.min(part)).await?;
            looks += 1.0;
            live += f64::from(u8::from(browser.value(IS_LIVE).await? == serde_json::Value::Bool(true)));
        }
        let total = server.total();
        browser.until(&format!("{RECEIVED} >= {total} && {IS_LIVE}")).await?;
        rows.push(browser.number("document.querySelectorAll('#feed .row').length").await?);
        nodes.push(browser.number(NODES).await?);
        heap.push(browser.number(HEAP_MB).await?);
    }
    let shown = browser.number("document.querySelectorAll('.chart .line').length").await?;
    let share = 100.0 * live / looks;
    ensure!(
        share >= 90.0,
        "the page was behind in {:.0} % of {looks} looks: its figures say nothing",
        100.0 - share
    );
    ensure!(shown >= 3.0, "the page draws {shown} curves");
    let last = PARTS as usize - 1;
    let rows = vec![
        Row::single("nodes, last quarter to second", "×", nodes[last] / nodes[1]).goal(Goal::AtMost(1.05)),
        Row::single("heap, last quarter to second", "×", heap[last] / heap[1]).goal(Goal::AtMost(1.1)),
        Row::single("nodes at the end", "", nodes[last]),
        Row::single("rows at the end", "", rows[last]).goal(Goal::AtMost(500.0)),
        Row::single("heap at the end", "MB", heap[last]),
        Row::single("looks at which the page was live", "%", share).goal(Goal::AtLeast(99.0)),
    ];
    let about = format!("3 drills, {} events: 8 hours in {seconds:.0} s", server.total());
    Ok(Section { name: "hours", about, rows, note: None })
}
