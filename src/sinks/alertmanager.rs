//! The body of `POST /api/v2/alerts`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::outbox::Due;
use crate::plan::RESERVED_LABELS;
use crate::world::Labels;

/// The body that tells these alerts, each with further labels and a link.
pub fn body(due: &[Due], labels: &Labels, link: Option<&str>) -> Value {
    let alerts = due.iter().map(|Due { alert, .. }| {
        let mut all = alert.labels.clone();
        // What marks a drill can't be taken away.
        let own = labels.iter().filter(|(name, _)| !RESERVED_LABELS.contains(&name.as_str()));
        all.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        let mut value = json!({
            "labels": all,
            "annotations": alert.annotations,
            "startsAt": time(alert.starts_at),
            "endsAt": time(alert.ends_at),
        });
        if let (Some(link), Some(members)) = (link, value.as_object_mut()) {
            members.insert("generatorURL".to_owned(), link.into());
        }
        value
    });
    alerts.collect()
}

/// Whole milliseconds, as Alertmanager writes them.
fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}
