//! What a receiver's draft is in the journal.

use sha2::{Digest as _, Sha256};

use crate::journal::{Key, Place, Record};
use crate::receivers::{Draft, Receiver};

/// The record of a draft, which is stored once.
pub(super) fn record(receiver: &Receiver, draft: &Draft) -> Record {
    let key = Key {
        source: receiver.source(),
        id: draft.id.clone(),
        // The id is made from everything that makes the event another one.
        digest: digest(&draft.id),
    };
    Record {
        subject: draft.subject.clone(),
        place: Place::Next(key),
        kind: draft.message.kind(),
        data: draft.message.data(),
        plan: None,
    }
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}
