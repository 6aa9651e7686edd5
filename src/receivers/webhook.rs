//! The webhooks of Alertmanager (version 4) and Grafana (version 1), which have the same form.
//!
//! Members that are unknown are ignored: a sender may have a newer version, or a payload of its own.

use jiff::Timestamp;
use serde_json::Value;

use super::alert::{Alert, Delivery, Fault, digest};
use super::body::{Faults, Object, object};
use super::described::Kind;

/// Reads a body.
///
/// # Errors
/// What is wrong, member by member.
pub(super) fn read(kind: Kind, bytes: &[u8]) -> Result<Delivery, Vec<Fault>> {
    let mut value = Value::Null;
    let body = object(bytes, &mut value)?;
    let mut faults = Faults::default();
    let version = if kind == Kind::Grafana { "1" } else { "4" };
    if let Some(found) = body.needed("version", &mut faults)
        && found != version
    {
        faults.add("/version", format!("version is {found:?}; this receiver reads version {version:?}"));
    }
    let group = body.needed("groupKey", &mut faults).unwrap_or_default().to_owned();
    let group_labels = body.labels("groupLabels", &mut faults);
    let left_out = body.count("truncatedAlerts", &mut faults);
    let mut alerts = Vec::new();
    match body.objects("alerts", &mut faults) {
        Some(items) => {
            for item in items {
                alerts.extend(alert(&item, &mut faults));
            }
        }
        None if !body.has("alerts") => faults.add("/alerts", "alerts is missing"),
        None => {}
    }
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    Ok(Delivery { group, group_labels, left_out, alerts, note: None })
}

fn alert(item: &Object<'_>, faults: &mut Faults) -> Option<Alert> {
    let firing = match item.needed("status", faults)? {
        "firing" => true,
        "resolved" => false,
        other => {
            faults.add(item.pointer("status"), format!("status is {other:?}; expected firing or resolved"));
            return None;
        }
    };
    let labels = item.labels("labels", faults);
    let annotations = item.labels("annotations", faults);
    if !item.has("startsAt") {
        faults.add(item.pointer("startsAt"), "startsAt is missing");
    }
    let starts_at = item.time("startsAt", faults).unwrap_or(Timestamp::UNIX_EPOCH);
    let ends_at = item.time("endsAt", faults).filter(|_| !firing);
    let fingerprint = match item.text("fingerprint", faults) {
        Some(text) if !text.is_empty() && text.len() <= 200 => text.to_owned(),
        // An alert is its labels, whatever its sender calls it.
        _ => {
            let parts: Vec<&str> = labels.iter().flat_map(|(name, value)| [&**name, &**value]).collect();
            digest(&parts, 16)
        }
    };
    let links = [
        ("generatorURL", "source"),
        ("dashboardURL", "dashboard"),
        ("panelURL", "panel"),
        ("silenceURL", "silence"),
        ("imageURL", "image"),
    ];
    let links = links.into_iter().filter_map(|(name, kind)| item.link(name, kind)).collect();
    let values = item.numbers("values");
    Some(Alert { fingerprint, labels, annotations, firing, starts_at, ends_at, links, values })
}
