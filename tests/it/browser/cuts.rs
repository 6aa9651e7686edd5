//! The page when its server goes, comes back, or comes back as another one.

use super::driver::Browser;
use crate::harness::{Local, Proxy, metrics, options, started};
use incident::journal::Retention;

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
