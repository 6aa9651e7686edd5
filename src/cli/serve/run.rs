//! Runs the server, from the flags to the last client.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures_util::future::OptionFuture;
use tokio::sync::watch;

use super::again::Again;
use super::args::Serve;
use super::banner::Banner;
use super::browser;
use super::handover;
use super::journal::OpenedJournal;
use super::library::{self, Scenarios, trigger_failure};
use super::notify;
use super::ready_files::ReadyFiles;
use super::reload::{self, Telling};
use super::replay::{self, LoadedReplay};
use super::setup_file::SetupFile;
use super::tls::Certificate;
use super::tokens::Tokens;
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::log::LogFormat;
use crate::cli::out::{finish_stderr, print_json, say};
use crate::cli::receivers_file;
use crate::cli::runtime::runtime;
use crate::cli::signals;
use crate::cli::sinks_file;
use crate::journal::{Journal, JournalError, Trouble, TroubleKind};
use crate::server::{Options, ServeError, Server, SinkSetup};

/// How long the end of the process waits for threads that are still at work.
const LAST_THREADS: Duration = Duration::from_millis(500);

/// What was begun before anything was read.
struct Begun<H> {
    at: Instant,
    survive_hangups: H,
}

impl Serve {
    pub(in crate::cli) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        let at = Instant::now();
        let color = color.apply(&std::io::stderr());
        let runtime = runtime()?;
        // Before anything that takes time.
        let begun = {
            let _inside = runtime.enter();
            Begun { at, survive_hangups: signals::survive_hangups() }
        };
        let scenarios = library::read(&self, color, quiet)?;
        let recording = self
            .replay
            .as_deref()
            .map(|file| replay::read(file, self.speed, quiet, self.log_format))
            .transpose()?;
        let (again, files) = (Again::new(), ReadyFiles::of(&self));
        let ended = runtime.block_on(self.serve(begun, scenarios, recording, color, quiet, &again));
        runtime.block_on(again.until_ready(files));
        // What waits for a disk or for the reader of stdout must not make the end wait.
        runtime.shutdown_timeout(LAST_THREADS);
        again.begin()?;
        // Only the end of the journal shows whether everything is kept.
        match &*ended?.borrow() {
            Some(trouble) if trouble.kind() == TroubleKind::Lost => {
                Err(Failure::new(Exit::Internal, anyhow!("the journal is gone: {trouble}")))
            }
            _ => Ok(Exit::Fine),
        }
    }

    fn options(&self, tokens: &Tokens, certificate: Option<&Certificate>) -> Result<Options, Failure> {
        if let Some(folder) = &self.dashboard
            && !folder.join("index.html").exists()
        {
            let error = anyhow!("the folder of --dashboard, {}, has no index.html", folder.display());
            return Err(Failure::new(Exit::Usage, error)
                .hint("name a folder with the page's files, as dashboard/ is"));
        }
        Ok(Options {
            bind: SocketAddr::new(self.bind, self.port),
            allow_remote: self.allow_remote,
            tokens: tokens.all().to_vec(),
            allow_origins: self.allow_origin.clone(),
            peers: self.peers.clone(),
            base_path: self.base_path.clone().unwrap_or_default(),
            allow_forwarded_prefix: self.allow_forwarded_prefix,
            speed: self.speed,
            seed: self.seed,
            heartbeat: self.heartbeat.into(),
            write_deadline: self.limits.write_deadline.into(),
            request_deadline: self.limits.request_deadline.into(),
            admit_rate: self.limits.admit_rate,
            header_bytes: self.limits.max_header_bytes as usize,
            message_bytes: self.limits.max_message_bytes as usize,
            message_rate: self.limits.max_message_rate,
            publish_rate: self.limits.publish_rate,
            tls: certificate.map(Certificate::config).transpose()?,
            drain: self.drain.into(),
            max_clients: self.limits.max_clients,
            threads: self.limits.threads.and_then(|count| NonZeroUsize::new(count as usize)),
            dashboard: self.dashboard.clone(),
            ..Options::default()
        })
    }

    /// A page that goes on elsewhere needs the same stream there.
    fn check_peers(&self, journal: &Journal) -> Result<(), Failure> {
        if let Some((_, peer)) =
            self.peers.iter().enumerate().find(|(number, peer)| self.peers[..*number].contains(peer))
        {
            let error = anyhow!("--peers names {peer} twice");
            return Err(Failure::new(Exit::Usage, error).hint("name each server once"));
        }
        if self.peers.iter().any(|peer| peer.is_secure() != self.peers[0].is_secure()) {
            let error = anyhow!(
                "--peers has addresses with http and with https, and a page may not go from one to the other"
            );
            return Err(Failure::new(Exit::Usage, error).hint("publish all servers with the same scheme"));
        }
        if self.peers.is_empty() || journal.is_shared() {
            return Ok(());
        }
        let error = anyhow!(
            "--peers needs a journal that several servers have open, and this one is for a single server"
        );
        Err(Failure::new(Exit::Usage, error).hint(
            "give all servers the same --journal nats://…, as docs/cluster.md shows, or leave out --peers",
        ))
    }

    fn say_stopped(&self, quiet: bool) {
        match self.log_format {
            LogFormat::Text if std::io::stderr().is_terminal() => {
                if !quiet {
                    say("Stopped.");
                }
            }
            LogFormat::Text | LogFormat::Json => tracing::info!("stopped"),
        }
    }

    /// Returns what is wrong with the journal, which ends later.
    async fn serve(
        self,
        begun: Begun<impl AsyncFnOnce(bool)>,
        scenarios: Scenarios,
        recording: Option<LoadedReplay>,
        color: bool,
        quiet: bool,
        again: &Again,
    ) -> Result<watch::Receiver<Option<Trouble>>, Failure> {
        let Scenarios { library, description: scenarios, watched } = scenarios;
        let first = library.ids().next().unwrap_or_default();
        let example = library.ids().find(|id| *id == "database-outage").unwrap_or(first).to_owned();
        let tokens = Tokens::read(self.token_file.as_deref(), handover::tokens_before())?;
        let certificate = self.tls.read()?;
        let read_receivers = |path| SetupFile::read(path, receivers_file::read, receivers_file::read_again);
        let receivers = self.receivers.as_deref().map(read_receivers).transpose()?;
        let read_sinks = |path| SetupFile::read(path, sinks_file::read, sinks_file::read);
        let sinks = self.sinks.as_deref().map(read_sinks).transpose()?;
        let mut options = self.options(&tokens, certificate.as_ref())?;
        options.receivers = receivers.as_ref().map(|file| file.setups().to_vec());
        options.sinks = sinks.as_ref().map(|file| file.setups().to_vec());
        signals::outlive_file_limits();
        let opened = self.journal.open()?;
        opened.warn_of_others(&tokens);
        let OpenedJournal { journal, description, .. } = opened;
        self.check_peers(&journal)?;
        let health = journal.health();
        let clock = journal.clock().doubt().map(ToString::to_string);
        let is_other = again.wanted(&journal, &tokens, ReadyFiles::of(&self));
        let server =
            Server::bind(options, library, journal).await.map_err(|error| failure(error, self.port))?;
        again.keep_port(server.address().port());
        let shutdown = again.or_end(signals::shutdown(), is_other);
        let rotation = tokens.follow_file(server.auth());
        let hooks = server.hooks();
        let rereading =
            receivers.as_ref().map(|file| file.follow("receivers", move |all| hooks.replace(all)));
        let telling = Telling { color, log: self.log_format, quiet };
        reload::follow(watched, server.library(), telling);
        let couriers = server.sinks();
        let resinking = sinks.as_ref().map(|file| file.follow("sinks", move |all| couriers.replace(all)));
        let renewal = certificate.as_ref().map(Certificate::follow_files);
        let replayed = match recording {
            Some(LoadedReplay { replay, mut summary }) => {
                again.keep_replay(summary.file.clone(), replay.all_begun());
                summary.begun = server.replay(replay).await.map_err(|error| failure(error, self.port))?;
                Some(summary)
            }
            None => None,
        };

        warn_of_plain(&tokens, &server);
        let banner = Banner {
            address: server.address(),
            base: self.base_path.clone().unwrap_or_default(),
            tls: certificate.as_ref().map(|certificate| certificate.for_clients(server.address().ip())),
            scenarios,
            journal: description,
            clock: clock.clone(),
            picked_up: server.picked_up(),
            replay: replayed,
            sinks: sinks.as_ref().map(|file| addresses(file.setups())),
            access: tokens.to_string(),
            token_file: self.token_file.clone(),
            threads: self.limits.threads,
            example,
            took: begun.at.elapsed(),
        };
        // On a thread of its own: a pipe that is full must not keep the server from serving.
        let printing = self.json.then(|| {
            let ready = banner.ready();
            tokio::task::spawn_blocking(move || print_json(&ready))
        });
        let shows_banner = self.log_format == LogFormat::Text && !self.json && !quiet;
        if let Some(clock) = clock.filter(|_| !shows_banner) {
            tracing::warn!(clock, "the clock seems to be wrong");
        }
        match self.log_format {
            LogFormat::Json => banner.log(),
            LogFormat::Text if self.json || quiet => {}
            LogFormat::Text => banner.say(),
        }
        for name in &self.trigger {
            server.trigger(name).await.map_err(trigger_failure)?;
        }
        if self.open {
            browser::open(&banner.page());
        }
        notify::ready();
        let rereads = tokens.is_followed() || certificate.is_some() || receivers.is_some() || sinks.is_some();
        // The server has their digests.
        drop(tokens);
        tokio::select! {
            () = server.run(shutdown) => {}
            () = rotation => {}
            () = (begun.survive_hangups)(rereads) => {}
            Some(()) = OptionFuture::from(renewal) => {}
            Some(()) = OptionFuture::from(rereading) => {}
            Some(()) = OptionFuture::from(resinking) => {}
            Some(Ok(Err(error))) = OptionFuture::from(printing) => return Err(error.into()),
        }
        self.say_stopped(quiet);
        // While the runtime is there, a second signal ends the process at once.
        finish_stderr();
        Ok(health)
    }
}

