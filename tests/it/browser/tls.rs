//! The page over https.

use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;

use super::driver::Browser;
use super::login::log_in;
use crate::harness::{Local, WRITE, options, tokens};
use crate::tls::Authority;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn over_https_the_page_logs_in_and_gets_the_stream_by_wss() {
    let authority = Authority::with_server();
    let tokens = tokens(&[(Scope::Write, WRITE)]);
    let with_tls = Options { tls: Some(authority.server()), tokens, ..options() };
    let server = Local::with(with_tls, Retention::default()).await;
    let address = format!("https://{}/", server.address);
    let page = Browser::credulous(&address).await;
    log_in(&page, WRITE).await;
    page.until("the stream", "document.documentElement.dataset.connection === 'live'").await;
    assert_eq!(page.value("[location.protocol, window.isSecureContext].join(' ')").await, "https: true");
    let cookie = format!("incident-{}", server.address.port());
    assert_eq!(page.cookies().await, [(cookie, true, false)], "for TLS alone, and for no script");
    page.click("button[data-scenario='database-outage']").await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
}
