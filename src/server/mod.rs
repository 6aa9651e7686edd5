//! The composition root: journal, hub, player and library behind one listener. Nothing below it spawns a task
//! that is not waited for here.

mod admission;
mod api;
mod auth;
mod body;
mod events;
mod guard;
mod incidents;
mod io;
mod listen;
mod lobby;
mod measured;
mod observe;
mod problem;
mod routes;
mod socket;
mod tls;
mod upgrade;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::connection::{Settings, Shards};
use crate::dashboard::Dashboard;
use crate::hub::Hub;
use crate::journal::{Journal, JournalError};
use crate::metrics::{Metrics, Refusal};
use crate::player::{PlayError, Player, Replay, Speed, Started};
use crate::scenario::Library;
use crate::scenario::timeline::CompileError;
use crate::seldom::Seldom;
use crate::token::{Scope, Token};

pub use auth::{Auth, Replaced};
use guard::Guard;
pub use guard::{Origin, OriginError};
use incidents::Incidents;
use listen::Limits;
use measured::Measured;
pub use tls::{Identity, Pem, TlsError};

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes any.
    pub bind: SocketAddr,
    /// Listen beyond loopback though nobody has to prove what they may do.
    pub allow_remote: bool,
    /// What proves what somebody may do. Without any, everybody may do everything.
    pub tokens: Vec<(Scope, Token)>,
    /// Origins besides the server's own whose pages may connect and trigger.
    pub allow_origins: Vec<Origin>,
    /// Speed of triggers that name none.
    pub speed: Speed,
    /// Seed of triggers that name none, instead of each scenario's own.
    pub seed: Option<u64>,
    /// Between two heartbeats.
    pub heartbeat: Duration,
    /// How long a full socket may take nothing.
    pub write_deadline: Duration,
    /// The longest that stopping may take.
    pub drain: Duration,
    /// The most clients of the stream at once.
    pub max_clients: u32,
    /// New connections a second from one address.
    pub admit_rate: u32,
    /// How long the head of a request may take, and how long a connection may be silent between two.
    pub request_deadline: Duration,
    /// The largest head of a request.
    pub header_bytes: usize,
    /// The largest message of a client, which is ignored …
    pub message_bytes: usize,
    /// … and how many of them it may send a second.
    pub message_rate: u32,
    /// Speak TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Serve the page from this folder instead of the one that is built in.
    pub dashboard: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            allow_remote: false,
            tokens: Vec::new(),
            allow_origins: Vec::new(),
            speed: Speed::REAL_TIME,
            seed: None,
            heartbeat: Duration::from_secs(5),
            write_deadline: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            max_clients: 10_000,
            admit_rate: 1_000,
            request_deadline: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            message_bytes: 16 * 1024,
            message_rate: 100,
            tls: None,
            dashboard: None,
        }
    }
}

/// Why a server did not come up.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is reachable from elsewhere and nobody allowed that.
    #[error("{0} is reachable from other machines, and whoever reaches it can start incidents")]
    Remote(SocketAddr),
    /// The address can't be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system gives no threads or no descriptors.
    #[error("cannot serve clients")]
    Clients(#[from] std::io::Error),
}

/// Why a trigger did not start an incident.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// No scenario of that name.
    #[error("no scenario is called {name:?}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The seed leads nowhere.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The player did not take it.
    #[error(transparent)]
    Play(#[from] PlayError),
}

/// A machine that acknowledged nothing for so many heartbeats is gone.
const SILENT_FOR: u32 = 9;

/// How long an answer may still take when the drain time is over.
const LAST_ANSWERS: Duration = Duration::from_millis(250);

/// A bound server that does not accept yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    picked_up: usize,
    app: Arc<App>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    drain: Duration,
    drain_sender: watch::Sender<bool>,
}

/// What every handler shares.
struct App {
    library: Library,
    journal: Journal,
    player: Player,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    refusals_said: Seldom<Refusal>,
    /// Of event streams, by their code.
    ends_said: Seldom<u16>,
    guard: Guard,
    auth: Arc<Auth>,
    incidents: Incidents,
    dashboard: Dashboard,
    speed: Speed,
    seed: Option<u64>,
    shards: Shards,
    clients: Arc<Semaphore>,
    max_clients: u32,
    /// How long a client may take nothing of an answer.
    write_deadline: Duration,
    /// HTTP, event stream and WebSocket connections.
    connections: TaskTracker,
    /// Everything else: hub and player.
    tasks: TaskTracker,
    draining: AtomicBool,
    /// Asks event streams to leave within that time.
    leave: watch::Sender<Option<Duration>>,
    /// Becomes true when requests are not taken any more.
    drain: watch::Receiver<bool>,
    stop: CancellationToken,
}

