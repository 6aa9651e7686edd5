//! Logging in and out in a real browser, and what a page shows to those who may only look.

use incident::token::Scope;
use serde_json::json;

use super::driver::Browser;
use super::evil::Elsewhere;
use crate::harness::{Local, Proxy, READ, WRITE, started, tokens};

pub const ON_LOGIN_PAGE: &str = "document.querySelector('#login') && document.activeElement.id === 'token'";
const ON_PAGE: &str = "document.documentElement.dataset.connection === 'live'";

/// On the login page.
pub async fn log_in(page: &Browser, token: &str) {
    page.until("the login page", ON_LOGIN_PAGE).await;
    page.fill("#token", token).await;
    page.click("#login button").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn who_has_a_token_gets_to_where_he_wanted_and_out_again() {
    let server = Local::closed().await;
    let address = format!("http://{}/?from=here#there", server.address);
    let page = Browser::open(&address).await;
    page.until("the login page", ON_LOGIN_PAGE).await;
    let missing = "performance.getEntriesByType('resource').filter((file) => file.responseStatus !== 200)";
    assert_eq!(page.value(&format!("{missing}.map((file) => file.name)")).await, json!([]));
    let own = "getComputedStyle(document.querySelector('#login')).maxWidth";
    assert_eq!(page.value(own).await, "400px", "its style was let in");

    log_in(&page, "wrong-0123456789").await;
    page.until("a refusal", "document.querySelector('#problem').innerText.includes('is unknown')").await;
    assert_eq!(page.value("document.querySelector('#token').getAttribute('aria-invalid')").await, "true");
    assert_eq!(page.value("document.querySelector('#login button').disabled").await, false);

    log_in(&page, &format!("  {WRITE} ")).await;
    page.until("the page", ON_PAGE).await;
    assert_eq!(page.value("location.href").await, *address, "and nothing of the token is in it");
    let kept =
        "[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), history.state]";
    let kept = page.value(kept).await.to_string();
    assert!(!kept.contains("0123456789") && kept.starts_with("[\"\","), "no script has a secret: {kept}");
    assert_eq!(page.value("document.querySelector('#read-only').hidden").await, true);

    page.click("button[data-scenario='database-outage']").await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    page.click("#logout").await;
    page.until("the login page", ON_LOGIN_PAGE).await;
    page.refresh().await;
    page.until("the login page again", ON_LOGIN_PAGE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn who_may_only_look_sees_no_way_to_start_anything() {
    let server = Local::closed().await;
    let page = Browser::open(&format!("http://{}/login", server.address)).await;
    log_in(&page, READ).await;
    page.until("the page", ON_PAGE).await;
    assert_eq!(page.value("location.pathname").await, "/");
    page.until("what it may", "!document.querySelector('#read-only').hidden").await;
    let starts =
        "[...document.querySelectorAll('[data-scenario], #trigger')].filter((one) => one.checkVisibility())";
    let starts = format!("{starts}.length");
    assert_eq!(page.value(&starts).await, 0, "while all is quiet");
    assert!(page.text("#quiet .command").await.contains("incident watch"));
    server.append(vec![started("a")]).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    assert_eq!(page.value(&starts).await, 0, "while there is an incident");
    assert_eq!(page.value("document.querySelector('#logout').checkVisibility()").await, true);

    // The same page with another session has them: there is something to hide.
    page.click("#logout").await;
    log_in(&page, WRITE).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    page.until("a way", &format!("{starts} === 1")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn where_nobody_is_asked_there_is_nothing_to_log_out_of() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/login", server.address)).await;
    page.until("the page", ON_PAGE).await;
    page.until("its buttons", "document.querySelector('button[data-scenario]')").await;
    assert_eq!(page.value("document.querySelector('#logout').hidden").await, true);
    assert_eq!(page.value("document.querySelector('#read-only').hidden").await, true);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_page_whose_session_ends_asks_for_a_token_and_one_whose_server_is_gone_does_not() {
    let server = Local::closed().await;
    let proxy = Proxy::to(server.address).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    log_in(&page, READ).await;
    page.until("the page", ON_PAGE).await;
    proxy.close();
    page.until("an alert", "document.documentElement.dataset.connection === 'gone'").await;
    proxy.open();
    page.until("the return", "document.querySelector('#recovery')?.dataset.lost === '0'").await;

    server.auth.replace(tokens(&[(Scope::Write, WRITE)]));
    page.until("the login page", ON_LOGIN_PAGE).await;
    log_in(&page, READ).await;
    page.until("a refusal", "document.querySelector('#problem').innerText.includes('withdrawn')").await;
    log_in(&page, WRITE).await;
    page.until("the page", ON_PAGE).await;
}

/// `SameSite=Strict` keeps the cookie from that step. Nobody should have to log in again because of it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_link_from_elsewhere_leads_to_the_page_of_whoever_is_logged_in() {
    let server = Local::closed().await;
    let address = format!("http://{}/#there", server.address);
    let page = Browser::open(&address).await;
    let elsewhere = Elsewhere::with(&format!("<a href='{address}'>incidents</a>")).await;
    let chat = format!("http://localhost:{}/", elsewhere.address.port());
    page.goto(&chat).await;
    page.click("a").await;
    log_in(&page, READ).await;
    page.until("the page", ON_PAGE).await;
    page.goto(&chat).await;
    page.click("a").await;
    page.until("the page", ON_PAGE).await;
    assert_eq!(page.value("location.href").await, *address);
}
