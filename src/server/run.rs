//! The composition root: puts journal, hub, player, shards and the HTTP interface together, runs and drains them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::access::{Auth, Guard, Share};
use super::client_limit::ClientLimit;
use super::control::{IncidentControl, TriggerError, WAITING};
use super::door::{self, Door, DoorLimits};
use super::hooks::Hooks;
use super::http::{Figures, Incidents, Prefix, Quota, Streams, Told};
use super::lifecycle::Lifecycle;
use super::measured::Measured;
use super::options::{Options, cores};
use super::peers::{self, Peers};
use super::publish::{Elsewhere, PublishRate, Publisher};
use super::refusals::Refusals;
use super::serve_error::ServeError;
use super::sinks::Sinks;
use super::state::{HttpState, Parts};
use super::turns::Turns;
use super::{away, routes, shares};
use crate::connection::{SILENT_HEARTBEATS, Shards};
use crate::dashboard::Dashboard;
use crate::hub::Hub;
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::player::{PlayError, Player, Replay, Started};
use crate::scenario::{Library, Settings, SharedLibrary};

/// How long responses may still take when the drain time is over.
const LAST_RESPONSES: Duration = Duration::from_millis(250);

/// How long the server waits for what it has begun to store, when all clients have left.
const LAST_TASKS: Duration = Duration::from_secs(2);

/// The time between two clients' disconnects while the server drains, so that a successor is not overrun.
const DRAIN_STEP: Duration = Duration::from_millis(2);

/// The part of the drain time over which disconnects are spread at most.
const DRAIN_SPREAD: f64 = 0.8;

/// A bound server that does not accept yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    speaks_tls: bool,
    picked_up: usize,
    door: Door,
    auth: Arc<Auth>,
    control: Arc<IncidentControl>,
    hub: Arc<Hub>,
    shards: Arc<Shards>,
    limit: Arc<ClientLimit>,
    lifecycle: Arc<Lifecycle>,
    hooks: Arc<Hooks>,
    sinks: Arc<Sinks>,
    share: Option<Share>,
    /// There if other servers have the journal open, too.
    shared: Option<Journal>,
    drain: Duration,
    closing: watch::Sender<bool>,
}

/// Continues what an earlier process has left. Returns how many incidents that are.
async fn pick_up(player: &Player) -> Result<usize, ServeError> {
    match player.pick_up().await {
        Ok(picked_up) => Ok(picked_up),
        Err(PlayError::Journal(error)) => Err(error.into()),
        // It starts nothing, so nothing else can be wrong.
        Err(_) => Ok(0),
    }
}

/// Without tokens, a server that is not for this machine alone has to be asked for.
fn refuse_strangers(options: &Options) -> Result<(), ServeError> {
    if !options.bind.ip().is_loopback() && options.tokens.is_empty() && !options.allow_remote {
        return Err(ServeError::Remote(options.bind));
    }
    Ok(())
}

/// Binds the address. Returns it with its real port.
fn listen(options: &Options) -> Result<(TcpListener, SocketAddr), ServeError> {
    // As for a WebSocket without pongs, but longer than the deadlines that end a connection with a reason.
    let dead_after = (options.heartbeat * SILENT_HEARTBEATS.into()).max(options.write_deadline * 2);
    let listener = door::bind(options.bind, dead_after)
        .map_err(|source| ServeError::Bind { address: options.bind, source })?;
    let address = listener.local_addr().unwrap_or(options.bind);
    Ok((listener, address))
}

fn limits(options: &Options) -> DoorLimits {
    DoorLimits {
        request_deadline: options.request_deadline,
        write_deadline: options.write_deadline,
        header_bytes: options.header_bytes,
        admit_rate: options.admit_rate,
        waiting: options.max_waiting,
        served: options.max_served,
    }
}

