//! The lease: a message in the second stream that its holder writes anew every second, each time only over the one before.
//!
//! The lease decides who plays, and nothing more. That an old holder adds nothing is decided where it appends: against a head
//! that has moved. So no clock but each process's own steady one is trusted, and a stale view of the lease does no harm.

use std::time::Duration;

use async_nats::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::super::error::JournalError;
use super::super::lease::Term;
use super::api::{Api, Fault, Outgoing, newest_of};
use super::names::Names;
use super::shared::Shared;
use super::vitals::unavailable;

/// How often the holder writes the lease.
const RENEW: Duration = Duration::from_secs(1);

/// How long the holder goes on that can't write it. It could append nothing anyway.
const GIVE_UP: Duration = Duration::from_secs(2);

/// How long the others must have seen no new lease before one of them takes it …
const PATIENCE: Duration = Duration::from_secs(3);

/// … and the longest time that each of them waits besides, so that they don't all try at once.
const SPREAD: Duration = Duration::from_millis(300);

/// A request for the lease.
pub(super) type Request = oneshot::Sender<Result<Term, JournalError>>;

/// The lease as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    /// Sequence of its message; 0 if there is none.
    pub(super) revision: u64,
    /// The holder; 0 if it was given back.
    pub(super) node: u64,
    pub(super) term: u64,
    /// The stream as its holder knew it.
    pub(super) stream: String,
    pub(super) head: u64,
    pub(super) chain: u64,
}

/// The newest lease; `None` if there never was one.
pub(super) async fn read(api: &Api, names: &Names) -> Result<Option<Post>, Fault> {
    let found = api.read(&names.control, &newest_of(&names.lease())).await?;
    let Some(found) = found.first() else { return Ok(None) };
    let post: Value = serde_json::from_slice(&found.payload).unwrap_or_default();
    let hex =
        |name: &str| u64::from_str_radix(post[name].as_str().unwrap_or_default(), 16).unwrap_or_default();
    Ok(Some(Post {
        revision: found.sequence,
        node: hex("node"),
        term: post["term"].as_u64().unwrap_or_default(),
        stream: post["stream"].as_str().unwrap_or_default().to_owned(),
        head: post["head"].as_u64().unwrap_or_default(),
        chain: hex("chain"),
    }))
}

/// What this process has of the lease.
pub(super) struct Keeper<'a> {
    shared: &'a Shared,
    requests: mpsc::UnboundedReceiver<Request>,
    waiting: Vec<Request>,
    held: Option<Held>,
    /// The newest lease that was seen, and since when.
    seen: Option<(Post, Instant)>,
    /// How long this process waits for its holder.
    patience: Duration,
}

struct Held {
    term: u64,
    revision: u64,
    renewed: Instant,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(shared: &'a Shared, requests: mpsc::UnboundedReceiver<Request>) -> Self {
        Self { shared, requests, waiting: Vec::new(), held: None, seen: None, patience: patience() }
    }

    /// Whether this process looks after the stream: it holds the lease, or nobody does.
    pub(super) fn is_in_charge(&self) -> bool {
        self.held.is_some() || !self.is_renewed()
    }

    /// Whether a lease has to be renewed all the time: by somebody who has it, or by this process, which wants it.
    fn is_led(&self) -> bool {
        self.held.is_some() || !self.waiting.is_empty() || self.is_renewed()
    }

    fn is_renewed(&self) -> bool {
        self.seen.as_ref().is_some_and(|(post, since)| post.node != 0 && since.elapsed() <= PATIENCE)
    }

    /// Takes in the next request. Pending for ever once there are no more.
    pub(super) async fn request(&mut self) {
        match self.requests.recv().await {
            Some(request) => self.waiting.push(request),
            None => std::future::pending().await,
        }
    }

    /// Looks at the lease, and writes it if it is due.
    pub(super) async fn tick(&mut self) {
        match read(&self.shared.api, &self.shared.names).await {
            Ok(post) => self.look(post),
            Err(fault) => tracing::debug!(%fault, "the lease can't be read"),
        }
        if self.held.is_some() && !self.waiting.is_empty() {
            self.take().await;
        }
        if let Some(held) = &self.held {
            if held.renewed.elapsed() >= RENEW {
                self.renew().await;
            }
        } else {
            self.waiting.retain(|request| !request.is_closed());
            if !self.waiting.is_empty() && self.is_free() {
                self.take().await;
            }
        }
        self.shared.figures.leads(self.held.is_some());
        self.shared.vitals.led(self.is_led());
        self.shared.vitals.check();
    }

