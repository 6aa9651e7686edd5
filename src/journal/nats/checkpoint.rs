//! Checkpoints: the server in charge writes down now and then what it knows of the stream, so that one that starts reads
//! only what follows.
//!
//! A checkpoint is believed only if the stream has, at the checkpoint's position, the chain that the checkpoint names: the
//! chain covers every event before. One that is missing, damaged, of another stream, or older than what is kept is ignored,
//! and the whole stream is read. `incident check-journal` never uses one.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::Ordering;

use async_nats::HeaderMap;
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::api::{Api, Fault, Found, Outgoing, newest_of};
use super::config::Seen;
use super::fold::Fold;
use super::fold::snapshot::Snapshot;
use super::message::Entry;
use super::names::Names;
use super::shared::Shared;

/// How many events may follow the newest checkpoint until another is written: so many are read in a fraction of a second.
const EVERY: u64 = 50_000;

/// The most bytes of a part: appends wait for the disks behind it.
const PART: usize = 256 * 1024;

/// The most parts that are read.
const PARTS: usize = 256;

/// The most keys of publishers that are written down. They make a checkpoint large, at about 100 bytes each.
const KEYS: usize = 300_000;

/// The most bytes of an inflated checkpoint.
const INFLATED: u64 = 1024 * 1024 * 1024;

/// How many of the newest events are read again.
const NEWEST: u64 = 1_000;

/// How many parts or events are asked for at once.
const AT_ONCE: usize = 16;

/// What the newest checkpoint is. Two places take turns, so that a server that starts never reads parts of two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The name of the stream as clients know it.
    stream: String,
    head: u64,
    place: u8,
    parts: usize,
    /// SHA-256 of all parts.
    digest: String,
}

/// What a start has from a checkpoint.
pub(super) struct Begun {
    pub(super) fold: Fold,
    /// The times of the newest events.
    pub(super) newest: VecDeque<i64>,
}

/// The newest checkpoint of a stream, if it can be used.
pub(super) async fn load(api: &Api, names: &Names, seen: &Seen) -> Option<Begun> {
    match read(api, names, seen).await {
        Ok(begun) => {
            tracing::info!(head = begun.fold.head, "the start goes on from a checkpoint");
            Some(begun)
        }
        Err(why) => {
            // It is of no interest if little is to be read.
            if seen.last.saturating_sub(seen.first) >= EVERY {
                tracing::info!(%why, "the start reads the whole stream: it uses no checkpoint");
            }
            None
        }
    }
}

async fn read(api: &Api, names: &Names, seen: &Seen) -> Result<Begun, String> {
    let told = |fault: Fault| fault.to_string();
    let found = api.read_again(&names.control, &newest_of(&names.checkpoint())).await.map_err(told)?;
    let mark = found.first().and_then(mark).ok_or("there is none")?;
    if mark.stream != seen.stream.as_str() || mark.parts > PARTS {
        return Err("it is of another stream".to_owned());
    }
    let parts = futures_util::stream::iter(0..mark.parts).map(|part| {
        let which = newest_of(&names.checkpoint_part(mark.place, part));
        async move { api.read_again(&names.control, &which).await }
    });
    let parts: Vec<Vec<Found>> = parts.buffered(AT_ONCE).try_collect().await.map_err(told)?;
    let bytes: Vec<u8> = parts.iter().flatten().flat_map(|part| part.payload.iter().copied()).collect();
    if digest(&bytes) != mark.digest {
        return Err("its parts are not those that were written".to_owned());
    }
    let mut text = Vec::new();
    ZlibDecoder::new(&*bytes).take(INFLATED).read_to_end(&mut text).map_err(|error| error.to_string())?;
    let snapshot: Snapshot = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let is_kept = (snapshot.oldest..=snapshot.head).contains(&seen.first) && snapshot.head <= seen.last;
    if snapshot.stream != seen.stream.as_str() || snapshot.head != mark.head || !is_kept {
        return Err("it is of another time".to_owned());
    }
    let fold = Fold::restore(snapshot).ok_or("it does not agree with itself")?;
    if fold.first_open().is_some_and(|start| start < seen.first) {
        return Err("an open incident has lost events since".to_owned());
    }
    let newest = verify(api, names, seen.first, &fold).await?;
    Ok(Begun { fold, newest })
}

