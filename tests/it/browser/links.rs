//! Links to a moment: they restore every panel, also after a restart of the server and for incidents that have ended.

use serde_json::json;

use super::driver::Browser;
use super::scrub::PANELS;
use crate::harness::{Local, Scratch, Serving};

const PAUSED: &str = "document.querySelector('#scrub-state')?.innerText.startsWith('PAUSED')";
const ENDED: &str = "document.querySelector('#result')?.checkVisibility()";

/// What is copied, instead of a clipboard that a browser without a screen may not have.
const CLIPBOARD: &str = "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } })";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_copied_link_shows_the_same_moment_after_a_restart() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let serve = |port: &str| {
        Serving::again(&[
            "serve",
            "--port",
            port,
            "--json",
            "--quiet",
            "--journal",
            &journal,
            "--speed",
            "60",
        ])
    };
    let server = serve("0");
    let port = server.address().port().to_string();
    let page = Browser::open(&format!("http://{}/", server.address())).await;
    page.click("button[data-scenario='database-outage']").await;
    page.until("the result", ENDED).await;
    page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 67.5 }))", vec![]).await;
    page.until("the moment", PAUSED).await;
    page.run(CLIPBOARD, vec![]).await;
    page.keys("c").await;
    page.until("the link", "window.copied && document.querySelector('#copy-link').innerText === 'Copied'")
        .await;
    let link = page.value("window.copied").await.as_str().unwrap().to_owned();
    assert!(link.contains("?incident=database-outage-") && link.ends_with("&t=67.5"), "{link}");
    page.until("it in the address too", &format!("location.href === '{link}'")).await;
    let shown = page.value(PANELS).await;
    let lines = "[...document.querySelectorAll('.chart .line')].map((line) => line.getAttribute('d'))";
    let (curves, dots) =
        (page.value(lines).await, page.value("document.querySelectorAll('.dots > svg').length").await);
    assert!(curves.as_array().unwrap().len() >= 4 && dots.as_u64().unwrap() > 8, "{dots} dots");

    server.signal("KILL");
    server.end();
    let server = serve(&port);
    let other = Browser::open(&link).await;
    other.until("the moment", PAUSED).await;
    assert_eq!(other.value(PANELS).await, shown);
    assert_eq!(other.value(lines).await, curves);
    assert_eq!(other.value("document.querySelectorAll('.dots > svg').length").await, dots);
    other.keys("\u{e00c}").await;
    other.until("the end", ENDED).await;
    other.until("no moment in the address", "!location.search.includes('&t=')").await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_link_to_a_running_incident_stops_there_and_one_to_nothing_says_so() {
    let server = Local::start().await;
    server.append(super::scrub::outage(100, 100)).await;
    let url = format!("http://{}/?incident=it&t=30", server.address);
    let page = Browser::open(&url).await;
    let moment = "document.querySelector('#scrub').ariaValueText.startsWith('T+00:30,')";
    page.until("the moment", &format!("{PAUSED} && {moment}")).await;
    page.goto(&format!("http://{}/?incident=it", server.address)).await;
    page.until("the present", "document.querySelector('#scrub-state')?.innerText === 'LIVE'").await;

    let quiet = Local::start().await;
    let page = Browser::open(&format!("http://{}/?incident=gone&t=3", quiet.address)).await;
    page.until(
        "a reason",
        "document.querySelector('.toast')?.innerText.includes('no incident is called \"gone\"')",
    )
    .await;
    page.until("the quiet page", "document.querySelector('#quiet')?.checkVisibility()").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_link_can_ask_for_a_theme_and_changes_no_choice() {
    let server = Local::start().await;
    let ground = "getComputedStyle(document.documentElement).backgroundColor";
    let page = Browser::open(&format!("http://{}/?theme=dark", server.address)).await;
    assert_eq!(page.value(ground).await, "rgb(14, 17, 22)");
    page.goto(&format!("http://{}/?theme=light", server.address)).await;
    assert_eq!(page.value(ground).await, "rgb(255, 255, 255)");
    assert_eq!(page.value("localStorage.getItem('theme')").await, json!(null));
}
