//! A range of time in all charts at once: chosen with the mouse, keys or buttons, and left again.

use serde_json::{Value, json};

use super::checks::hold;
use super::driver::{Browser, Size};
use super::screenshots::{SIZES, drill, picture};
use super::scrub::outage;
use crate::harness::Local;

const ESCAPE: &str = "\u{e00c}";
const RIGHT: char = '\u{e014}';
const ZOOMED: &str = "document.querySelector('metrics-panel').hasAttribute('data-zoomed')";
/// The labels of time below each chart.
const TIMES: &str = "[...document.querySelectorAll('.chart .xs')].map((axis) => [...axis.children].map((one) => one.innerText).join(' '))";
const STATE: &str = "document.querySelector('#scrub-state').innerText";

/// An incident of which 70 seconds have passed, and no more come.
async fn page_at(size: Option<Size>) -> (Local, Browser) {
    let server = Local::start().await;
    server.append(outage(70, 70)).await;
    let url = format!("http://{}/", server.address);
    let page = match size {
        Some(size) => Browser::sized(size, &url).await,
        None => Browser::open(&url).await,
    };
    page.until("the charts", "document.querySelectorAll('.chart .line').length >= 4").await;
    (server, page)
}

/// The edges and the middle's height of what is drawn.
async fn place_of(page: &Browser, selector: &str) -> (f64, f64, f64) {
    let place = page
        .run(
            "const { left, right, top, bottom } = document.querySelector(args[0]).getBoundingClientRect();
             return [left, right, (top + bottom) / 2];",
            vec![json!(selector)],
        )
        .await;
    let [left, right, middle] = [0, 1, 2].map(|at| place[at].as_f64().unwrap());
    (left, right, middle)
}

/// Drags over a part of a drawing.
async fn drag(page: &Browser, selector: &str, from: f64, to: f64) {
    let (left, right, y) = place_of(page, selector).await;
    let [from, to] = [from, to].map(|part| left + part * (right - left));
    page.drag(&[(from, y), (f64::midpoint(from, to), y + 9.0), (to, y)]).await;
}

