//! A server that is busy: the page asks again when it was told to, and not for ever.

use serde_json::json;

use super::driver::Browser;
use crate::harness::Local;

/// A model whose server answers the first `args[0]` listings with 503. Gives how often each path was asked in total, once
/// nothing was asked for a while, and what the model knows then.
const ASK: &str = r"
    const [refusals] = args;
    const asked = {};
    const pending = [];
    window.setTimeout = (work) => pending.push(work);
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
