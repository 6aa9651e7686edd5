//! `trigger --alerts-to URL`: this command posts the alerts of the drill, so that no server is told where to post.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Exit, Failure, direct, untrusted};
use crate::cli::out::say;
use crate::cli::remote::{Remote, incident_path};
use crate::cli::sinks_file;
use crate::client::{ClientError, Distrust, Endpoint};
use crate::contract::{deserialize_time, now};
use crate::plan::{RESERVED_LABELS, is_label};
use crate::sinks::{self, ALIVE, Courier, Posted, Shown, Target, Witness};
use crate::world::{Alerts, Labels};

/// How long to wait before a server that has no answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long the end of the alerts may take to be posted.
const LAST_POSTS: Duration = Duration::from_secs(5);

/// Where the alerts of the drill go.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct AlertArgs {
    /// Post the alerts of the drill to this Alertmanager while this command follows it; repeat the flag for several.
    /// Each alert has the labels synthetic="true" and run
    #[arg(long, value_name = "URL", value_parser = sinks::url, value_hint = clap::ValueHint::Url, conflicts_with = "no_wait", help_heading = "Alerts")]
    alerts_to: Vec<Endpoint>,

    /// Give each alert this label too; repeat the flag for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = label, requires = "alerts_to", help_heading = "Alerts")]
    alert_label: Vec<(String, String)>,

    /// File with the token that the Alertmanager wants, for `Authorization: Bearer`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "alerts_to", help_heading = "Alerts")]
    alerts_token_file: Option<PathBuf>,
}

/// `NAME=VALUE`
fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in team=drills")?;
    if RESERVED_LABELS.contains(&name) {
        return Err(format!("every alert has its own {name}; give another label"));
    }
    if !is_label(name) {
        return Err("a name has letters, digits and _, no digit first, and no __ at the beginning".to_owned());
    }
    if value.is_empty() || !sinks::is_value(value) {
        return Err("a value is a text of at most 128 characters in one line".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The couriers of one drill.
pub(super) struct AlertsOut {
    couriers: Vec<(String, Arc<Courier>)>,
    notes: Arc<Notes>,
    stop: CancellationToken,
    /// Whether the couriers have the alerts …
    has_begun: AtomicBool,
    /// … and whether the server has yet to be asked again for them.
    asks_again: AtomicBool,
}

/// What the couriers have to say, until it is shown.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

/// Notes when one Alertmanager begins to fail and when it works again.
struct Notice {
    url: String,
    notes: Arc<Notes>,
    fails: Mutex<bool>,
}

impl Witness for Notice {
    fn posted(&self, posted: &Posted<'_>) {
        let mut fails = self.fails.lock();
        let note = match posted {
            Posted::Failed(error) if !std::mem::replace(&mut *fails, true) => {
                format!("alerts can't be posted, and are tried again: {error}")
            }
            Posted::Taken(_) if std::mem::replace(&mut *fails, false) => {
                format!("{} takes alerts again", self.url)
            }
            Posted::Failed(_) | Posted::Taken(_) => return,
            Posted::Untold(alerts) => {
                format!("{alerts} alerts were over before {} could take them", self.url)
            }
        };
        self.notes.0.lock().push(note);
    }
}

/// What to do about an Alertmanager that takes no alerts.
fn hint(error: &ClientError) -> String {
    let hint = match error {
        ClientError::Unreachable { url, .. } => {
            let direct = direct(url);
            return format!(
                "name an Alertmanager that is up, as in --alerts-to http://127.0.0.1:9093{direct}"
            );
        }
        ClientError::Certificate { why: Distrust::Name { .. }, .. } => {
            "use a host name in --alerts-to that the certificate has"
        }
        ClientError::Certificate { why, .. } => untrusted(why),
        ClientError::NotTls { .. } => {
            "use http:// in --alerts-to if the Alertmanager is meant to be unencrypted"
        }
        ClientError::Tls { .. } => "use an Alertmanager with TLS 1.2 or 1.3, by a host name or an address",
        ClientError::Trust(_) => "name a file with the certificate of the authority: --cacert FILE",
        ClientError::Status { status: 401 | 403, .. } => {
            "send the token that it wants, or that what is before it wants: --alerts-token-file FILE"
        }
        ClientError::Late { .. }
        | ClientError::Unanswered { .. }
        | ClientError::Status { status: 429 | 500.., .. } => {
            "wait until the Alertmanager works, or name another one"
        }
        _ => "check the URL: it is that of the Alertmanager's page, as in --alerts-to http://127.0.0.1:9093",
    };
    hint.to_owned()
}

impl AlertArgs {
    /// Whom the alerts go to.
    pub(super) fn receivers(&self) -> &[Endpoint] {
        &self.alerts_to
    }

    /// Prepares the couriers, and asks each Alertmanager whether it takes alerts; `None` without the flag.
    ///
    /// # Errors
    /// One does not, or the scenario has no alerts. Nothing was started.
    pub(super) async fn prepare(
        &self,
        remote: &Remote,
        scenario: &str,
    ) -> Result<Option<AlertsOut>, Failure> {
        if self.alerts_to.is_empty() {
            return Ok(None);
        }
        let header = self.alerts_token_file.as_deref().map(sinks_file::bearer).transpose()?;
        has_alerts(remote, scenario).await?;
        let notes = Arc::new(Notes::default());
        let mut couriers = Vec::new();
        let since = Instant::now();
        let steady = move || SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::MAX);
        let clocks: sinks::Now = Arc::new(move || Shown { wall: now(), steady: steady() });
        for endpoint in &self.alerts_to {
            let mut endpoint = remote.trusting(endpoint.clone())?;
            if let Some((value, _)) = &header {
                if !endpoint.is_encrypted() && !endpoint.is_loopback() {
                    tracing::warn!(
                        "the token goes to {} unencrypted: the network in between can read it",
                        endpoint.authority()
                    );
                }
                endpoint = endpoint.with_authorization(value.clone());
            }
            let url = endpoint.http("");
            let labels: Labels = self.alert_label.iter().cloned().collect();
            let notice = Notice { url: url.clone(), notes: Arc::clone(&notes), fails: Mutex::new(false) };
            let target = Target { endpoint, labels, generator_url: None };
            let courier = Courier::new(target, Arc::clone(&clocks), Arc::new(notice));
            courier.knock().await.map_err(|error| {
                let hint = hint(&error);
                Failure::new(Exit::Connection, anyhow!("nothing was started: {error}")).hint(hint)
            })?;
            couriers.push((url, Arc::new(courier)));
        }
        let (stop, has_begun, asks_again) = Default::default();
        Ok(Some(AlertsOut { couriers, notes, stop, has_begun, asks_again }))
    }
}

/// Whether the server's scenario has alerts, as far as it says so.
async fn has_alerts(remote: &Remote, scenario: &str) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Known {
        id: String,
        alerts: Option<u64>,
    }
    #[derive(Deserialize)]
    struct Listed {
        scenarios: Vec<Known>,
    }
    let answer = remote.url.request(Method::GET, "/api/scenarios", None).await?;
    let listed: Listed = serde_json::from_value(answer).unwrap_or(Listed { scenarios: Vec::new() });
    let known = listed.scenarios.iter().find(|known| known.id == scenario);
    if known.is_some_and(|known| known.alerts == Some(0)) {
        let error = anyhow!("the scenario {scenario} has no alerts; nothing was started");
        return Err(Failure::new(Exit::Usage, error)
            .hint("give it [[alerts]], as docs/sinks.md shows, or leave out --alerts-to"));
    }
    Ok(())
}

