//! The lease: a message in the second stream that its holder writes anew every second, each time only over the one before.
//!
//! The lease decides who plays, and nothing more. That an old holder adds nothing is decided where it appends: against a head
//! that has moved. So no clock but each process's own steady one is trusted, and a stale view of the lease does no harm.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::HeaderMap;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::error::JournalError;
use super::super::lease::Term;
use super::api::{Fault, Outgoing, newest_of};
use super::post::{self, Post};
use super::shared::Shared;
use super::vitals::{trouble, unavailable};

/// How often the lease is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How often the holder writes the lease.
const RENEW: Duration = Duration::from_secs(1);

/// How long the holder goes on that can't write it. The lease is in a stream of its own: while that one elects a leader, for up
/// to nine seconds, nobody else gets it either, and events can be stored. If another has it, what this one appends is refused.
const GIVE_UP: Duration = Duration::from_secs(10);

/// How long the others must have seen no new lease before one of them takes it …
const PATIENCE: Duration = Duration::from_secs(3);

/// … and the longest time that each of them waits besides, so that they don't all try at once.
const SPREAD: Duration = Duration::from_millis(300);

/// How long this process waits, while the holder is silent, before it asks whether the servers are there.
const UNSURE: Duration = Duration::from_secs(2);

/// How long it goes on asking: then somebody has taken the lease, or nothing is stored.
const SURE: Duration = Duration::from_secs(5);

/// A request for the lease.
pub(super) type Request = oneshot::Sender<Result<Term, JournalError>>;

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
    /// Whether what was written last was refused: the lease may be another than the newest that was seen.
    is_refused: bool,
}

struct Held {
    term: u64,
    revision: u64,
    renewed: Instant,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(shared: &'a Shared, requests: mpsc::UnboundedReceiver<Request>) -> Self {
        let patience = patience();
        Self { shared, requests, waiting: Vec::new(), held: None, seen: None, patience, is_refused: false }
    }

    /// Whether a lease has to be renewed all the time: by somebody who has it, or by this process, which wants it.
    fn is_led(&self) -> bool {
        self.held.is_some() || !self.waiting.is_empty() || self.is_renewed()
    }

    fn is_renewed(&self) -> bool {
        self.seen
            .as_ref()
            .is_some_and(|(post, since)| post.node != 0 && !post.is_damaged && since.elapsed() <= PATIENCE)
    }

