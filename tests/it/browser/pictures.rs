//! The pictures of the README. A real run is photographed into `target/pictures`; `./dev pictures` makes the files in `docs/` of it.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::driver::{Browser, Size};
use crate::harness::{Http, Serving, ms, root};

const WIDE: Size = Size { width: 1440, height: 900, touch: false };
const ANIMATED: Size = Size { width: 1280, height: 800, touch: false };
const PHONE: Size = Size { width: 390, height: 844, touch: true };

/// Seconds of the incident between two frames.
const STEP_S: f64 = 4.5;
/// The second at which a run is photographed while it goes on.
const MIDDLE_S: f64 = 136.0;
/// How many times faster it plays: slow enough for a frame to be taken in each step.
const SPEED: u32 = 4;

const SECOND: &str = "((text) => text ? Number(text[1]) * 60 + Number(text[2]) : -1)(document.querySelector('.elapsed')?.innerText.match(/(\\d+):(\\d+)/))";
const ENDED: &str = "document.querySelector('#headline')?.dataset.state === 'resolved'";

async fn shot(page: &Browser, name: &str) {
    let folder: PathBuf = root().join("target/pictures");
    fs::create_dir_all(&folder).unwrap();
    let settle = "await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted, 60)));";
    page.run(settle, Vec::new()).await;
    fs::write(folder.join(name), page.screenshot().await).unwrap();
}

async fn trigger(serving: &Serving) {
    let reply = Http::trigger(serving.address(), "{\"scenario\":\"database-outage\"}").send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_run_is_photographed_from_its_start_to_its_end() {
    let folder = root().join("target/pictures");
    let _ = fs::remove_dir_all(&folder);
    let serving =
        Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--speed", &SPEED.to_string()]);
    let url = format!("http://{}/", serving.address());
    let page = Browser::sized(ANIMATED, &format!("{url}?theme=dark")).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    let wide = Browser::sized(WIDE, &format!("{url}?theme=dark")).await;
    let phone = Browser::sized(PHONE, &format!("{url}?theme=dark")).await;
    phone.until("the quiet page", "document.querySelector('#quiet')").await;
    trigger(&serving).await;
    page.until("the start", "document.querySelectorAll('#feed [data-position]').length > 0").await;
    let (mut frames, mut due, mut is_middle) = (0, 1.0, false);
    while page.value(ENDED).await == json!(false) {
        let second = page.value(SECOND).await.as_f64().unwrap();
        if second < due {
            tokio::time::sleep(ms(20)).await;
            continue;
        }
        shot(&page, &format!("frame-{frames:03}.png")).await;
        frames += 1;
        due = second + STEP_S;
        // When most has happened and the end is near.
        if second > MIDDLE_S && !is_middle {
            is_middle = true;
            shot(&wide, "live.png").await;
            shot(&phone, "phone-1.png").await;
        }
    }
    page.until("the result", "document.querySelector('#result')").await;
    drop((wide, phone));
    shot(&page, &format!("frame-{frames:03}.png")).await;
    assert!(frames > 5 && is_middle, "{frames} frames are no story");

    // An earlier moment of the same run, with the charts at the minute before it.
    let id = page.value("document.querySelector('#feed .row').dataset.incident").await;
    let moment = |second: u32| format!("{url}?incident={}&t={second}", id.as_str().unwrap());
    let past = Browser::sized(WIDE, &format!("{}&theme=light", moment(132))).await;
    past.until("the moment", "document.querySelector('#scrub-state')?.innerText.startsWith('PAUSED')").await;
    past.keys("z").await;
    past.until("a range", "document.querySelector('metrics-panel').hasAttribute('data-zoomed')").await;
    shot(&past, "past.png").await;

    // On a phone: an earlier moment, and the report.
    for (name, url) in [
        ("phone-2.png", format!("{}&theme=light", moment(56))),
        ("phone-3.png", format!("{}&theme=dark", moment(180))),
    ] {
        let page = Browser::sized(PHONE, &url).await;
        page.until("the incident", "document.querySelectorAll('#feed [data-position]').length > 3").await;
        if name == "phone-3.png" {
            page.keys("r").await;
            page.until("the report", "document.querySelector('.report h2')").await;
        }
        shot(&page, name).await;
    }
}

/// What is shown first has to come soon, also over a slow line.
#[test]
fn the_pictures_of_the_readme_are_there_and_light() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (name, most) in [
        ("docs/dashboard.webp", 1_500_000),
        ("docs/dashboard.png", 200_000),
        ("docs/past.png", 200_000),
        ("docs/phone.png", 200_000),
    ] {
        assert!(readme.contains(&format!("]({name})")), "README.md does not show {name}");
        let size = fs::metadata(root().join(name)).unwrap().len();
        assert!(size > 10_000 && size <= most, "{name} has {size} bytes");
    }
}
