//! A page that comes late to a long incident: it shows the newest, and its size is bounded.

use incident::journal::Record;

use super::driver::Browser;
use crate::harness::{Local, action, metrics, started};

/// An incident with so many events, of which every third has a row.
pub fn long(events: u64) -> Vec<Record> {
    let middle = (2..=events).map(|index| match index % 3 {
        0 => action("long", index, &format!("Looked at shard {index}")),
        _ => metrics("long", index),
    });
    [started("long")].into_iter().chain(middle).collect()
}

const ROWS: &str = "document.querySelectorAll('#feed .row').length";
const SIZE: &str = "document.querySelectorAll('*').length";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn rows_marks_and_nodes_are_bounded_and_the_newest_is_seen() {
    let server = Local::start().await;
    server.append(long(20_000)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("all of it", "document.querySelector('#received').dataset.count === '20000'").await;
    page.until(
        "its newest row",
        "document.querySelector('#feed .row:last-child')?.innerText.includes('shard 19998')",
    )
    .await;
    let rows = page.value(ROWS).await.as_u64().unwrap();
    assert!((400..=500).contains(&rows), "{rows} rows");
    let marks = page.value("document.querySelectorAll('.dots > svg').length").await.as_u64().unwrap();
    assert!(marks <= 300, "{marks} marks");
    let before = page.value(SIZE).await.as_u64().unwrap();
    assert!(before < 12_000, "{before} nodes");
    let end = "(({ scrollTop, scrollHeight, clientHeight }) => scrollHeight - scrollTop - clientHeight < 48)";
    assert_eq!(
        page.value(&format!("{end}(document.querySelector('#feed'))")).await,
        true,
        "the end is in sight"
    );

    // 10,000 more, of which a reader further up sees none and loses nothing.
    page.run("document.querySelector('#feed').scrollTop = 200", vec![]).await;
    page.until("the place", "document.querySelector('#feed').scrollTop === 200").await;
    // The row at the top of what is seen, once the rows there have their heights.
    let top = "document.elementFromPoint(200, document.querySelector('#feed').getBoundingClientRect().top + 60)\
               ?.closest('.row')?.dataset.index";
    page.until(
        "the row",
        &format!("(({top}) !== undefined && ({top}) === window.row) || ((window.row = {top}), false)"),
    )
    .await;
    let read = page.value(top).await;
    server.append(long(30_000).split_off(20_000)).await;
    page.until("them all", "document.querySelector('#received').dataset.count === '30000'").await;
    page.until("the news", "document.querySelector('.news').innerText.includes('3,334 new')").await;
    assert_eq!(page.value(top).await, read, "the reader's row stays");
    let after = page.value(SIZE).await.as_u64().unwrap();
    assert!(after < before + 600, "{before} nodes became {after}");
    page.click(".news").await;
    page.until(
        "the newest",
        "document.querySelector('#feed .row:last-child').innerText.includes('shard 30000')",
    )
    .await;
    let rows = page.value(ROWS).await.as_u64().unwrap();
    assert!((400..=500).contains(&rows), "{rows} rows");
}
