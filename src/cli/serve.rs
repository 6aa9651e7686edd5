//! `incident serve`

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::ValueHint;
use futures_util::future::OptionFuture;

use super::banner::Ready;
use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::journal::{Choice, Opened};
use super::limits::{Limits, positive};
use super::log::LogFormat;
use super::names::ScenarioName;
use super::say::say;
use super::tls::{Certificate, Tls};
use super::tokens::Tokens;
use super::{browser, journal, replay, runtime, signals};
use crate::journal::Retention;
use crate::player::Speed;
use crate::scenario::{Library, Micros, did_you_mean};
use crate::server::{Options, Origin, ServeError, Server, TriggerError};

/// Play incidents and stream them to dashboards, terminals and programs
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    bind: IpAddr,

    /// Port to listen on; 0 takes any free one
    #[arg(short, long, default_value_t = 7911)]
    port: u16,

    /// Folder of scenario files [default: scenarios/ if there is one, else the shipped ones]
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,

    /// Start this scenario at once; may be given several times
    #[arg(long, value_name = "SCENARIO", value_parser = ScenarioName)]
    trigger: Vec<String>,

    /// Play this recording (of `incident watch --record`) as if it happened now. It goes into the journal like
    /// everything else: a server that is started again in the middle of it goes on with it
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    /// Open the dashboard in the browser
    #[arg(long)]
    open: bool,

    /// Play this many times faster than the scenario says, or than it was recorded
    #[arg(long, default_value = "1", value_name = "FACTOR")]
    speed: Speed,

    /// Seed of every incident, instead of each scenario's own
    #[arg(long, value_parser = clap::value_parser!(u64).range(..1 << 53))]
    seed: Option<u64>,

    /// Where to keep what happens: a file, or `memory` [default: journal.db in the platform's state directory]
    #[arg(long, value_name = "FILE|memory")]
    journal: Option<Choice>,

    /// Events to keep; those of open incidents are always kept
    #[arg(long, default_value_t = 500_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1_000..))]
    retain_events: u32,

    /// Keep events for this long; those of open incidents are always kept
    #[arg(long, value_name = "DURATION")]
    retain_age: Option<Micros>,

    /// Serve the page from this folder instead of the built-in one, to work on it
    #[arg(long, value_name = "DIR")]
    dashboard: Option<PathBuf>,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    tls: Tls,

    /// Time between heartbeats
    #[arg(long, default_value = "5s", value_name = "DURATION")]
    heartbeat: Micros,

    /// The longest that stopping may take
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    drain: Micros,

    /// Ask everybody for one of the tokens in this file, which is read again when it changes: `read TOKEN` or
    /// `write TOKEN` a line [default: the variables `INCIDENT_TOKEN` (write) and `INCIDENT_READ_TOKEN`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,

    /// Listen without tokens on an address that other machines reach; whoever reaches it can start incidents
    #[arg(long)]
    allow_remote: bool,

    /// Another origin whose pages may connect; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,

    /// Print {"event":"ready",…} on stdout instead of the banner
    #[arg(long)]
    json: bool,

    /// How to write the log on stderr; as JSON the banner is a line of it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
}

