//! The couriers of all sinks. They can be replaced while drills are played.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::notes::Notes;
use crate::client::Endpoint;
use crate::journal::{Journal, Lease};
use crate::metrics::Metrics;
use crate::server::lifecycle::Lifecycle;
use crate::sinks::{ALIVE, Courier, Sink, Target};
use crate::world::Alerts;

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
    /// The drills that are played: the scenario's id and the alerts of each.
    drills: BTreeMap<String, (String, Arc<Alerts>)>,
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
            for (incident, (scenario, alerts)) in &fleet.drills {
                if post.setup.sink.scenarios.allow(scenario) {
                    post.courier.add(incident, alerts);
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
        let notes = Notes::new(&setup.sink.name, Arc::clone(&self.metrics));
        let now = Arc::new(move || journal.clock().now());
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

    /// A drill has begun, or goes on.
    pub(super) fn begin(&self, incident: &str, scenario: String, alerts: Alerts) {
        if alerts.alerts.is_empty() {
            return;
        }
        let mut fleet = self.fleet.lock();
        let alerts = Arc::new(alerts);
        for post in &fleet.posts {
            post.add(incident, &scenario, &alerts);
        }
        fleet.drills.insert(incident.to_owned(), (scenario, alerts));
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
}

impl Post {
    /// Whether its alerts are those of the other one.
    fn is_at_the_place_of(&self, other: &Self) -> bool {
        let place = |post: &Self| post.setup.sink.url.to_string();
        place(self) == place(other) && self.setup.sink.labels == other.setup.sink.labels
    }

    fn add(&self, incident: &str, scenario: &str, alerts: &Alerts) {
        if self.setup.sink.scenarios.allow(scenario) {
            self.courier.add(incident, alerts);
        }
    }
}
