//! The notes that all processes share, each the newest message of its subject in the second stream.

use async_nats::HeaderMap;
use serde_json::json;

use super::super::error::JournalError;
use super::super::log::{Note, Shelf};
use super::api::{Fault, Found, Outgoing};
use super::shared::Shared;
use super::vitals::unavailable;

/// The newest message of the subject is another one.
const CHANGED: u64 = 10_071;

/// The most notes and bytes of one read.
const PAGE: (usize, usize) = (1_000, 1024 * 1024);

/// How far the notes go, as a leader says that is not cut off.
pub(super) async fn shelf(shared: &Shared) -> Result<Shelf, JournalError> {
    let info = shared.api.leader_info(&shared.names.control).await.map_err(unavailable)?;
    let revision = |name: &str| info["state"][name].as_u64().unwrap_or_default();
    let origin = info["created"].as_str().unwrap_or_default().to_owned();
    Ok(Shelf { origin, oldest: revision("first_seq"), newest: revision("last_seq") })
}

/// The notes that changed after a revision, in order. Any replica gives most of them at once, and may be behind: so it is the leader who
/// says that there are no more. A note that changes meanwhile moves on, to where it is read then.
pub(super) async fn changed(shared: &Shared, after: u64) -> Result<Vec<Note>, JournalError> {
    let Shared { api, names, .. } = shared;
    let (mut notes, mut from) = (Vec::new(), after + 1);
    let subject = names.all_notes();
    loop {
        let next = json!({ "seq": from, "next_by_subj": subject });
        let Some(next) = api.leader_read(&names.control, &next).await.map_err(unavailable)? else {
            return Ok(notes);
        };
        let more = json!({
            "seq": next.sequence + 1, "next_by_subj": subject, "batch": PAGE.0, "max_bytes": PAGE.1,
        });
        let more = api.read(&names.control, &more).await.map_err(unavailable)?;
        for found in std::iter::once(next).chain(more) {
            from = found.sequence + 1;
            notes.push(note(found));
        }
    }
}

fn note(found: Found) -> Note {
    Note {
        name: found.subject.rsplit('.').next().unwrap_or_default().to_owned(),
        text: String::from_utf8(found.payload.into()).ok().filter(|text| !text.is_empty()),
        revision: found.sequence,
    }
}

/// Writes or withdraws a note. Returns its revision; `None` if it is not the one that was to be replaced.
pub(super) async fn write(
    shared: &Shared,
    name: &str,
    text: Option<String>,
    over: Option<u64>,
) -> Result<Option<u64>, JournalError> {
    let mut headers = HeaderMap::new();
    if let Some(over) = over {
        headers.insert("Nats-Expected-Last-Subject-Sequence", over.to_string());
    }
    let (subject, payload) = (shared.names.note(name), text.unwrap_or_default().into());
    match shared.api.publish(Outgoing { subject, headers, payload }).await {
        Ok(revision) => Ok(Some(revision)),
        Err(Fault::Refused { code: CHANGED, .. }) => Ok(None),
        Err(fault) => Err(unavailable(fault)),
    }
}

/// Removes what is left of a note.
pub(super) async fn forget(shared: &Shared, name: &str) -> Result<(), JournalError> {
    let which = json!({ "filter": shared.names.note(name) });
    shared.api.purge(&shared.names.control, &which).await.map_err(unavailable)
}
