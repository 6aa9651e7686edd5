//! The ids of incidents whose events are gone, in the second stream: they name no other incidents.

use std::sync::Arc;

use async_nats::HeaderMap;
use serde_json::{Value, json};

use super::api::{Api, Fault, Outgoing};
use super::names::Names;

/// Every id that is kept, with the position of its incident's end.
pub(super) async fn read(api: &Api, names: &Names) -> Result<Vec<(Arc<str>, u64)>, Fault> {
    let (mut over, mut from) = (Vec::new(), 1);
    loop {
        let which = json!({ "seq": from, "next_by_subj": names.all_over(), "batch": 1_000, "max_bytes": 1024 * 1024 });
        let found = api.read_again(&names.control, &which).await?;
        let Some(last) = found.last() else { return Ok(over) };
        from = last.sequence + 1;
        over.extend(found.iter().filter_map(|found| id(&found.payload)));
    }
}

fn id(payload: &[u8]) -> Option<(Arc<str>, u64)> {
    let found: Value = serde_json::from_slice(payload).ok()?;
    Some((Arc::from(found["subject"].as_str()?), found["end"].as_u64()?))
}

/// Keeps the id of an incident whose events go.
pub(super) async fn keep(api: &Api, names: &Names, subject: &str, end: u64) -> Result<(), Fault> {
    let payload = json!({ "subject": subject, "end": end }).to_string().into();
    let message = Outgoing { subject: names.over(subject), headers: HeaderMap::new(), payload };
    api.publish(message).await.map(drop)
}

/// Lets an id go, because too many are kept.
pub(super) async fn remove(api: &Api, names: &Names, subject: &str) -> Result<(), Fault> {
    api.purge(&names.control, &json!({ "filter": names.over(subject) })).await
}