/// Reads the newest events before the checkpoint, the last of which must have its chain. Returns their times.
async fn verify(api: &Api, names: &Names, first: u64, fold: &Fold) -> Result<VecDeque<i64>, String> {
    let from = first.max(fold.head.saturating_sub(NEWEST - 1));
    let (mut times, mut before, mut next) = (VecDeque::new(), None, from);
    while next <= fold.head {
        let which = json!({ "seq": next, "batch": fold.head + 1 - next, "max_bytes": 4 * 1024 * 1024 });
        let found = api.read_again(&names.events, &which).await.map_err(|fault| fault.to_string())?;
        if found.is_empty() {
            return Err(format!("event {next} can't be read"));
        }
        for message in found {
            let position = message.sequence;
            let (entry, claimed) = Entry::read(position, &message.headers, &message.payload)?;
            let stored = &entry.stored;
            if position != next
                || before.is_some_and(|before| entry.chain(before) != claimed)
                || fold.position(&stored.subject, stored.index) != Some(position)
            {
                return Err(format!("event {next} is not the one that it names"));
            }
            times.push_back(stored.time.as_microsecond());
            (before, next) = (Some(claimed), position + 1);
        }
    }
    if before == Some(fold.chain) { Ok(times) } else { Err("its chain is not that of the stream".to_owned()) }
}

/// The times of some events up to a position, for their ages: about `many`, and the last one.
pub(super) async fn samples(
    api: &Api,
    names: &Names,
    (first, last): (u64, u64),
    many: u64,
) -> Result<Vec<(u64, i64)>, Fault> {
    let stride = ((last + 1).saturating_sub(first) / many).max(1);
    let positions = (first..last).step_by(usize::try_from(stride).unwrap_or(usize::MAX)).chain([last]);
    let reading = futures_util::stream::iter(positions).map(|position| async move {
        let found = api.read_again(&names.events, &json!({ "seq": position })).await?;
        let entry =
            found.first().and_then(|found| Entry::read(found.sequence, &found.headers, &found.payload).ok());
        Ok(entry.map(|(entry, _)| (entry.stored.position, entry.stored.time.as_microsecond())))
    });
    let found: Vec<Option<(u64, i64)>> = reading.buffered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Writes a checkpoint, if enough has come since the newest one.
pub(super) async fn save(shared: &Shared) -> Result<(), Fault> {
    let Shared { api, names, .. } = shared;
    let known = shared.checkpoint.load(Ordering::Relaxed);
    if shared.head() < known.saturating_add(EVERY) {
        return Ok(());
    }
    let found = api.leader_read(&names.control, &newest_of(&names.checkpoint())).await?;
    let before = found.as_ref().and_then(mark);
    // One that this process could not use is replaced.
    if known > 0
        && let Some(before) = before.as_ref().filter(|before| before.stream == shared.stream.as_str())
        && (before.head..before.head.saturating_add(EVERY)).contains(&shared.head())
    {
        // Another server has written it.
        shared.checkpoint.store(before.head, Ordering::Relaxed);
        return Ok(());
    }
    let head = shared.head();
    let snapshot = shared.fold.lock().snapshot(shared.stream.as_str(), KEYS);
    let Some(snapshot) = snapshot else {
        tracing::debug!(most = KEYS, "no checkpoint is written: publishers have named too many events");
        shared.checkpoint.store(head, Ordering::Relaxed);
        return Ok(());
    };
    let head = snapshot.head;
    // Other tasks of this thread append meanwhile.
    let packed = tokio::task::spawn_blocking(move || pack(&snapshot)).await;
    let bytes =
        packed.ok().flatten().ok_or_else(|| Fault::Silent("a checkpoint can't be packed".to_owned()))?;
    let place = before.map_or(0, |before| u8::from(before.place == 0));
    let parts = bytes.len().div_ceil(PART);
    if parts <= PARTS {
        for (part, bytes) in bytes.chunks(PART).enumerate() {
            publish(api, names.checkpoint_part(place, part), bytes.to_vec()).await?;
        }
        let stream = shared.stream.as_str().to_owned();
        let mark = Mark { stream, head, place, parts, digest: digest(&bytes) };
        publish(api, names.checkpoint(), json!(mark).to_string().into_bytes()).await?;
        tracing::debug!(head, bytes = bytes.len(), "a checkpoint was written");
    }
    shared.checkpoint.store(head, Ordering::Relaxed);
    Ok(())
}

async fn publish(api: &Api, subject: String, bytes: Vec<u8>) -> Result<(), Fault> {
    let message = Outgoing { subject, headers: HeaderMap::new(), payload: bytes.into() };
    api.publish(message).await.map(drop)
}

fn mark(found: &Found) -> Option<Mark> {
    serde_json::from_slice(&found.payload).ok()
}

fn pack(snapshot: &Snapshot) -> Option<Vec<u8>> {
    let text = serde_json::to_vec(snapshot).ok()?;
    let mut bytes = Vec::new();
    ZlibEncoder::new(&*text, Compression::fast()).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