    fn look(&mut self, post: Option<Post>) {
        let Some(post) = post else { return };
        // A replica that is behind may answer.
        if self.seen.as_ref().is_some_and(|(seen, _)| seen.revision >= post.revision) {
            return;
        }
        self.shared.vitals.confirm();
        if let Some(held) = &mut self.held
            && post.revision > held.revision
        {
            if post.node == self.shared.node && post.term == held.term {
                // The acknowledgement was lost.
                held.revision = post.revision;
            } else {
                self.held = None;
                tracing::warn!(term = post.term, "another server has taken the lease");
            }
        }
        self.shared.newest_term.send_if_modified(|newest| {
            let is_newer = post.term > newest.0;
            newest.0 = newest.0.max(post.term);
            is_newer
        });
        self.patience = patience();
        self.seen = Some((post, Instant::now()));
    }

    fn is_free(&self) -> bool {
        self.seen.as_ref().is_none_or(|(post, since)| post.node == 0 || since.elapsed() >= self.patience)
    }

    /// Writes a lease with a new term over the one that was seen, and answers those who wait for it.
    async fn take(&mut self) {
        let before = self
            .held
            .as_ref()
            .map_or_else(|| self.seen.as_ref().map_or(0, |(post, _)| post.revision), |held| held.revision);
        // No append under an older lease of this process is on its way when the new one is granted.
        let _committing = self.shared.committing.lock().await;
        let known = self.seen.as_ref().map_or(0, |(post, _)| post.term);
        let term = known.max(self.shared.newest_term.borrow().0) + 1;
        match self.write(self.shared.node, term, before).await {
            Ok(revision) => {
                self.held = Some(Held { term, revision, renewed: Instant::now() });
                self.shared.newest_term.send_replace(Term(term));
                for request in self.waiting.drain(..) {
                    // The caller may have stopped waiting.
                    let _ = request.send(Ok(Term(term)));
                }
                tracing::debug!(term, "this server has the lease");
            }
            // Another server was faster, or it is not known: the next look shows it.
            Err(fault) => tracing::debug!(%fault, "the lease can't be taken"),
        }
    }

    async fn renew(&mut self) {
        let Some(Held { term, revision, renewed }) = self.held else { return };
        match self.write(self.shared.node, term, revision).await {
            Ok(revision) => self.held = Some(Held { term, revision, renewed: Instant::now() }),
            Err(fault) if renewed.elapsed() >= GIVE_UP => {
                tracing::warn!(%fault, "the lease can't be renewed: this server stops playing");
                self.held = None;
                // What plays stops; who takes the lease next gets this term or a higher one.
                self.shared.newest_term.send_modify(|newest| newest.0 += 1);
            }
            Err(fault) => tracing::debug!(%fault, "the lease can't be renewed"),
        }
    }

    /// Gives the lease back, so that another server takes it at once.
    pub(super) async fn release(&mut self) {
        if let Some(Held { term, revision, .. }) = self.held.take()
            && let Err(fault) = self.write(0, term, revision).await
        {
            tracing::debug!(%fault, "the lease can't be given back");
        }
        for request in self.waiting.drain(..) {
            let _ = request.send(Err(unavailable(Fault::Silent("the server is stopping".to_owned()))));
        }
    }

    /// Writes the lease over the one with this revision.
    async fn write(&mut self, node: u64, term: u64, before: u64) -> Result<u64, Fault> {
        let (head, chain) = {
            let fold = self.shared.fold.lock();
            (fold.head, fold.chain)
        };
        let stream = self.shared.stream.as_str();
        let post = json!({
            "node": format!("{node:x}"), "term": term, "stream": stream, "head": head, "chain": format!("{chain:x}"),
        });
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", before.to_string());
        let subject = self.shared.names.lease();
        let message = Outgoing { subject, headers, payload: post.to_string().into() };
        let revision = self.shared.api.publish(message).await?;
        self.shared.vitals.confirm();
        let stream = stream.to_owned();
        self.seen = Some((Post { revision, node, term, stream, head, chain }, Instant::now()));
        Ok(revision)
    }
}

fn patience() -> Duration {
    PATIENCE + SPREAD.mul_f64(crate::random::unit())
}
