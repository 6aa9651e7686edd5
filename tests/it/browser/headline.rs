//! A stranger sees at once what is broken, what is done, how sure that is, what it costs, when it ends, and how sure that is.

use serde_json::json;

use super::driver::Browser;
use super::screenshots::{drill, real};
use super::{checks, driver::Size};
use crate::harness::Local;

/// A page on which this has happened, part by part.
async fn page_with(parts: Vec<Vec<incident::journal::Record>>) -> (Local, Browser) {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the connection", "document.querySelector('#quiet')").await;
    for part in parts {
        server.append(part).await;
        page.until("the incident", "document.querySelectorAll('#feed [data-position]').length > 0").await;
    }
    (server, page)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_headline_answers_six_questions() {
    let (_server, page) = page_with(vec![drill(136)]).await;
    page.until("the forecast", "document.querySelector('.vital.end .value')?.innerText === '02:45'").await;
    // The events come one after the other, and the last one says something new.
    page.until(
        "the last event",
        "document.querySelector('.what .now')?.innerText.includes('Roll checkout back')",
    )
    .await;
    for (question, selector, answers) in [
        ("what is broken", ".what .title", vec!["Primary database connection pool exhausted"]),
        ("what is done", ".what .now", vec!["Resolution: Roll checkout back to 2026.7.4"]),
        ("what failed", ".what .trace", vec!["3 × restart pool failed", "promote replica helped"]),
        ("how sure", ".vital.sure", vec!["94%", "Connection leak", "Next 2%: Organic traffic spike"]),
        ("what it costs", ".vital.money", vec!["$", "/min", "users", "≈ $"]),
        ("when it ends", ".vital.end", vec!["02:45", "15 s before target"]),
        ("how sure that is", ".vital.end", vec!["80% sure: 02:10–07:00"]),
        ("how long is left", ".vital.timer", vec!["To target 03:00", "00:"]),
    ] {
        let text = page.text(selector).await;
        for answer in answers {
            assert!(text.contains(answer), "{question}: {answer:?} is not in {text:?}");
        }
    }
    // The belief in the cause stands in the headline and at the events that told it, nowhere else.
    let facts = page.text("div.facts").await;
    assert!(!facts.contains("94%"), "{facts}");
    assert!(facts.contains("97%"), "what an agent is sure of beside the cause is with the agent: {facts}");
    assert!(facts.contains("wrong lead at T+00:30") || facts.contains("given up"), "{facts}");
    // An agent without a confidence has no bar.
    let bars = page
        .value(
            "[...document.querySelectorAll('.agent-row .bar')].filter((bar) => bar.checkVisibility()).length",
        )
        .await;
    assert_eq!(bars, 1);
}

/// A forecast that time has overtaken is not repeated as if nothing had happened.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_expected_end_that_has_passed_says_so() {
    let mut events = drill(181);
    events.pop();
    let (_server, page) = page_with(vec![events]).await;
    page.until(
        "the end it still expects",
        "document.querySelector('.vital.end .value')?.innerText === 'by 07:00'",
    )
    .await;
    assert!(page.text(".vital.end").await.ends_with("02:45 has passed\n10% take longer"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_is_known_to_come_is_shown_and_what_can_never_come_is_not() {
    let (_server, page) = page_with(vec![drill(3)]).await;
    page.until("the plan", "document.querySelector('ahead-panel')?.innerText.includes('Diagnose')").await;
    let ahead = page.text("ahead-panel").await;
    for known in ["Predict", "Resolve", "Verify", "Error rate", "Latency p99", "checkout"] {
        assert!(ahead.contains(known), "{known:?} is not in {ahead:?}");
    }
    assert!(page.text(".vital.sure").await.contains("No cause is suspected"));

    let (_server, page) = page_with(vec![real(false)]).await;
    page.until("the real incident", "document.querySelector('#headline .real')?.checkVisibility()").await;
    let empty = "['hypotheses-panel', 'forecast-panel', 'ahead-panel', '.vital.sure', '.vital.end'].filter((name) => document.querySelector(name).checkVisibility())";
    assert_eq!(page.value(empty).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn after_the_end_it_says_how_good_the_forecasts_were() {
    let mut events = drill(181);
    let last = events.pop().unwrap();
    let (_server, page) = page_with(vec![events, vec![last]]).await;
    page.until("the end", "document.querySelector('#headline').dataset.state === 'resolved'").await;
    assert!(page.text(".vital.end").await.starts_with("Took\n03:00\nForecast 02:45, in its range"));
    let forecast = page.text("forecast-panel").await;
    assert!(forecast.contains("1 of 1 ranges held the end. The last was off by 15 s."), "{forecast}");
    assert!(page.text("hypotheses-panel").await.contains("root cause"));
}

/// What screen readers hear, while it happens.
const LISTEN: &str = r"
    window.heard = [];
    const line = document.querySelector('page-announcer [role=status]');
    new MutationObserver(() => window.heard.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn key_moments_are_said_in_sentences_and_can_be_switched_off() {
    let events = drill(181);
    let cut = |from: usize, to: usize| events[from..to].to_vec();
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the connection", "document.querySelector('#quiet')").await;
    page.run(LISTEN, Vec::new()).await;
    let last = events.len() - 1;
    server.append(cut(0, 1)).await;
    let heard = |text: &str| format!("heard.some((one) => one.includes({text:?}))");
    page.until("the start", &heard("Drill, SEV1: Primary database connection pool exhausted.")).await;
    server.append(cut(1, last)).await;
    for text in [
        "The incident is detected, ",
        "The leading cause is now Connection leak in checkout release 2026.8.1, believed to ",
        "The end is expected 2 min 45 s after the start, and in 8 of 10 cases between 2 min 10 s and 7 min.",
    ] {
        page.until(text, &heard(text)).await;
    }
    page.click("#more").await;
    page.click("#do-moments").await;
    server.append(cut(last, last + 1)).await;
    page.until("the end", "document.querySelector('#headline').dataset.state === 'resolved'").await;
    assert_eq!(page.value(&heard("The incident is resolved")).await, json!(false));
}

/// With the colours of the system, what shades say is said by lines; and the page fits at 200 %.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_colours_of_the_system_and_200_percent() {
    let zoomed = Size { width: 720, height: 450, touch: false };
    for (what, flags, size) in
        [("forced colours", &["--force-high-contrast"] as &[&str], None), ("200 %", &[], Some(zoomed))]
    {
        let server = Local::start().await;
        server.append(drill(136)).await;
        let page = Browser::with(flags, size, &format!("http://{}/", server.address)).await;
        page.until("the forecast", "document.querySelector('.vital.end .value')?.innerText === '02:45'")
            .await;
        checks::fits(&page, what).await;
        if size.is_some() {
            checks::hold(&page, what).await;
            continue;
        }
        assert_eq!(page.value("matchMedia('(forced-colors: active)').matches").await, json!(true));
        let fills = page.value("new Set([...document.querySelectorAll('.bands .band')].map((band) => getComputedStyle(band).fill)).size").await;
        assert!(fills.as_u64().unwrap() >= 2, "the leading cause looks like the others");
    }
}
