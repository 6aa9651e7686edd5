//! The page when its server goes, comes back, or comes back as another one.

use incident::journal::Retention;
use serde_json::json;

use super::driver::Browser;
use super::screenshots::{SIZES, picture};
use crate::harness::{Local, Proxy, metrics, options, started};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_page_says_plainly_that_the_server_is_gone_and_keeps_what_it_has() {
    let server = Local::start().await;
    let proxy = Proxy::to(server.address).await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    proxy.close();
    page.until("an alert", "document.documentElement.dataset.connection === 'gone'").await;
    page.until("words", "document.querySelector('[role=alert]')?.innerText.length > 10").await;
    assert_eq!(page.value("document.querySelectorAll('#feed [data-position]').length").await, 1);
    server.append(vec![metrics("a", 3), metrics("a", 4)]).await;
    proxy.open();
    page.until("the return", "document.querySelector('#recovery')?.dataset.lost === '0'").await;
    assert_eq!(page.value("document.querySelector('#recovery').dataset.replayed").await, "2");
    page.until("all of them", "document.querySelector('#received').dataset.count === '4'").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn another_log_is_never_called_a_loss_of_nothing() {
    let first = Local::start().await;
    let second = Local::with(options(), Retention::default()).await;
    first.append(vec![started("a"), metrics("a", 2)]).await;
    second.append(vec![started("b"), metrics("b", 2)]).await;
    let proxy = Proxy::between(vec![first.address, second.address]).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    proxy.switch(1);
    page.until("the other log", "document.querySelector('#recovery')?.dataset.lost === 'unknown'").await;
    assert!(page.text("#recovery").await.contains("new log"));
    page.until("its incident", "document.querySelector('#feed [data-incident=b]')").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_second_incident_does_not_take_the_screen() {
    let server = Local::start().await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    server.append(vec![started("b"), metrics("b", 2)]).await;
    page.until("two tabs", "document.querySelectorAll('#tabs [data-tab]').length === 2").await;
    assert_eq!(page.value("document.querySelectorAll('#feed [data-incident=b]').length").await, 0);
    page.click("#tabs [data-tab='b']").await;
    page.until("the second", "document.querySelector('#feed [data-incident=b]')").await;
}

/// The texts in `args[0]` that are cut, or broken where no line of their own begins.
const BROKEN: &str = "
    return args[0].flatMap((name) => [...document.querySelectorAll(name)]).filter((node) => {
      if (!node.checkVisibility() || node.innerText === '') return false;
      const lines = new Set([...node.getClientRects()].map(({ top }) => Math.round(top)));
      const { right } = node.getBoundingClientRect();
      let holder = node;
      while (holder !== document.body && getComputedStyle(holder).overflowX === 'visible') holder = holder.parentElement;
      return lines.size !== 1 || right > holder.getBoundingClientRect().right + 1;
    }).map((node) => node.innerText);
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_was_lost_and_what_is_new_are_whole_at_every_size() {
    for size in SIZES {
        let server = Local::start().await;
        let proxy = Proxy::to(server.address).await;
        server.append(vec![started("a"), metrics("a", 2)]).await;
        let page = Browser::sized(size, &format!("http://{}/", proxy.address)).await;
        page.until("the incident", "document.querySelector('#feed [data-position]')").await;
        proxy.close();
        page.until("the loss", "document.documentElement.dataset.connection !== 'live'").await;
        proxy.open();
        page.until("the return", "document.querySelector('#recovery')?.dataset.lost === '0'").await;
        assert!(page.text("#recovery").await.contains("lost 0"), "{size:?}");
        page.keys("p").await;
        page.until("the pause", "document.querySelector('#scrub-state').innerText.startsWith('PAUSED')")
            .await;
        server.append((3..15).map(|index| metrics("a", index)).collect()).await;
        page.until("the news", "document.querySelector('#scrub-state').innerText.includes('12 new')").await;
        let named = json!(["#recovery > span > span", "#recovery > :last-child", "#scrub-state span"]);
        assert_eq!(page.run(BROKEN, vec![named]).await, json!([]), "{size:?}");
        picture(&page, size, "back-and-paused").await;
    }
}
