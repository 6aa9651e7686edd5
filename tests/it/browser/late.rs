//! A page that comes late to a long incident shows the newest, and its size is bounded; it draws what is seen, and nothing else.

use incident::journal::{Record, Retention};
use incident::server::Options;

use super::driver::Browser;
use crate::harness::{Local, action, metrics, ms, options, started};

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
    // A page that was behind has only a screen of rows until the server says that nothing more is on its way.
    let options = Options { heartbeat: ms(500), ..options() };
    let server = Local::with(options, Retention::default()).await;
    server.append(long(20_000)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("all of it", "document.querySelector('#received').dataset.count === '20000'").await;
    page.until(
        "its newest row",
        "document.querySelector('#feed .row:last-child')?.innerText.includes('shard 19998')",
    )
    .await;
    // The newest are drawn first.
    page.until("the rows before it", &format!("{ROWS} >= 400")).await;
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
    // The row at the top of what is seen, once the rows there have their heights: it is the same in several frames.
    let top = "document.elementFromPoint(200, document.querySelector('#feed').getBoundingClientRect().top + 60)\
               ?.closest('.row')?.dataset.index";
    let settled = format!(
        "for (let last, same = 0; same < 10; ) {{
             await new Promise(requestAnimationFrame);
             const row = {top};
             same = row !== undefined && row === last ? same + 1 : 0;
             last = row;
         }}
         return {top};"
    );
    let read = page.run(&settled, vec![]).await;
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
    // The newest are drawn first.
    page.until("the rows before it", &format!("{ROWS} >= 400")).await;
    let rows = page.value(ROWS).await.as_u64().unwrap();
    assert!((400..=500).contains(&rows), "{rows} rows");
}

/// Counts how often the feed is drawn, and how often the browser is asked whether it lets the page notify.
const WATCH: &str = r"(() => {
    const feed = document.querySelector('feed-panel');
    const update = feed.update;
    window.drawn = 0;
    window.asked = 0;
    feed.update = function (...view) { window.drawn += 1; return update.apply(this, view); };
    Object.defineProperty(Notification, 'permission', { get() { window.asked += 1; return 'default'; } });
    return true;
})()";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_news_of_another_incident_draws_the_tabs_alone_and_a_closed_menu_is_not_drawn() {
    let server = Local::start().await;
    server.append(vec![started("a"), started("b")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    page.until("what it may", "!document.querySelector('#trigger').disabled").await;
    page.value(WATCH).await;
    let received = |last: u64| format!("document.querySelector('#received').dataset.last === '{last}'");
    for index in 2..6 {
        server.append(vec![action("b", index, "Looked")]).await;
        page.until("it", &received(index + 1)).await;
    }
    assert_eq!(page.value("[window.drawn, window.asked]").await, serde_json::json!([0, 0]));
    server.append(vec![action("a", 2, "Looked here")]).await;
    page.until("its row", "document.querySelector('#feed').innerText.includes('Looked here')").await;
    assert_ne!(page.value("window.drawn").await, 0);
    assert_eq!(page.value("window.asked").await, 0);
    page.click("#more").await;
    page.until("the menu", "document.querySelector('#do-notify').checkVisibility() && window.asked > 0")
        .await;
}
