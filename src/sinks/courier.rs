//! The courier of one Alertmanager: posts what is due, and tries again with growing waits while that fails.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::alertmanager::body;
use super::outbox::Outbox;
use super::shown::Shown;
use crate::client::{Backoff, ClientError, Endpoint, request_to_post};
use crate::world::{Alerts, Labels};

/// The path of an Alertmanager at which it takes alerts.
const PATH: &str = "/api/v2/alerts";

/// The most alerts of one request.
const BATCH: usize = 500;

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long to wait after an answer that will be the same next time, unless a person mends something.
const REFUSED: Duration = Duration::from_secs(15);

/// The longest sleep: the wall clock may be set, and then everything is told again.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// How often the number of alerts that fire is shown.
const SHOW: Duration = Duration::from_secs(1);

/// Where alerts are posted, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The Alertmanager.
    pub endpoint: Endpoint,
    /// Labels that every alert gets.
    pub labels: Labels,
    /// Where an alert's link leads.
    pub generator_url: Option<String>,
}

/// How a post went.
#[derive(Debug)]
pub enum Posted<'a> {
    /// So many alerts were taken.
    Taken(usize),
    /// It failed, and is tried again.
    Failed(&'a ClientError),
    /// So many alerts were over before they could be told.
    Untold(usize),
}

/// Notices how posts go: for metrics, the log, or a terminal.
pub trait Witness: Send + Sync {
    /// One post went so.
    fn posted(&self, posted: &Posted<'_>);

    /// Whether what is known here of the drills is still so: asked before each post. Another process may know better since.
    fn may_post(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async { true })
    }

    /// So many alerts fire now.
    fn fires(&self, _alerts: usize) {}
}

/// The clocks by which alerts are due and told.
pub type Now = Arc<dyn Fn() -> Shown + Send + Sync>;

/// Posts to one Alertmanager.
pub struct Courier {
    target: Target,
    outbox: Mutex<Outbox>,
    changed: Notify,
    witness: Arc<dyn Witness>,
    now: Now,
}

impl Courier {
    /// A courier that posts nothing before [`Courier::run`].
    pub fn new(target: Target, now: Now, witness: Arc<dyn Witness>) -> Self {
        Self { target, outbox: Mutex::default(), changed: Notify::new(), witness, now }
    }

    /// Goes on where another courier of the same Alertmanager was, which is not to post any more.
    pub fn succeed(&self, other: &Self) {
        *self.outbox.lock() = std::mem::take(&mut *other.outbox.lock());
        // It may have another name, under which nothing fires any more.
        other.witness.fires(0);
    }

    /// Posts the alerts of an incident when they are due: their times are those of a wall clock that shows `by` at its moment.
    /// Returns at once.
    pub fn add(&self, incident: &str, alerts: &Alerts, by: Shown) {
        let left_out = self.outbox.lock().add(incident, alerts, by);
        if left_out > 0 {
            self.witness.posted(&Posted::Untold(left_out));
        }
        self.changed.notify_one();
    }

    /// An incident is further than was thought: all its alerts are that much earlier. Returns at once.
    pub fn advance(&self, incident: &str, by: SignedDuration) {
        self.outbox.lock().advance(incident, by);
        self.changed.notify_one();
    }

    /// The incident has ended, and all its alerts with it: its end, which is heard of now, is dated so. Returns at once.
    pub fn end(&self, incident: &str, dated: Timestamp) {
        let at = self.now().heard(dated);
        self.outbox.lock().end(incident, at, dated);
        self.changed.notify_one();
    }

    /// What the clocks show.
    pub fn now(&self) -> Shown {
        (self.now)()
    }

    /// Ends all alerts now. Returns at once.
    pub fn end_all(&self) {
        self.outbox.lock().end_all(self.now());
        self.changed.notify_one();
    }

    /// Whether no alert is left that would still fire there.
    pub fn is_done(&self) -> bool {
        self.outbox.lock().has_told_all()
    }

    /// Asks the Alertmanager to take no alerts: whether it is there, and lets this program post.
    ///
    /// # Errors
    /// Why not.
    pub async fn knock(&self) -> Result<(), ClientError> {
        self.post(&[]).await
    }

    /// Posts until `stop`, and shows how many alerts fire.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = self.deliver(stop) => {}
            () = self.show() => {}
        }
    }

    /// Shows how many alerts fire, whatever becomes of the posts.
    async fn show(&self) {
        loop {
            sleep(SHOW).await;
            let firing = self.outbox.lock().firing(self.now());
            self.witness.fires(firing);
        }
    }

    async fn deliver(&self, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut wait = Duration::ZERO;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
            }
            wait = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                round = self.round() => match round {
                    Ok(true) => {
                        backoff.reset();
                        Duration::ZERO
                    }
                    Ok(false) => {
                        tokio::select! {
                            biased;
                            () = stop.cancelled() => return,
                            () = self.changed.notified() => {}
                            () = sleep(self.until_next()) => {}
                        }
                        Duration::ZERO
                    }
                    // At least a moment: a server that refuses at once is not asked as fast as it can refuse.
                    Err(true) => backoff.next_wait().max(Duration::from_millis(100)),
                    Err(false) => REFUSED + REFUSED.mul_f64(crate::random::unit()),
                },
            };
        }
    }

    /// Posts until everything that is over was told as such, or for this long at most. Returns whether it was.
    pub async fn finish(&self, most: Duration) -> bool {
        let mut backoff = Backoff::default();
        let all = async {
            while !self.is_done() {
                let wait = match self.round().await {
                    Ok(_) => Duration::from_millis(10),
                    Err(_) => backoff.next_wait(),
                };
                if !self.is_done() {
                    sleep(wait).await;
                }
            }
        };
        timeout(most, all).await.is_ok()
    }

    /// Posts what is due now; `false` if nothing is.
    ///
    /// # Errors
    /// It failed: whether the same may succeed soon.
    async fn round(&self) -> Result<bool, bool> {
        let now = self.now();
        let (due, untold, firing) = {
            let mut outbox = self.outbox.lock();
            let untold = outbox.forget(now);
            (outbox.due(now, BATCH), untold, outbox.firing(now))
        };
        self.witness.fires(firing);
        if untold > 0 {
            self.witness.posted(&Posted::Untold(untold));
        }
        if due.is_empty() {
            return Ok(false);
        }
        if !self.witness.may_post().await {
            return Err(true);
        }
        match self.post(&due).await {
            Ok(()) => {
                self.outbox.lock().told(&due, now);
                self.witness.posted(&Posted::Taken(due.len()));
                Ok(true)
            }
            Err(error) => {
                self.witness.posted(&Posted::Failed(&error));
                Err(error.is_passing())
            }
        }
    }

    async fn post(&self, due: &[super::outbox::Due]) -> Result<(), ClientError> {
        let Target { endpoint, labels, generator_url } = &self.target;
        let body = body(due, labels, generator_url.as_deref());
        match timeout(DEADLINE, request_to_post(endpoint, PATH, &body)).await {
            Ok(posted) => posted,
            Err(_) => Err(ClientError::Unreachable {
                url: endpoint.http(PATH),
                why: format!("no answer within {} s", DEADLINE.as_secs()),
            }),
        }
    }

    fn until_next(&self) -> Duration {
        let now = self.now();
        let Some(next) = self.outbox.lock().next(now) else { return LONGEST_SLEEP };
        let left = Duration::try_from(next.saturating_sub(now.steady)).unwrap_or_default();
        left.clamp(Duration::from_millis(1), LONGEST_SLEEP)
    }
}
