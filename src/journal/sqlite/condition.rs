//! What is wrong with the journal at the moment: what its writer finds, and whether reads hang.

use parking_lot::Mutex;
use tokio::sync::watch;

use super::super::error::Trouble;

/// The troubles of the writer and of the readers, of which one is shown.
#[derive(Debug)]
pub(super) struct Condition {
    /// The writer's.
    writer: Mutex<Option<Trouble>>,
    /// The readers', which those follow who wait for a read: that of the writer may be shown already.
    reads: watch::Sender<Option<Trouble>>,
    shown: watch::Sender<Option<Trouble>>,
}

impl Default for Condition {
    fn default() -> Self {
        Self { writer: Mutex::default(), reads: watch::channel(None).0, shown: watch::channel(None).0 }
    }
}

impl Condition {
    /// What is wrong now, and later.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Trouble>> {
        self.shown.subscribe()
    }

    /// Why the journal can't be written.
    pub(super) fn writer(&self) -> Option<Trouble> {
        self.writer.lock().clone()
    }

    /// That reads hang.
    pub(super) fn reads(&self) -> Option<Trouble> {
        self.reads.borrow().clone()
    }

    /// Resolves as soon as reads hang.
    pub(super) async fn reads_hang(&self) -> Trouble {
        let mut reads = self.reads.subscribe();
        // The sender is in here.
        match reads.wait_for(Option::is_some).await.map(|found| found.clone()) {
            Ok(Some(trouble)) => trouble,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn set_writer(&self, trouble: Option<Trouble>) {
        self.change(|writer| *writer = trouble);
    }

    pub(super) fn set_reads(&self, trouble: Option<Trouble>) {
        self.change(|_| drop(self.reads.send_replace(trouble)));
    }

    fn change(&self, change: impl FnOnce(&mut Option<Trouble>)) {
        let mut writer = self.writer.lock();
        change(&mut writer);
        let now = writer.clone().or_else(|| self.reads());
        // Under the lock, so that the newest is shown last.
        self.shown.send_if_modified(|shown| {
            let is_new = *shown != now;
            *shown = now;
            is_new
        });
    }
}
