//! Every WebSocket client: a cursor into the hub and a socket, many of them on one thread.
//!
//! A thread a core (a *shard*) owns its sockets and polls them itself. It is woken once a message, not once a client:
//! what is new is joined once and written to every socket whose client has all that was before, straight from the
//! hub's shared bytes. A socket that takes no more costs a cursor and the rest of one frame; it goes on from there when
//! it is writable, behind the ring with pages from the journal. Reading, pongs and masks are tungstenite's protocol
//! state machine, which is fed from a buffer of the shard and whose answers join the same way out, on the border
//! between two frames.

mod behind;
mod client;
mod close;
mod inbound;
mod lease;
mod outgoing;
mod schedule;
mod shard;
mod wire;

use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConnection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::hub::Hub;
use crate::metrics::{Metrics, Tally};
use crate::seldom::Seldom;
use shard::{Order, Shard, World};

pub use close::End;
pub use lease::Lease;

/// How connections behave.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a full socket may take nothing before it is closed.
    pub write_deadline: Duration,
    /// The largest message a client may send. What it says is ignored; this bounds what that costs.
    pub message_bytes: usize,
    /// How many of them it may send a second.
    pub message_rate: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { write_deadline: Duration::from_secs(10), message_bytes: 16 * 1024, message_rate: 100 }
    }
}

/// A client whose handshake is done.
pub struct Arrival {
    /// Its socket, non-blocking.
    pub tcp: TcpStream,
    /// TLS above it, its handshake done too.
    pub tls: Option<Box<ServerConnection>>,
    /// What it sent behind the handshake.
    pub tail: Vec<u8>,
    /// What it did not get yet of its first frame …
    pub opened: Bytes,
    /// … and the position after which it goes on.
    pub cursor: u64,
    /// Its place among the clients, given back at the end.
    pub permit: OwnedSemaphorePermit,
    /// What it may stay by; `None` if nobody is asked.
    pub lease: Option<Lease>,
}

/// Clients that one shard takes before the next one gets any: with few clients it is cheaper to wake one thread.
const FEW: usize = 256;

/// How long a client that came waits at most for its shard. It was greeted, and what is new finds it sooner.
const SOON: Duration = Duration::from_millis(2);

/// The threads.
pub struct Shards {
    links: Vec<Arc<Link>>,
    runtime: Handle,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The way to a shard from elsewhere.
struct Link {
    orders: mpsc::Sender<Order>,
    waker: mio::Waker,
    /// It was woken and did not look yet: waking it again would only cost.
    awake: AtomicBool,
    /// It is woken soon.
    expected: AtomicBool,
    clients: AtomicUsize,
}

impl Link {
    fn wake(&self) {
        if !self.awake.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "cannot wake a shard; it looks again at its next tick");
        }
    }

    /// Whoever comes later sees it when the shard takes it over.
    fn tell_of_news(&self) {
        // Sequentially consistent, as the counting is: either the one that comes is seen here, or what is new is seen
        // there.
        if self.clients.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    /// As [`Link::order`], for what can wait a moment: what comes meanwhile shares the waking, which costs as much as
    /// the rest of it.
    fn order_soon(self: &Arc<Self>, order: Order, runtime: &Handle) {
        if self.orders.send(order).is_ok() && !self.expected.swap(true, Ordering::AcqRel) {
            let link = Arc::clone(self);
            runtime.spawn(async move {
                tokio::time::sleep(SOON).await;
                link.expected.store(false, Ordering::Release);
                link.wake();
            });
        }
    }

    fn order(&self, order: Order) {
        // A shard that ended has no clients to do anything for.
        if self.orders.send(order).is_ok() {
            self.wake();
        }
    }
}

impl Shards {
    /// Starts `count` threads over a hub. Pages from its journal are read on `runtime`; ends are counted in `metrics`.
    ///
    /// # Errors
    /// When the system gives no poll or no thread.
    pub fn start(
        hub: &Arc<Hub>,
        metrics: &Arc<Metrics>,
        settings: Settings,
        count: usize,
        runtime: &Handle,
    ) -> std::io::Result<Self> {
        let ends_said = Arc::new(Seldom::default());
        let (mut links, mut threads) = (Vec::new(), Vec::new());
        for number in 0..count.max(1) {
            let poll = mio::Poll::new()?;
            let waker = mio::Waker::new(poll.registry(), shard::WAKE)?;
            let (orders, inbox) = mpsc::channel();
            let link = Arc::new(Link {
                orders,
                waker,
                awake: false.into(),
                expected: false.into(),
                clients: 0.into(),
            });
            let world = World {
                hub: Arc::clone(hub),
                metrics: Arc::clone(metrics),
                ends_said: Arc::clone(&ends_said),
                settings,
                runtime: runtime.clone(),
            };
            let shard = Shard::new(poll, Arc::clone(&link), inbox, world);
            let woken = Arc::clone(&link);
            hub.on_advance(Box::new(move || woken.tell_of_news()));
            let named = thread::Builder::new().name(format!("clients-{number}"));
            threads.push(named.spawn(move || whole_or_not_at_all(shard))?);
            links.push(link);
        }
        Ok(Self { links, runtime: runtime.clone(), threads: Mutex::new(threads) })
    }

    /// Hands over a client. Its socket belongs to one shard from now on.
    pub fn adopt(&self, arrival: Arrival) {
        let load = |link: &&Arc<Link>| link.clients.load(Ordering::Relaxed);
        let few = self.links.iter().find(|link| load(link) < FEW);
        if let Some(link) = few.or_else(|| self.links.iter().min_by_key(load)) {
            link.clients.fetch_add(1, Ordering::SeqCst);
            link.order_soon(Order::Adopt(Box::new(arrival)), &self.runtime);
        }
    }

    /// How many clients there are.
    pub fn open(&self) -> usize {
        self.links.iter().map(|link| link.clients.load(Ordering::Relaxed)).sum()
    }

    /// What the clients come to at this moment.
    pub async fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for link in &self.links {
            let (answer, asked) = oneshot::channel();
            link.order(Order::Tally(answer));
            // One that has ended has no clients.
            tally.add(asked.await.unwrap_or_default());
        }
        tally
    }

    /// Asks every client to leave, at a random moment within that time.
    pub fn drain(&self, within: Duration) {
        for link in &self.links {
            link.order(Order::Drain(within));
        }
    }
}

impl Drop for Shards {
    /// Ends the threads, whoever is still connected.
    fn drop(&mut self) {
        for link in &self.links {
            link.order(Order::Stop);
        }
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // One that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

/// A panic is a defect, and one that leaves a part of the clients without a thread while the server seems well. Then it
/// rather ends as a whole: the journal has everything, whoever starts it again goes on, and clients resume.
fn whole_or_not_at_all(shard: Shard) {
    if catch_unwind(AssertUnwindSafe(|| shard.run())).is_err() {
        tracing::error!("a thread that serves clients panicked: the server ends here");
        std::process::abort();
    }
}
