//! A page of another origin in the browser of somebody who uses the server: it can neither read the stream nor start
//! an incident, whatever it tries.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::driver::Browser;
use super::login::log_in;
use crate::harness::{Http, Local, WRITE, started};

/// Everything that a page can try with another server. What it gets to read is in `read`, how each attempt ended in
/// `ended`: nothing is waited for in vain, so nothing is still under way at the end.
const ATTACK: &str = r#"
    const [target, only] = args;
    const read = [], ended = {};
    const body = JSON.stringify({ scenario: 'database-outage' });
    const got = (what, text) => { if (text) read.push(`${what}: ${text}`); return text ? 'read' : 'nothing'; };
    const attempt = async (name, trying) => {
      if (only && !only.includes(name)) return;
      const never = new Promise((late) => setTimeout(late, 8000, 'never'));
      ended[name] = await Promise.race([trying(name), never]).catch(() => 'refused');
    };
    const load = (element, where = document.body) => new Promise((done) => {
      element.onload = () => done(element);
      element.onerror = () => done(null);
      where.append(element);
    });
    const make = (tag, attributes) => Object.assign(document.createElement(tag), attributes);

    await attempt('beacon', async () => String(navigator.sendBeacon(`${target}/api/incidents`, body)));
    await attempt('websocket', (name) => new Promise((done) => {
      const socket = new WebSocket(`${target.replace('http', 'ws')}/ws?after=0`);
      socket.onmessage = ({ data }) => { done(got(name, data)); socket.close(); };
      socket.onerror = () => done('refused');
    }));
    for (const withCredentials of [true, false]) {
      await attempt(`eventsource ${withCredentials}`, (name) => new Promise((done) => {
        const source = new EventSource(`${target}/events`, { withCredentials });
        source.onopen = () => { done(got(name, 'opened')); source.close(); };
        source.onmessage = ({ data }) => got(name, data);
        source.onerror = () => { done('refused'); source.close(); };
      }));
    }
    for (const mode of ['cors', 'no-cors']) {
      for (const credentials of ['include', 'omit']) {
        for (const path of ['/api/incidents', '/api/session', '/', '/schema.json']) {
          await attempt(`fetch ${mode} ${credentials} ${path}`, async (name) => {
            const response = await fetch(`${target}${path}`, { mode, credentials });
            return got(name, await response.text());
          });
        }
        for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
          await attempt(`post ${mode} ${credentials} ${type}`, async (name) => {
            const headers = { 'content-type': type };
            const options = { method: 'POST', mode, credentials, headers, body };
            const response = await fetch(`${target}/api/incidents`, options);
            return got(name, await response.text());
          });
        }
      }
    }
    await attempt('xhr', (name) => new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open('GET', `${target}/api/incidents`);
      request.withCredentials = true;
      request.onload = () => done(got(name, request.responseText));
      request.onerror = () => done('refused');
      request.send();
    }));
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      await attempt(`form ${enctype}`, async (name) => {
        const frame = make('iframe', { name: `frame of ${enctype}` });
        await load(frame);
        const form = make('form', { method: 'post', enctype, action: `${target}/api/incidents`, target: frame.name });
        form.append(make('input', { name: '{"scenario":"database-outage","seed":1}//', value: '' }));
        document.body.append(form);
        const answered = load(frame);
        form.submit();
        await answered;
        return got(name, frame.contentDocument?.body?.innerText);
      });
    }
    for (const path of ['/', '/api/incidents', '/events', '/ws', '/login']) {
      for (const tag of ['iframe', 'object', 'embed']) {
        await attempt(`${tag} ${path}`, async (name) => {
          const place = make(tag, { [tag === 'object' ? 'data' : 'src']: `${target}${path}` });
          const loaded = await load(place);
          return got(name, loaded?.contentDocument?.body?.innerText);
        });
      }
      await attempt(`image ${path}`, async (name) => {
        const image = await load(make('img', { src: `${target}${path}` }));
        return got(name, image && `${image.naturalWidth}`);
      });
      await attempt(`style ${path}`, async (name) => {
        const sheet = await load(make('link', { rel: 'stylesheet', href: `${target}${path}` }), document.head);
        return got(name, sheet && 'applied');
      });
    }
    for (const path of ['/api/incidents', '/app.js', '/api.js']) {
      for (const type of ['', 'module']) {
        await attempt(`script ${type} ${path}`, async (name) => {
          const script = await load(make('script', { src: `${target}${path}`, type }), document.head);
          return got(name, script && 'ran');
        });
      }
    }
    await attempt('favicon', async (name) => {
      const image = await load(make('img', { src: `${target}/favicon.svg` }));
      return got(name, image && 'drawn');
    });
    for (const [method, path] of [['DELETE', '/api/incidents/a'], ['POST', '/logout'], ['POST', '/login']]) {
      for (const mode of ['cors', 'no-cors']) {
        await attempt(`${method} ${mode} ${path}`, async (name) => {
          const response = await fetch(`${target}${path}`, { method, mode, credentials: 'include' });
          return got(name, await response.text() || (response.ok && 'done'));
        });
      }
    }
    return { read, ended };
