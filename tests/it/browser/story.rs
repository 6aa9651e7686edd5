//! One incident from the button to the resolution, with the connection cut in the middle.

use serde_json::Value;

use super::driver::Browser;
use crate::harness::{Proxy, Serving, get};

/// Notes each phase that the headline shows, and everything that goes wrong on the page.
const WATCH: &str = r"
    window.phases = []; window.wrong = [];
    addEventListener('error', (event) => window.wrong.push(event.message));
    addEventListener('unhandledrejection', (event) => window.wrong.push(String(event.reason)));
    document.addEventListener('securitypolicyviolation', (event) => window.wrong.push(event.violatedDirective));
    const headline = document.querySelector('#headline');
    new MutationObserver(() => {
      const phase = headline.dataset.phase;
      if (phase && phase !== window.phases.at(-1)) window.phases.push(phase);
    }).observe(headline, { attributes: true });
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn triggered_by_its_button_seen_to_its_end_and_cut_off_in_between() {
    let server = Serving::with(&["--speed", "20", "--heartbeat", "500ms"]);
    let proxy = Proxy::to(server.address()).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    assert_eq!(page.value("document.documentElement.dataset.connection").await, "live");
    page.run(WATCH, Vec::new()).await;

    page.click("button[data-scenario='database-outage']").await;
    page.until("the first phase", "document.querySelector('#headline').dataset.phase === 'detect'").await;
    page.until("a confidence", "document.querySelector('[data-agent=detection]')?.innerText.includes('97%')")
        .await;

    assert!(page.text("#feed").await.contains("error_rate: 31%"), "evidence in its metric's unit");

    // Cut off for good while agents predict; back when they resolve.
    page.until("the third phase", "document.querySelector('#headline').dataset.phase === 'predict'").await;
    proxy.close();
    page.until("the loss", "document.documentElement.dataset.connection !== 'live'").await;
    let frozen = page.text("#cost").await;
    assert!(frozen.contains('$'), "{frozen}");
    let before = page.value("Number(document.querySelector('#received').dataset.last)").await;
    proxy.open();
    page.until("the return", "document.documentElement.dataset.connection === 'live'").await;
    page.until("what was lost", "document.querySelector('#recovery')?.dataset.lost !== undefined").await;
    assert_eq!(page.value("document.querySelector('#recovery').dataset.lost").await, "0");
    assert!(page.text("#recovery").await.contains("lost 0"));

    page.until("the result", "document.querySelector('#result')").await;
    assert_eq!(page.value("document.querySelector('#headline').dataset.state").await, "resolved");
    assert!(page.text(".vital.end").await.starts_with("Took\n03:00"), "{}", page.text(".vital.end").await);
    let phases = page.value("window.phases").await;
    assert_eq!(phases, serde_json::json!(["detect", "diagnose", "predict", "resolve", "verify"]));
    assert_eq!(page.value("window.wrong").await, serde_json::json!([]));

    // Nothing was lost and nothing came twice: the page has what the server has.
    let incident = the_incident(&server).await;
    let events = incident["index"].as_u64().unwrap();
    assert!(before.as_u64().unwrap() < events);
    assert_eq!(page.value("Number(document.querySelector('#received').dataset.count)").await, events);
    let rows = page
        .value("[...document.querySelectorAll('#feed [data-position]')].map((row) => +row.dataset.index)")
        .await;
    let rows: Vec<u64> = rows.as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect();
    assert!(rows.is_sorted_by(|one, other| one < other), "{rows:?}");
    let told = page.value("document.querySelectorAll('#feed [data-position]').length").await;
    assert_eq!(told, expected_rows(&server), "a row for each start, action and resolution");
}

async fn the_incident(server: &Serving) -> Value {
    let list = get(server.address(), "/api/incidents").await.json();
    list["incidents"][0].clone()
}

/// Everything but the metrics has a row in the feed.
fn expected_rows(server: &Serving) -> usize {
    let ran = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    ran.stdout.lines().filter(|line| !line.contains("\"system_metrics\"")).count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_late_joiner_sees_the_whole_incident_and_a_newcomer_after_it_the_last_result() {
    let server = Serving::with(&["--speed", "12"]);
    let url = format!("http://{}/", server.address());
    let early = Browser::open(&url).await;
    server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    let middle =
        "['diagnose', 'predict', 'resolve'].includes(document.querySelector('#headline').dataset.phase)";
    early.until("the middle", middle).await;
    early.refresh().await;
    let rows = "document.querySelectorAll('#feed [data-position]').length";
    early.until("all that was told", &format!("{rows} >= 4")).await;
    assert_eq!(early.value("document.querySelector('#feed [data-position]').dataset.index").await, "1");
    early.until("the result", "document.querySelector('#result')").await;
    early.refresh().await;
    let last = "document.querySelector('#quiet')?.textContent.includes('Primary database connection pool exhausted')";
    early.until("the quiet page with the last result", last).await;
}