/// Says that others on the network can read the tokens, if it is so.
fn warn_of_plain(tokens: &Tokens, server: &Server) {
    if !tokens.all().is_empty() && !server.address().ip().is_loopback() && !server.speaks_tls() {
        tracing::warn!(
            "tokens cross the network unencrypted: use --tls-cert and --tls-key, or put a TLS proxy in front"
        );
    }
}

/// What to do about a journal in whose older part a server finds a damage.
const DAMAGED: &str =
    "`incident check-journal FILE` shows the damage, and with --salvage NEW copies the events before it";

/// The failure of a server that did not start.
fn failure(error: ServeError, port: u16) -> Failure {
    let hint = match &error {
        ServeError::Remote(_) => {
            "require tokens with --token-file FILE, leave out --bind, or accept the risk with --allow-remote"
                .to_owned()
        }
        ServeError::Bind { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
            format!("another program uses port {port}: stop it, or take any free port with --port 0")
        }
        ServeError::Bind { .. } => "use another address with --bind and --port".to_owned(),
        ServeError::Files { needed, .. } => {
            format!("raise the limit of open files (ulimit -n {needed}, or more for many clients)")
        }
        ServeError::Schema(_) => "report this: it is a fault of the program".to_owned(),
        ServeError::Journal(JournalError::Damaged { .. }) => DAMAGED.to_owned(),
        ServeError::Journal(JournalError::Unavailable(trouble)) if trouble.kind() == TroubleKind::Damaged => {
            DAMAGED.to_owned()
        }
        ServeError::Journal(_) => "try again".to_owned(),
        ServeError::Clients(_) => "raise the limits of open files and threads (ulimit -n, -u)".to_owned(),
    };
    Failure::new(if matches!(error, ServeError::Remote(_)) { Exit::Usage } else { Exit::Connection }, error)
        .hint(hint)
}

/// The names of sinks and where they are, for people.
fn addresses(sinks: &[SinkSetup]) -> String {
    let named = sinks.iter().map(|setup| format!("{} ({})", setup.sink.name, setup.endpoint.http("/")));
    named.collect::<Vec<_>>().join(", ")
}
