//! The page as a picture in each of its states, at four sizes: `./dev screenshots` writes them to `target/screenshots`.

use std::fs;
use std::path::PathBuf;

use incident::contract::{Message, now};
use incident::journal::Record;
use incident::scenario::Library;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::additions::SAME_ID;
use super::checks;
use super::driver::{Browser, Size};
use crate::harness::{Http, Local, Timeline, envelope, fixtures, root};

pub const SIZES: [Size; 4] = [
    Size { width: 1440, height: 900, touch: false },
    Size { width: 1024, height: 768, touch: false },
    Size { width: 844, height: 390, touch: true },
    Size { width: 390, height: 844, touch: true },
];

/// The smallest phones; and a page of 1280 that is enlarged four times, for which nothing may scroll in two directions (WCAG 2.2, 1.4.10).
const SMALLEST: Size = Size { width: 320, height: 568, touch: true };

/// A drill that began so many seconds ago, with everything that is due by now.
pub fn drill(seconds: i64) -> Vec<Record> {
    let library = Library::shipped().unwrap();
    let mut timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    if let Message::IncidentStarted(started) = &mut timeline.events[0].message {
        started.impact_started_at = now() - SignedDuration::from_secs(seconds);
    }
    let due = timeline.events.iter().filter(|event| event.due.cast_signed() <= seconds * 1_000_000).count();
    timeline.records("database-outage-x7k2p", due)
}

/// A real incident: what publishers know of one.
pub fn real(ended: bool) -> Vec<Record> {
    let real = fixtures("messages").into_iter().filter(|(name, _)| name.contains(".real"));
    let mut events: Vec<_> = real.map(|(_, text)| envelope(&text)).collect();
    events.sort_by_key(|event| event.index);
    let kept = events.len() - usize::from(!ended);
    let began = format!("{:.6}", now() - SignedDuration::from_secs(214));
    let records = events.into_iter().take(kept).zip(1..).map(|(event, index)| {
        let mut message = event.message().unwrap();
        if let Message::IncidentStarted(started) = &mut message {
            started.impact_started_at = began.parse().unwrap();
        }
        Record::at(event.incident(), index, &message)
    });
    records.collect()
}

/// Takes the picture, and holds the page to its width.
pub async fn picture(page: &Browser, size: Size, name: &str) {
    let folder: PathBuf = root().join("target/screenshots");
    fs::create_dir_all(&folder).unwrap();
    let png = page.screenshot().await;
    assert!(png.starts_with(b"\x89PNG"), "{name}");
    fs::write(folder.join(format!("{name}-{}x{}.png", size.width, size.height)), png).unwrap();
    // A phone makes room for what is too wide: `innerWidth` grows with it.
    let wide = page.value("document.documentElement.scrollWidth").await.as_u64().unwrap();
    assert!(wide <= size.width.into(), "{name} at {size:?} is {wide} wide");
    let text = page.value("document.body.innerText").await;
    for wrong in ["NaN", "undefined", "null", "Infinity"] {
        assert!(!text.as_str().unwrap().contains(wrong), "{name} at {size:?} says {wrong}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium and axe-core: ./tests/run installs them and runs this"]
async fn every_state_fits_every_size() {
    for size in SIZES.into_iter().chain([SMALLEST]) {
        for (name, mut records, ready) in [
            ("quiet", Vec::new(), "document.querySelector('#quiet')"),
            ("drill-begun", drill(3), "document.querySelectorAll('#feed [data-position]').length > 0"),
            ("drill", drill(125), "document.querySelectorAll('#feed [data-position]').length > 3"),
            ("drill-resolved", drill(181), "document.querySelector('#result')"),
            (
                "many",
                [drill(125), real(false)].concat(),
                "document.querySelectorAll('incident-tabs .tab').length === 2",
            ),
            ("real", real(false), "document.querySelectorAll('#feed [data-position]').length > 0"),
            ("real-resolved", real(true), "document.querySelector('#result')"),
        ] {
            let server = Local::start().await;
            let page = Browser::sized(size, &format!("http://{}/", server.address)).await;
            page.until("the connection", "document.querySelector('#quiet')").await;
            // A page that did not see an incident open does not show its end.
            if let Some(last) = records.pop() {
                server.append(records).await;
                page.until("the incident", "document.querySelectorAll('#feed [data-position]').length > 0")
                    .await;
                server.append(vec![last]).await;
            }
            page.until(name, ready).await;
            let painted =
                "await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted, 300)));";
            assert_eq!(page.run(painted, Vec::<Value>::new()).await, json!(null));
            picture(&page, size, name).await;
            checks::hold(&page, &format!("{name} at {}x{}", size.width, size.height)).await;
        }
    }
}

/// With its form open, and with a refusal in it, in both themes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_form_fits_every_size() {
    for size in SIZES.into_iter().chain([SMALLEST]) {
        let server = Local::start().await;
        let page = Browser::sized(size, &format!("http://{}/", server.address)).await;
        page.until("the connection", "document.querySelector('#quiet')").await;
        let body = "{\"scenario\":\"database-outage\",\"speed\":4}";
        assert_eq!(Http::trigger(server.address, body).send().await.status, 202);
        page.until("the drill", "document.querySelectorAll('#feed [data-position]').length > 3").await;
        // A driver scrolls a button to the edge, where the bar at the foot of a phone is; a person scrolls on.
        page.value("document.querySelector('#add').scrollIntoView({ block: 'center' })").await;
        page.click("#add").await;
        page.until("the form", "document.activeElement.closest('#addition')").await;
        let seen = "['#feed', '#addition-name', '#addition-kind', '#addition-text', '#addition .primary', '.said'].filter((name) => {
                      const { top, bottom, left, right, height } = document.querySelector(name).getBoundingClientRect();
                      return left < 0 || right > innerWidth || height < 24 || (name !== '#feed' && (top < 0 || bottom > innerHeight));
                    })";
        assert_eq!(page.value(seen).await, json!([]), "out of sight at {size:?}");
        page.fill("#addition-name", "Zo\u{eb} of the night shift").await;
        page.run(SAME_ID, Vec::new()).await;
        page.fill("#addition-text", "Paused the nightly export\u{e007}").await;
        page.until("the note", "document.querySelector('#feed [data-added]')").await;
        for theme in ["light", "dark"] {
            page.value(&format!("(document.documentElement.dataset.theme = '{theme}')")).await;
            page.fill("#addition-text", "Called the database team: they are looking at the pool").await;
            picture(&page, size, &format!("form-{theme}")).await;
            page.fill("#addition-text", "Called the database team again\u{e007}").await;
            page.until(
                "a refusal",
                "document.querySelector('#addition-problem').innerText.startsWith('Not added:')",
            )
            .await;
            assert_eq!(page.value(seen).await, json!([]), "out of sight at {size:?}");
            picture(&page, size, &format!("form-refused-{theme}")).await;
        }
    }
}