/// What is said above the charts.
async fn said(page: &Browser) -> String {
    page.text("zoom-bar .digits").await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_drag_shows_its_range_in_every_chart_and_there_are_ways_back() {
    let (_server, page) = page_at(None).await;
    let whole = page.value(TIMES).await;
    assert_eq!(whole.as_array().unwrap().len(), 4);
    let peaks = "[...document.querySelectorAll('.chart .sub')].map((one) => one.innerText)";
    let peaks_of_all = page.value(peaks).await;
    // 180 seconds of plan: a sixth to a half of it.
    drag(&page, ".chart:nth-child(2) .plot", 1.0 / 6.0, 0.5).await;
    page.until("the range", ZOOMED).await;
    let shown = page.value(TIMES).await;
    for times in shown.as_array().unwrap() {
        let times: Vec<&str> = times.as_str().unwrap().split(' ').collect();
        assert!(["00:29", "00:30", "00:31"].contains(&times[0]), "{times:?}");
        assert!(["01:29", "01:30", "01:31"].contains(&times[2]), "{times:?}");
    }
    assert_eq!(shown[0], shown[3], "one range for all");
    let text = said(&page).await;
    assert!(text.starts_with("Charts: T+00:") && text.ends_with("1 min"), "{text}");
    assert!(page.text("hypotheses-panel header").await.contains("–01:"));
    // The track shows which part that is, at its own scale.
    let (left, right, _) = place_of(&page, ".rail > .zoomed").await;
    let (from, to, _) = place_of(&page, ".rail").await;
    let part = |x: f64| (x - from) / (to - from);
    assert!((part(left) - 1.0 / 6.0).abs() < 0.01 && (part(right) - 0.5).abs() < 0.01, "{left} to {right}");
    // A chart draws what is in the range and its axis of values fits that: here, what the highest value is.
    drag(&page, ".chart:nth-child(1) .plot", 0.0, 0.2).await;
    page.until("a shorter one", &format!("{TIMES}[0] !== {}", shown[0])).await;
    page.run("document.querySelector('.charts').dispatchEvent(new PointerEvent('pointerleave'))", vec![])
        .await;
    assert_ne!(page.value(peaks).await, peaks_of_all);
    let outside = "[...document.querySelectorAll('.chart .plot')].every((plot) => getComputedStyle(plot).overflow === 'hidden')";
    assert_eq!(page.value(outside).await, true, "what is outside is not drawn over the page");

    page.keys(ESCAPE).await;
    page.until("all", &format!("!{ZOOMED} && {TIMES}[0] === {}", whole[0])).await;
    assert_eq!(page.value(peaks).await, peaks_of_all);
    // From the bands of the hypotheses too, and back with a double click.
    drag(&page, ".bands .drawn", 0.25, 0.5).await;
    page.until("the range", ZOOMED).await;
    let (left, _, y) = place_of(&page, ".chart .plot").await;
    page.double_click(left + 40.0, y).await;
    page.until("all", &format!("!{ZOOMED}")).await;
    // A click, and a press that is taken back, choose nothing.
    page.drag(&[(left + 40.0, y), (left + 42.0, y)]).await;
    assert_eq!(page.value(ZOOMED).await, false);
    drag(&page, ".chart .plot", 0.1, 0.4).await;
    page.until("the range", ZOOMED).await;
    page.keys(ESCAPE).await;
    page.until("all, with the pointer still there", &format!("!{ZOOMED}")).await;
    drag(&page, ".chart .plot", 0.1, 0.4).await;
    page.until("the range", ZOOMED).await;
    page.click("zoom-bar button:last-child").await;
    page.until("all", &format!("!{ZOOMED}")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn keys_zoom_around_the_moment_and_escape_goes_back_one_step_at_a_time() {
    let (_server, page) = page_at(None).await;
    page.run("dispatchEvent(new CustomEvent('scrub-to', { detail: 60 }))", vec![]).await;
    page.until("the pause", &format!("{STATE}.startsWith('PAUSED')")).await;
    page.keys("zz").await;
    page.until("a quarter", "document.querySelector('zoom-bar .digits').innerText.endsWith('45.0 s') || document.querySelector('zoom-bar .digits').innerText.endsWith('45 s')").await;
    // The moment stays where it was: at a third.
    let cursor = "parseFloat(document.querySelector('.charts').style.getPropertyValue('--x'))";
    let at = page.value(cursor).await.as_f64().unwrap();
    assert!((at - 100.0 / 3.0).abs() < 0.5, "{at}");
    page.keys("o").await;
    page.until("a half", "document.querySelector('zoom-bar .digits').innerText.endsWith('1 min 30 s')").await;
    // The cursor of all charts, which takes the range with it at its end.
    page.value("document.querySelector('.charts').focus()").await;
    let before = page.value(TIMES).await;
    page.keys(&RIGHT.to_string().repeat(75)).await;
    page.until("another range", &format!("{TIMES}[0] !== {}", before[0])).await;
    let values = "new Set([...document.querySelectorAll('.chart .cursor')].map((one) => one.getBoundingClientRect().left - one.parentElement.getBoundingClientRect().left)).size";
    assert_eq!(page.value(values).await, 1);
    // The cursor, the range, the pause: each has its own step back.
    let probing = "document.querySelector('.charts').hasAttribute('data-probing')";
    assert_eq!(page.value(probing).await, true);
    page.keys(ESCAPE).await;
    page.until("no cursor", &format!("!{probing}")).await;
    assert_eq!(page.value(ZOOMED).await, true);
    page.keys(ESCAPE).await;
    page.until("all", &format!("!{ZOOMED}")).await;
    assert_eq!(page.value(&format!("{STATE}.startsWith('PAUSED')")).await, true);
    page.keys(ESCAPE).await;
    page.until("the present", &format!("{STATE} === 'LIVE'")).await;
    // A range of an incident is not one of another.
    page.keys("z").await;
    page.until("the range", ZOOMED).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium and axe-core: ./tests/run installs them and runs this"]
async fn a_range_fits_every_size_and_a_finger_has_buttons() {
    for size in SIZES {
        let server = Local::start().await;
        let page = Browser::sized(size, &format!("http://{}/", server.address)).await;
        page.until("the connection", "document.querySelector('#quiet')").await;
        server.append(drill(125)).await;
        page.until("the charts", "document.querySelectorAll('.chart .line').length >= 4").await;
        page.value("document.querySelector('.chart').scrollIntoView({ block: 'center' })").await;
        if size.touch {
            let small = "[...document.querySelectorAll('zoom-bar button')].map((one) => one.getBoundingClientRect()).filter(({ width, height }) => Math.min(width, height) < 44).length";
            assert_eq!(page.value(small).await, 0, "buttons too small at {size:?}");
            // A finger on a chart scrolls the page.
            let moved = "const charts = document.querySelector('.charts');
                const plot = document.querySelector('.chart .plot');
                const { left, top } = plot.getBoundingClientRect();
                const touch = { bubbles: true, pointerType: 'touch', pointerId: 7, button: 0, clientY: top + 9 };
                plot.dispatchEvent(new PointerEvent('pointerdown', { ...touch, clientX: left + 20 }));
                charts.dispatchEvent(new PointerEvent('pointermove', { ...touch, clientX: left + 90 }));
                charts.dispatchEvent(new PointerEvent('pointerup', { ...touch, clientX: left + 90 }));";
            page.run(moved, Vec::<Value>::new()).await;
            assert_eq!(page.value(ZOOMED).await, false);
            page.click("zoom-bar button[title*='less time']").await;
            page.click("zoom-bar button[title*='less time']").await;
        } else {
            page.keys("zz").await;
        }
        page.until("the range", ZOOMED).await;
        picture(&page, size, "zoomed").await;
        hold(&page, &format!("zoomed at {}x{}", size.width, size.height)).await;
    }
}