    /// Runs until `stop`, and gives the lease back.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.tick().await;
            let is_in_charge = self.held.is_some() || !self.is_renewed();
            self.shared.is_in_charge.store(is_in_charge, Ordering::Relaxed);
            tokio::select! {
                () = stop.cancelled() => return self.release().await,
                () = self.request() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Takes in the next request. Pending for ever once there are no more.
    async fn request(&mut self) {
        match self.requests.recv().await {
            Some(request) => self.waiting.push(request),
            None => std::future::pending().await,
        }
    }

    /// Looks at the lease, and writes it if it is due.
    async fn tick(&mut self) {
        if let Some(error) = self.shared.vitals.broken() {
            // Whoever can append has to play.
            self.give_up(&error).await;
        }
        let looked = if self.is_refused { self.look_again().await } else { self.look().await };
        if let Err(fault) = looked {
            self.note(&fault);
            tracing::debug!(%fault, "the lease can't be read");
        }
        if self.shared.vitals.broken().is_some() {
            return self.shared.vitals.check();
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
        self.ask_who_is_silent().await;
        self.shared.figures.leads(self.held.is_some());
        self.shared.vitals.led(self.is_led());
        self.shared.vitals.check();
    }

    /// A holder that was killed renews nothing, as if the servers stored nothing. One of them that leads says which of the two it is.
    async fn ask_who_is_silent(&self) {
        let since = self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        if self.held.is_some() || !(UNSURE..SURE).contains(&since) {
            return;
        }
        let Shared { api, names, vitals, .. } = self.shared;
        let newest = newest_of(&names.lease());
        if timeout(LOOK, api.leader_read(&names.control, &newest)).await.is_ok_and(|answer| answer.is_ok()) {
            vitals.confirm_lease();
        }
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let Some(post) = post::read(&self.shared.api, &self.shared.names).await? else { return Ok(()) };
        // A replica that is behind may answer.
        if self.seen.as_ref().is_none_or(|(seen, _)| seen.revision < post.revision) {
            self.shared.vitals.confirm_lease();
            self.take_in(post).await;
        }
        Ok(())
    }

    /// Asks the leader. The second stream may have been remade or restored: then its revisions begin anew.
    async fn look_again(&mut self) -> Result<(), Fault> {
        let found = post::newest(&self.shared.api, &self.shared.names).await?;
        self.is_refused = false;
        let revision = found.as_ref().map_or(0, |post| post.revision);
        // What was never seen is as if there were none.
        let seen = self.seen.as_ref().map_or(0, |(seen, _)| seen.revision);
        if revision == seen {
            return Ok(());
        }
        if revision < seen {
            tracing::warn!("the stream with the lease was remade or restored");
            self.seen = None;
            if self.held.take().is_some() {
                // What plays stops.
                self.shared.newest_term.send_modify(|newest| newest.0 += 1);
            }
        }
        if let Some(post) = found {
            self.shared.vitals.confirm_lease();
            self.take_in(post).await;
        }
        Ok(())
    }

    /// Takes in a lease that was not seen before.
    async fn take_in(&mut self, post: Post) {
        if post.is_damaged {
            tracing::warn!(
                revision = post.revision,
                "the message of the lease can't be read: another program has written it, and it counts as a lease that has run out"
            );
        }
        if let Some(held) = &mut self.held
            && post.revision > held.revision
        {
            let is_recent = held.renewed.elapsed() < PATIENCE;
            if post.node == self.shared.node && post.term == held.term {
                // The acknowledgement was lost.
                held.revision = post.revision;
            } else if post.is_damaged && is_recent {
                // No other server can have taken it yet: this one writes it anew.
                held.revision = post.revision;
                self.seen = Some((post, Instant::now()));
                return;
            } else {
                self.held = None;
                tracing::warn!(term = post.term, "another server has taken the lease");
                // What plays stops, also if that server has counted less.
                self.shared.newest_term.send_modify(|newest| newest.0 += 1);
            }
        }
        let known = *self.shared.newest_term.borrow();
        // The acknowledgement was lost.
        let is_taken = post.node == self.shared.node && post.term > known.0 && !self.waiting.is_empty();
        let (term, revision) = (post.term, post.revision);
        self.patience = patience();
        self.seen = Some((post, Instant::now()));
        if is_taken && self.held.is_none() {
            let _committing = self.shared.committing.write().await;
            self.grant(term, revision);
        } else if term > known.0 {
            self.shared.newest_term.send_replace(Term(term));
        }
    }

    /// This process has the lease: those who wait for it get it.
    fn grant(&mut self, term: u64, revision: u64) {
        self.held = Some(Held { term, revision, renewed: Instant::now() });
        self.shared.newest_term.send_replace(Term(term));
        for request in self.waiting.drain(..) {
            // The caller may have stopped waiting.
            let _ = request.send(Ok(Term(term)));
        }
        tracing::debug!(term, "this server has the lease");
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
        let _committing = self.shared.committing.write().await;
        let known = self.seen.as_ref().map_or(0, |(post, _)| post.term);
        let term = known.max(self.shared.newest_term.borrow().0) + 1;
        match self.write(self.shared.node, term, before).await {
            Ok(revision) => self.grant(term, revision),
            // Another server was faster, or it is not known: the next look shows it.
            Err(fault) => {
                self.note(&fault);
                tracing::debug!(%fault, "the lease can't be taken");
            }
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
            Err(fault) => {
                self.note(&fault);
                tracing::debug!(%fault, "the lease can't be renewed");
            }
        }
    }

    /// Why it is silent, if that is known.
    fn note(&self, fault: &Fault) {
        if matches!(fault, Fault::Denied(_)) {
            self.shared.vitals.fail(trouble(fault.clone()));
        }
    }

    /// Gives the lease back, so that another server takes it at once.
    async fn release(&mut self) {
        self.give_up(&unavailable(Fault::Silent("the server is stopping".to_owned()))).await;
    }

    /// Gives the lease back, if this process has it, and tells those who wait for it that they don't get it.
    async fn give_up(&mut self, why: &JournalError) {
        if let Some(Held { term, revision, .. }) = self.held.take() {
            // What plays stops.
            self.shared.newest_term.send_modify(|newest| newest.0 += 1);
            if let Err(fault) = self.write(0, term, revision).await {
                tracing::debug!(%fault, "the lease can't be given back");
            }
        }
        for request in self.waiting.drain(..) {
            let _ = request.send(Err(why.clone()));
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
        let published = self.shared.api.publish(message).await;
        self.is_refused = matches!(published, Err(Fault::Refused { .. }));
        let revision = published?;
        self.shared.vitals.confirm_lease();
        let stream = stream.to_owned();
        self.seen =
            Some((Post { revision, node, term, stream, head, chain, is_damaged: false }, Instant::now()));
        Ok(revision)
    }
}

fn patience() -> Duration {
    PATIENCE + SPREAD.mul_f64(crate::random::unit())
}
