//! A headless Firefox, which speaks `WebDriver BiDi` by itself: JSON over a WebSocket, without a driver between.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Scratch, ms};

/// A browser may take this long: Firefox starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it would do by itself: reports, updates, look-ups.
const PREFERENCES: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("toolkit.telemetry.enabled", false);
"#;

/// One browser with one page and a profile of its own.
pub struct Firefox {
    process: Child,
    socket: WebSocketStream<TcpStream>,
    sent: u64,
    page: String,
    /// What the page wrote to the console as an error, and what it did not catch.
    pub errors: Vec<String>,
    _profile: Scratch,
}

impl Firefox {
    /// A new browser at this address.
    pub async fn open(url: &str) -> Self {
        let profile = Scratch::new().with("user.js", PREFERENCES);
        let mut process = Command::new("firefox-esr")
            .args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile.text()])
            .env("HOME", profile.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("firefox-esr is installed: ./tests/run does that");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = lines.find_map(|line| {
            let line = line.ok()?;
            said += &line;
            Some(line.split("BiDi listening on ws://").nth(1)?.trim().to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("Firefox does not start: {said}"));
        // It goes on writing.
        std::thread::spawn(move || lines.for_each(drop));
        let stream = TcpStream::connect(&address).await.unwrap();
        let session = format!("ws://{address}/session");
        let (socket, _) = tokio_tungstenite::client_async(session, stream).await.unwrap();
        let page = String::new();
        let mut firefox = Self { process, socket, sent: 0, page, errors: Vec::new(), _profile: profile };
        firefox.ask("session.new", json!({ "capabilities": {} })).await;
        firefox.ask("session.subscribe", json!({ "events": ["log.entryAdded"] })).await;
        let tree = firefox.ask("browsingContext.getTree", json!({})).await;
        tree["contexts"][0]["context"].as_str().unwrap().clone_into(&mut firefox.page);
        firefox.goto(url).await;
        firefox
    }

    /// Sends a command and waits for its answer. What is told meanwhile is noted.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let (id, command) = (self.sent, json!({ "id": self.sent, "method": method, "params": params }));
        self.socket.send(Message::text(command.to_string())).await.unwrap();
        let answer = async {
            loop {
                let Message::Text(text) = self.socket.next().await.unwrap().unwrap() else { continue };
                let told: Value = serde_json::from_str(&text).unwrap();
                if told["method"] == "log.entryAdded" && told["params"]["level"] == "error" {
                    self.errors.push(told["params"]["text"].to_string());
                }
                if told["id"] == id {
                    assert_eq!(told["type"], "success", "{method}: {told}");
                    return told["result"].clone();
                }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or_else(|_| panic!("Firefox does not answer {method}"))
    }

    pub async fn goto(&mut self, url: &str) {
        let params = json!({ "context": self.page, "url": url, "wait": "complete" });
        self.ask("browsingContext.navigate", params).await;
    }

    /// How large the page is, in CSS pixels.
    pub async fn size(&mut self, width: u32, height: u32) {
        let viewport = json!({ "width": width, "height": height });
        let params = json!({ "context": self.page, "viewport": viewport, "devicePixelRatio": 1.0 });
        self.ask("browsingContext.setViewport", params).await;
    }

    /// Runs JavaScript that awaits, and gives what it returns.
    pub async fn run(&mut self, script: &str) -> Value {
        let expression =
            format!("(async () => JSON.stringify((await (async () => {{ {script} }})()) ?? null))()");
        let params =
            json!({ "expression": expression, "target": { "context": self.page }, "awaitPromise": true });
        let told = self.ask("script.evaluate", params).await;
        let text = told["result"]["value"].as_str().unwrap_or_else(|| panic!("{told}"));
        serde_json::from_str(text).unwrap()
    }

    /// The value of an expression.
    pub async fn value(&mut self, expression: &str) -> Value {
        self.run(&format!("return {expression};")).await
    }

    /// Waits until an expression is true.
    pub async fn until(&mut self, what: &str, expression: &str) {
        let begun = tokio::time::Instant::now();
        while self.value(&format!("Boolean({expression})")).await != true {
            let page = self.value("document.body.innerText").await;
            assert!(begun.elapsed() <= PATIENCE, "waited in vain for {what}: {page}");
            tokio::time::sleep(ms(30)).await;
        }
    }

    /// The text of an element.
    pub async fn text(&mut self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({selector:?})?.innerText ?? ''")).await;
        text.as_str().unwrap().to_owned()
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn keys(&mut self, keys: &str) {
        let press = |key: char| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        let keyboard = json!({ "type": "key", "id": "keys", "actions": actions });
        self.ask("input.performActions", json!({ "context": self.page, "actions": [keyboard] })).await;
    }

    /// Presses the mouse at a part of an element's width, moves to another, and lets go.
    pub async fn drag(&mut self, selector: &str, from: f64, to: f64) {
        self.until(selector, &format!("document.querySelector({selector:?})?.checkVisibility()")).await;
        let place = format!(
            "const one = document.querySelector({selector:?});
             one.scrollIntoView({{ block: 'center' }});
             const {{ left, width, top, height }} = one.getBoundingClientRect();
             return [{from}, {to}].map((part) => [Math.round(left + part * width), Math.round(top + height / 2)]);"
        );
        let [from, to] = serde_json::from_value::<[(i64, i64); 2]>(self.run(&place).await).unwrap();
        let at = |(x, y): (i64, i64)| json!({ "type": "pointerMove", "x": x, "y": y });
        let press = |kind: &str| json!({ "type": kind, "button": 0 });
        let actions = [at(from), press("pointerDown"), at(to), press("pointerUp")];
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": actions });
        self.ask("input.performActions", json!({ "context": self.page, "actions": [mouse] })).await;
    }

    pub async fn click(&mut self, selector: &str) {
        self.drag(selector, 0.5, 0.5).await;
    }

    /// What is seen, as PNG.
    pub async fn screenshot(&mut self) -> Vec<u8> {
        let shot = self.ask("browsingContext.captureScreenshot", json!({ "context": self.page })).await;
        data_encoding::BASE64.decode(shot["data"].as_str().unwrap().as_bytes()).unwrap()
    }
}

impl Drop for Firefox {
    /// Its processes for pages end with it.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
