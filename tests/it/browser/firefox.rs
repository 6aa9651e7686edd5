//! The page in Firefox: what a person does with an incident from its start to its report, over a restart of the server too.

use std::fs;

use serde_json::{Value, json};

use super::bidi::Firefox;
use super::checks::{CONTRAST, OVERFLOW, SETTLE, axe};
use crate::harness::{Scratch, Serving, root};

const ESCAPE: &str = "\u{e00c}";
const LEFT: &str = "\u{e012}";
const STATE: &str = "document.querySelector('#scrub-state')?.innerText";
const PAUSED: &str = "document.querySelector('#scrub-state')?.innerText.startsWith('PAUSED')";

/// Nothing stands outside or is cut, every text can be read, and axe-core finds nothing: wide and on a phone, in both themes.
async fn fits(page: &mut Firefox, state: &str) {
    for (width, height) in [(1440, 900), (390, 844)] {
        page.size(width, height).await;
        page.until("the size", &format!("innerWidth === {width} && innerHeight === {height}")).await;
        let folder = root().join("target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let png = page.screenshot().await;
        fs::write(folder.join(format!("firefox-{state}-{width}x{height}.png")), png).unwrap();
        let found = page.run(&format!("{SETTLE}\n{OVERFLOW}")).await;
        assert_eq!(found, json!([]), "{state} does not fit {width}x{height}");
        for theme in ["light", "dark"] {
            page.value(&format!("(document.documentElement.dataset.theme = '{theme}')")).await;
            let mut found = page.run(&format!("{SETTLE}\n{CONTRAST}")).await;
            assert!(found.as_array_mut().unwrap().remove(0).as_u64().unwrap() > 10);
            assert_eq!(found, json!([]), "{state}, {theme}, at {width}x{height} cannot be read");
            let found = page.run(&axe()).await;
            assert_eq!(found, json!([]), "axe-core: {state}, {theme}, at {width}x{height}");
        }
    }
    page.size(1440, 900).await;
    page.until("the size", "innerWidth === 1440").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Firefox: ./tests/run installs it and runs this"]
async fn firefox_follows_an_incident_from_its_start_over_a_restart_to_its_report() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let serve = |port: &str, speed: &str| {
        let journal = ["--journal", &journal, "--speed", speed];
        Serving::alone(&[&["serve", "--port", port, "--json", "--quiet"] as &[&str], &journal].concat())
    };
    let server = serve("0", "2");
    let port = server.address().port().to_string();
    let mut page = Firefox::open(&format!("http://{}/", server.address())).await;
    page.size(1440, 900).await;
    page.until("the list", "document.querySelectorAll('#quiet .card').length > 8").await;
    fits(&mut page, "quiet").await;
    page.click("#quiet button[data-scenario='database-outage']").await;
    page.until("the incident", "document.querySelectorAll('#feed [data-position]').length > 3").await;
    assert_eq!(page.text("#connection").await, "Live");

    // The six answers.
    page.until(
        "a forecast",
        "/^\\d\\d:\\d\\d$/.test(document.querySelector('.vital.end .value')?.innerText)",
    )
    .await;
    for (question, selector, answer) in [
        ("what is broken", ".what .title", "Primary database connection pool exhausted"),
        ("what is done", ".what .now", ": "),
        ("how sure", ".vital.sure", "%"),
        ("when it ends", ".vital.end", "80% sure"),
        ("how long is left", ".vital.timer", "To target 03:00"),
        ("what it costs", ".vital.money", "$"),
    ] {
        let told = page.text(selector).await;
        assert!(told.contains(answer), "{question}: {told}");
    }
    assert!(page.value("document.querySelectorAll('.chart .line').length").await.as_u64().unwrap() >= 4);

    // Stop, look back, and return.
    page.keys("p").await;
    page.until("the pause", PAUSED).await;
    page.keys(LEFT).await;
    let moment = "document.querySelector('#scrub').ariaValueText";
    page.until("an earlier moment", &format!("{moment}?.startsWith('T+')")).await;
    fits(&mut page, "scrubbed").await;
    page.drag("#scrub", 0.5, 0.25).await;
    page.until("a quarter", &format!("/^T.00:(4[2-8])/.test({moment})")).await;
    page.drag(".chart .plot", 0.1, 0.6).await;
    page.until("a range", "document.querySelector('metrics-panel').hasAttribute('data-zoomed')").await;
    page.keys(ESCAPE).await;
    page.until("all of it", "!document.querySelector('metrics-panel').hasAttribute('data-zoomed')").await;
    page.keys(ESCAPE).await;
    page.until("the present", &format!("{STATE} === 'LIVE'")).await;
    assert_eq!(page.errors, [] as [String; 0]);

    // The server is killed and comes back.
    server.signal("KILL");
    server.end();
    page.until("the loss", "document.documentElement.dataset.connection !== 'live'").await;
    let server = serve(&port, "2");
    page.until("the return", "document.querySelector('#recovery')?.dataset.lost === '0'").await;
    page.until("the end", "document.querySelector('#result')").await;
    fits(&mut page, "resolved").await;
    page.keys("r").await;
    page.until("the report", "document.querySelectorAll('.report :is(h2, h3)').length > 8").await;
    fits(&mut page, "report").await;
    page.keys(ESCAPE).await;
    page.until("the page", "!document.querySelector('dialog')").await;
    // Firefox itself writes of a server that does not answer.
    let own: Vec<&String> = page.errors.iter().filter(|text| !text.contains("ws://")).collect();
    assert_eq!(own, [] as [&String; 0]);
    assert_eq!(
        page.value("document.querySelector('#received').dataset.last").await,
        Value::from(last(&server).await)
    );
}

/// Position of the newest event of a server.
async fn last(server: &Serving) -> String {
    let listed = crate::harness::get(server.address(), "/api/incidents").await.json();
    listed["incidents"][0]["index"].to_string()
}
