//! Notifications and sounds are off until a person wants them, and then tell of starts, missed targets and ends; and the view
//! for a projector, which has no controls.

use serde_json::json;

use super::driver::Browser;
use super::screenshots::{SIZES, picture};
use crate::harness::{Local, action, metrics, resolved, started};

/// Notes what is notified and sounded; the browser of the tests allows neither.
const LISTEN: &str = r"
    const every = window.setInterval;
    window.looks = [];
    window.setInterval = (look, ms) => { window.looks.push(look); return every(look, ms); };
    window.told = []; window.tones = 0; window.asked = 0; window.answer = 'granted';
    window.Notification = class {
      static permission = 'default';
      static async requestPermission() { window.asked += 1; return (this.permission = window.answer); }
      constructor(title, { body, tag }) { window.told.push([title, body, tag]); }
      close() {}
    };
    const tone = () => ({ frequency: {}, connect: (to) => to, start: () => (window.tones += 1), stop: () => {} });
    const gain = () => ({ gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (to) => to });
    window.AudioContext = class { currentTime = 0; resume() {} createOscillator() { return tone(); } createGain() { return gain(); } };
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn notices_are_off_until_they_are_wanted_and_tell_what_happens_then() {
    let server = Local::start().await;
    server.append(vec![started("before")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    page.run(LISTEN, vec![]).await;
    server.append(vec![started("quiet"), resolved("quiet", 2)]).await;
    page.until("both", "document.querySelectorAll('#tabs [data-tab]').length === 2").await;
    assert_eq!(page.value("[looks.length, told.length, tones, asked]").await, json!([0, 0, 0, 0]));

    page.click("#more").await;
    page.click("#do-notify").await;
    page.until("the switch", "document.querySelector('#do-notify').ariaPressed === 'true'").await;
    // How they look.
    assert_eq!(page.value("told.splice(0)[0][0]").await, "Notifications are on");
    page.click("#more").await;
    page.click("#do-sound").await;
    page.until("a sample", "tones > 0").await;
    let tones = page.value("tones").await;
    assert!(page.value("(looks.forEach((look) => look()), looks.length)").await.as_u64().unwrap() > 0);
    assert_eq!(page.value("[told.length, asked]").await, json!([0, 1]), "what was there is no news");
    server.append(vec![started("loud"), metrics("loud", 2), action("loud", 3, "looked")]).await;
    page.until("the start", "told.length === 1").await;
    let told = page.value("told[0]").await;
    assert!(told[0].as_str().unwrap().starts_with("Drill SEV"), "{told}");
    assert!(told[0].as_str().unwrap().ends_with("started"), "{told}");
    assert_eq!(told[2], "loud");
    assert!(page.value("tones").await.as_u64() > tones.as_u64());
    server.append(vec![resolved("loud", 4)]).await;
    page.until("the end", "told.length === 2").await;
    assert!(page.value("told[1][0]").await.as_str().unwrap().contains("resolved after"));
    // Off again.
    page.click("#more").await;
    page.click("#do-notify").await;
    page.until("the switch", "document.querySelector('#do-notify').ariaPressed === 'false'").await;
}

/// As Chrome on Android does: it has notifications, but only for service workers.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_browser_that_shows_no_notifications_of_pages_is_said_to_and_nothing_breaks() {
    let server = Local::start().await;
    server.append(vec![started("before")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    page.run(LISTEN, vec![]).await;
    let refusing = "window.failures = [];
        addEventListener('unhandledrejection', ({ reason }) => window.failures.push(String(reason)));
        addEventListener('error', ({ message }) => window.failures.push(message));
        window.Notification = class {
          static permission = 'granted';
          static async requestPermission() { return 'granted'; }
          constructor() { throw new TypeError('Illegal constructor'); }
        };";
    page.run(refusing, vec![]).await;
    page.click("#more").await;
    page.click("#do-notify").await;
    page.until(
        "word of it",
        "document.querySelector('.toast')?.innerText.includes('shows no notifications')",
    )
    .await;
    assert_eq!(page.value("document.querySelector('#do-notify').ariaPressed").await, "false");
    // One that was switched on before, with another browser's settings: it is switched off, and sounds go on.
    page.click("#more").await;
    page.click("#do-sound").await;
    page.until("a sample", "tones > 0").await;
    let on = "const { setOn } = await import('/preferences.js'); setOn('notifications', true); return tones;";
    let tones = page.run(on, vec![]).await;
    server.append(vec![started("loud")]).await;
    page.until("the sound", &format!("tones > {tones}")).await;
    let left = "const { isOn } = await import('/preferences.js'); return [isOn('notifications'), failures];";
    assert_eq!(page.run(left, vec![]).await, json!([false, []]));
}

/// What is news, without a browser's permission and without waiting.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn starts_overruns_and_ends_are_news_once() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let script = "
        const { lookAt, noticeOf } = await import('/notices.js');
        const base = { phases: [], target_s: 60, offset_s: 90, severity: 'SEV1', phase: null, resolution: null };
        const at = (id, state, breached, synthetic = false) => ({ ...base, id, title: `T ${id}`, state, breached, synthetic });
        let seen = null;
        const looks = [
          [at('a', 'open', false)],
          [at('a', 'open', true), at('b', 'open', false, true)],
          [at('a', 'open', true), at('b', 'open', false, true)],
          [at('a', 'resolved', true), at('b', 'cancelled', false, true), at('c', 'resolved', false)],
          [at('a', 'resolved', true)],
        ];
        return looks.map((incidents) => {
          const looked = lookAt(seen, incidents, ({ breached }) => ({ breached }));
          seen = looked.seen;
          return looked.news.map((news) => noticeOf(news).title);
        });";
    let wanted = json!([
        [],
        ["Incident SEV1 is past its target of 01:00", "Drill SEV1 started"],
        [],
        [
            "Incident SEV1 resolved after 01:30",
            "Drill SEV1 cancelled after 01:30",
            "Incident SEV1 started",
            "Incident SEV1 resolved after 01:30",
        ],
        [],
    ]);
    assert_eq!(page.run(script, vec![]).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_projector_shows_no_controls_and_bigger_digits_and_there_is_a_way_out() {
    let server = Local::start().await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    let address = format!("http://{}/", server.address);
    let page = Browser::open(&address).await;
    let seen = "document.querySelectorAll('#feed [data-position]').length > 0";
    page.until("the incident", seen).await;
    let height = "document.querySelector('#countdown .digits').getBoundingClientRect().height";
    let before = page.value(height).await.as_f64().unwrap();
    // The way out is shown to a mouse that is near it.
    page.point_at(700.0, 600.0).await;
    page.keys("v").await;
    page.until("the view", "document.documentElement.hasAttribute('data-show')").await;
    assert!(page.value(height).await.as_f64().unwrap() > before * 1.3);
    assert_eq!(page.value("location.search").await, "?show");
    let controls = "[...document.querySelectorAll('button, input, select, a')].filter((one) => \
                    one.checkVisibility({ opacityProperty: true })).map((one) => one.outerHTML)";
    assert_eq!(page.value(controls).await, json!([]));
    page.refresh().await;
    page.until("the incident", seen).await;
    assert_eq!(page.value("document.documentElement.hasAttribute('data-show')").await, true);
    page.keys("\u{e004}").await;
    page.until("the way out", "document.activeElement.id === 'leave-show'").await;
    page.keys("\u{e007}").await;
    page.until("the controls", "document.querySelector('#more').checkVisibility()").await;
    assert_eq!(page.value("location.search").await, "");
    for size in SIZES {
        let page = Browser::sized(size, &format!("{address}?show")).await;
        page.until("the incident", seen).await;
        picture(&page, size, "show").await;
    }
}
