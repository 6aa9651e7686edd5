//! Looking at an earlier moment of an incident while it runs: every panel shows what was known then.

use incident::contract::{Message, now};
use incident::journal::Record;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::driver::{Browser, Size};
use crate::harness::{Local, Timeline, library};

/// Keys as `WebDriver` names them.
const ESCAPE: &str = "\u{e00c}";
const LEFT: &str = "\u{e012}";
const RIGHT: &str = "\u{e014}";

/// The records of the outage up to a second, as if it had begun so many seconds ago.
pub fn outage(began: i64, until: i64) -> Vec<Record> {
    let library = library();
    let mut timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    if let Message::IncidentStarted(started) = &mut timeline.events[0].message {
        started.impact_started_at = now() - SignedDuration::from_secs(began);
    }
    let due = timeline.events.iter().filter(|event| event.due.cast_signed() <= until * 1_000_000).count();
    timeline.records("it", due)
}

/// What every panel shows, apart from what moves with the time: the panels' texts, and the curves' newest values.
pub const PANELS: &str = "['#feed', 'agents-panel', 'hypotheses-panel', '.fan .text', '.forecasts .value', \
    '.vital.sure', '.vital.end', '.phase-name', '.trace', '.now', '.chart .value'].map((panel) => \
    [...document.querySelectorAll(panel)].filter((one) => one.checkVisibility()).map((one) => one.innerText.replaceAll(/\\s+/g, ' ').trim()).join('; '))";

const STATE: &str = "document.querySelector('#scrub-state').innerText";
const PAUSED: &str = "document.querySelector('#scrub-state')?.innerText.startsWith('PAUSED')";

async fn said(page: &Browser) -> String {
    let said = page.value("document.querySelector('#scrub').getAttribute('aria-valuetext')").await;
    said.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn every_panel_of_a_running_incident_shows_what_a_page_showed_at_that_moment() {
    let server = Local::start().await;
    server.append(outage(130, 130)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", &format!("{STATE} === 'LIVE'")).await;
    for second in [67_i64, 20, 95, 1, 120] {
        page.run(&format!("dispatchEvent(new CustomEvent('scrub-to', {{ detail: {second} }}))"), vec![])
            .await;
        page.until("the moment", &format!("{PAUSED} && {}", at(second))).await;
        // Another page over a server on which nothing else has happened yet.
        let then = Local::start().await;
        then.append(outage(second, second)).await;
        let wanted = Browser::open(&format!("http://{}/", then.address)).await;
        wanted.until("the incident", &format!("{STATE} === 'LIVE'")).await;
        assert_eq!(page.value(PANELS).await, wanted.value(PANELS).await, "at second {second}");
        // The track has all of the incident, and marks the phase of that moment.
        let marked = "[...document.querySelectorAll('.segment:not([data-phase=overrun])')].map(({ dataset }) => [dataset.phase, 'current' in dataset, 'done' in dataset])";
        assert_eq!(page.value(marked).await, wanted.value(marked).await, "at second {second}");
        let digits = page.text("#countdown").await;
        let left = 180 - second;
        assert_eq!(
            digits,
            format!("{:02}:{:02}", left / 60, left % 60),
            "the countdown stands at second {second}"
        );
    }
    // What comes meanwhile is counted and not shown, and one key leads back to it.
    let shown = page.value(PANELS).await;
    let before = outage(130, 130).len();
    let more = outage(130, 140).split_off(before);
    let fresh = more.len();
    assert!(fresh > 2);
    server.append(more).await;
    page.until("the news", &format!("{STATE} === 'PAUSED · {fresh} new'")).await;
    assert_eq!(page.value(PANELS).await, shown);
    assert_eq!(page.text("#connection").await, "Paused");
    page.keys(ESCAPE).await;
    page.until("the present", &format!("{STATE} === 'LIVE'")).await;
    assert_ne!(page.value(PANELS).await, shown);
    assert_eq!(page.text("#connection").await, "Live");
    // Rows that have just come are coloured for a moment; those that a person goes back to have not just come.
    let rows = "[...document.querySelectorAll('#feed .row[data-live]')]";
    page.until("the news", &format!("{rows}.length > 0")).await;
    page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 120 }))", vec![]).await;
    page.until("the moment", &at(120)).await;
    page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 139 }))", vec![]).await;
    page.until("the moment", &format!("{} && {rows}.length > 0", at(139))).await;
    assert_eq!(page.value(&format!("{rows}.filter((row) => row.dataset.fresh).length")).await, 0);
}

