//! Reading `receivers.toml`. Every mistake is reported, with its line and what is allowed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::alert::Labels;
use super::described::{CostRule, Drills, Kind, Receiver, Signature};
use super::keys::{COST, DROP, HARMLESS, RECEIVER_KEYS, SERVICES, SEVERITY};
use crate::contract::Severity;
use crate::scenario::{Entries, Micros, Named, ScenarioError, Table};

const ENTRIES: Entries = Entries {
    what: "receiver",
    needs: "name, kind and token_file",
    harmless: HARMLESS,
    example: "prod",
    why: ": the name is a part of a path and of the ids of incidents",
    most: None,
};

const HMAC_HEADER: &str = "X-Grafana-Alerting-Signature";

/// Reads the receivers in the text of a file. `origin` is how diagnostics name the file.
///
/// # Errors
/// All mistakes.
pub fn read(origin: &str, text: &str) -> Result<Vec<Receiver>, ScenarioError> {
    ENTRIES.read(origin, text, receiver)
}

impl Named for Receiver {
    fn name(&self) -> &str {
        &self.name
    }
}

/// One receiver; `None` if it has no name or kind.
fn receiver(table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<Receiver> {
    table.only("a receiver", RECEIVER_KEYS);
    let name = ENTRIES.name(table, whole);
    let kind = ENTRIES.kind(table, whole, &Kind::ALL, Kind::as_str);
    let mut receiver = Receiver::new(name.as_deref().unwrap_or("?"), kind.unwrap_or(Kind::Alertmanager));
    secrets(table, whole, &mut receiver, kind);
    receiver.group_by = table.texts("group_by").into_iter().map(|(text, _)| text.to_owned()).collect();
    receiver.settle = duration(table, "settle").unwrap_or(receiver.settle);
    receiver.reopen = duration(table, "reopen").unwrap_or(receiver.reopen);
    receiver.stale = duration(table, "stale");
    if receiver.stale == Some(Duration::ZERO) {
        let span = table.key("stale");
        table.note(span, "stale is no time at all", "", "write a duration such as \"30m\", or remove it");
    }
    if let Some((text, span)) = table.text("title") {
        if is_title(text) {
            text.clone_into(&mut receiver.title);
        } else {
            let help = "write the name of a label in braces, as in \"{alertname} on {service}\"";
            table.note(span, "title has a brace that nothing closes, or nothing in braces", "", help);
        }
    }
    severity(table, &mut receiver);
    if let Some(mut inner) = table.table("services", "a table with labels = [\"service\"]") {
        inner.only("services", SERVICES);
        if inner.has("labels") {
            receiver.services = inner.texts("labels").into_iter().map(|(text, _)| text.to_owned()).collect();
        }
        table.take(inner);
    }
    costs(table, &mut receiver);
    for (mut inner, span) in table.tables("drop") {
        inner.only("drop", DROP);
        let labels = labels(&mut inner);
        if labels.is_empty() && inner.mistakes.is_empty() {
            let help = "write match = { alertname = \"Watchdog\" }";
            inner.note(span, "drop without labels would leave out every alert", "", help);
        }
        receiver.drop.push(labels);
        table.take(inner);
    }
    receiver.drills = drills(table).unwrap_or(receiver.drills);
    for ((value, _), (metric, _)) in table.pairs("metrics") {
        receiver.metrics.insert(value.to_owned(), metric.to_owned());
    }
    if table.has("metrics") && kind.is_some_and(|kind| kind != Kind::Grafana) {
        let span = table.key("metrics");
        let help = "remove it; only kind = \"grafana\" sends values";
        table.note(span, "metrics needs a receiver of kind \"grafana\"", "", help);
    }
    (name.is_some() && kind.is_some()).then_some(receiver)
}

fn drills(table: &mut Table<'_, '_>) -> Option<Drills> {
    let (text, span) = table.text("drills")?;
    match text {
        "mark" => Some(Drills::Mark),
        "drop" => Some(Drills::Drop),
        _ => {
            let help = "write \"mark\" for incidents that are drills, or \"drop\" to leave their alerts out";
            table.note(span, format!("drills can't be {text:?}"), "not known", help);
            None
        }
    }
}

fn secrets(table: &mut Table<'_, '_>, whole: &Range<usize>, receiver: &mut Receiver, kind: Option<Kind>) {
    receiver.token_file = table.text("token_file").map(|(text, _)| text.into());
    let header = header_of(table, "hmac_header").unwrap_or_else(|| HMAC_HEADER.to_owned());
    let timestamp_header = header_of(table, "hmac_timestamp_header");
    if let Some((file, _)) = table.text("hmac_secret_file") {
        receiver.signature = Some(Signature { secret_file: file.into(), header, timestamp_header });
    }
    for key in ["hmac_secret_file", "hmac_header", "hmac_timestamp_header"] {
        if table.has(key) && kind.is_some_and(|kind| kind != Kind::Grafana) {
            let span = table.key(key);
            let help = "remove it, and use token_file";
            table.note(span, format!("{key} needs a receiver of kind \"grafana\""), "", help);
        }
        if key != "hmac_secret_file" && table.has(key) && !table.has("hmac_secret_file") {
            let span = table.key(key);
            table.note(span, format!("{key} needs hmac_secret_file"), "", "add hmac_secret_file = \"FILE\"");
        }
    }
    if !table.has("token_file") && !table.has("hmac_secret_file") {
        let help = "add token_file = \"prod.token\"; make the file with: openssl rand -hex 16 > prod.token";
        table.note(whole.clone(), "the receiver has no token_file", "", help);
    }
}

/// The name of a header.
fn header_of(table: &mut Table<'_, '_>, key: &str) -> Option<String> {
    let (text, span) = table.text(key)?;
    if hyper::header::HeaderName::from_bytes(text.as_bytes()).is_err() {
        let what = format!("{text:?} is not the name of a header");
        table.note(span, what, "", "a name has letters, digits and hyphens");
        return None;
    }
    Some(text.to_owned())
}

fn duration(table: &mut Table<'_, '_>, name: &str) -> Option<Duration> {
    if let Some(value) = table.get(name)
        && let Some(number) = value.get_ref().as_integer()
    {
        let (number, span) = (number.as_str().to_owned(), value.span());
        let help = format!("write it with quotes and a unit: \"{number}s\"");
        table.note(span, format!("{name} is the number {number}"), "a duration has a unit", help);
        return None;
    }
    let (text, span) = table.text(name)?;
    match text.parse::<Micros>() {
        Ok(found) => Some(found.into()),
        Err(error) => {
            table.note(span, format!("{name}: {error}"), "", "write a duration such as \"2m\"");
            None
        }
    }
}

/// Whether every brace is closed, with a name in it.
fn is_title(text: &str) -> bool {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default();
    !first.contains('}')
        && parts.all(|part| {
            part.split_once('}').is_some_and(|(name, after)| !name.is_empty() && !after.contains('}'))
        })
}

fn severity(table: &mut Table<'_, '_>, receiver: &mut Receiver) {
    let wanted = "a table with label, map and default";
    let Some(mut inner) = table.table("severity", wanted) else { return };
    inner.only("severity", SEVERITY);
    let rule = &mut receiver.severity;
    if let Some((label, _)) = inner.text("label") {
        label.clone_into(&mut rule.label);
    }
    if inner.has("map") {
        let mut map = BTreeMap::new();
        for ((value, _), (name, span)) in inner.pairs("map") {
            if let Some(severity) = severity_named(&mut inner, name, span) {
                map.insert(value.to_owned(), severity);
            }
        }
        rule.map = map;
    }
    if let Some((name, span)) = inner.text("default")
        && let Some(severity) = severity_named(&mut inner, name, span)
    {
        rule.default = severity;
    }
    table.take(inner);
}

fn severity_named(table: &mut Table<'_, '_>, name: &str, span: Range<usize>) -> Option<Severity> {
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == name);
    if found.is_none() {
        table.note(span, format!("there is no severity {name:?}"), "not known", "write one of SEV1 to SEV5");
    }
    found
}

fn costs(table: &mut Table<'_, '_>, receiver: &mut Receiver) {
    for (mut inner, span) in table.tables("cost") {
        inner.only("cost", COST);
        let labels = labels(&mut inner);
        let currency = inner.text("currency").and_then(|(text, span)| {
            let fine = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            if !fine {
                inner.note(
                    span,
                    format!("{text:?} is not the code of a currency"),
                    "",
                    "write \"USD\" or \"EUR\"",
                );
            }
            fine.then(|| text.to_owned())
        });
        let per_minute = inner.amount("per_minute");
        for key in ["currency", "per_minute"] {
            if !inner.has(key) {
                let help = "write currency = \"USD\" and per_minute = 900";
                inner.note(span.clone(), format!("the cost has no {key}"), "", help);
            }
        }
        if let (Some(currency), Some(per_minute)) = (currency, per_minute) {
            receiver.cost.push(CostRule { labels, currency, per_minute });
        }
        table.take(inner);
    }
}

/// `match = { NAME = "VALUE" }`
fn labels(table: &mut Table<'_, '_>) -> Labels {
    let pairs = table.pairs("match").into_iter();
    pairs.map(|((name, _), (value, _))| (name.to_owned(), value.to_owned())).collect()
}
