//! What a receiver's draft is in the journal.

use std::borrow::Cow;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::journal::{Key, Place, Record};
use crate::receivers::{Draft, Receiver};

/// The record of a draft, which is stored once. `ahead` says how far the events of its incident are dated ahead of the clock: what
/// is observed is dated as they are.
pub(super) fn record(receiver: &Receiver, draft: &Draft, ahead: Duration) -> Record {
    let key = Key {
        source: receiver.source(),
        id: draft.id.clone(),
        // The id is made from everything that makes the event another one.
        digest: digest(&draft.id),
    };
    let mut message = Cow::Borrowed(&draft.message);
    let later = draft.message.observed_at().and_then(|observed| observed.checked_add(ahead).ok());
    if let Some(later) = later.filter(|_| !ahead.is_zero()) {
        message.to_mut().observe_at(later);
    }
    Record {
        subject: draft.subject.clone(),
        place: Place::Next(key),
        kind: draft.message.kind(),
        data: message.data(),
        plan: None,
    }
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}
