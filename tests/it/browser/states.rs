//! The states that a page gets into while it is used: each of them fits, can be read and is there for everyone, at every size and
//! in both themes. `every_state_fits_every_size` has those that an incident gets into by itself.

use std::time::Duration;

use incident::contract::Message;
use incident::journal::{Record, Retention};
use incident::server::Options;
use serde_json::json;

use super::driver::{Browser, Size};
use super::screenshots::{SIZES, drill, picture};
use super::{checks, late};
use crate::harness::{Local, Proxy, options, resolved};

/// Bytes of a connection that pass: all files of the page, and some thousands of events.
const SOME: u64 = 1 << 20;

/// A server whose heartbeats are so far apart that nothing happens by itself while the page is looked at.
async fn calm() -> Local {
    let options = Options { heartbeat: Duration::from_secs(600), ..options() };
    Local::with(options, Retention::default()).await
}

/// A page that has been there since before the incident.
async fn page_over(proxy: &Proxy, server: &Local, size: Size, mut records: Vec<Record>) -> Browser {
    let page = Browser::sized(size, &format!("http://{}/", proxy.address)).await;
    page.until("the connection", "document.querySelector('#quiet')").await;
    let last = records.pop().unwrap();
    server.append(records).await;
    page.until("the incident", "document.querySelectorAll('#feed [data-position]').length > 3").await;
    server.append(vec![last]).await;
    let head = server.journal_head();
    page.until("all of it", &format!("document.querySelector('#received').dataset.last === '{head}'")).await;
    page
}

/// The drill as it ends when it is cancelled after so many seconds.
fn cancelled(seconds: i64) -> Vec<Record> {
    let mut records = drill(seconds);
    let index = records.len() as u64 + 1;
    let ended = resolved("database-outage-x7k2p", index);
    let Message::IncidentResolved(mut ended) = Message::parse(ended.kind.as_str(), &ended.data).unwrap()
    else {
        unreachable!()
    };
    ended.outcome = incident::contract::Outcome::Cancelled;
    "Cancelled from the page".clone_into(&mut ended.summary);
    (ended.offset_s, ended.durations.resolve_s) = (Some(seconds as f64), seconds as f64);
    records.push(Record::at("database-outage-x7k2p", index, &Message::IncidentResolved(ended)));
    records
}

/// The drill past its target, although everything else has happened.
fn overrun() -> Vec<Record> {
    let mut records = drill(197);
    records.pop();
    records
}

const IN_MENU: &str = "document.querySelector('#trigger-menu settings-form')?.checkVisibility()";
const PAUSED: &str = "document.querySelector('#scrub-state')?.innerText.startsWith('PAUSED')";

/// Gets the page into a state, and waits until it is there.
async fn reach(state: &str, page: &Browser, proxy: &Proxy) {
    let (what, there) = match state {
        "report" => {
            page.keys("r").await;
            ("the report", "document.querySelector('.report h2')")
        }
        "help" => {
            page.keys("?").await;
            ("the help", "document.querySelector('dialog#help')")
        }
        "menu" => {
            page.keys("m").await;
            ("the menu", "document.querySelector('#page-menu:popover-open')")
        }
        "trigger" => {
            page.keys("t").await;
            page.until(
                "the list",
                "document.querySelector('#trigger-menu .card-settings')?.checkVisibility()",
            )
            .await;
            page.click("#trigger-menu .card-settings").await;
            ("its settings", IN_MENU)
        }
        "cancel" => {
            page.keys("x").await;
            ("the question", "document.querySelector('dialog#cancel')")
        }
        "scrubbed" => {
            page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 67 }))", vec![]).await;
            ("the moment", PAUSED)
        }
        "scrubbed-resolved" => {
            page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 139 }))", vec![]).await;
            ("the moment", PAUSED)
        }
        "reconnecting" => {
            proxy.close();
            ("the loss", "document.querySelector('#scrub-state').innerText === 'NOT LIVE'")
        }
        "gone" => {
            proxy.close();
            ("the alert", "document.querySelector('[role=alert]')?.innerText.includes('cannot be reached')")
        }
        "overrun" => ("the overrun", "document.querySelector('.over')?.innerText.includes('over')"),
        _ => ("the end", "document.querySelector('#headline').dataset.state === 'cancelled'"),
    };
    page.until(what, there).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium and axe-core: ./tests/run installs them and runs this"]
async fn what_a_person_opens_or_runs_into_fits_every_size_and_is_there_for_everyone() {
    let mut problems = Vec::new();
    for size in SIZES {
        for (state, records) in [
            ("report", drill(181)),
            ("help", drill(125)),
            ("menu", drill(125)),
            ("trigger", drill(125)),
            ("cancel", drill(125)),
            ("scrubbed", drill(125)),
            ("scrubbed-resolved", drill(181)),
            ("overrun", overrun()),
            ("cancelled", cancelled(61)),
            ("reconnecting", drill(125)),
            ("gone", drill(125)),
        ] {
            let server = calm().await;
            let proxy = Proxy::to(server.address).await;
            let page = page_over(&proxy, &server, size, records).await;
            reach(state, &page, &proxy).await;
            picture(&page, size, state).await;
            if size.touch {
                let foot = "Math.round(document.querySelector('scrub-bar').getBoundingClientRect().bottom) === innerHeight";
                assert_eq!(page.value(foot).await, true, "{state} at {size:?} has no bar at its foot");
            }
            problems
                .extend(checks::problems(&page, &format!("{state} at {}x{}", size.width, size.height)).await);
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// A connection that brings only a part of a long story.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium and axe-core: ./tests/run installs them and runs this"]
async fn a_page_that_catches_up_fits_every_size_and_says_so() {
    for size in SIZES {
        let server = calm().await;
        server.append(late::long(20_000)).await;
        let proxy = Proxy::to(server.address).await;
        proxy.pass_only(SOME);
        let page = Browser::sized(size, &format!("http://{}/", proxy.address)).await;
        page.until("what it lacks", "document.querySelector('#behind')?.innerText.includes('of 20,000')")
            .await;
        assert_eq!(page.text("#connection").await, "Catching up");
        page.until("BEHIND", "document.querySelector('#scrub-state').innerText === 'BEHIND'").await;
        picture(&page, size, "catching-up").await;
        checks::hold(&page, &format!("catching up at {}x{}", size.width, size.height)).await;
    }
}

/// A row that has just come is coloured for a moment: it can be read in that moment too.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_row_can_be_read_in_the_moment_in_which_it_comes() {
    let server = calm().await;
    let proxy = Proxy::to(server.address).await;
    let page = page_over(&proxy, &server, SIZES[0], drill(181)).await;
    let coloured = "
        const rows = [...document.querySelectorAll('#feed .row')];
        for (const row of rows) delete row.dataset.fresh;
        const plain = rows.map((row) => getComputedStyle(row).boxShadow);
        for (const row of rows) row.dataset.fresh = '3';
        return rows.filter((row, at) => getComputedStyle(row).boxShadow !== plain[at]).length;";
    let rows = page.run(coloured, vec![]).await.as_u64().unwrap();
    assert!(rows >= 20, "{rows} rows are coloured");
    for theme in ["light", "dark"] {
        page.value(&format!("(document.documentElement.dataset.theme = '{theme}')")).await;
        assert_eq!(checks::unreadable(&page).await, json!([]), "{theme}");
    }
}
