//! Many incidents at once: a list by urgency that can be searched and filtered, the last days, tabs for what was pinned, and a
//! new incident that takes the screen from nobody.

use serde_json::json;

use super::checks::hold;
use super::driver::{Browser, Size};
use super::screenshots::{SIZES, picture};
use crate::harness::{Local, action, resolved, started};
use crate::publish::{publish, started as real};

const ESCAPE: char = '\u{e00c}';
const ENTER: char = '\u{e007}';
const DOWN: char = '\u{e015}';

/// The rows of the list, from top to bottom.
const ROWS: &str = "[...document.querySelectorAll('[data-board]')].map((row) => row.dataset.board)";
const TABS: &str = "[...document.querySelectorAll('#tabs [data-tab]')].map((tab) => tab.dataset.tab).sort()";

/// An open incident of the past.
async fn open(
    server: &Local,
    id: &str,
    severity: &str,
    service: &str,
    target_s: Option<f64>,
    per_minute: f64,
) {
    let mut begun = real(id, &format!("{id}-1"));
    let data = begun["data"].as_object_mut().unwrap();
    let ago = incident::contract::now() - jiff::SignedDuration::from_secs(600);
    data.insert("impact_started_at".to_owned(), json!(format!("{ago:.6}")));
    data.insert("severity".to_owned(), severity.into());
    data.insert("services".to_owned(), json!([service]));
    data.insert("title".to_owned(), json!(format!("Trouble of {id}")));
    if let Some(target_s) = target_s {
        data.insert("target_s".to_owned(), target_s.into());
    }
    let measured = json!({
        "specversion": "1.0", "id": format!("{id}-2"), "source": begun["source"], "type": "system_metrics",
        "subject": id, "time": incident::contract::now().to_string(),
        "data": {
            "synthetic": false, "metrics": {},
            "cost": { "currency": "USD", "total": 100.0, "per_minute": per_minute },
        },
    });
    let reply = publish(server.address, &[begun, measured]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// 20 drills, and 4 real incidents of which each is more urgent than the next for another reason.
async fn crowd() -> Local {
    let server = Local::start().await;
    for n in 0..20 {
        server.append(vec![started(&format!("drill-{n}"))]).await;
    }
    open(&server, "slow", "SEV2", "mail", None, 10.0).await;
    open(&server, "cheap", "SEV1", "search", None, 10.0).await;
    open(&server, "dear", "SEV1", "search", None, 900.0).await;
    open(&server, "late", "SEV1", "checkout", Some(60.0), 10.0).await;
    server
}

/// An older server has stored more of one incident than is listed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_list_that_is_not_complete_says_so() {
    let server = crowd().await;
    server.append(vec![started("large")]).await;
    for n in 2..=100 {
        let mut record = action("large", n, &"x".repeat(50_000));
        let data = record.data.get().replace("\"detection\"", &format!("\"agent-{n}\""));
        record.data = serde_json::value::RawValue::from_string(data).unwrap();
        server.append(vec![record]).await;
    }
    let listed = crate::harness::get(server.address, "/api/incidents").await.json();
    assert_eq!(listed["left_out"], 1);
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the list", &format!("{ROWS}.length === 25")).await;
    let told = "document.querySelector('incident-board .partial').textContent";
    page.until("the note", &format!("{told} !== ''")).await;
    let told = page.text("incident-board .partial").await;
    assert!(
        told.starts_with("The server's list is not complete: 1 open incident is too large for it."),
        "{told}"
    );
    server.append(vec![resolved("large", 101)]).await;
    page.value("location.reload()").await;
    page.until("the list", &format!("{ROWS}.length === 24")).await;
    page.until("no note", "document.querySelector('incident-board .partial').hidden").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn twenty_four_open_incidents_are_a_list_with_the_most_urgent_on_top() {
    let server = crowd().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the list", &format!("{ROWS}.length === 24")).await;
    assert_eq!(page.value(&format!("{ROWS}.slice(0, 4)")).await, json!(["late", "dear", "cheap", "slow"]));
    assert_eq!(page.value(TABS).await, json!([]));
    let row = page.text("[data-board=late]").await;
    for part in ["SEV1", "Trouble of late", "checkout", "over", "$1"] {
        assert!(row.contains(part), "{part} is missing: {row}");
    }
    assert!(page.text("[data-board='drill-0']").await.contains("DRILL"));
    assert!(!row.contains("DRILL"), "{row}");

    assert!(!page.text("incident-board").await.contains("not complete"));

    // Search, service and kind leave out what does not fit.
    page.keys("/").await;
    page.keys("trouble sev1").await;
    page.until("three", &format!("{ROWS}.join() === 'late,dear,cheap'")).await;
    assert!(page.text("incident-board .board-bar").await.contains("3 of 24 open"));
    page.keys(&ESCAPE.to_string()).await;
    page.until("all", &format!("{ROWS}.length === 24")).await;
    let choose = |name: &str, value: &str| {
        format!(
            "(() => {{ const field = document.querySelector('incident-board select[aria-label=\"{name}\"]'); \
             field.value = '{value}'; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
        )
    };
    page.value(&choose("Service", "search")).await;
    page.until("two", &format!("{ROWS}.join() === 'dear,cheap'")).await;
    page.value(&choose("Service", "")).await;
    page.value(&choose("Real incidents or drills", "real")).await;
    page.until("four", &format!("{ROWS}.length === 4")).await;
    page.value(&choose("Real incidents or drills", "")).await;

    page.value("document.querySelector('incident-board .search').focus()").await;
    // With the keyboard alone: down to the second, kept as a tab, shown, and back.
    page.keys(&format!("{DOWN}{DOWN}p{ENTER}")).await;
    page.until("the second", "document.querySelector('#headline .title')?.innerText === 'Trouble of dear'")
        .await;
    assert_eq!(page.value(TABS).await, json!(["dear"]));
    page.keys("i").await;
    page.until("the list", &format!("{ROWS}.length === 24")).await;
    page.click("[data-board='slow'] .pin").await;
    page.keys(&ESCAPE.to_string()).await;
    page.until("both tabs", &format!("{TABS}.join() === 'dear,slow'")).await;
    page.refresh().await;
    page.until("the page", &format!("{TABS}.length === 2 || {ROWS}.length === 24")).await;
    assert_eq!(page.value("JSON.parse(localStorage.getItem('pins'))").await, json!(["dear", "slow"]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_new_incident_takes_neither_the_list_nor_the_screen() {
    let server = crowd().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the list", &format!("{ROWS}.length === 24")).await;
    server.append(vec![started("newcomer")]).await;
    page.until("it in the list", &format!("{ROWS}.includes('newcomer')")).await;
    assert!(page.text("[data-board=newcomer]").await.contains("New"));
    page.click("[data-board=slow] .board-title").await;
    page.until("the incident", "document.querySelector('#headline .title')?.innerText === 'Trouble of slow'")
        .await;
    server.append(vec![started("another")]).await;
    page.until("word of it", "document.querySelector('#all-incidents').innerText.includes('1 new')").await;
    assert!(page.text("#all-incidents").await.contains("26 open"));
    assert_eq!(page.text("#headline .title").await, "Trouble of slow");
    assert_eq!(page.value(TABS).await, json!(["slow"]));
}

/// A person who starts a drill from the list is told so there, and is one click away from it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_drill_that_is_started_from_the_list_is_shown_by_one_click() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the quiet page", "document.querySelector('#quiet .card')").await;
    page.keys("i").await;
    page.until("the list", "document.documentElement.dataset.view === 'board'").await;
    page.click("#trigger").await;
    page.click("#trigger-menu [data-scenario='database-outage']").await;
    page.until("it in the list", &format!("{ROWS}.length === 1")).await;
    page.until(
        "word of it",
        "document.querySelector('.toast')?.innerText.startsWith('Started database-outage-')",
    )
    .await;
    assert!(page.text("[data-board]").await.contains("New"));
    page.click(".toast button").await;
    page.until("the drill", "document.querySelector('#headline .title')?.checkVisibility()").await;
    page.until("no word of it", "!document.querySelector('.toast').checkVisibility()").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn no_row_moves_while_one_is_held() {
    let server = crowd().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the list", &format!("{ROWS}.length === 24")).await;
    page.value("document.querySelector('[data-board=cheap] .board-title').focus()").await;
    let top = "document.querySelector('[data-board=cheap]').getBoundingClientRect().top";
    let before = page.value(top).await;
    // The most urgent of all, one more drill, and an end above.
    open(&server, "worst", "SEV1", "checkout", Some(1.0), 5000.0).await;
    server.append(vec![started("drill-x")]).await;
    let reply = publish(server.address, &[crate::publish::resolved("late", "late-3")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    page.until("the news", &format!("{ROWS}.includes('worst') && {ROWS}.includes('drill-x')")).await;
    page.until("the end", "document.querySelector('[data-board=late]').innerText.includes('Resolved')").await;
    assert_eq!(
        page.value(&format!("{ROWS}.slice(0, 5)")).await,
        json!(["late", "dear", "cheap", "worst", "slow"])
    );
    assert_eq!(page.value(top).await, before);
    assert!(page.text("incident-board .board-bar").await.contains("25 open"));
    page.value("document.activeElement.blur()").await;
    page.until("their order", &format!("{ROWS}.slice(0, 4).join() === 'worst,dear,cheap,slow'")).await;
    assert_eq!(page.value(&format!("{ROWS}.length")).await, 25);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn incidents_that_have_ended_take_no_tab_from_open_ones() {
    let server = Local::start().await;
    server.append(vec![started("d"), started("e"), started("f")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("three tabs", &format!("{TABS}.join() === 'd,e,f'")).await;
    for id in ["a", "b", "c"] {
        server.append(vec![started(id), resolved(id, 2)]).await;
    }
    page.until("the open ones and the last that ended", &format!("{TABS}.join() === 'c,d,e,f'")).await;
    server.append(vec![started("g")]).await;
    page.until("the open ones", &format!("{TABS}.join() === 'd,e,f,g'")).await;
    server.append(vec![started("h")]).await;
    page.until("the one on screen", &format!("{TABS}.join() === 'd'")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_last_days_have_their_bars_and_an_old_incident_opens_whole() {
    use crate::harness::{metrics, resolved};

    let server = Local::start().await;
    server
        .append(vec![started("old"), metrics("old", 2), action("old", 3, "looked"), resolved("old", 4)])
        .await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    page.keys("i").await;
    page.until("it", "document.querySelector('[data-past=old]')").await;
    let days =
        "[...document.querySelectorAll('.day')].map((day) => day.querySelector('.day-count').innerText)";
    assert_eq!(page.value(days).await, json!(["", "", "", "", "", "", "1"]));
    let label = page.value("document.querySelector('.day:last-child').ariaLabel").await;
    assert!(label.as_str().unwrap().contains("0 real, 1 drill"), "{label}");
    let height = "document.querySelector('.day:last-child .day-drills').getBoundingClientRect().height > 20";
    assert_eq!(page.value(height).await, true);
    page.click(".day:first-child").await;
    page.until("none of that day", "!document.querySelector('[data-past=old]')").await;
    page.click(".day:first-child").await;
    page.click("[data-past=old] .past-title").await;
    page.until("its events", "document.querySelectorAll('#feed [data-position]').length === 3").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_list_fits_every_size() {
    let server = crowd().await;
    // One of the past, beside the list.
    server.append(vec![started("ended"), resolved("ended", 2)]).await;
    for size in SIZES {
        let page = Browser::sized(size, &format!("http://{}/", server.address)).await;
        page.until("the list", &format!("{ROWS}.length === 24")).await;
        let Size { width, .. } = size;
        let cut = format!(
            "[...document.querySelectorAll('[data-board] [role=cell]')].filter((cell) => cell.checkVisibility() && \
             (cell.getBoundingClientRect().right > {width} || (!cell.matches('[data-column=Incident], [data-column=State]') \
             && cell.scrollWidth > cell.clientWidth + 1))).map((cell) => cell.outerHTML)"
        );
        assert_eq!(page.value(&cut).await, json!([]), "cut off at {size:?}");
        hold(&page, &format!("the list at {size:?}")).await;
        for theme in ["light", "dark"] {
            page.value(&format!("(document.documentElement.dataset.theme = '{theme}')")).await;
            picture(&page, size, &format!("many-{theme}")).await;
        }
    }
}
