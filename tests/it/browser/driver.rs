//! A headless Chromium behind its driver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::harness::{Scratch, ms, soon};

/// A page may take this long: Chromium starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a browser is started at most.
const STARTS: usize = 3;

/// How large a page is shown, in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub width: u32,
    pub height: u32,
    /// Whether it is a device with a touch screen.
    pub touch: bool,
}

/// One browser with a profile of its own.
pub struct Browser {
    driver: Child,
    client: Client,
    profile: Scratch,
}

impl Browser {
    /// A new browser at this address.
    pub async fn open(url: &str) -> Self {
        Self::with(&[], None, url).await
    }

    /// One that believes every certificate.
    pub async fn credulous(url: &str) -> Self {
        Self::with(&["--ignore-certificate-errors"], None, url).await
    }

    /// One whose page has this size.
    pub async fn sized(size: Size, url: &str) -> Self {
        Self::with(&[], Some(size), url).await
    }

    /// A browser that ends while it starts, as on a busy machine, is started again.
    pub async fn with(flags: &[&str], size: Option<Size>, url: &str) -> Self {
        let mut failures = Vec::new();
        while failures.len() < STARTS {
            match Self::start(flags, size).await {
                Ok(browser) => {
                    browser.goto(url).await;
                    return browser;
                }
                Err(error) => failures.push(error),
            }
        }
        panic!("the browser does not start: {failures:#?}");
    }

    async fn start(flags: &[&str], size: Option<Size>) -> Result<Self, NewSessionError> {
        let (mut driver, port) = driver();
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
        let mut options = json!({ "args": arguments });
        if let Some(shell) = shell() {
            options["binary"] = json!(shell);
        }
        if let Some(Size { width, height, touch }) = size {
            let metrics = json!({ "width": width, "height": height, "pixelRatio": 1.0, "touch": touch });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let capabilities = json!({ "goog:chromeOptions": options });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        match client {
            Ok(client) => Ok(Self { driver, client, profile }),
            Err(error) => {
                let _ = driver.kill();
                let _ = driver.wait();
                Err(error)
            }
        }
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

    /// Waits until an expression is true. While a page gives way to the next, an expression fails: that is not yet true.
    pub async fn until(&self, what: &str, expression: &str) {
        let script = format!("return Boolean({expression});");
        let mut failure = None;
        let waiting = async {
            loop {
                match self.client.execute(&script, Vec::new()).await {
                    Ok(value) if value == true => break,
                    told => failure = told.err(),
                }
                tokio::time::sleep(ms(30)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let page = self.value("document.body.innerText").await;
            let page = page.as_str().unwrap_or_default();
            panic!("waited in vain for {what}; the last failure is {failure:?}; the page says:\n{page}");
        }
    }

    /// Clicks on an element, once it can be clicked on.
    pub async fn click(&self, selector: &str) {
        self.once_there(selector, async |element| element.click().await).await;
    }

    /// Does something with an element as soon as it lets it be done.
    async fn once_there(&self, selector: &str, act: impl AsyncFn(Element) -> Result<(), CmdError>) {
        let mut failure = None;
        let trying = async {
            loop {
                match self.client.find(Locator::Css(selector)).await {
                    Ok(element) => match act(element).await {
                        Ok(()) => break,
                        Err(error) => failure = Some(error),
                    },
                    Err(error) => failure = Some(error),
                }
                tokio::time::sleep(ms(30)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, trying).await.is_ok();
        assert!(done, "{selector} cannot be used: {failure:?}");
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Types into a field in place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.once_there(selector, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let mut pressed = KeyActions::new("keys".to_owned());
        for value in keys.chars() {
            pressed = pressed.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(pressed).await.unwrap();
    }

    /// Presses the mouse at one place, moves to the next ones, and lets go at the last.
    pub async fn drag(&self, path: &[(f64, f64)]) {
        let mut mouse = MouseActions::new("mouse".to_owned());
        for (place, (x, y)) in path.iter().enumerate() {
            mouse = mouse.then(PointerAction::MoveTo { duration: None, x: *x, y: *y });
            if place == 0 {
                mouse = mouse.then(PointerAction::Down { button: MOUSE_BUTTON_LEFT });
            }
        }
        let mouse = mouse.then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.client.perform_actions(mouse).await.unwrap();
    }

    /// Moves the mouse to a place. Before that it may be anywhere.
    pub async fn point_at(&self, x: f64, y: f64) {
        let to = PointerAction::MoveTo { duration: None, x, y };
        self.client.perform_actions(MouseActions::new("mouse".to_owned()).then(to)).await.unwrap();
    }

    /// Clicks twice at a place.
    pub async fn double_click(&self, x: f64, y: f64) {
        let mut mouse = MouseActions::new("mouse".to_owned());
        mouse = mouse.then(PointerAction::MoveTo { duration: None, x, y });
        for _ in 0..2 {
            mouse = mouse
                .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
                .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        }
        self.client.perform_actions(mouse).await.unwrap();
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

    /// What is seen, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
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

/// What starts Chromium without the parts around its pages, where it is installed: it takes a third of the CPU.
fn shell() -> Option<&'static str> {
    let folders = std::env::var_os("PATH")?;
    let is_installed =
        std::env::split_paths(&folders).any(|folder| folder.join("chromium-headless-shell").is_file());
    is_installed.then_some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/headless-chromium"))
}

/// How the processes of a browser are known, for `pkill` and `pgrep`.
fn signature(profile: &Scratch) -> String {
    format!("user-data-dir={}", profile.text())
}

impl Drop for Browser {
    /// A driver that ends leaves its browser behind, which has a process group of its own: it is known by its profile.
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let ended = Command::new("pkill").args(["-KILL", "-f", &signature(&self.profile)]).status();
        assert!(ended.is_ok() || std::thread::panicking(), "pkill: {ended:?}");
    }
}

#[tokio::test]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_browser_leaves_nothing_behind() {
    let browser = Browser::open("about:blank").await;
    let signature = signature(&browser.profile);
    let is_there = || Command::new("pgrep").args(["-f", &signature]).output().unwrap().status.success();
    assert!(is_there());
    drop(browser);
    soon("its processes to end", async {
        while is_there() {
            tokio::time::sleep(ms(10)).await;
        }
    })
    .await;
}
