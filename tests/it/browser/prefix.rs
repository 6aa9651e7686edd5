//! The page below a path of a host, in a real browser behind a real proxy.

use serde_json::json;

use super::driver::Browser;
use super::login::{ON_LOGIN_PAGE, log_in};
use crate::harness::{Local, WRITE};
use crate::proxies::{example, nginx};

/// The proxy removes the path, and the server was not told of it: nothing on the page may need to know.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium behind nginx: ./tests/run installs them and runs this"]
async fn the_page_and_the_login_work_below_any_path() {
    let server = Local::closed().await;
    let config = example("nginx");
    let config = config.replace("proxy_pass http://127.0.0.1:7911;", "proxy_pass http://127.0.0.1:7911/;");
    let proxy = nginx(server.address, &config);
    let root = format!("http://{}/incident/", proxy.address);
    let page = Browser::open(&format!("{root}login")).await;
    log_in(&page, WRITE).await;
    page.until("the page", "document.documentElement.dataset.connection === 'live'").await;
    assert_eq!(page.value("location.href").await, *root);
    let missing = "performance.getEntriesByType('resource').filter((file) => file.responseStatus >= 400)";
    assert_eq!(page.value(&format!("{missing}.map((file) => file.name)")).await, json!([]));
    let command = page.text("#quiet .command").await;
    assert!(command.contains(&format!("--url ws://{}/incident/ws", proxy.address)), "{command}");
    page.click("button[data-scenario='database-outage']").await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;

    page.click("#logout").await;
    page.until("the login page", ON_LOGIN_PAGE).await;
    page.goto(&format!("{root}api/incidents?from=here")).await;
    log_in(&page, WRITE).await;
    page.until("what was asked for", "document.body.innerText.includes('database-outage-')").await;
    assert_eq!(page.value("location.href").await, format!("{root}api/incidents?from=here"));
}
