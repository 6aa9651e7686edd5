//! What is wrong with the journal at the moment: what its writer finds, and whether reads hang.

use parking_lot::Mutex;
use tokio::sync::watch;

use super::super::error::Trouble;

/// The troubles of the writer and of the readers, of which one is shown.
#[derive(Debug)]
pub(super) struct Condition {
    troubles: Mutex<Troubles>,
    shown: watch::Sender<Option<Trouble>>,
}

#[derive(Debug, Default)]
struct Troubles {
    writer: Option<Trouble>,
    reads: Option<Trouble>,
}

impl Default for Condition {
    fn default() -> Self {
        Self { troubles: Mutex::default(), shown: watch::channel(None).0 }
    }
}

impl Condition {
    /// What is wrong now, and later.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Trouble>> {
        self.shown.subscribe()
    }

    /// Why the journal can't be written.
    pub(super) fn writer(&self) -> Option<Trouble> {
        self.troubles.lock().writer.clone()
    }

    /// That reads hang.
    pub(super) fn reads(&self) -> Option<Trouble> {
        self.troubles.lock().reads.clone()
    }

    pub(super) fn set_writer(&self, trouble: Option<Trouble>) {
        self.change(|troubles| troubles.writer = trouble);
    }

    pub(super) fn set_reads(&self, trouble: Option<Trouble>) {
        self.change(|troubles| troubles.reads = trouble);
    }

    fn change(&self, change: impl FnOnce(&mut Troubles)) {
        let mut troubles = self.troubles.lock();
        change(&mut troubles);
        let now = troubles.writer.clone().or_else(|| troubles.reads.clone());
        // Under the lock, so that the newest is shown last.
        self.shown.send_if_modified(|shown| {
            let is_new = *shown != now;
            *shown = now;
            is_new
        });
    }
}
