//! The couriers of all sinks. They can be replaced while drills are played.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::notes::Notes;
use crate::client::Endpoint;
use crate::journal::{Journal, Lease};
use crate::metrics::Metrics;
use crate::server::lifecycle::Lifecycle;
use crate::sinks::{ALIVE, Courier, Shown, Sink, Target};
use crate::world::{Alerts, Tempo};

/// A sink with what its files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkSetup {
    /// What it does.
    pub sink: Sink,
    /// Its URL, with credentials and certificates.
    pub endpoint: Endpoint,
}

/// The sinks of one server.
pub struct Sinks {
    is_on: bool,
    pub(super) journal: Journal,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    stop: CancellationToken,
    fleet: Mutex<Fleet>,
    /// Whether this server has the lease of a journal that other servers have open, too.
    pub(super) leading: watch::Receiver<Option<Lease>>,
}

#[derive(Default)]
struct Fleet {
    /// The sinks that are told when this server tells sinks: not before it runs, and of a journal that several servers have
    /// open, only while it has the lease.
    waiting: Option<Vec<SinkSetup>>,
    posts: Vec<Post>,
    /// The drills that are played.
    drills: BTreeMap<String, Drill>,
}

/// A drill that is played.
#[derive(Debug, Clone)]
pub(super) struct Drill {
    /// The scenario's id.
    pub(super) scenario: String,
    pub(super) alerts: Arc<Alerts>,
    pub(super) tempo: Tempo,
    /// When its second 0 was, by the steady clock.
    pub(super) began: SignedDuration,
}

impl Drill {
    /// Adds its alerts to those of a courier.
    fn add_to(&self, courier: &Courier, incident: &str) {
        courier.add(incident, &self.alerts, Shown { wall: self.tempo.began, steady: self.began });
    }
}

/// A sink at work.
struct Post {
    setup: SinkSetup,
    courier: Arc<Courier>,
    retired: CancellationToken,
}

impl Sinks {
    /// The couriers run until the server stops, but not before the server follows the journal.
    pub(in crate::server) fn new(
        setups: Option<Vec<SinkSetup>>,
        journal: Journal,
        metrics: Arc<Metrics>,
        lifecycle: &Lifecycle,
        leading: watch::Receiver<Option<Lease>>,
    ) -> Self {
        let (tasks, stop) = (lifecycle.tasks.clone(), lifecycle.stop.clone());
        let is_on = setups.is_some();
        let fleet = Fleet { waiting: Some(setups.unwrap_or_default()), ..Fleet::default() };
        let sinks = Self { is_on, journal, metrics, tasks, stop, fleet: Mutex::new(fleet), leading };
        sinks.announce();
        sinks
    }

    /// Shows the counters of the sinks that are not told yet.
    fn announce(&self) {
        for setup in self.fleet.lock().waiting.iter().flatten() {
            self.metrics.sinks().announce(&setup.sink.name);
        }
    }

    /// Sends the couriers out.
    pub(super) fn start(&self) {
        let waiting = self.fleet.lock().waiting.take();
        if let Some(setups) = waiting {
            self.replace(setups);
        }
    }

    /// Calls the couriers back: another server tells the sinks, and what fires goes on.
    pub(super) fn stand_by(&self) {
        let mut fleet = self.fleet.lock();
        if fleet.waiting.is_some() {
            return;
        }
        fleet.drills.clear();
        let posts = std::mem::take(&mut fleet.posts);
        for post in &posts {
            post.retired.cancel();
            self.metrics.sinks().firing(&post.setup.sink.name, 0);
        }
        fleet.waiting = Some(posts.into_iter().map(|post| post.setup).collect());
    }

