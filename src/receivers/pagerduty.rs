//! The requests of PagerDuty's Events API v2: events about alerts, and changes.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::alert::{Alert, Delivery, Fault, Labels, Note, digest};
use super::body::{Faults, Object, object};
use crate::contract::can_be_now;

/// The longest `dedup_key`, in characters.
const KEY_CHARS: usize = 255;

/// The longest `summary`, in characters.
const SUMMARY_CHARS: usize = 1024;

const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// A request, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Enqueued {
    /// The secret that it shows.
    pub routing_key: String,
    /// The alert's key, which the answer tells.
    pub dedup_key: String,
    /// What it says.
    pub delivery: Delivery,
}

/// The secret that a body shows, whatever else is in it.
pub fn routing_key(bytes: &[u8]) -> Option<String> {
    /// What else the body has is read, and refused, when its sender is known.
    #[derive(Deserialize)]
    struct Shown {
        routing_key: String,
    }
    serde_json::from_slice(bytes).ok().map(|Shown { routing_key }| routing_key)
}

/// Reads an event. `fresh` is the key of an alert that has none.
///
/// # Errors
/// What is wrong, member by member.
pub fn event(bytes: &[u8], fresh: &str, now: Timestamp) -> Result<Enqueued, Vec<Fault>> {
    let mut value = Value::Null;
    let body = object(bytes, &mut value)?;
    let mut faults = Faults::default();
    let routing_key = body.needed("routing_key", &mut faults).unwrap_or_default().to_owned();
    let action = body.needed("event_action", &mut faults).unwrap_or_default();
    let key = body.text("dedup_key", &mut faults).filter(|key| !key.is_empty());
    if key.is_some_and(|key| key.chars().count() > KEY_CHARS) {
        faults.add("/dedup_key", format!("dedup_key has more than {KEY_CHARS} characters"));
    }
    let dedup_key = key.unwrap_or(fresh).to_owned();
    let mut delivery = Delivery {
        group: dedup_key.clone(),
        group_labels: Labels::new(),
        left_out: 0,
        alerts: Vec::new(),
        note: None,
    };
    match action {
        "trigger" => {
            if let Some(payload) = body.object("payload", &mut faults) {
                delivery.alerts.push(triggered(&body, &payload, &dedup_key, now, &mut faults));
            }
        }
        "acknowledge" | "resolve" if key.is_none() => {
            faults.add("/dedup_key", format!("{action} needs dedup_key"));
        }
        "acknowledge" => {
            delivery.note = Some(Note {
                fingerprint: Some(dedup_key.clone()),
                action: "acknowledged",
                summary: "The alert was acknowledged".to_owned(),
                id: "acknowledge".to_owned(),
                links: Vec::new(),
            });
        }
        "resolve" => delivery.alerts.push(Alert {
            fingerprint: dedup_key.clone(),
            labels: Labels::new(),
            annotations: Labels::new(),
            firing: false,
            starts_at: now,
            ends_at: Some(now),
            links: Vec::new(),
            values: std::collections::BTreeMap::new(),
        }),
        "" => {}
        other => {
            let what = format!("event_action is {other:?}; expected trigger, acknowledge or resolve");
            faults.add("/event_action", what);
        }
    }
    if faults.0.is_empty() { Ok(Enqueued { routing_key, dedup_key, delivery }) } else { Err(faults.0) }
}

fn triggered(
    body: &Object<'_>,
    payload: &Object<'_>,
    dedup_key: &str,
    now: Timestamp,
    faults: &mut Faults,
) -> Alert {
    let summary = payload.needed("summary", faults).unwrap_or_default();
    if summary.chars().count() > SUMMARY_CHARS {
        faults.add("/payload/summary", format!("summary has more than {SUMMARY_CHARS} characters"));
    }
    payload.needed("source", faults);
    if let Some(severity) = payload.needed("severity", faults)
        && !SEVERITIES.contains(&severity)
    {
        let what = format!("severity is {severity:?}; expected {}", SEVERITIES.join(", "));
        faults.add("/payload/severity", what);
    }
    let mut labels = Labels::new();
    for (name, label) in [
        ("source", "source"),
        ("severity", "severity"),
        ("component", "component"),
        ("group", "group"),
        ("class", "class"),
        ("component", "service"),
    ] {
        if let Some(text) = payload.text(name, faults).filter(|text| !text.is_empty()) {
            labels.insert(label.to_owned(), text.to_owned());
        }
    }
    let mut annotations = payload.words("custom_details");
    annotations.insert("summary".to_owned(), summary.to_owned());
    let mut links = links(body, "links", "href", "link", faults);
    links.extend(self::links(body, "images", "src", "image", faults));
    links.extend(body.link("client_url", "source"));
    // When the sender says that it began counts for the impact, and cannot be later than now.
    let began = payload.iso_time("timestamp", faults).filter(|began| *began < now || !can_be_now(now));
    let began = began.unwrap_or(now);
    Alert {
        fingerprint: dedup_key.to_owned(),
        labels,
        annotations,
        firing: true,
        starts_at: began,
        ends_at: None,
        links,
        values: std::collections::BTreeMap::new(),
    }
}

fn links(
    body: &Object<'_>,
    list: &str,
    member: &str,
    kind: &'static str,
    faults: &mut Faults,
) -> Vec<(&'static str, String)> {
    let items = body.objects(list, faults).unwrap_or_default();
    items.iter().filter_map(|item| item.link(member, kind)).collect()
}

/// Reads a change.
///
/// # Errors
/// What is wrong, member by member.
pub fn change(bytes: &[u8], now: Timestamp) -> Result<Enqueued, Vec<Fault>> {
    let mut value = Value::Null;
    let body = object(bytes, &mut value)?;
    let mut faults = Faults::default();
    let routing_key = body.needed("routing_key", &mut faults).unwrap_or_default().to_owned();
    let mut summary = String::new();
    let mut when = now;
    if let Some(payload) = body.object("payload", &mut faults) {
        payload.needed("summary", &mut faults).unwrap_or_default().clone_into(&mut summary);
        let source = payload.text("source", &mut faults).unwrap_or_default();
        if !source.is_empty() {
            summary = format!("{summary} ({source})");
        }
        when = payload.iso_time("timestamp", &mut faults).unwrap_or(now);
    }
    let links = links(&body, "links", "href", "link", &mut faults);
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    let id = digest(&[&summary, &when.to_string()], 32);
    let note = Note { fingerprint: None, action: "change_noted", summary, id: id.clone(), links };
    let delivery = Delivery {
        group: String::new(),
        group_labels: Labels::new(),
        left_out: 0,
        alerts: Vec::new(),
        note: Some(note),
    };
    Ok(Enqueued { routing_key, dedup_key: id, delivery })
}