impl AlertsOut {
    /// Asks the server when the alerts of an incident fire, and posts them from then on. A server that has no answer at the moment is
    /// asked again until the end. If it has none at all, a note says so, and the incident is followed all the same.
    pub(super) async fn begin(&self, remote: &Remote, id: &str) {
        match alerts_of(remote, id).await {
            Ok(alerts) => self.post(id, &alerts),
            Err(Untold { why, is_passing: false }) => self.note(format!("no alert is posted: {why}")),
            Err(Untold { why, .. }) => {
                self.asks_again.store(true, Ordering::Relaxed);
                self.note(format!("no alert is posted yet, and the server is asked again: {why}"));
            }
        }
    }

    /// Asks again, as long as the server has no answer.
    pub(super) async fn ask_again(&self, remote: &Remote, id: &str) {
        while self.asks_again.load(Ordering::Relaxed) {
            tokio::time::sleep(AGAIN).await;
            match alerts_of(remote, id).await {
                Ok(alerts) => {
                    self.note("alerts are posted from now on".to_owned());
                    self.post(id, &alerts);
                }
                Err(Untold { why, is_passing: false }) => self.note(format!("no alert is posted: {why}")),
                Err(_) => continue,
            }
            self.asks_again.store(false, Ordering::Relaxed);
        }
    }

    /// Posts these alerts when they fire.
    fn post(&self, id: &str, alerts: &Alerts) {
        self.has_begun.store(true, Ordering::Relaxed);
        for (_, courier) in &self.couriers {
            courier.add(id, alerts, courier.now());
            let (courier, stop) = (Arc::clone(courier), self.stop.clone());
            tokio::spawn(async move { courier.run(stop).await });
        }
    }

    fn note(&self, note: String) {
        self.notes.0.lock().push(note);
    }

    /// What was noted since the last call.
    pub(super) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.0.lock())
    }

    /// Ends all alerts, and says so.
    pub(super) async fn finish(self, quiet: bool) {
        self.stop.cancel();
        if !self.has_begun.load(Ordering::Relaxed) {
            return;
        }
        let ends = self.couriers.iter().map(|(url, courier)| async move {
            courier.end_all();
            (url, courier.finish(LAST_POSTS).await)
        });
        for (url, all) in futures_util::future::join_all(ends).await {
            if !all {
                let most = ALIVE.as_secs();
                say(format!(
                    "{url} could not be told that the alerts are over: they end by themselves within {most} s"
                ));
            } else if !quiet {
                say(format!("No alert of the drill fires at {url} any more."));
            }
        }
    }
}

/// Why the server does not say when alerts fire, and whether it may say it later.
struct Untold {
    why: String,
    is_passing: bool,
}

async fn alerts_of(remote: &Remote, id: &str) -> Result<Alerts, Untold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(deserialize_with = "deserialize_time")]
        now: Timestamp,
        #[serde(flatten)]
        alerts: Alerts,
    }
    let never = |why| Untold { why, is_passing: false };
    let path = incident_path(id)
        .map_err(|failure| never(failure.text().map(|(text, _)| text).unwrap_or_default()))?;
    let asked = remote.url.request(Method::GET, &format!("{path}/alerts"), None).await;
    let answer = asked.map_err(|error| {
        let is_passing = error.is_passing();
        let why = match error {
            ClientError::Status { said, problem: true, .. } => said,
            error => error.to_string(),
        };
        Untold { why, is_passing }
    })?;
    let Answer { now: there, alerts } =
        serde_json::from_value(answer).map_err(|error| never(error.to_string()))?;
    Ok(alerts.by_clock(there, now()))
}
