//! The composition root: journal, hub, player and library behind one listener. Nothing below it spawns a task
//! that is not waited for here.

mod api;
mod events;
mod guard;
mod incidents;
mod listen;
mod measured;
mod observe;
mod problem;
mod routes;
mod seldom;
mod socket;
mod upgrade;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Settings;
use crate::dashboard::Dashboard;
use crate::hub::Hub;
use crate::journal::{Journal, JournalError};
use crate::metrics::Metrics;
use crate::player::{PlayError, Player, Replay, Speed, Started};
use crate::scenario::Library;
use crate::scenario::timeline::CompileError;

use guard::Guard;
pub use guard::{Origin, OriginError};
use incidents::Incidents;
use measured::Measured;
use seldom::Seldom;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes any.
    pub bind: SocketAddr,
    /// Listen beyond loopback though nobody has to prove who they are.
    pub allow_remote: bool,
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
    pub max_clients: usize,
    /// Serve the page from this folder instead of the one that is built in.
    pub dashboard: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            allow_remote: false,
            allow_origins: Vec::new(),
            speed: Speed::REAL_TIME,
            seed: None,
            heartbeat: Duration::from_secs(5),
            write_deadline: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            max_clients: 10_000,
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

/// A bound server that does not accept yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    picked_up: usize,
    app: Arc<App>,
    drain: Duration,
    drain_sender: watch::Sender<Option<Duration>>,
}

/// What every handler shares.
struct App {
    library: Library,
    journal: Arc<dyn Journal>,
    player: Player,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    refusals_said: Seldom,
    guard: Guard,
    incidents: Incidents,
    dashboard: Dashboard,
    speed: Speed,
    seed: Option<u64>,
    connection: Settings,
    clients: Arc<Semaphore>,
    max_clients: usize,
    /// HTTP, event stream and WebSocket connections.
    connections: TaskTracker,
    /// Everything else: hub and player.
    tasks: TaskTracker,
    draining: AtomicBool,
    drain: watch::Receiver<Option<Duration>>,
    stop: CancellationToken,
}

/// One stalled client holds at most this much in the kernel (it doubles the figure for bookkeeping).
const SEND_BUFFER: u32 = 64 * 1024;

impl Server {
    /// Binds the address and warms the hub. Clients that connect from now on wait to be accepted.
    pub async fn bind(
        options: Options,
        library: Library,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, ServeError> {
        if !options.bind.ip().is_loopback() && !options.allow_remote {
            return Err(ServeError::Remote(options.bind));
        }
        let listener =
            listen(options.bind).map_err(|source| ServeError::Bind { address: options.bind, source })?;
        let address = listener.local_addr().unwrap_or(options.bind);
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let hub = Arc::new(Hub::new(Arc::clone(&journal), options.heartbeat).await?);
        let metrics = Arc::new(Metrics::new());
        let measured = Arc::new(Measured::new(Arc::clone(&journal), Arc::clone(&metrics)));
        let (drain_sender, drain) = watch::channel(None);
        let app = Arc::new(App {
            library,
            player: Player::new(measured, tasks.clone(), stop.clone(), Arc::clone(&metrics)),
            hub,
            metrics,
            refusals_said: Seldom::default(),
            guard: Guard::new(options.allow_origins),
            incidents: Incidents::new(Arc::clone(&journal)),
            journal,
            dashboard: Dashboard::new(options.dashboard),
            speed: options.speed,
            seed: options.seed,
            connection: Settings { write_deadline: options.write_deadline },
            clients: Arc::new(Semaphore::new(options.max_clients)),
            max_clients: options.max_clients,
            connections: TaskTracker::new(),
            tasks,
            draining: AtomicBool::new(false),
            drain,
            stop,
        });
        let picked_up = match app.player.pick_up().await {
            Ok(picked_up) => picked_up,
            Err(PlayError::Journal(error)) => return Err(error.into()),
            Err(PlayError::TooMany | PlayError::Stopping) => 0,
        };
        Ok(Self { listener, address, picked_up, app, drain: options.drain, drain_sender })
    }

    /// The address that is bound, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many incidents another process left open in the journal and this one goes on with.
    pub fn picked_up(&self) -> usize {
        self.picked_up
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

    /// Serves until `shutdown` resolves, then drains: readiness fails, the listener closes, clients are asked to
    /// reconnect elsewhere, spread over a part of the drain time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, app, drain, drain_sender, .. } = self;
        let hub = Arc::clone(&app.hub);
        let stop = app.stop.clone();
        app.tasks.spawn(async move { hub.follow(stop).await });
        tokio::select! {
            () = listen::accept(listener, Arc::clone(&app)) => {}
            () = shutdown => {}
        }
        app.draining.store(true, Ordering::Relaxed);
        // A few clients leave at once; thousands are spread, so that a successor is not stormed.
        let clients = u32::try_from(app.connections.len()).unwrap_or(u32::MAX);
        let spread = (Duration::from_millis(2) * clients).min(drain.mul_f64(0.8));
        tracing::info!(connections = clients, "stopping");
        drain_sender.send_replace(Some(spread));
        app.connections.close();
        if timeout(drain, app.connections.wait()).await.is_err() {
            tracing::warn!(left = app.connections.len(), "drain time is over with connections still open");
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
        let timeline = scenario.compile(seed)?;
        Ok(self.player.start(timeline, speed.unwrap_or(self.speed)).await?)
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(4096)
}