impl Server {
    /// Binds the address and warms the hub. Clients that connect from now on wait to be accepted.
    pub async fn bind(options: Options, library: Library, journal: Journal) -> Result<Self, ServeError> {
        if !options.bind.ip().is_loopback() && options.tokens.is_empty() && !options.allow_remote {
            return Err(ServeError::Remote(options.bind));
        }
        // As a WebSocket without pongs; longer than the deadlines that can say why they end a connection.
        let dead_after = (options.heartbeat * SILENT_FOR).max(options.write_deadline * 2);
        let listener = listen::bind(options.bind, dead_after)
            .map_err(|source| ServeError::Bind { address: options.bind, source })?;
        let address = listener.local_addr().unwrap_or(options.bind);
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let hub = Arc::new(Hub::new(journal.clone(), options.heartbeat).await?);
        let metrics = Arc::new(Metrics::new());
        let measured = journal.clone().wrap_appends(|appends| Measured::new(appends, Arc::clone(&metrics)));
        let (drain_sender, drain) = watch::channel(false);
        let settings = Settings {
            write_deadline: options.write_deadline,
            message_bytes: options.message_bytes,
            message_rate: options.message_rate,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = Shards::start(&hub, &metrics, settings, cores, &Handle::current())?;
        let app = Arc::new(App {
            library,
            player: Player::new(measured, tasks.clone(), stop.clone(), Arc::clone(&metrics)),
            hub,
            metrics,
            refusals_said: Seldom::default(),
            ends_said: Seldom::default(),
            guard: Guard::new(options.allow_origins, options.tls.is_some()),
            auth: Arc::new(Auth::new(options.tokens, address.port())),
            incidents: Incidents::new(journal.clone()),
            journal,
            dashboard: Dashboard::new(options.dashboard),
            speed: options.speed,
            seed: options.seed,
            shards,
            clients: Arc::new(Semaphore::new(options.max_clients as usize)),
            max_clients: options.max_clients,
            write_deadline: options.write_deadline,
            connections: TaskTracker::new(),
            tasks,
            draining: AtomicBool::new(false),
            leave: watch::channel(None).0,
            drain,
            stop,
        });
        let picked_up = match app.player.pick_up().await {
            Ok(picked_up) => picked_up,
            Err(PlayError::Journal(error)) => return Err(error.into()),
            Err(PlayError::TooMany | PlayError::Stopping) => 0,
        };
        let limits = Limits {
            request_deadline: options.request_deadline,
            header_bytes: options.header_bytes,
            admit_rate: options.admit_rate,
        };
        let tls = options.tls.map(TlsAcceptor::from);
        Ok(Self { listener, address, picked_up, app, tls, limits, drain: options.drain, drain_sender })
    }

    /// The address that is bound, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is to be spoken to with TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// How many incidents another process left open in the journal and this one goes on with.
    pub fn picked_up(&self) -> usize {
        self.picked_up
    }

    /// Whom it lets in, to change that while it serves.
    pub fn auth(&self) -> Arc<Auth> {
        Arc::clone(&self.app.auth)
    }

    /// Starts an incident, as `POST /api/incidents` does.
    pub async fn trigger(&self, scenario: &str) -> Result<Started, TriggerError> {
        self.app.trigger(scenario, None, None).await
    }

    /// Plays a recording beside everything else. How many of its incidents had begun before: see
    /// [`Player::replay`].
    pub async fn replay(&self, replay: Replay) -> Result<usize, ServeError> {
        Ok(self.app.player.replay(replay).await?)
    }

    /// Serves until `shutdown` resolves, then drains: readiness fails and nobody is let in any more, clients are asked
    /// to reconnect elsewhere, spread over a part of the drain time. Whoever asks is answered until they have gone, so
    /// that a load balancer sees it coming; then the listener closes.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, app, tls, limits, drain, drain_sender, .. } = self;
        let hub = Arc::clone(&app.hub);
        let stop = app.stop.clone();
        app.tasks.spawn(async move { hub.follow(stop).await });
        // On a worker, where the connections are served too: a hand-over between threads costs more than accepting.
        let accepting = listen::accept(listener, Arc::clone(&app), tls, limits);
        let accepting = AbortOnDropHandle::new(tokio::spawn(accepting));
        shutdown.await;
        app.draining.store(true, Ordering::Relaxed);
        // A few clients leave at once; thousands are spread, so that a successor is not stormed.
        let clients = u32::try_from(app.shards.open()).unwrap_or(u32::MAX);
        let spread = (Duration::from_millis(2) * clients).min(drain.mul_f64(0.8));
        tracing::info!(clients, "stopping");
        app.shards.drain(spread);
        app.leave.send_replace(Some(spread));
        let end = Instant::now() + drain;
        // Every place is given back.
        let _ = timeout_at(end, app.clients.acquire_many(app.max_clients)).await;
        drop(accepting);
        drain_sender.send_replace(true);
        app.connections.close();
        // Answers that are under way are finished.
        if timeout_at(end.max(Instant::now() + LAST_ANSWERS), app.connections.wait()).await.is_err()
            || app.shards.open() > 0
        {
            let (requests, clients) = (app.connections.len(), app.shards.open());
            tracing::warn!(requests, clients, "drain time is over with connections still open");
        }
        app.stop.cancel();
        app.tasks.close();
        app.tasks.wait().await;
    }
}

impl App {
    async fn trigger(
        &self,
        name: &str,
        seed: Option<u64>,
        speed: Option<Speed>,
    ) -> Result<Started, TriggerError> {
        let Some(scenario) = self.library.get(name) else {
            let near = crate::scenario::did_you_mean(name, self.library.ids()).map(str::to_owned);
            return Err(TriggerError::Unknown { name: name.to_owned(), near });
        };
        let seed = seed.or(self.seed).unwrap_or(scenario.file.seed);
        let plan = scenario.compile(seed)?;
        Ok(self.player.start(plan, speed.unwrap_or(self.speed)).await?)
    }
}
