//! What a courier does, in metrics and in the log.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::journal::{Journal, Lease};
use crate::log_limiter::LogLimiter;
use crate::metrics::Metrics;
use crate::sinks::{Posted, Witness};

/// How often the log says that a sink still fails.
const REMIND: Duration = Duration::from_secs(600);

/// The notes of one sink.
pub(super) struct Notes {
    sink: String,
    metrics: Arc<Metrics>,
    journal: Journal,
    /// The lease of a shared journal, while this server plays.
    leading: watch::Receiver<Option<Lease>>,
    trouble: Mutex<Option<Trouble>>,
    /// For a sink that fails and works by turns.
    limiter: LogLimiter<&'static str>,
}

/// Why a sink fails, and when the log said so.
struct Trouble {
    why: String,
    said: Instant,
    posts: u64,
}

impl Notes {
    /// Shows the counters of the sink at zero.
    pub(super) fn new(
        sink: &str,
        metrics: Arc<Metrics>,
        journal: Journal,
        leading: watch::Receiver<Option<Lease>>,
    ) -> Self {
        metrics.sinks().announce(sink);
        let (sink, trouble, limiter) = (sink.to_owned(), Mutex::new(None), LogLimiter::default());
        Self { sink, metrics, journal, leading, trouble, limiter }
    }

    /// Says that the sink fails: at first, for another reason, and from time to time.
    fn fails(&self, why: String) {
        let mut trouble = self.trouble.lock();
        let posts = trouble.as_ref().map_or(0, |trouble| trouble.posts) + 1;
        match trouble.as_mut().filter(|trouble| trouble.why == why && trouble.said.elapsed() < REMIND) {
            Some(trouble) => trouble.posts = posts,
            None => {
                if let Some(unsaid) = self.limiter.allows("fails") {
                    let (sink, unsaid) = (&self.sink, (unsaid > 0).then_some(unsaid));
                    tracing::warn!(
                        sink,
                        why,
                        unsaid,
                        "the alerts of drills can't be posted to the sink; the server tries again"
                    );
                }
                *trouble = Some(Trouble { why, said: Instant::now(), posts });
            }
        }
    }
}

impl Witness for Notes {
    /// A server that stood still learns a moment late that another one plays the drills, which may be over.
    fn may_post(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async {
            let lease = self.leading.borrow().clone();
            match lease {
                // Without an answer it is asked again soon: what fires is believed for longer than that.
                Some(lease) => self.journal.is_held(&lease).await.unwrap_or(false),
                None => !self.journal.is_shared(),
            }
        })
    }

    fn posted(&self, posted: &Posted<'_>) {
        let (sink, counts) = (&self.sink, self.metrics.sinks());
        match posted {
            Posted::Taken(alerts) => {
                counts.accepted(sink, *alerts);
                let trouble = self.trouble.lock().take();
                if let Some(trouble) = trouble.filter(|_| self.limiter.allows("works").is_some()) {
                    tracing::info!(sink, failed = trouble.posts, "the sink takes alerts again");
                }
            }
            Posted::Failed(error) => {
                if error.is_passing() {
                    counts.failed(sink);
                } else {
                    counts.refused(sink);
                }
                self.fails(error.to_string());
            }
            Posted::Untold(alerts) => counts.untold(sink, *alerts),
        }
    }

    fn fires(&self, alerts: usize) {
        self.metrics.sinks().firing(&self.sink, alerts);
    }
}
