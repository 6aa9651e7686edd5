//! The page when there are several servers of one stream: the one that it came from is killed, and it goes on with the next one.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::driver::Browser;
use super::login::log_in;
use crate::harness::nats::NatsServer;
use crate::harness::{Http, Scratch, Serving, WRITE, get};

/// Ports that are free now. Each server has to know the addresses of all before one of them listens.
fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.each_ref().map(|listener| listener.local_addr().unwrap().port())
}

/// Servers over one new stream that know each other, with these further flags.
fn servers<const N: usize>(flags: &[&str]) -> [Serving; N] {
    let journal = NatsServer::shared().location(&NatsServer::fresh_name()).display().to_string();
    let ports: [u16; N] = free_ports();
    let peers = ports.map(|port| format!("http://127.0.0.1:{port}")).join(",");
    ports.map(|port| {
        let port = port.to_string();
        let fixed = ["serve", "--port", &port, "--json", "--quiet", "--journal", &journal, "--peers", &peers];
        Serving::again(&[&fixed[..], &["--heartbeat", "200ms"], flags].concat())
    })
}

fn at(server: &Serving) -> String {
    format!("http://{}/", server.address())
}

/// What the clock on the page counts down, in seconds.
async fn countdown(page: &Browser) -> i64 {
    let text = page.text("#countdown").await;
    let (minutes, seconds) = text.trim().split_once(':').unwrap_or_else(|| panic!("{text:?}"));
    minutes.parse::<i64>().unwrap() * 60 + seconds.parse::<i64>().unwrap()
}

fn shows(server: &Serving) -> String {
    format!("document.querySelector('connection-status .detail').innerText.includes('{}')", server.address())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium, needs nats-server: ./tests/run installs them and runs this"]
async fn when_its_server_is_killed_the_page_goes_on_from_the_next_with_nothing_lost() {
    let [a, b] = servers(&[]);
    let page = Browser::open(&at(&a)).await;
    page.until("where it is", &shows(&a)).await;
    let reply = Http::trigger(a.address(), "{\"scenario\":\"database-outage\"}").send().await;
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    page.until("rows", "document.querySelectorAll('#feed [data-position]').length >= 2").await;
    // It has loaded what the server that it came from can give it no more.
    page.until(
        "its parts",
        "performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/cancel.js'))",
    )
    .await;
    a.signal("KILL");
    drop(a);

    page.until("the return", "document.querySelector('#recovery')?.dataset.lost === '0'").await;
    page.until("where it is", &shows(&b)).await;
    assert!(page.text("#recovery").await.contains("lost 0"));
    page.until("it is live", "document.querySelector('#connection').dataset.state === 'live'").await;

    // Its clock and that of a page which came from the other server.
    let other = Browser::open(&at(&b)).await;
    other.until("the countdown", "document.querySelector('#countdown')?.checkVisibility()").await;
    let (here, there) = (countdown(&page).await, countdown(&other).await);
    assert!((here - there).abs() <= 2, "{here} s are left here, {there} s there");

    // Everything that the page asks for comes from the server that it is with; its address stays, links lead to the other.
    page.keys("x").await;
    page.click("dialog#cancel .danger").await;
    page.until("the end", "document.querySelector('#headline').dataset.state === 'cancelled'").await;
    page.keys("r").await;
    page.until("the report", "document.querySelector('.report h2')").await;
    page.keys("\u{e00c}").await;
    let link = "navigator.clipboard.writeText = async (text) => { window.copied = text; };
                dispatchEvent(new CustomEvent('link-copy'));
                await new Promise((next) => setTimeout(next));
                return window.copied;";
    assert_eq!(page.run(link, vec![]).await, json!(format!("{}?incident={id}", at(&b))));
    let events: Vec<Value> = get(b.address(), &format!("/api/incidents/{id}/events"))
        .await
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = events.last().unwrap()["id"].as_str().unwrap();
    let received =
        format!("Object.values(document.querySelector('#received').dataset).join() === '{last},{last}'");
    page.until("each event, once", &received).await;
}

/// The two have one host name, so the browser sends the cookie of one to the other.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium, needs nats-server: ./tests/run installs them and runs this"]
async fn who_is_logged_in_stays_so_when_the_page_goes_on_with_another_server() {
    let folder = Scratch::new();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, format!("write {WRITE}\n")).unwrap();
    let [a, b] = servers(&["--token-file", tokens.to_str().unwrap()]);
    let page = Browser::open(&at(&a)).await;
    log_in(&page, WRITE).await;
    page.until("where it is", &shows(&a)).await;
    a.signal("KILL");
    drop(a);
    page.until("the return", "document.querySelector('#recovery')?.dataset.lost === '0'").await;
    page.until("where it is", &shows(&b)).await;
    // It may write there, and leave.
    page.until("what it may", "!document.querySelector('#trigger').disabled").await;
    page.until("it can leave", "document.querySelector('#logout').checkVisibility()").await;
    let started = "dispatchEvent(new CustomEvent('incident-trigger', { detail: { scenario: 'database-outage' } })); return 1;";
    page.run(started, vec![]).await;
    page.until("the incident", "document.querySelectorAll('#feed [data-position]').length >= 1").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium, needs nats-server: ./tests/run installs them and runs this"]
async fn a_single_server_is_not_named() {
    let [a] = servers(&[]);
    let page = Browser::open(&at(&a)).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    page.until("what it may", "!document.querySelector('#trigger').disabled").await;
    assert_eq!(page.text("connection-status .detail").await, "");
}
