//! The engine: a thread that talks to the NATS servers, and the handle that callers hold.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tokio::sync::{mpsc as channel, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::super::choice::Choice;
use super::super::clock::{Clock, Times};
use super::super::error::{JournalError, Trouble, TroubleKind};
use super::super::handle::Journal;
use super::super::lease::Lease;
use super::super::log::{
    Append, Extent, Health, IncidentIndex, Leases, Log, Note, OpenIncident, Pending, ReadLimit, Register,
    Retention, Shelf, Span,
};
use super::super::open_error::OpenError;
use super::super::record::{Appended, Batch, KeyedEvent, Stored};
use super::super::time_source::{MachineClocks, TimeSource};
use super::lease::{Keeper, Request};
use super::location::{Location, claims};
use super::message::PlanMark;
use super::shared::Shared;
use super::vitals::unavailable;
use super::writer::{self, Waiting};
use super::{location, open, plans, post, question, reader, register, tail, upkeep};
use crate::contract::StreamId;
use crate::metrics::Cluster;

/// The locations `nats://…` and `tls://…`.
pub(in crate::journal) const CHOICE: Choice = Choice {
    claims,
    open: |location, retention| Ok(Journal::new(Nats::open(location, retention)?)),
    is_durable: true,
};

/// How many plans are asked for at once.
const AT_ONCE: usize = 32;

/// How long the end waits for what was begun.
const PATIENCE: Duration = Duration::from_secs(5);

/// A journal in a stream of NATS JetStream, which other processes have open too.
#[derive(Debug)]
pub struct Nats {
    shared: Arc<Shared>,
    appends: Option<channel::UnboundedSender<Waiting>>,
    leases: channel::UnboundedSender<Request>,
    thread: Option<JoinHandle<()>>,
    /// Loses its sender when the thread has ended.
    is_done: Mutex<mpsc::Receiver<()>>,
}

impl Nats {
    /// Opens the journal at `nats://HOST:PORT[,HOST:PORT…]?stream=NAME&durability=always`, or creates it with `create=1`.
    /// Waits for the servers.
    ///
    /// # Errors
    /// The location is wrong, the servers can't be reached or are too old, or the stream is not what it must be.
    pub fn open(location: &Path, retention: Retention) -> Result<Self, OpenError> {
        Self::with_clocks(location, retention, Arc::new(MachineClocks::new()))
    }

    /// As [`Nats::open`], with a journal that reads the time from `source`.
    ///
    /// # Errors
    /// As [`Nats::open`].
    pub fn with_clocks(
        location: &Path,
        retention: Retention,
        source: Arc<dyn TimeSource>,
    ) -> Result<Self, OpenError> {
        // A location that is refused may have a password.
        let read = Location::parse(location)
            .map_err(|why| OpenError::unusable(&location::without_secrets(location), why))?;
        let described = read.described();
        let unusable = |why: String| OpenError::unusable(Path::new(&described), why);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| unusable(error.to_string()))?;
        let (appends, waiting) = channel::unbounded_channel();
        let (leases, requests) = channel::unbounded_channel();
        let (opened, opening) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let _done: mpsc::Sender<()> = done;
            runtime.block_on(async move {
                match open::open(&read, retention, source).await {
                    Ok(shared) => {
                        let shared = Arc::new(shared);
                        // Nobody listens if the caller has panicked.
                        let _ = opened.send(Ok(Arc::clone(&shared)));
                        run(&shared, waiting, requests).await;
                    }
                    Err(why) => drop(opened.send(Err(why))),
                }
            });
        });
        let thread = thread.map_err(|error| unusable(error.to_string()))?;
        let shared = opening.recv().unwrap_or_else(|_| Err("its thread has ended".to_owned()));
        let shared = shared.map_err(unusable)?;
        Ok(Self {
            shared,
            appends: Some(appends),
            leases,
            thread: Some(thread),
            is_done: Mutex::new(is_done),
        })
    }

    /// The plan of an open incident with this mark.
    async fn plan_of(&self, subject: &str, mark: &PlanMark) -> Result<Option<Arc<str>>, JournalError> {
        let shared = &self.shared;
        plans::load(&shared.api, &shared.names, subject, mark).await.map_err(unavailable)
    }
}

/// Everything that the thread does until nobody can append any more.
async fn run(
    shared: &Shared,
    waiting: channel::UnboundedReceiver<Waiting>,
    requests: channel::UnboundedReceiver<Request>,
) {
    let live = match shared.api.client().subscribe(shared.names.live()).await {
        Ok(live) => live,
        // A subject that the location could not have named.
        Err(error) => return tracing::error!(%error, "the journal can't follow its stream"),
    };
    let stop = CancellationToken::new();
    let writing = async {
        writer::run(shared, waiting).await;
        stop.cancel();
    };
    let keeping = Keeper::new(shared, requests).run(stop.clone());
    let looking_after = upkeep::run(shared, stop.clone());
    let asking = question::ask(shared, stop.clone());
    tokio::join!(tail::follow(shared, live, stop.clone()), writing, keeping, looking_after, asking);
    // What is left are notices; the lease was acknowledged.
    let _ = tokio::time::timeout(Duration::from_millis(250), shared.api.client().flush()).await;
}

fn stopped() -> JournalError {
    JournalError::Unavailable(Trouble::new(TroubleKind::Stopped))
}

impl Append for Nats {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        let (reply, answer) = oneshot::channel();
        let sent =
            self.appends.as_ref().is_some_and(|appends| appends.send(Waiting { batch, reply }).is_ok());
        Box::pin(async move {
            if !sent {
                return Err(stopped());
            }
            answer.await.unwrap_or_else(|_| Err(stopped()))
        })
    }
}

