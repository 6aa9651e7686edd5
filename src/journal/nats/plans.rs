//! The plans of open incidents, in parts in the second stream: a plan may be larger than a message.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::api::{Api, Fault, Outgoing, newest_of};
use super::message::PlanMark;
use super::names::Names;

/// The most bytes of a part. The servers' own limit is 1 MiB a message.
const PART: usize = 512 * 1024;

/// How often the leader must say that it lacks a plan.
const TRIES: usize = 2;

/// How long it is waited between two.
const AGAIN: Duration = Duration::from_millis(250);

/// The mark of a plan.
pub(super) fn mark(plan: &str) -> PlanMark {
    let digest = HEXLOWER.encode(&Sha256::digest(plan));
    PlanMark { parts: plan.len().div_ceil(PART).max(1), digest }
}

/// Stores a plan, before the event that names it.
pub(super) async fn store(api: &Api, names: &Names, subject: &str, plan: &Arc<str>) -> Result<(), Fault> {
    let PlanMark { parts, digest } = mark(plan);
    for part in 0..parts {
        let bytes = plan.as_bytes();
        let bytes = bytes.get(part * PART..bytes.len().min((part + 1) * PART)).unwrap_or_default();
        let message = Outgoing {
            subject: names.plan_part(subject, &digest, part),
            headers: HeaderMap::new(),
            payload: Bytes::copy_from_slice(bytes),
        };
        api.publish(message).await?;
    }
    Ok(())
}

/// Reads a plan; `None` if parts are missing or it is not the one that was stored. Only the leader is believed in that: a
/// replica that is behind lacks the newest plans.
pub(super) async fn load(
    api: &Api,
    names: &Names,
    subject: &str,
    wanted: &PlanMark,
) -> Result<Option<Arc<str>>, Fault> {
    let read = |bytes: Vec<u8>| String::from_utf8(bytes).ok().filter(|text| mark(text) == *wanted);
    let which = |part| newest_of(&names.plan_part(subject, &wanted.digest, part));
    let mut bytes = Vec::new();
    for part in 0..wanted.parts {
        for found in api.read_again(&names.control, &which(part)).await? {
            bytes.extend_from_slice(&found.payload);
        }
    }
    if let Some(text) = read(bytes) {
        return Ok(Some(text.into()));
    }
    for attempt in 1..=TRIES {
        let mut bytes = Vec::new();
        for part in 0..wanted.parts {
            if let Some(found) = api.leader_read(&names.control, &which(part)).await? {
                bytes.extend_from_slice(&found.payload);
            }
        }
        if let Some(text) = read(bytes) {
            return Ok(Some(text.into()));
        }
        api.leader_info(&names.control).await?;
        if attempt < TRIES {
            tokio::time::sleep(AGAIN).await;
        }
    }
    Ok(None)
}

/// Removes the plans of an incident that has ended.
pub(super) async fn remove(api: &Api, names: &Names, subject: &str) -> Result<(), Fault> {
    api.purge(&names.control, &json!({ "filter": names.plans(subject) })).await
}
