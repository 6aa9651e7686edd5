//! The player's lease: only the player that holds it plays the incidents of a journal.

use tokio::sync::watch;

/// The number of a lease, from 1. Every new lease of a journal has a higher number than all earlier ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u64);

/// The right to play the open incidents of a journal. A player appends its batches under the lease's term. As soon as
/// another player gets a lease, the journal refuses batches under the older term.
#[derive(Debug, Clone)]
pub struct Lease {
    term: Term,
    newest: watch::Receiver<Term>,
}

impl Lease {
    /// A lease that lasts until `newest` shows another term.
    pub fn new(term: Term, newest: watch::Receiver<Term>) -> Self {
        Self { term, newest }
    }

    /// The term under which the player appends its batches.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whether another player has taken over, as far as this process knows. Only an append shows it for certain.
    pub fn is_lost(&self) -> bool {
        *self.newest.borrow() != self.term
    }

    /// Resolves when another player has taken over.
    pub async fn lost(&self) {
        let mut newest = self.newest.clone();
        // A journal that was closed grants no further lease; its appends fail for another reason.
        if newest.wait_for(|newest| *newest != self.term).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
