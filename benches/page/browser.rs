//! A headless Chromium with one page, its CPU, and what its scripts say.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::common::process::{cpu_us, family};

/// A page that takes longer does not do it.
const PATIENCE: Duration = Duration::from_secs(180);

/// One browser with a profile of its own.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    profile: PathBuf,
}

impl Browser {
    /// Starts one. `Ok(None)` if there is no chromedriver.
    pub(crate) async fn start() -> anyhow::Result<Option<Self>> {
        let started =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = started else { return Ok(None) };
        let stdout = driver.stdout.take().context("chromedriver has an output")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let port =
            lines.find_map(|line| Some(line.split("started successfully on port ").nth(1)?.to_owned()));
        let port = port.context("chromedriver does not say its port")?;
        std::thread::spawn(move || lines.for_each(drop));
        let profile = std::env::temp_dir().join(format!("incident-bench-page-{}", driver.id()));
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1440,900",
            "--enable-precise-memory-info",
            "--js-flags=--expose-gc",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let capabilities = json!({ "goog:chromeOptions": { "args": arguments } });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().cloned().unwrap_or_default())
            .connect(&format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
            .await
            .context("chromium does not start")?;
        Ok(Some(Self { driver, client, profile }))
    }

    pub(crate) async fn goto(&self, url: &str) -> anyhow::Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// The value of an expression.
    pub(crate) async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        Ok(self.client.execute(&format!("return {expression};"), Vec::new()).await?)
    }

    /// The value of an expression that is a number.
    pub(crate) async fn number(&self, expression: &str) -> anyhow::Result<f64> {
        let value = self.value(expression).await?;
        value.as_f64().with_context(|| format!("{expression} is {value}"))
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, expression: &str) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.value(&format!("Boolean({expression})")).await.ok() != Some(Value::Bool(true)) {
            if start.elapsed() > PATIENCE {
                bail!("waited in vain for {expression}");
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// CPU of the browser and all of its processes so far, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        let family = family(self.driver.id())?;
        Ok(family.into_iter().filter_map(|pid| cpu_us(pid).ok()).sum())
    }

    pub(crate) async fn close(mut self) -> anyhow::Result<()> {
        // The driver ends its browser.
        self.client.clone().close().await?;
        self.driver.kill()?;
        self.driver.wait()?;
        let _ = std::fs::remove_dir_all(&self.profile);
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
