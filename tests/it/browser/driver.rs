//! A headless Chromium behind its driver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::harness::{Scratch, ms};

/// A page may take this long: Chromium starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One browser with a profile of its own.
pub struct Browser {
    driver: Child,
    client: Client,
    _profile: Scratch,
}

impl Browser {
    /// A new browser at this address.
    pub async fn open(url: &str) -> Self {
        Self::with(&[], url).await
    }

    /// One that believes every certificate.
    pub async fn credulous(url: &str) -> Self {
        Self::with(&["--ignore-certificate-errors"], url).await
    }

    async fn with(flags: &[&str], url: &str) -> Self {
        let (driver, port) = driver();
        let profile = Scratch::new();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1440,900",
            &format!("--user-data-dir={}", profile.text()),
        ];
        let arguments = [&arguments, flags].concat();
        let capabilities = json!({ "goog:chromeOptions": { "args": arguments } });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        client.goto(url).await.unwrap();
        Self { driver, client, _profile: profile }
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        self.client.execute(&format!("return {expression};"), Vec::new()).await.unwrap()
    }

    /// Runs JavaScript that awaits; `arguments` are in `args`.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let script = format!(
            "const args = [...arguments]; const done = args.pop();
             (async () => {{ {script} }})().then(done, (error) => done({{ error: String(error) }}));"
        );
        let value = self.client.execute_async(&script, arguments).await.unwrap();
        assert!(value.get("error").is_none(), "{value}");
        value
    }

    /// Waits until an expression is true.
    pub async fn until(&self, what: &str, expression: &str) {
        let waiting = async {
            while self.value(&format!("Boolean({expression})")).await != Value::Bool(true) {
                tokio::time::sleep(ms(30)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let page = self.value("document.body.innerText").await;
            panic!("waited in vain for {what}; the page says:\n{}", page.as_str().unwrap_or_default());
        }
    }

    pub async fn click(&self, selector: &str) {
        let element = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await.unwrap();
        element.click().await.unwrap();
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Types into a field in place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The text of an element.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({selector:?})?.innerText ?? ''")).await;
        text.as_str().unwrap().to_owned()
    }

    /// Name and attributes of every cookie of the page: whether it is secure, and whether scripts have it.
    pub async fn cookies(&self) -> Vec<(String, bool, bool)> {
        let cookies = self.client.get_all_cookies().await.unwrap();
        let told = |given: Option<bool>| given.unwrap_or_default();
        let cookies = cookies
            .iter()
            .map(|cookie| (cookie.name().to_owned(), told(cookie.secure()), !told(cookie.http_only())));
        cookies.collect()
    }

    pub async fn refresh(&self) {
        self.client.refresh().await.unwrap();
    }
}

/// A driver and its port. One that found its port taken on one of the two loopbacks gives up: then another may do.
fn driver() -> (Child, String) {
    for _ in 0..50 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed: ./tests/run does that");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let port = line.split("started successfully on port ").nth(1)?;
            Some(port.trim_end_matches('.').to_owned())
        });
        if let Some(port) = port {
            // It goes on writing: nobody may block it.
            std::thread::spawn(move || lines.for_each(drop));
            return (driver, port);
        }
        driver.wait().unwrap();
    }
    panic!("chromedriver finds no port");
}

impl Drop for Browser {
    /// The driver takes its browser with it.
    fn drop(&mut self) {
        // SIGTERM, not SIGKILL: a killed driver would leave its browser behind.
        let pid = self.driver.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.driver.wait();
    }
}