    /// Whether there is a file with sinks.
    pub(in crate::server) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Takes these sinks in the place of all others. One that is where it was, with the same labels, goes on, also with another
    /// secret; for one that is gone, all alerts end.
    pub fn replace(&self, setups: Vec<SinkSetup>) {
        let mut fleet = self.fleet.lock();
        if fleet.waiting.is_some() && self.journal.is_shared() {
            fleet.waiting = Some(setups);
            drop(fleet);
            return self.announce();
        }
        fleet.waiting = None;
        let before = std::mem::take(&mut fleet.posts);
        let (kept, mut gone): (Vec<Post>, Vec<Post>) =
            before.into_iter().partition(|post| setups.contains(&post.setup));
        fleet.posts = kept;
        for setup in setups {
            if fleet.posts.iter().any(|post| post.setup == setup) {
                continue;
            }
            let post = self.post(setup);
            if let Some(place) = gone.iter().position(|other| other.is_at_the_place_of(&post)) {
                let other = gone.swap_remove(place);
                other.retired.cancel();
                post.courier.succeed(&other.courier);
            }
            for (incident, drill) in &fleet.drills {
                if post.setup.sink.scenarios.allow(&drill.scenario) {
                    drill.add_to(&post.courier, incident);
                } else {
                    post.courier.end(incident, self.journal.clock().now());
                }
            }
            fleet.posts.push(post);
        }
        for post in gone {
            self.retire(post);
        }
    }

    fn post(&self, setup: SinkSetup) -> Post {
        let target = Target {
            endpoint: setup.endpoint.clone(),
            labels: setup.sink.labels.clone(),
            generator_url: setup.sink.generator_url.clone(),
        };
        let journal = self.journal.clone();
        let notes = Notes::new(
            &setup.sink.name,
            Arc::clone(&self.metrics),
            self.journal.clone(),
            self.leading.clone(),
        );
        let now = Arc::new(move || shown(&journal));
        let courier = Arc::new(Courier::new(target, now, Arc::new(notes)));
        let retired = self.stop.child_token();
        let (running, until) = (Arc::clone(&courier), retired.clone());
        self.tasks.spawn(async move { running.run(until).await });
        Post { setup, courier, retired }
    }

    /// Ends all alerts of a sink, for as long as it would believe in them.
    fn retire(&self, post: Post) {
        post.courier.end_all();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            post.retired.cancel();
            tokio::select! {
                _ = post.courier.finish(ALIVE) => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// What the clocks of the journal show.
    pub(super) fn now(&self) -> Shown {
        shown(&self.journal)
    }

    /// A drill has begun, or goes on. Where one is that is known is known, too.
    pub(super) fn begin(&self, incident: &str, drill: Drill) {
        let mut fleet = self.fleet.lock();
        if drill.alerts.alerts.is_empty() || fleet.drills.contains_key(incident) {
            return;
        }
        for post in &fleet.posts {
            if post.setup.sink.scenarios.allow(&drill.scenario) {
                drill.add_to(&post.courier, incident);
            }
        }
        fleet.drills.insert(incident.to_owned(), drill);
    }

    /// Where a drill is at least, as one of its events tells: `at` is how long after second 0 that happened. Where it was thought to be
    /// may have been told by a clock that was set.
    pub(super) fn happened(&self, incident: &str, at: impl FnOnce(&Tempo) -> Option<Duration>) {
        let now = self.now();
        let mut fleet = self.fleet.lock();
        let Fleet { drills, posts, .. } = &mut *fleet;
        let Some(drill) = drills.get_mut(incident) else { return };
        let Some(Ok(at)) = at(&drill.tempo).map(SignedDuration::try_from) else { return };
        let behind = at.saturating_sub(now.steady.saturating_sub(drill.began));
        if behind < Self::BEHIND {
            return;
        }
        drill.began = drill.began.saturating_sub(behind);
        for post in posts {
            post.courier.advance(incident, behind);
        }
    }

    /// An incident has ended.
    pub(super) fn end(&self, incident: &str, at: Timestamp) {
        let mut fleet = self.fleet.lock();
        if fleet.drills.remove(incident).is_some() {
            for post in &fleet.posts {
                post.courier.end(incident, at);
            }
        }
    }

    /// The time between two tries to read the journal while it can't be read.
    pub(super) const RETRY: Duration = Duration::from_secs(1);

    /// A drill that is less than this behind its events goes on as it is: its seconds are rounded.
    const BEHIND: SignedDuration = SignedDuration::from_millis(100);
}

fn shown(journal: &Journal) -> Shown {
    let steady = SignedDuration::try_from(journal.clock().steady()).unwrap_or(SignedDuration::MAX);
    Shown { wall: journal.clock().now(), steady }
}

impl Post {
    /// Whether its alerts are those of the other one.
    fn is_at_the_place_of(&self, other: &Self) -> bool {
        let place = |post: &Self| post.setup.sink.url.to_string();
        place(self) == place(other) && self.setup.sink.labels == other.setup.sink.labels
    }
}