/// An expression that is true at a second.
fn at(second: i64) -> String {
    format!(
        "document.querySelector('#scrub').getAttribute('aria-valuetext').startsWith('T+{:02}:{:02},')",
        second / 60,
        second % 60
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn keys_go_by_seconds_by_events_and_by_marks() {
    let server = Local::start().await;
    server.append(outage(100, 100)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", &format!("{STATE} === 'LIVE'")).await;
    page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 50 }))", vec![]).await;
    page.until("the moment", &at(50)).await;
    page.keys(&LEFT.repeat(3)).await;
    page.until("fifteen seconds before", &at(35)).await;
    page.keys(RIGHT).await;
    page.until("five seconds on", &at(40)).await;
    let event = |text: &str| {
        let number = text.split("event ").nth(1).unwrap().split(' ').next().unwrap();
        number.parse::<u64>().unwrap()
    };
    let from = event(&said(&page).await);
    page.keys(",,").await;
    page.until("two events before", &format!("{} === {}", number(), from - 2)).await;
    page.keys("...").await;
    page.until("one event on", &format!("{} === {}", number(), from + 1)).await;
    // To the start of the phase, and to the first mark of the next one.
    page.keys("[").await;
    page.until("the mark before", &format!("!({})", at(40))).await;
    let mut marks = vec![said(&page).await];
    for _ in 0..4 {
        page.keys("]").await;
        let last = marks.last().unwrap().replace('\'', "");
        page.until("another mark", &format!("document.querySelector('#scrub').ariaValueText !== '{last}'"))
            .await;
        marks.push(said(&page).await);
    }
    // Keys that come faster than the page draws are not lost.
    page.keys("[[[").await;
    page.until(
        "the mark three before",
        &format!("document.querySelector('#scrub').ariaValueText === '{}'", marks[1]),
    )
    .await;
    page.keys("p").await;
    page.until("the present", &format!("{STATE} === 'LIVE'")).await;
    page.keys("p").await;
    page.until("a pause", PAUSED).await;
    // A key that is typed is a letter.
    page.click("#add").await;
    page.until("the form", "document.querySelector('#addition-text')?.checkVisibility()").await;
    page.fill("#addition-text", "p.,[").await;
    assert_eq!(page.value("document.querySelector('#addition-text').value").await, "p.,[");
    assert_eq!(page.value(PAUSED).await, true);
}

fn number() -> &'static str {
    "Number(document.querySelector('#scrub').getAttribute('aria-valuetext').match(/event (\\d+)/)?.[1])"
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_slider_stays_where_it_is_while_it_is_dragged() {
    for size in super::screenshots::SIZES {
        let server = Local::start().await;
        server.append(outage(100, 100)).await;
        let page = Browser::sized(size, &format!("http://{}/", server.address)).await;
        page.until("the incident", &format!("{STATE} === 'LIVE'")).await;
        let place = "(({ left, top, width }) => [left, top, width].map(Math.round))(document.querySelector('#scrub').getBoundingClientRect())";
        let live = page.value(place).await;
        page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 50 }))", vec![]).await;
        page.until("the moment", PAUSED).await;
        assert_eq!(page.value(place).await, live, "at {size:?}");
        server.append(outage(100, 134).split_off(outage(100, 100).len())).await;
        page.until("the news", &format!("{STATE}.includes('new')")).await;
        assert_eq!(page.value(place).await, live, "with news, at {size:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_slider_lies_on_the_track_and_the_phone_has_it_at_its_foot() {
    let server = Local::start().await;
    server.append(outage(100, 100)).await;
    let url = format!("http://{}/", server.address);
    let wide = Browser::open(&url).await;
    wide.until("the incident", &format!("{STATE} === 'LIVE'")).await;
    // The handle at a second is where the track has that second.
    for second in [0, 45, 90] {
        wide.run(&format!("dispatchEvent(new CustomEvent('scrub-to', {{ detail: {second} }}))"), vec![])
            .await;
        wide.until("the moment", &at(second)).await;
        let apart = wide
            .run(
                r"
                const range = document.querySelector('#scrub');
                const { left, width } = range.getBoundingClientRect();
                const handle = left + 6 + (Number(range.value) / Number(range.max)) * (width - 12);
                return Math.abs(handle - document.querySelector('.rail > .cursor').getBoundingClientRect().left - 1);
                ",
                vec![],
            )
            .await;
        assert!(apart.as_f64().unwrap() < 2.0, "{apart} px apart at {second}");
    }
    for size in [Size { width: 390, height: 844, touch: true }, Size { width: 844, height: 390, touch: true }]
    {
        let page = Browser::sized(size, &url).await;
        page.until("the incident", &format!("{STATE} === 'LIVE'")).await;
        page.click(".scrub-buttons button[title^='5 seconds back']").await;
        page.until("a pause", PAUSED).await;
        let small: Value = page
            .run(
                r"
                const least = innerWidth < 820 ? 44 : 24;
                const all = [...document.querySelectorAll('scrub-bar button, #scrub')].filter((one) => one.checkVisibility());
                const boxes = all.map((one) => one.getBoundingClientRect());
                const outside = boxes.filter(({ left, right, bottom }) => left < -6 || right > innerWidth + 6 || bottom > innerHeight);
                return [boxes.filter(({ width, height }) => Math.min(width, height) < least).length, outside.length, all.length];
                ",
                vec![],
            )
            .await;
        assert_eq!((&small[0], &small[1]), (&json!(0), &json!(0)), "{small} at {size:?}");
        page.click("#scrub-state").await;
        page.until("the present", &format!("{STATE} === 'LIVE'")).await;
    }
}
