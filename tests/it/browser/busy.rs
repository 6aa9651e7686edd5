//! A server that is busy: the page asks again when it was told to, and not for ever. An incident that is busy: the page draws no
//! more often than something changes.

use serde_json::json;

use super::driver::Browser;
use crate::harness::{Local, action, metrics, started};

/// A model whose server answers the first `args[0]` listings with 503. Gives how often each path was asked in total, once
/// nothing was asked for a while, and what the model knows then.
const ASK: &str = r"
    const [refusals] = args;
    const asked = {};
    const pending = [];
    const later = window.setTimeout;
    // The page around goes on drawing.
    window.setTimeout = (work, ms) => (ms < 2000 ? later(work, ms) : pending.push(work));
    window.fetch = async (url) => {
      const path = new URL(url).pathname;
      asked[path] = (asked[path] ?? 0) + 1;
      if (path === '/api/incidents' && asked[path] <= refusals) {
        return new Response('{}', { status: 503, headers: { 'retry-after': '2' } });
      }
      const body = { incidents: [{ id: 'a', state: 'resolved', time: '2026-11-22T10:00:00Z' }], scenarios: [], scope: 'read' };
      return new Response(JSON.stringify(body));
    };
    const { Model } = await import('/model.js');
    let changes = 0;
    const model = new Model({ connection: { state: 'live', position: null }, caughtUp: true }, () => (changes += 1));
    model.opened({ server_time: '2026-11-22T10:00:00Z' }, false);
    const settled = async (count) => { while (changes < count) await new Promise((done) => requestAnimationFrame(done)); };
    await settled(1);
    let rounds = 1;
    while (pending.length > 0) { pending.shift()(); rounds += 1; await settled(rounds); }
    return { asked: asked['/api/incidents'], last: model.view().last?.id ?? null };
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_page_asks_a_busy_server_again_and_not_for_ever() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    for (refusals, asked, last) in [(0, 1, json!("a")), (2, 3, json!("a")), (99, 6, json!(null))] {
        let shown = page.run(ASK, vec![json!(refusals)]).await;
        assert_eq!(shown, json!({ "asked": asked, "last": last }), "{refusals} refusals");
    }
}

/// Notes the steps in which rows lose their colour, and what moves by itself each time that something changes.
const NOTE: &str = "
    window.steps = [];
    window.moving = new Set();
    new MutationObserver((changes) => {
      for (const { target } of changes) steps.push(target.dataset.fresh ?? 'none');
    }).observe(document.querySelector('#feed'), { subtree: true, attributeFilter: ['data-fresh'] });
    new MutationObserver(() => {
      for (const one of document.getAnimations()) {
        const properties = one.effect.getKeyframes().flatMap((frame) => Object.keys(frame));
        for (const name of ['opacity', 'transform']) if (properties.includes(name)) moving.add(name);
        if (!properties.includes('opacity') && !properties.includes('transform')) moving.add(properties.join());
      }
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
";

/// A transition of a colour has a browser draw the page sixty times a second. Those of opacity and transform alone are left to its
/// compositor.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn rows_that_come_all_the_time_lose_their_colour_in_steps_and_keep_no_browser_drawing() {
    let server = Local::start().await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    page.run(NOTE, vec![]).await;
    for index in 3..8 {
        server.append(vec![action("a", index, "Looked at the pool")]).await;
        let row = format!("document.querySelector('#feed [data-index=\"{index}\"]')");
        page.until("the row", &row).await;
    }
    page.until("no colour", "steps.includes('none') && !document.querySelector('#feed [data-fresh]')").await;
    let steps = page.value("[...new Set(steps)]").await;
    assert_eq!(steps, json!(["2", "1", "none"]));
    let moving = page.value("[...moving].filter((name) => name !== 'opacity' && name !== 'transform')").await;
    assert_eq!(moving, json!([]), "these animations have the whole page drawn again and again");
}

/// What is in a list is read by people: each number of it changes a few times a second at most, however many events come.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_list_of_incidents_is_drawn_four_times_a_second_however_much_happens() {
    let server = Local::start().await;
    let names: Vec<String> = (0..6).map(|n| format!("n{n}")).collect();
    server.append(names.iter().map(|name| started(name)).collect()).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the list", "document.querySelectorAll('[data-board]').length === 6").await;
    // Between two drawings the page notes no other number of events.
    let note = "
        window.drawn = [];
        new MutationObserver(() => drawn.push(performance.now()))
          .observe(document.querySelector('#received'), { attributeFilter: ['data-count'] });";
    page.run(note, vec![]).await;
    for index in 2..60 {
        server.append(names.iter().map(|name| metrics(name, index)).collect()).await;
    }
    let all = names.len() * 59;
    page.until("all of it", &format!("document.querySelector('#received').dataset.count === '{all}'")).await;
    let apart =
        page.value("Math.min(Infinity, ...drawn.slice(1).map((at, place) => at - drawn[place]))").await;
    assert!(apart.as_f64().is_none_or(|ms| ms > 200.0), "two drawings {apart} ms apart");
    assert!(page.value("drawn.length").await.as_u64().unwrap() > 0);
}
