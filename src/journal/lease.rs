//! The lease of the player: who holds it plays the incidents of a journal, and nobody else.

use tokio::sync::watch;

/// Counts the leases of a journal, from 1. Each new one is higher than all before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u64);

/// The right to play the open incidents of a journal. A player appends under its term; as soon as another player has a
/// lease, the journal refuses what is appended under this one.
#[derive(Debug, Clone)]
pub struct Lease {
    term: Term,
    newest: watch::Receiver<Term>,
}

impl Lease {
    /// A lease that lasts until `newest` shows another term or its sender is gone.
    pub fn new(term: Term, newest: watch::Receiver<Term>) -> Self {
        Self { term, newest }
    }

    /// What a batch is appended under.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whether another player has taken over, as far as this process knows. The journal knows for certain.
    pub fn is_lost(&self) -> bool {
        *self.newest.borrow() != self.term
    }

    /// Resolves when another player has taken over.
    pub async fn lost(&self) {
        let mut newest = self.newest.clone();
        // A journal that is gone grants no other lease: its appends fail for another reason.
        if newest.wait_for(|newest| *newest != self.term).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
