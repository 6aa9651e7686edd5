//! The plans of open incidents, in parts in the second stream: a plan may be larger than a message.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::api::{Api, Fault, Outgoing, newest_of};
use super::message::PlanMark;
use super::names::Names;
use super::shared::Shared;

/// The most bytes of a part. The servers' own limit is 1 MiB a message.
pub(super) const PART: usize = 512 * 1024;

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

/// A plan is stored before its incident begins: a younger one may be needed yet.
const YOUNG: SignedDuration = SignedDuration::from_hours(1);

/// Removes the parts of plans that are old and belong to no open incident.
pub(super) async fn sweep(shared: &Shared) -> Result<(), Fault> {
    let Shared { api, names, .. } = shared;
    let info = json!({ "subjects_filter": names.all_plans() });
    let info = api.ask(&format!("STREAM.INFO.{}", names.control), &info).await?;
    let Some(parts) = info["state"]["subjects"].as_object() else { return Ok(()) };
    let needed: HashSet<String> = {
        let fold = shared.fold.lock();
        let open = fold.open().filter_map(|(subject, incident)| Some((subject, incident.plan.as_ref()?)));
        let parts = open.flat_map(|(subject, plan)| {
            (0..plan.parts).map(|part| names.plan_part(subject, &plan.digest, part)).collect::<Vec<_>>()
        });
        parts.collect()
    };
    for part in parts.keys().filter(|part| !needed.contains(*part)) {
        let found = api.read(&names.control, &newest_of(part)).await?;
        let stored = found.first().and_then(|found| found.headers.get_last("Nats-Time-Stamp"));
        let stored = stored.and_then(|stored| stored.as_str().parse::<Timestamp>().ok());
        if stored.is_some_and(|stored| shared.clock.now().duration_since(stored) > YOUNG) {
            api.purge(&names.control, &json!({ "filter": part })).await?;
            tracing::debug!(part, "a plan that nobody needs was removed");
        }
    }
    Ok(())
}