impl Serve {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        let began = Instant::now();
        color.apply(&std::io::stderr());
        self.limits.raise_open_files();
        let library = self.library()?;
        self.known_triggers(&library)?;
        let recording = self
            .replay
            .as_deref()
            .map(|file| replay::read(file, self.speed, quiet, self.log_format))
            .transpose()?;
        runtime()?.block_on(self.serve(library, recording, began, quiet))
    }

    fn library(&self) -> Result<Library, Failure> {
        let library = match &self.scenarios {
            Some(folder) => Library::from_folder(folder),
            None if has_scenarios(Path::new("scenarios")) => Library::from_folder(Path::new("scenarios")),
            None => Library::shipped(),
        };
        let library = library.map_err(Failure::scenarios)?;
        if library.is_empty() {
            let error = anyhow!("no scenario file (*.toml) is in {}", library.origin);
            return Err(
                Failure::new(Exit::Scenario, error).hint("leave --scenarios out to serve the shipped ones")
            );
        }
        Ok(library)
    }

    /// A wrong name is told before anything listens.
    fn known_triggers(&self, library: &Library) -> Result<(), Failure> {
        for name in &self.trigger {
            if library.get(name).is_none() {
                let near = did_you_mean(name, library.ids()).map(str::to_owned);
                return Err(trigger_failure(TriggerError::Unknown { name: name.clone(), near }));
            }
        }
        Ok(())
    }

    async fn serve(
        self,
        library: Library,
        recording: Option<replay::Ready>,
        began: Instant,
        quiet: bool,
    ) -> Result<Exit, Failure> {
        let scenarios = format!("{} from {}", library.len(), library.origin);
        let first = library.ids().next().unwrap_or_default();
        let example = library.ids().find(|id| *id == "database-outage").unwrap_or(first).to_owned();
        let tokens = Tokens::read(self.token_file.as_deref())?;
        let certificate = self.tls.read()?;
        let options = Options {
            bind: SocketAddr::new(self.bind, self.port),
            allow_remote: self.allow_remote,
            tokens: tokens.all().to_vec(),
            allow_origins: self.allow_origin.clone(),
            speed: self.speed,
            seed: self.seed,
            heartbeat: positive("--heartbeat", self.heartbeat)?,
            write_deadline: self.limits.write_deadline()?,
            request_deadline: self.limits.request_deadline()?,
            admit_rate: self.limits.admit_rate,
            header_bytes: self.limits.max_header_bytes as usize,
            message_bytes: self.limits.max_message_bytes as usize,
            message_rate: self.limits.max_message_rate,
            tls: certificate.as_ref().map(Certificate::config).transpose()?,
            drain: Duration::from_micros(self.drain.0),
            max_clients: self.limits.max_clients,
            dashboard: self.dashboard.clone(),
        };
        let retention = Retention {
            events: self.retain_events as usize,
            age: self.retain_age.map(|age| positive("--retain-age", age)).transpose()?,
        };
        signals::outlive_file_limits();
        let Opened { journal, told } = journal::open(self.journal.as_ref(), retention)?;
        let server =
            Server::bind(options, library, journal).await.map_err(|error| failure(error, self.port))?;
        let shutdown = signals::shutdown();
        let rotation = tokens.keep_up(server.auth());
        let renewal = certificate.as_ref().map(Certificate::keep_up);
        let replayed = match recording {
            Some(replay::Ready { replay, mut told }) => {
                told.begun = server.replay(replay).await.map_err(|error| failure(error, self.port))?;
                Some(told)
            }
            None => None,
        };

        if !tokens.all().is_empty() && !server.address().ip().is_loopback() && !server.speaks_tls() {
            tracing::warn!(
                "tokens cross the network unencrypted: give a certificate with --tls-cert and --tls-key, or put a \
                 TLS proxy in front"
            );
        }
        let ready = Ready {
            address: server.address(),
            secure: certificate.as_ref().map(|certificate| certificate.for_clients(server.address().ip())),
            scenarios,
            journal: told,
            picked_up: server.picked_up(),
            replay: replayed,
            access: tokens.to_string(),
            token_file: self.token_file.clone(),
            example,
            took: began.elapsed(),
        };
        if self.json {
            ready.print()?;
        }
        match self.log_format {
            LogFormat::Json => ready.log(),
            LogFormat::Text if self.json || quiet => {}
            LogFormat::Text => ready.say(),
        }
        for name in &self.trigger {
            server.trigger(name).await.map_err(trigger_failure)?;
        }
        if self.open {
            browser::open(&ready.page());
        }
        tokio::select! {
            () = server.run(shutdown) => {}
            () = rotation => {}
            Some(()) = OptionFuture::from(renewal) => {}
        }
        match self.log_format {
            LogFormat::Json => tracing::info!("stopped"),
            LogFormat::Text if quiet || !std::io::stderr().is_terminal() => {}
            LogFormat::Text => say("Stopped."),
        }
        Ok(Exit::Fine)
    }
}

fn has_scenarios(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "toml"))
}

fn failure(error: ServeError, port: u16) -> Failure {
    let hint = match &error {
        ServeError::Remote(_) => {
            "ask for tokens with --token-file FILE, leave --bind out, or take the risk with --allow-remote"
                .to_owned()
        }
        ServeError::Bind { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
            format!("another server has port {port}: stop it, or take any free port with --port 0")
        }
        ServeError::Bind { .. } => "name another address with --bind and --port".to_owned(),
        ServeError::Journal(_) => "try again".to_owned(),
        ServeError::Clients(_) => "raise the limits of open files and threads (ulimit -n, -u)".to_owned(),
    };
    Failure::new(if matches!(error, ServeError::Remote(_)) { Exit::Usage } else { Exit::Connection }, error)
        .hint(hint)
}

fn trigger_failure(error: TriggerError) -> Failure {
    let hint = match &error {
        TriggerError::Unknown { near: Some(near), .. } => format!("did you mean {near:?}?"),
        _ => "`incident validate` lists the scenarios and checks them".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
