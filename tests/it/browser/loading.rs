//! What a page shows of an incident that it has to load, and of one that is not there.

use incident::journal::Retention;
use incident::token::Scope;
use serde_json::{Value, json};

use super::driver::Browser;
use super::login::log_in;
use crate::harness::{Local, READ, fixture, metrics, options, started, story, tokens};

/// A stream that begins in the middle of an incident, a pause there, and then the answer with the events from the start.
const PAUSED: &str = r"
    const { Model } = await import('/model.js');
    const { readFrame } = await import('/contract.js');
    const stream = { connection: { state: 'live', position: { stream: 's', last: 0 } }, caughtUp: true, progress: null };
    const lines = args[0].map((event) => JSON.stringify(event));
    let answer;
    window.fetch = async (url) => {
      if (!String(url).includes('/events?')) return new Response('{}', { status: 404 });
      if (!String(url).endsWith('after=0')) return new Response('');
      await new Promise((go) => (answer = go));
      return new Response(lines.join('\n'));
    };
    let changes = 0;
    const model = new Model(stream, () => (changes += 1));
    model.opened({ server_time: args[0].at(-1).time }, false);
    for (const place of [20, 21, 22]) model.take(readFrame(lines[place]), place + 1, true);
    model.view();
    model.move((scrub, incident, timeline, now_s) => scrub.pause(incident, timeline, now_s));
    model.take(readFrame(lines[23]), 24, true);
    const shown = () => {
      const { incident, scrub } = model.view();
      return { index: incident.index, offset_s: scrub.offset_s, fresh: scrub.fresh };
    };
    const before = shown();
    answer();
    while (model.view().loading) await new Promise((go) => setTimeout(go, 5));
    return [before, shown()];
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_pause_while_an_incident_loads_stays_at_its_moment() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let events: Vec<Value> =
        recording.lines().take(24).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = page.run(PAUSED, vec![Value::Array(events)]).await;
    assert_eq!(told[0]["index"], 23, "{told}");
    assert_eq!(told[0]["fresh"], 1, "{told}");
    assert_eq!(told[1], told[0]);
}

/// An event of no incident, positions that are lost, and an event of the incident; seen at moments before and after.
const FOREIGN: &str = r"
    const { History } = await import('/history.js');
    const history = new History();
    const at = (position, offset_s) => ({ position, live: true, phase: '', offset_s });
    const event = (index) => ({ type: 'handover', index, data: {} });
    history.take(event(1), at(1, 10));
    history.takeForeign({ type: 'handover', data: {} }, at(2, 20));
    history.gap(3, 4, 30);
    const told = [5, 10, 19, 20, 30, 99].map((second) => history.upTo(1, second).entries.length);
    history.take(event(2), at(5, 40));
    return [...told, ...[15, 25, 35].map((second) => history.upTo(1, second).entries.length), history.upTo(2, 40).entries.length];
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_belongs_to_no_incident_is_not_seen_before_it_happened() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    assert_eq!(page.run(FOREIGN, vec![]).await, json!([1, 1, 1, 2, 3, 3, 1, 2, 3, 4]));
}

/// Retention drops the second part while the first one is read: what is kept is loaded from its beginning.
const EXPIRED: &str = r#"
    const { load } = await import('/loading.js');
    const { loadRun } = await import('/compare.js');
    const lines = args[0].map((event) => JSON.stringify(event));
    const part = (from, to, next) => new Response(lines.slice(from, to).join('\n'), next ? { headers: { link: `<?after=${next}>; rel="next"` } } : {});
    const expired = () => new Response(JSON.stringify({ reason: args[1], detail: 'gone' }), { status: 410 });
    const told = [];
    for (const read of [(id) => load(id), (id) => loadRun(id)]) {
      const answers = [() => part(0, 3, 3), expired, () => part(5, 8, 8), () => part(8, 10)];
      const asked = [];
      window.fetch = async (url) => (asked.push(Number(String(url).split('after=')[1])), answers[asked.length - 1]());
      const { incident } = await read(args[0][0].subject).catch((error) => ({ incident: { index: error.message, actions: {} } }));
      told.push([asked, incident.index, incident.severity ?? null]);
    }
    return told;
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_retention_drops_meanwhile_is_not_skipped() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let events: Vec<Value> =
        recording.lines().take(10).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = page.run(EXPIRED, vec![json!(events), json!("expired")]).await;
    // Nothing of the first part is left: the state is that of the events that are kept.
    assert_eq!(told, json!([[[0, 3, 0, 8], 10, null], [[0, 3, 0, 8], 10, null]]));
    let told = page.run(EXPIRED, vec![json!(events), json!("another")]).await;
    assert_eq!(told, json!([[[0, 3], "gone", null], [[0, 3], "gone", null]]));
}

/// The report says it, too. Without the sentence, `T+?` and a name for a title would be a riddle.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_beginning_that_retention_has_dropped_is_told() {
    let server = Local::with(options(), Retention { events: 30, age: None }).await;
    server.append(story("b", 20)).await;
    server.append(vec![started("other")]).await;
    let mut index = 1;
    while server.journal.extent().oldest < 6 {
        index += 1;
        server.append(vec![metrics("other", index)]).await;
    }
    assert!(server.journal.extent().oldest < 20);
    let page = Browser::open(&format!("http://{}/?incident=b", server.address)).await;
    page.until(
        "the incident",
        "document.querySelector('#feed [data-incident=b], headline-panel[data-state=resolved]')",
    )
    .await;
    let told = "document.querySelector('feed-panel .gone')";
    page.until("the sentence", &format!("{told}.checkVisibility()")).await;
    assert_eq!(
        page.text("feed-panel .gone").await,
        "The beginning of this incident is missing: the server no longer keeps it."
    );
    page.click("[data-tab=other]").await;
    page.until("another incident, whole", &format!("!{told}.checkVisibility()")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn who_may_only_look_hears_that_an_incident_is_gone() {
    let server = Local::closed().await;
    server.auth.replace(tokens(&[(Scope::Read, READ)]));
    server.append(vec![started("other")]).await;
    let page = Browser::open(&format!("http://{}/?incident=gone", server.address)).await;
    log_in(&page, READ).await;
    page.until(
        "a reason",
        "document.querySelector('.toast')?.checkVisibility() && \
         document.querySelector('.toast').innerText.includes('no incident is called \"gone\"')",
    )
    .await;
    page.until("the other one", "document.querySelector('#feed [data-incident=other]')").await;
    assert_eq!(page.value("document.querySelector('.toast').role").await, "alert");
}