impl Log for Nats {
    fn stream(&self) -> &StreamId {
        &self.shared.stream
    }

    fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>> {
        Box::pin(reader::read(&self.shared, after, limit))
    }

    fn has(&self, position: u64) -> Pending<'_, bool> {
        Box::pin(question::has(&self.shared, position))
    }

    fn catch_up(&self) -> Pending<'_, ()> {
        Box::pin(question::catch_up(&self.shared))
    }

    fn extent(&self) -> Extent {
        *self.shared.extent.borrow()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.shared.extent.subscribe()
    }
}

impl Health for Nats {
    fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.shared.vitals.health()
    }

    fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    fn cluster(&self) -> Option<Cluster> {
        let Shared { figures, fold, newest_term, vitals, .. } = &*self.shared;
        let term = *newest_term.borrow();
        Some(figures.cluster(&fold.lock(), term, vitals.confirmed_age()))
    }

    fn warning(&self) -> Option<String> {
        self.shared.figures.warning()
    }
}

impl IncidentIndex for Nats {
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        Box::pin(async move {
            let open: Vec<_> = {
                let now = self.shared.clock.steady();
                let fold = self.shared.fold.lock();
                let open = fold.open().map(|(subject, incident)| {
                    let incident_now = OpenIncident {
                        subject: subject.to_string(),
                        start: incident.start,
                        index: incident.index(),
                        time: incident.last.time,
                        age: incident.begun.map(|begun| now.saturating_sub(begun)),
                        plan: None,
                    };
                    (incident_now, incident.plan.clone())
                });
                open.collect()
            };
            let loading = open.into_iter().map(|(mut incident, mark)| async move {
                if let Some(mark) = mark {
                    let plan = self.plan_of(&incident.subject, &mark).await?;
                    incident.plan = Some(plan.unwrap_or_else(|| Arc::from("")));
                }
                Ok(incident)
            });
            futures_util::stream::iter(loading).buffered(AT_ONCE).try_collect().await
        })
    }

    fn open_without_plan(&self) -> Pending<'_, Vec<Span>> {
        let fold = self.shared.fold.lock();
        let bare = fold.open().filter(|(_, incident)| incident.plan.is_none());
        let found = bare.filter_map(|(subject, _)| fold.span(subject)).collect();
        Box::pin(async move { Ok(found) })
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        let found = self.shared.fold.lock().newest(limit);
        Box::pin(async move { Ok(found) })
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        let found = self.shared.fold.lock().span(subject);
        Box::pin(async move { Ok(found) })
    }

    fn is_taken(&self, subject: &str) -> Pending<'_, bool> {
        let is_taken = self.shared.fold.lock().is_taken(subject);
        Box::pin(async move { Ok(is_taken) })
    }

    fn times(&self) -> Times {
        let fold = self.shared.fold.lock();
        self.shared.clock.times(fold.open().map(|(subject, incident)| (subject, incident.last)))
    }

    fn ahead_in(&self, subject: &str) -> Duration {
        let fold = self.shared.fold.lock();
        self.shared.clock.ahead_after(fold.incident(subject).map(|incident| incident.last))
    }

    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>> {
        let mark = self.shared.fold.lock().incident(subject).and_then(|incident| incident.plan.clone());
        let subject = subject.to_owned();
        Box::pin(async move {
            match mark {
                Some(mark) => self.plan_of(&subject, &mark).await,
                None => Ok(None),
            }
        })
    }

    fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>> {
        let fold = self.shared.fold.lock();
        let found = names.iter().map(|name| fold.named(name)).collect();
        drop(fold);
        Box::pin(async move { Ok(found) })
    }
}

impl Register for Nats {
    fn shelf(&self) -> Pending<'_, Shelf> {
        Box::pin(register::shelf(&self.shared))
    }

    fn notes(&self, after: u64) -> Pending<'_, Vec<Note>> {
        Box::pin(register::changed(&self.shared, after))
    }

    fn note(&self, name: &str, text: Option<String>, over: Option<u64>) -> Pending<'_, Option<u64>> {
        let name = name.to_owned();
        Box::pin(async move { register::write(&self.shared, &name, text, over).await })
    }

    fn forget_note(&self, name: &str) -> Pending<'_, ()> {
        let name = name.to_owned();
        Box::pin(async move { register::forget(&self.shared, &name).await })
    }
}

impl Leases for Nats {
    fn is_shared(&self) -> bool {
        true
    }

    fn is_held<'a>(&'a self, lease: &'a Lease) -> Pending<'a, bool> {
        let Shared { api, names, node, .. } = &*self.shared;
        Box::pin(async move {
            let newest = post::newest(api, names).await.map_err(unavailable)?;
            Ok(newest.is_some_and(|post| post.node == *node && post.term == lease.term().0))
        })
    }

    fn lease(&self) -> Pending<'_, Lease> {
        let (reply, answer) = oneshot::channel();
        let sent = self.leases.send(reply).is_ok();
        Box::pin(async move {
            if !sent {
                return Err(stopped());
            }
            let term = answer.await.unwrap_or_else(|_| Err(stopped()))?;
            Ok(Lease::new(term, self.shared.newest_term.subscribe()))
        })
    }
}

impl Drop for Nats {
    /// The thread finishes what waits and gives the lease back.
    fn drop(&mut self) {
        self.appends = None;
        if self.is_done.lock().recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            return tracing::error!("the journal is left as it is, because the NATS servers do not answer");
        }
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, there is nothing left to finish.
            let _ = thread.join();
        }
    }
}
