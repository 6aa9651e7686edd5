//! What a person adds to an incident on the page: it is there once, everywhere, and its text is lost by nothing.

use incident::token::Scope;
use serde_json::{Value, json};

use super::driver::Browser;
use super::login::log_in;
use crate::harness::{Http, Local, Proxy, READ, Scratch, Serving, Terminal, WRITE, get, tokens};
use crate::publish::{publish, resolved as ended, started as real};

const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';

/// The rows of people, as they are read.
pub const PEOPLE: &str = "[...document.querySelectorAll('#feed [data-added]')].filter((row) => \
                          row.querySelector('[data-icon=person]')).map((row) => row.querySelector('.summary').innerText)";

/// From now on the page gives every addition the same id, which the server refuses for another text.
pub const SAME_ID: &str = "crypto.getRandomValues = (bytes) => bytes.fill(7);";

/// Notes what of the form moves by itself.
const SHIFTS: &str = r"
    window.shifts = [];
    const note = ({ hadRecentInput, sources }) => {
      const moved = sources.map(({ node }) => (node?.closest ? node : node?.parentElement));
      const own = moved.filter((one) => one?.closest('#addition, feed-panel > header'));
      if (!hadRecentInput) window.shifts.push(...own.map((one) => one.outerHTML));
    };
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: 'layout-shift' });
";

/// Opens the form, with a name.
pub async fn open_form(page: &Browser, name: &str) {
    page.click("#add").await;
    page.until("the form", "document.activeElement.closest('#addition')").await;
    page.fill("#addition-name", name).await;
}

