//! What `serve` prints when it is ready.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use colored::Colorize;
use serde_json::{Value, json};

use super::replay::ReplaySummary;
use crate::cli::out::{painted, say};
use crate::cli::remote::DEFAULT_PORT;
use crate::server::BasePath;
use crate::shell::{self, word};

/// What users should know about a server that is ready.
pub(super) struct Banner {
    pub(super) address: SocketAddr,
    /// The path in all URLs.
    pub(super) base: BasePath,
    /// With TLS: the host that clients on this machine use, and the flag with which they trust the certificate.
    pub(super) tls: Option<(String, String)>,
    /// How many scenarios there are, and where they come from.
    pub(super) scenarios: String,
    /// Where the journal is.
    pub(super) journal: String,
    /// What is wrong with this machine's clock or the times in the journal.
    pub(super) clock: Option<String>,
    /// How many open incidents the server continues.
    pub(super) picked_up: usize,
    pub(super) replay: Option<ReplaySummary>,
    /// Where the alerts of drills go.
    pub(super) sinks: Option<String>,
    /// How many tokens there are, and where they come from.
    pub(super) access: String,
    /// The file with the tokens.
    pub(super) token_file: Option<PathBuf>,
    /// How many threads serve clients, if `--threads` says so.
    pub(super) threads: Option<u32>,
    /// A scenario to suggest.
    pub(super) example: String,
    /// How long the start took.
    pub(super) took: Duration,
}

impl Banner {
    /// The URL of the dashboard.
    pub(super) fn page(&self) -> String {
        format!("http{}://{}{}/", self.s(), self.address, self.base)
    }

    fn socket(&self) -> String {
        format!("ws{}://{}{}/ws", self.s(), self.address, self.base)
    }

    fn s(&self) -> &'static str {
        if self.tls.is_some() { "s" } else { "" }
    }

    /// One JSON object for stdout.
    pub(super) fn ready(&self) -> Value {
        let (page, socket) = (self.page(), self.socket());
        json!({ "event": "ready", "url": page, "websocket": socket, "version": env!("CARGO_PKG_VERSION") })
    }

    /// Prints the banner for people on stderr.
    pub(super) fn say(&self) {
        let (page, socket) = (self.page(), self.socket());
        let label = |label: &str| format!("  {label:<10} ").dimmed();
        say(painted!["incident".bold(), " ", env!("CARGO_PKG_VERSION")]);
        say(painted![label("Dashboard"), page.cyan().underline()]);
        say(painted![label("WebSocket"), socket]);
        say(painted![label("Scenarios"), self.scenarios]);
        let picked_up = match self.picked_up {
            0 => String::new(),
            1 => " (1 open incident continues)".to_owned(),
            many => format!(" ({many} open incidents continue)"),
        };
        say(painted![label("Journal"), self.journal, picked_up]);
        if let Some(clock) = &self.clock {
            say(painted![label("Clock"), clock.as_str().yellow()]);
        }
        if let Some(replay) = &self.replay {
            say(painted![label("Replay"), replay.to_string()]);
        }
        if let Some(sinks) = &self.sinks {
            say(painted![label("Sinks"), sinks.as_str()]);
        }
        say(painted![label("Access"), self.access]);
        if let Some(threads) = self.threads {
            say(painted![label("Threads"), format!("{threads} for clients")]);
        }
        let (port, base) = (self.address.port(), self.base.to_string());
        let (url, trust) = match &self.tls {
            None => (socket, ""),
            Some((host, trust)) if host.contains(':') => {
                (format!("wss://[{host}]:{port}{base}/ws"), trust.as_str())
            }
            Some((host, trust)) => (format!("wss://{host}:{port}{base}/ws"), trust.as_str()),
        };
        let is_usual = self.tls.is_none() && port == DEFAULT_PORT && base.is_empty();
        let elsewhere = if is_usual { String::new() } else { format!(" --url {}", word(&url)) + trust };
        let token = self.token_file.as_deref().map(|file| format!(" --token-file {}", shell::file(file)));
        let token = token.unwrap_or_default();
        let example = word(&self.example);
        say(painted![label("Try"), format!("incident trigger {example}{elsewhere}{token}")]);
        say(format!("Ready in {} ms. Ctrl-C to stop.", self.took.as_millis()));
    }

    /// Writes the same to the log, for programs.
    pub(super) fn log(&self) {
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            url = self.page(),
            websocket = self.socket(),
            scenarios = self.scenarios,
            journal = self.journal,
            clock = self.clock,
            picked_up = self.picked_up,
            sinks = self.sinks,
            access = self.access,
            threads = self.threads,
            replay = self.replay.as_ref().map(ToString::to_string),
            took_ms = self.took.as_millis() as u64,
            "ready"
        );
    }
}