impl Server {
    /// Raises the limit of open files, binds the address, warms the hub and goes on with the open incidents of the journal. Clients that connect from
    /// now on wait until [`Server::run`] accepts them.
    pub async fn bind(options: Options, library: Library, journal: Journal) -> Result<Self, ServeError> {
        refuse_strangers(&options)?;
        let options = shares::fit(options)?;
        let limits = limits(&options);
        let (listener, address) = listen(&options)?;
        let (closing, is_closing) = watch::channel(false);
        let lifecycle = Arc::new(Lifecycle::new(is_closing));
        let hub = Arc::new(Hub::new(journal.clone(), options.heartbeat).await?);
        let metrics = Arc::new(Metrics::new());
        let (cores, threads) = (cores(), options.client_threads());
        let shards = Shards::start(&hub, &metrics, options.connection(), threads, &Handle::current())?;
        let shards = Arc::new(shards);
        let measured = journal.clone().wrap_appends(|appends| Measured::new(appends, Arc::clone(&metrics)));
        let elsewhere = Arc::new(Elsewhere::default());
        let (counts, others) = (Arc::clone(&metrics), Arc::clone(&elsewhere));
        let hooks = Arc::new(Hooks::new(options.receivers, measured.clone(), counts, others));
        let (tasks, stop) = (lifecycle.tasks.clone(), lifecycle.stop.clone());
        let player = Player::new(measured.clone(), tasks, stop, Arc::clone(&metrics));
        let (counts, leading) = (Arc::clone(&metrics), player.leading());
        let sinks = Sinks::new(options.sinks, measured.clone(), counts, &lifecycle, leading);
        let control = Arc::new(IncidentControl {
            library: library.into(),
            compiling: Turns::new(cores, WAITING),
            player,
            speed: options.speed,
            seed: options.seed,
        });
        let publisher = Arc::new(Publisher::start(
            measured,
            control.player.clone(),
            &lifecycle,
            Arc::clone(&metrics),
            elsewhere,
        )?);
        let picked_up = pick_up(&control.player).await?;
        let auth = Arc::new(Auth::new(options.tokens, address.port(), &journal));
        let shared = journal.is_shared().then(|| journal.clone());
        let share = Share::begin(journal.clone(), &auth).await;
        let limit = Arc::new(ClientLimit::new(options.max_clients));
        let refusals = Arc::new(Refusals::new(Arc::clone(&metrics)));
        let speaks_tls = options.tls.is_some();
        let origins = peers::origins(&options.peers);
        let guard = Arc::new(Guard::new(options.allow_origins, origins, speaks_tls));
        let state = HttpState(Arc::new(Parts {
            auth: Arc::clone(&auth),
            guard: Arc::clone(&guard),
            peers: Arc::new(Peers::new(options.peers)),
            prefix: Arc::new(Prefix { own: options.base_path, forwarded: options.allow_forwarded_prefix }),
            refusals: Arc::clone(&refusals),
            dashboard: Arc::new(Dashboard::new(options.dashboard)),
            hub: Arc::clone(&hub),
            lifecycle: Arc::clone(&lifecycle),
            streams: Arc::new(Streams {
                hub: Arc::clone(&hub),
                shards: Arc::clone(&shards),
                limit: Arc::clone(&limit),
                lifecycle: Arc::clone(&lifecycle),
            }),
            control: Arc::clone(&control),
            listed: Arc::default(),
            incidents: Arc::new(Incidents::new(journal.clone())),
            quota: Arc::new(Quota::new(cores, journal.clone())),
            publisher,
            publish_rate: Arc::new(PublishRate::new(options.publish_rate)),
            figures: Arc::new(Figures {
                told: Told::default(),
                journal,
                hub: Arc::clone(&hub),
                control: Arc::clone(&control),
                shards: Arc::clone(&shards),
                limit: Arc::clone(&limit),
                metrics,
            }),
            hooks: Arc::clone(&hooks),
        }));
        let allows_origin = Box::new(move |origin: &str| guard.allows(origin));
        let routes = (routes::router(state.clone()), routes::handshake(state));
        let door = Door::new(routes, options.tls, limits, Arc::clone(&lifecycle), refusals, allows_origin);
        Ok(Self {
            listener,
            address,
            speaks_tls,
            picked_up,
            door,
            auth,
            control,
            hub,
            shards,
            limit,
            lifecycle,
            hooks,
            sinks: Arc::new(sinks),
            share,
            shared,
            drain: options.drain,
            closing,
        })
    }

