//! The page's clock when the server's is set: `clock.js` is the twin of `IncidentState::offset_at`, and follows the server.

use std::time::Duration;

use incident::contract::{Envelope, IncidentEvent, Source, StreamId};
use incident::journal::{Journal, Memory, Retention, TimeSource};
use incident::report::Board;
use incident::scenario::Library;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::{Clocks, Local, Timeline, encode, options};
use crate::publish;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn both_clocks_agree_on_the_second_after_a_step() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let library = Library::shipped().unwrap();
    let timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    let source = Source::Stream(StreamId::generate(0, 0));
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let (mut asked, mut ours) = (Vec::new(), Vec::new());
    for step in [0, 30, 7_200, -7_200, 5 * 365 * 86_400] {
        let mut board = Board::default();
        for (event, n) in timeline.events.iter().zip(1..=80) {
            let step = if n > 40 { step } else { 0 };
            let time = start
                + SignedDuration::from_micros(event.due.cast_signed())
                + SignedDuration::from_secs(step);
            let mut message = event.message.clone();
            if let incident::contract::Message::IncidentStarted(started) = &mut message {
                started.impact_started_at = start;
            }
            let text = encode(&source, n, Some(IncidentEvent { subject: "it", index: n }), time, &message);
            let envelope: Envelope = serde_json::from_str(&text).unwrap();
            let state = board.fold(&envelope).unwrap();
            for later in [-3_600, 0, 1, 20, 90] {
                let then = time + SignedDuration::from_secs(later);
                asked.push(json!([state, then.as_millisecond()]));
                let then = Timestamp::from_millisecond(then.as_millisecond()).unwrap();
                ours.push(state.offset_at(then).unwrap());
            }
        }
    }
    // Of what is told before the impact, too.
    for at in [-120, -1, 0] {
        let (_, text) = crate::harness::fixtures("messages")
            .into_iter()
            .find(|(name, _)| name == "incident_started")
            .unwrap();
        let mut early: Value = serde_json::from_str(&text).unwrap();
        let impact: Timestamp = early["data"]["impact_started_at"].as_str().unwrap().parse().unwrap();
        early["time"] = (impact + SignedDuration::from_secs(at)).to_string().into();
        early["data"]["offset_s"] = at.into();
        let mut board = Board::default();
        let early: Envelope = serde_json::from_value(early).unwrap();
        let state = board.fold(&early).unwrap();
        for later in [0, 1, 60, 125, 160] {
            let then = early.time + SignedDuration::from_secs(later);
            asked.push(json!([state, then.as_millisecond()]));
            ours.push(state.offset_at(then).unwrap());
        }
    }
    assert!(ours.iter().any(|second| *second < -50.0), "seconds before the impact are among them");
    let script =
        "const { offsetAt } = await import('/clock.js'); return args[0].map((one) => offsetAt(...one));";
    let theirs = page.run(script, vec![Value::Array(asked)]).await;
    for (ours, theirs) in ours.iter().zip(theirs.as_array().unwrap()) {
        // The page knows milliseconds, and a phase may pass a hundred times as fast as it took.
        assert!((ours - theirs.as_f64().unwrap()).abs() < 0.2, "{ours} and {theirs}");
    }
    assert!(ours.iter().all(|second| *second < 2_000.0), "an absurd second");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_page_follows_the_servers_clock() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let script = r"
        const { ServerClock } = await import('/clock.js');
        const clock = new ServerClock();
        const at = (s) => new Date(Date.UTC(2026, 10, 22) + s * 1000).toISOString();
        const shown = (id) => Math.round((clock.now() + (id ? clock.apart(id) : 0) - Date.UTC(2026, 10, 22)) / 1000);
        clock.restart(at(0));
        const told = [shown()];
        // An event of an open incident that goes on by an older clock moves no other incident.
        clock.observe(at(90000), 'ahead', true);
        told.push(shown(), shown('ahead'), shown('other'));
        // A replayed event is old.
        clock.observe(at(-5000), 'old', false);
        told.push(shown('old'));
        // A live one shows a step; the server's own message sets the clock.
        clock.observe(at(-7200), 'new', true);
        told.push(shown(), shown('new'));
        clock.observe(at(-7200));
        told.push(shown(), shown('ahead'), shown('other'));
        clock.observe(at(-7200), 'new', true);
        told.push(shown('new'));
        // A message can be late, which sets nothing back.
        clock.observe(at(-7230));
        told.push(shown());
        // Who comes later hears an old event; the server says how far it has gone on since.
        clock.restart(at(0));
        clock.observe(at(3600), 'before', false);
        clock.agree([['before', 3_700_000], ['after', 3_700_000]]);
        clock.observe(at(3600), 'after', false);
        clock.observe(at(-9000), 'after', false);
        told.push(shown('before'), shown('after'));
        clock.observe(at(3710), 'after', true);
        told.push(shown('after'));
        return told;
    ";
    let told = page.run(script, vec![]).await;
    let first = json!([0, 0, 90_000, 0, 0, 0, -7_200, -7_200, 90_000, 0, -7_200, -7_200]);
    assert_eq!(&told.as_array().unwrap()[..12], first.as_array().unwrap());
    assert_eq!(&told.as_array().unwrap()[12..], [json!(3_700), json!(3_700), json!(3_710)]);
}

/// Its clock counted from the newest event, as if that had just been stored.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_page_that_is_opened_after_a_step_back_counts_on() {
    let clocks = Clocks::with_tokio("2031-01-01T00:00:00Z");
    let stream = StreamId::generate(1_700_000_000_000, 8);
    let journal = Journal::new(Memory::with_clocks(stream, Retention::default(), clocks.source()));
    let server = Local::over(options(), journal).await;
    let mut start = publish::started("a", "1");
    start["time"] = clocks.wall().to_string().into();
    publish::places(&publish::publish(server.address, &[start]).await);
    clocks.step(SignedDuration::from_hours(-3));
    clocks.pass(Duration::from_secs(3_600));
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("an hour", "/1:0\\d:\\d\\d/.test(document.body.innerText)").await;
}
