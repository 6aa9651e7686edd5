//! The threads that serve the clients of the stream.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::arrival::Arrival;
use super::settings::Settings;
use super::shard::{Link, Order, Shard, ShardContext, WAKE};
use crate::delivery::EndLog;
use crate::hub::Hub;
use crate::metrics::{ByTransport, Metrics, Tally};

/// Clients that one shard gets before the next one gets any: with few clients it is cheaper to wake one thread.
const FEW: usize = 256;

/// The shards of one server.
pub struct Shards {
    links: Vec<Arc<Link>>,
    runtime: Handle,
    threads: Vec<JoinHandle<()>>,
}

impl Shards {
    /// Starts `count` threads over a hub. Pages from its journal are read on `runtime`; ends are counted in `metrics`.
    ///
    /// # Errors
    /// The operating system gives no further descriptor or thread.
    pub fn start(
        hub: &Arc<Hub>,
        metrics: &Arc<Metrics>,
        settings: Settings,
        count: usize,
        runtime: &Handle,
    ) -> std::io::Result<Self> {
        let ends = Arc::new(ByTransport::new(|transport| EndLog::new(transport, Arc::clone(metrics))));
        let context = ShardContext { hub: Arc::clone(hub), ends, settings, runtime: runtime.clone() };
        let (mut links, mut threads) = (Vec::new(), Vec::new());
        for number in 0..count.max(1) {
            let poll = mio::Poll::new()?;
            let waker = mio::Waker::new(poll.registry(), WAKE)?;
            let (orders, inbox) = mpsc::channel();
            let link = Arc::new(Link::new(orders, waker));
            let shard = Shard::new(poll, Arc::clone(&link), inbox, context.clone())?;
            let woken = Arc::clone(&link);
            hub.on_advance(Box::new(move || woken.frames_were_added()));
            let named = thread::Builder::new().name(format!("clients-{number}"));
            threads.push(named.spawn(move || run_or_abort(shard))?);
            links.push(link);
        }
        Ok(Self { links, runtime: runtime.clone(), threads })
    }

    /// Hands over a client. Its socket belongs to one shard from now on.
    pub fn adopt(&self, arrival: Arrival) {
        let load = |link: &&Arc<Link>| link.clients();
        let few = self.links.iter().find(|link| load(link) < FEW);
        if let Some(link) = few.or_else(|| self.links.iter().min_by_key(load)) {
            link.client_comes();
            link.order_soon(Order::Adopt(Box::new(arrival)), &self.runtime);
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.links.len()
    }

    /// How many clients are connected.
    pub fn open(&self) -> usize {
        self.links.iter().map(|link| link.clients()).sum()
    }

    /// The figures of all clients at this moment.
    pub async fn tally(&self) -> ByTransport<Tally> {
        let mut tallies = ByTransport::<Tally>::default();
        for link in &self.links {
            let (answer, asked) = oneshot::channel();
            link.order(Order::Tally(answer));
            // A shard that has ended has no clients.
            let tally = asked.await.unwrap_or_default();
            tallies.websocket.add(tally.websocket);
            tallies.event_stream.add(tally.event_stream);
        }
        tallies
    }

    /// Asks every client to leave, each at a random moment within that time.
    pub fn drain(&self, within: Duration) {
        for link in &self.links {
            link.order(Order::Drain(within));
        }
    }

    /// Asks every client to go to another server, each at a random moment within that time.
    pub fn send_away(&self, within: Duration) {
        for link in &self.links {
            link.order(Order::SendAway(within));
        }
    }

    /// Clients that were to go and are still there may stay.
    pub fn keep(&self) {
        for link in &self.links {
            link.order(Order::Keep);
        }
    }
}

impl Drop for Shards {
    /// Ends the threads, and with them every connection.
    fn drop(&mut self) {
        for link in &self.links {
            link.order(Order::Stop);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended.
            let _ = thread.join();
        }
    }
}

/// A panic is a defect that would leave a part of the clients without a thread while the server seems healthy. The
/// process ends instead: the journal has every event, the next process goes on, and clients resume.
fn run_or_abort(shard: Shard) {
    if catch_unwind(AssertUnwindSafe(|| shard.run())).is_err() {
        tracing::error!("a thread that serves clients panicked: the server aborts");
        std::process::abort();
    }
}