/// The id of a drill that has begun.
async fn drill(server: &Serving) -> String {
    let reply = Http::trigger(server.address(), "{\"scenario\":\"database-outage\"}").send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_note_is_on_the_page_in_the_terminal_and_in_the_report_once() {
    let server = Serving::with(&[]);
    let url = format!("http://{}/", server.address());
    let page = Browser::open(&url).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    assert_eq!(page.value("document.querySelector('#add').checkVisibility()").await, false);
    let id = drill(&server).await;
    page.until("the drill", "document.querySelectorAll('#feed [data-position]').length > 1").await;
    open_form(&page, "Alice").await;
    let hostile = "<img src=x onerror=alert(1)>\u{202e}*bold* | [x](http://evil) &amp;";
    page.fill("#addition-text", hostile).await;
    // Twice at once, as by a double click.
    page.value("[1, 2].map(() => document.querySelector('#addition').requestSubmit()).length").await;
    let shown = hostile.replace('\u{202e}', "\\u{202e}");
    page.until("the note", &format!("{PEOPLE}.length > 0")).await;
    page.until("an empty field", "document.querySelector('#addition-text').value === ''").await;
    assert_eq!(page.text("#addition .hint").await, "Added.");
    assert_eq!(page.value("document.querySelectorAll('#feed img, #feed a').length").await, 0);
    let by = page.value("document.querySelector('#feed [data-added] [role=img]').ariaLabel").await;
    assert_eq!(by, "A person");

    // The next one with the keyboard alone, and of another kind.
    page.value("document.querySelector('#addition-kind').focus()").await;
    page.value("(document.querySelector('#addition-kind').value = 'failed')").await;
    page.value(
        "document.querySelector('#addition-kind').dispatchEvent(new Event('input', { bubbles: true }))",
    )
    .await;
    page.fill("#addition-text", &format!("Restarted the pool{ENTER}")).await;
    page.until("both", &format!("{PEOPLE}.length === 2")).await;
    assert_eq!(page.value(PEOPLE).await, json!([shown, "Restarted the pool"]));
    page.fill("#addition-text", &format!("not yet{ESCAPE}")).await;
    page.until("the button", "document.activeElement.id === 'add'").await;
    assert_eq!(page.value("document.querySelector('#addition').checkVisibility()").await, false);

    // Another page, and this one after a reload, show the same; name and text are still there.
    let other = Browser::open(&url).await;
    other.until("both", &format!("{PEOPLE}.length === 2")).await;
    page.refresh().await;
    page.until("both", &format!("{PEOPLE}.length === 2")).await;
    page.until("the text", "document.querySelector('#addition-text').value === 'not yet'").await;
    assert_eq!(page.value("document.querySelector('#addition-name').value").await, "Alice");

    assert_eq!(server.incident(&["cancel", &id]).run().status, Some(0));
    page.until("the end", "document.querySelector('#result')").await;
    assert_eq!(page.value("document.querySelector('#add').checkVisibility()").await, false);
    assert_eq!(
        page.text("#addition-closed").await,
        "The incident has ended: nothing more can be added. Not added: “not yet”"
    );
    let watch = ["watch", "--url", server.url(), "--after", "0", "--no-follow"];
    let (_, watched) = Terminal::run(200, &watch).end();
    let report = server.incident(&["report", &id]).run().stdout;
    for (text, name) in [(&watched, "@Alice"), (&report, "person:Alice")] {
        assert!(text.contains(name) && text.contains("Restarted the pool"), "{text}");
        assert!(text.contains("\\u{202e}") && !text.contains('\u{202e}'), "{text}");
    }
    let run = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout;
    let folder = Scratch::new().with("run.ndjson", &run);
    let judged = crate::harness::incident(&["validate", "run.ndjson"]).at(folder.path()).run();
    assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn without_a_server_the_text_stays_and_is_sent_when_it_is_back() {
    let server = Local::start().await;
    publish(server.address, &[real("pay-1", "1")]).await;
    let proxy = Proxy::to(server.address).await;
    let page = Browser::open(&format!("http://{}/", proxy.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    open_form(&page, "").await;
    page.run(SHIFTS, vec![]).await;
    let places = "JSON.stringify(['#addition', '#addition-text', '#addition button', '#feed', '.facts'].map((name) => \
                  document.querySelector(name).getBoundingClientRect()))";
    let before = page.value(places).await;

    page.click("#addition .primary").await;
    page.until(
        "what is missing",
        "document.querySelector('#addition-problem').innerText.includes('your name')",
    )
    .await;
    assert_eq!(page.value("document.activeElement.id").await, "addition-name");
    assert_eq!(page.value("document.activeElement.ariaInvalid").await, "true");
    page.fill("#addition-name", &format!("Bob{ENTER}")).await;
    page.until(
        "what is missing",
        "document.querySelector('#addition-problem').innerText.includes('what happened')",
    )
    .await;
    assert_eq!(page.value("document.activeElement.id").await, "addition-text");

    proxy.close();
    page.until("the loss", "document.documentElement.dataset.connection !== 'live'").await;
    page.fill("#addition-text", &format!("Paused the export{ENTER}")).await;
    page.until(
        "a problem",
        "document.querySelector('#addition-problem').innerText.includes('cannot be reached')",
    )
    .await;
    assert_eq!(page.value("document.querySelector('#addition-text').value").await, "Paused the export");
    assert_eq!(page.value(places).await, before, "nothing moves");
    proxy.open();
    page.until("the note", &format!("{PEOPLE}.join() === 'Paused the export'")).await;
    page.until("an empty field", "document.querySelector('#addition-text').value === ''").await;
    assert_eq!(page.text("#addition-problem").await, "");
    assert_eq!(page.value("window.shifts").await, json!([]));
    assert_eq!(server.journal_head(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_refusal_is_said_in_the_servers_words() {
    let server = Local::start().await;
    publish(server.address, &[real("a", "1"), real("pay-1", "2")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("both", "document.querySelectorAll('[data-tab]').length === 2").await;
    page.click("[data-tab='a']").await;
    page.run(SAME_ID, vec![]).await;
    open_form(&page, "Alice").await;
    page.fill("#addition-text", &format!("Called the team{ENTER}")).await;
    page.until("the note", &format!("{PEOPLE}.length === 1")).await;
    page.fill("#addition-text", &format!("Called the other team{ENTER}")).await;
    page.until(
        "a refusal",
        "document.querySelector('#addition-problem').innerText.startsWith('Not added: ')",
    )
    .await;
    let said = page.text("#addition-problem").await;
    assert!(said.contains("was used for another event of /page") && !said.contains("event 0"), "{said}");
    assert_eq!(page.value("document.querySelector('#addition-text').value").await, "Called the other team");
    assert_eq!(page.value("document.querySelector('#addition-text').ariaInvalid").await, "true");
    assert_eq!(page.text("#addition .primary").await, "Try again");
    // A text is for the incident that it was written for.
    page.click("[data-tab='pay-1']").await;
    page.until("another draft", "document.querySelector('#addition-text').value === ''").await;
    assert_eq!(page.text("#addition-problem").await, "");
    page.click("[data-tab='a']").await;
    page.until("its draft", "document.querySelector('#addition-text').value === 'Called the other team'")
        .await;

    page.click("[data-tab='pay-1']").await;
    publish(server.address, &[ended("pay-1", "3")]).await;
    page.until("the end", "document.querySelector('#addition-closed').checkVisibility()").await;
    assert_eq!(page.text("#addition-closed").await, "The incident has ended: nothing more can be added.");
    assert_eq!(page.value("document.querySelector('#addition').checkVisibility()").await, false);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn who_may_only_look_can_add_nothing_and_a_session_that_may_write_can() {
    let server = Local::closed().await;
    let reply = Http::new(server.address, "POST", "/api/events")
        .header("Content-Type", "application/cloudevents+json")
        .bearer(WRITE)
        .body(&real("pay-1", "1").to_string())
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    log_in(&page, READ).await;
    page.until("what it may", "!document.querySelector('#read-only').hidden").await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    let ways = "['#add', '#addition', '#addition-closed'].filter((one) => document.querySelector(one).checkVisibility())";
    assert_eq!(page.value(ways).await, json!([]));
    page.click("#logout").await;
    log_in(&page, WRITE).await;
    open_form(&page, "Alice").await;
    page.fill("#addition-text", &format!("Called the team{ENTER}")).await;
    page.until("the note", &format!("{PEOPLE}.join() === 'Called the team'")).await;
    // A session that ends takes no text with it.
    page.fill("#addition-text", "They watch the pool").await;
    let other = "0ther-0123456789abcdef";
    server.auth.replace(tokens(&[(Scope::Read, READ), (Scope::Write, other)]));
    log_in(&page, other).await;
    page.until("the text", "document.querySelector('#addition-text')?.value === 'They watch the pool'").await;
    page.click("#addition .primary").await;
    page.until("both", &format!("{PEOPLE}.length === 2")).await;
    // It goes when its author goes, the name stays.
    page.fill("#addition-text", "half a").await;
    page.click("#logout").await;
    log_in(&page, other).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    page.until("an empty field", "document.querySelector('#addition-text').value === ''").await;
    let state = get_with(server.address, "/api/incidents/pay-1").await;
    assert_eq!(state["index"], 3);
}

async fn get_with(address: std::net::SocketAddr, path: &str) -> Value {
    Http::new(address, "GET", path).bearer(READ).send().await.json()
}

/// The page's own module against answers in `args[0]`: each is a status, `lost` (stored, but no answer comes) or `down`.
const SENDING: &str = r"
    const sent = [];
    const answers = [...args[0]];
    window.fetch = async (url, { body }) => {
      sent.push(JSON.parse(body));
      const answer = answers.shift();
      if (typeof answer !== 'number') throw new TypeError(answer);
      const headers = answer === 200 ? {} : { 'retry-after': '0' };
      return new Response(JSON.stringify({ detail: `answer ${answer}` }), { status: answer, headers });
    };
    const { Additions } = await import('/additions.js');
    sessionStorage.clear();
    const additions = new Additions(() => Date.UTC(2026, 10, 22), () => {});
    const draft = additions.of('a');
    const write = (text) => additions.write('a', { name: 'Alice', kind: 'note', text });
    const settled = async (sending) => {
      const timer = setInterval(() => additions.hurry());
      await sending;
      clearInterval(timer);
    };
";

async fn sending(page: &Browser, answers: Value, script: &str) -> Value {
    page.run(&format!("{SENDING}{script}"), vec![answers]).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_was_not_answered_is_sent_again_under_the_same_id() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let ids = "[new Set(sent.map(({ id }) => id)).size, sent.length, draft.state, draft.text, draft.problem]";
    // Whatever passes is tried again, and a second click sends nothing of its own.
    let script = format!(
        "write(' it '); const first = additions.send('a'); additions.send('a'); await settled(first); return [...{ids}, sent[0].data.summary];"
    );
    let told = sending(&page, json!([503, "down", 429, 200]), &script).await;
    assert_eq!(told, json!([1, 4, "added", "", "", "it"]));
    // What is refused for good is not, until the person wants it; the id stays while the text does.
    let script = format!(
        "write('it'); await settled(additions.send('a')); const refused = {ids}; await settled(additions.send('a')); return [refused, {ids}];"
    );
    let told = sending(&page, json!([403, 200]), &script).await;
    assert_eq!(told, json!([[1, 1, "failed", "it", "answer 403"], [1, 2, "added", "", ""]]));
    // Another text is another event.
    let script = format!(
        "write('it'); await settled(additions.send('a')); write('it is'); await settled(additions.send('a')); return {ids};"
    );
    assert_eq!(sending(&page, json!([403, 200]), &script).await, json!([2, 2, "added", "", ""]));
    // After so many tries the person is asked.
    let script = format!("write('it'); await settled(additions.send('a')); return {ids};");
    let down = json!(["down", "down", "down", "down", "down", "down"]);
    assert_eq!(
        sending(&page, down, &script).await,
        json!([1, 6, "failed", "it", "The server cannot be reached."])
    );
    // The stream tells that it is stored although no answer came; what was written since stays.
    let script = r"
        write('it'); await settled(additions.send('a'));
        additions.heard('a', { source: '/page', id: 'another' });
        additions.heard('a', { source: '/agents/x', id: sent[0].id });
        const before = draft.state;
        additions.heard('a', { source: '/page', id: sent[0].id });
        const after = [draft.state, draft.text];
        write('more'); await settled(additions.send('a')); write('more and more');
        additions.heard('a', { source: '/page', id: sent[1].id });
        return [before, ...after, draft.state, draft.text];
    ";
    let told = sending(&page, json!([403, 403]), script).await;
    assert_eq!(told, json!(["failed", "added", "", "idle", "more and more"]));
    // A reload keeps text and id.
    let script = r"
        write('it'); await settled(additions.send('a'));
        const again = new Additions(() => 0, () => {});
        await again.send('a');
        return [sent[0].id === sent[1].id, sent[0].time === sent[1].time, again.of('a').state];
    ";
    assert_eq!(sending(&page, json!([403, 200]), script).await, json!([true, true, "added"]));
    assert_eq!(get(server.address, "/api/incidents").await.json()["incidents"], json!([]));
}
