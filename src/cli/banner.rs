//! What `serve` says when it is ready.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use colored::Colorize;
use serde_json::json;

use super::exit::Failure;
use super::replay::Told;
use super::say::say;

/// A server that is ready.
pub(super) struct Ready {
    pub(super) address: SocketAddr,
    /// It speaks TLS: the host by which clients name it, and the flag with which they believe it.
    pub(super) secure: Option<(String, String)>,
    pub(super) scenarios: String,
    pub(super) journal: String,
    pub(super) picked_up: usize,
    pub(super) replay: Option<Told>,
    /// Who may do what.
    pub(super) access: String,
    /// Where the tokens are.
    pub(super) token_file: Option<PathBuf>,
    /// A scenario to try.
    pub(super) example: String,
    pub(super) took: Duration,
}

impl Ready {
    /// Of the page.
    pub(super) fn page(&self) -> String {
        format!("http{}://{}/", self.s(), self.address)
    }

    fn socket(&self) -> String {
        format!("ws{}://{}/ws", self.s(), self.address)
    }

    fn s(&self) -> &'static str {
        if self.secure.is_some() { "s" } else { "" }
    }

    /// One JSON line on stdout.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let (page, socket) = (self.page(), self.socket());
        let ready = json!({ "event": "ready", "url": page, "websocket": socket, "version": env!("CARGO_PKG_VERSION") });
        writeln!(std::io::stdout(), "{ready}")?;
        std::io::stdout().flush()?;
        Ok(())
    }

    /// For people.
    pub(super) fn say(&self) {
        let (page, socket) = (self.page(), self.socket());
        let label = |label: &str| format!("  {label:<10} ").dimmed();
        say(format_args!("{} {}", "incident".bold(), env!("CARGO_PKG_VERSION")));
        say(format_args!("{}{}", label("Dashboard"), page.cyan().underline()));
        say(format_args!("{}{socket}", label("WebSocket")));
        say(format_args!("{}{}", label("Scenarios"), self.scenarios));
        let picked_up = match self.picked_up {
            0 => String::new(),
            1 => " (1 incident picked up)".to_owned(),
            many => format!(" ({many} incidents picked up)"),
        };
        say(format_args!("{}{}{picked_up}", label("Journal"), self.journal));
        if let Some(replay) = &self.replay {
            say(format_args!("{}{replay}", label("Replay")));
        }
        say(format_args!("{}{}", label("Access"), self.access));
        let port = self.address.port();
        let elsewhere = match &self.secure {
            None if port == 7911 => String::new(),
            None => format!(" --url {socket}"),
            Some((host, flag)) if host.contains(':') => format!(" --url wss://[{host}]:{port}/ws{flag}"),
            Some((host, flag)) => format!(" --url wss://{host}:{port}/ws{flag}"),
        };
        let proof = self.token_file.as_ref().map(|file| format!(" --token-file {}", file.display()));
        let proof = proof.unwrap_or_default();
        say(format_args!("{}incident trigger {}{elsewhere}{proof}", label("Try"), self.example));
        say(format_args!("Ready in {} ms. Ctrl-C to stop.", self.took.as_millis()));
    }

    /// Where the log is for programs, so is this.
    pub(super) fn log(&self) {
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            url = self.page(),
            websocket = self.socket(),
            scenarios = self.scenarios,
            journal = self.journal,
            picked_up = self.picked_up,
            access = self.access,
            replay = self.replay.as_ref().map(ToString::to_string),
            took_ms = self.took.as_millis() as u64,
            "ready"
        );
    }
}