"#;

/// A server of somebody else, with one page and no policy.
pub struct Elsewhere {
    pub address: SocketAddr,
    _serving: tokio::task::JoinHandle<()>,
}

impl Elsewhere {
    pub async fn with(body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let page = format!("<!doctype html><title>elsewhere</title><body>{body}</body>");
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        );
        let serving = tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    // What is asked for makes no difference; whether it is heard, neither.
                    let _ = tcp.read(&mut [0; 8192]).await;
                    let _ = tcp.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { address, _serving: serving }
    }
}

/// Tries these attempts against the target, or all there are, from the page that the browser is on.
async fn attack(page: &Browser, target: &str, only: Option<&[&str]>) -> (Vec<String>, Value) {
    let outcome = page.run(ATTACK, vec![json!(target), json!(only)]).await;
    let read = outcome["read"].as_array().unwrap().iter();
    (read.map(|read| read.as_str().unwrap().to_owned()).collect(), outcome["ended"].clone())
}

/// From other origins, near and far; by both names of the server.
async fn attacked_from_everywhere(server: &Local, page: &Browser) {
    let hostile = Elsewhere::with("").await;
    let (port, evil) = (server.address.port(), hostile.address.port());
    for (from, to) in [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("127.0.0.1", "localhost")] {
        page.goto(&format!("http://{from}:{evil}/")).await;
        let (read, ended) = attack(page, &format!("http://{to}:{port}"), None).await;
        assert!(read.is_empty(), "a page of {from} read of {to}: {read:#?}");
        let ended = ended.as_object().unwrap();
        assert!(ended.len() > 60, "only {} attempts were made", ended.len());
        assert!(ended.values().all(|how| how != "never" && how != "read"), "{ended:#?}");
        assert_eq!(ended["websocket"], "refused");
        assert_eq!(server.journal_head(), 1, "a page of {from} started something at {to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_page_from_elsewhere_gets_nothing_of_who_is_logged_in() {
    let server = Local::closed().await;
    server.append(vec![started("a")]).await;
    let own = format!("http://{}", server.address);
    let page = Browser::open(&own).await;
    log_in(&page, WRITE).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    attacked_from_everywhere(&server, &page).await;

    // The victim is still logged in, and has not noticed.
    page.goto(&own).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_page_from_elsewhere_gets_nothing_where_nobody_is_asked() {
    let server = Local::start().await;
    server.append(vec![started("a")]).await;
    let page = Browser::open(&format!("http://{}", server.address)).await;
    attacked_from_everywhere(&server, &page).await;
}

/// The same attempts by the server's own page: what fails above fails because of where it comes from.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_same_attempts_succeed_from_the_page_itself() {
    let server = Local::closed().await;
    server.append(vec![started("a")]).await;
    let own = format!("http://{}", server.address);
    let page = Browser::open(&own).await;
    log_in(&page, WRITE).await;
    page.until("the incident", "document.querySelector('#feed [data-incident=a]')").await;
    let attempts = [
        "websocket",
        "fetch cors include /api/incidents",
        "fetch no-cors include /",
        "post cors include application/json",
        "xhr",
        "script module /api.js",
        "favicon",
        "DELETE cors /api/incidents/a",
        "POST cors /logout",
    ];
    let (read, ended) = attack(&page, &own, Some(&attempts)).await;
    for attempt in attempts {
        assert_eq!(ended[attempt], "read", "{attempt}: {ended:#?}");
        assert!(read.iter().any(|read| read.starts_with(attempt)), "{attempt}: {read:#?}");
    }
    let asked = Http::new(server.address, "GET", "/api/incidents").bearer(WRITE).send().await.json();
    assert_eq!(asked["incidents"].as_array().unwrap().len(), 2, "with its cookie it started one: {asked}");
    page.refresh().await;
    page.until("the login page", "document.querySelector('#login')").await;
}