    /// The bound address, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether clients have to speak TLS.
    pub fn speaks_tls(&self) -> bool {
        self.speaks_tls
    }

    /// How many open incidents of the journal this server goes on with.
    pub fn picked_up(&self) -> usize {
        self.picked_up
    }

    /// The tokens and sessions, to replace the tokens while it serves.
    pub fn auth(&self) -> Arc<Auth> {
        Arc::clone(&self.auth)
    }

    /// The scenarios, to replace them while it serves.
    pub fn library(&self) -> SharedLibrary {
        self.control.library.clone()
    }

    /// The receivers, to replace them while it serves.
    pub fn hooks(&self) -> Arc<Hooks> {
        Arc::clone(&self.hooks)
    }

    /// The sinks, to replace them while it serves.
    pub fn sinks(&self) -> Arc<Sinks> {
        Arc::clone(&self.sinks)
    }

    /// Starts an incident, as `POST /api/incidents` does.
    pub async fn trigger(&self, scenario: &str) -> Result<Started, TriggerError> {
        self.control
            .trigger(IpAddr::from(Ipv4Addr::LOCALHOST), scenario, None, None, Settings::default())
            .await
    }

    /// Plays a recording beside everything else. Returns how many of its incidents had begun before: see
    /// [`Player::replay`].
    pub async fn replay(&self, replay: Replay) -> Result<usize, ServeError> {
        Ok(self.control.player.replay(replay).await?)
    }

    /// Serves until `shutdown` resolves, then drains: readiness fails, new clients are refused, and connected clients
    /// are asked to reconnect elsewhere, spread over a part of the drain time. Requests are answered until the clients
    /// have left, so that a load balancer notices; then the listener closes.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            door,
            hub,
            shards,
            limit,
            lifecycle,
            hooks,
            sinks,
            share,
            shared,
            drain,
            closing,
            ..
        } = self;
        let stop = lifecycle.stop.clone();
        lifecycle.tasks.spawn(async move { hub.follow(stop).await });
        if hooks.is_on() {
            let stop = lifecycle.stop.clone();
            lifecycle.tasks.spawn(async move { hooks.follow_time(stop).await });
        }
        if sinks.is_on() {
            let stop = lifecycle.stop.clone();
            lifecycle.tasks.spawn(async move { sinks.follow(stop).await });
        }
        if let Some(share) = share {
            lifecycle.tasks.spawn(share.run(lifecycle.stop.clone()));
        }
        if let Some(journal) = shared {
            let (shards, stop) = (Arc::clone(&shards), lifecycle.stop.clone());
            lifecycle.tasks.spawn(away::send_away(journal, shards, stop));
        }
        // On a worker thread, where connections are served too: a hand-over between threads costs more than accepting.
        let accepting = door::accept(listener, Arc::new(door));
        let accepting = AbortOnDropHandle::new(tokio::spawn(accepting));
        shutdown.await;
        lifecycle.drain();
        let clients = limit.taken();
        let spread = (DRAIN_STEP * clients).min(drain.mul_f64(DRAIN_SPREAD));
        tracing::info!(clients, "stopping");
        shards.drain(spread);
        let end = Instant::now() + drain;
        let left = timeout_at(end, limit.all_left()).await;
        closing.send_replace(true);
        // It takes in what has connected until now, and ends. If it has panicked, the door is shut as well.
        let _ = accepting.await;
        lifecycle.connections.close();
        // Responses that have begun are finished.
        let responses =
            timeout_at(end.max(Instant::now() + LAST_RESPONSES), lifecycle.connections.wait()).await;
        if left.is_err() || responses.is_err() {
            let (requests, clients) = (lifecycle.connections.len(), shards.open());
            tracing::warn!(requests, clients, "the drain time is over; open connections are closed");
        }
        lifecycle.stop.cancel();
        lifecycle.tasks.close();
        // A journal that hangs must not keep the process: what is not committed then is not there, as after a kill.
        if timeout(LAST_TASKS, lifecycle.tasks.wait()).await.is_err() {
            let tasks = lifecycle.tasks.len();
            tracing::warn!(tasks, "the server stops although the journal has not answered");
        }
    }
}
