//! Reading `sinks.toml`. Every mistake is reported, with its line and what is allowed.

use std::ops::Range;

use super::described::{Credentials, Kind, SINK_KEYS, Sink};
use crate::client::{Endpoint, without_secrets};
use crate::plan::{LABEL_CHARS, RESERVED_LABELS, is_label};
use crate::scenario::{Entries, Named, ScenarioError, Table};
use crate::token::Sources;

const ENTRIES: Entries = Entries {
    what: "sink",
    needs: "name, kind and url",
    harmless: &["name", "kind", "url", "labels", "scenarios", "generator_url"],
    example: "pager",
    why: "",
    most: Some(20),
};

/// Reads the sinks in the text of a file. `origin` is how diagnostics name the file.
///
/// # Errors
/// All mistakes.
pub fn read(origin: &str, text: &str) -> Result<Vec<Sink>, ScenarioError> {
    ENTRIES.read(origin, text, sink)
}

impl Named for Sink {
    fn name(&self) -> &str {
        &self.name
    }
}

/// One sink; `None` if what it needs is missing or wrong.
fn sink(table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<Sink> {
    table.only("a sink", SINK_KEYS);
    let name = ENTRIES.name(table, whole);
    let kind = ENTRIES.kind(table, whole, &Kind::ALL, Kind::as_str);
    let url = endpoint(table, whole);
    let credentials = credentials(table);
    let ca_file = table.text("ca_file").map(|(text, _)| text.into());
    let labels = table.pairs("labels");
    for ((name, span), (value, value_span)) in &labels {
        if RESERVED_LABELS.contains(name) {
            let help =
                "every alert has its own; a sink adds labels with other names, as in { team = \"drills\" }";
            table.note(span.clone(), format!("the label {name:?} is set by the program"), "", help);
        } else if !is_label(name) {
            let help = "write letters, digits and _, no digit first, and no __ at the beginning";
            table.note(span.clone(), format!("{name:?} can't be the name of a label"), "", help);
        }
        if !is_value(value) {
            let help = format!("write at most {LABEL_CHARS} characters in one line");
            table.note(
                value_span.clone(),
                "the value of a label is too long, or has a control character",
                "",
                help,
            );
        }
    }
    let labels =
        labels.into_iter().map(|((name, _), (value, _))| (name.to_owned(), value.to_owned())).collect();
    let scenarios: Vec<String> =
        table.texts("scenarios").into_iter().map(|(text, _)| text.to_owned()).collect();
    let all = !table.has("scenarios");
    if scenarios.is_empty() && !all && table.mistakes.is_empty() {
        let span = table.key("scenarios");
        table.note(
            span,
            "scenarios is empty: the sink would get nothing",
            "",
            "remove it for all, or write [\"*-outage\"]",
        );
    }
    let scenarios = Sources::new(if all { vec!["*".to_owned()] } else { scenarios });
    let generator_url = table.text("generator_url").and_then(|(text, span)| {
        let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
            && text.parse::<hyper::Uri>().is_ok();
        if !is_url {
            table.note(
                span,
                format!("{text:?} is not a URL"),
                "",
                "write one like https://wiki.example/drills",
            );
        }
        is_url.then(|| text.to_owned())
    });
    Some(Sink { name: name?, kind: kind?, url: url?, credentials, ca_file, labels, scenarios, generator_url })
}

fn endpoint(table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<Endpoint> {
    if !table.has("url") {
        table.note(whole.clone(), "the sink has no url", "", "add url = \"http://127.0.0.1:9093\"");
        return None;
    }
    let (text, span) = table.text("url")?;
    match url(text) {
        Ok(url) => Some(url),
        Err(why) => {
            let help = "write where the Alertmanager is, as in \"http://127.0.0.1:9093\" or \"https://alerts.example/am\"";
            table.note(span, format!("url: {why}"), "", help);
            None
        }
    }
}

fn credentials(table: &mut Table<'_, '_>) -> Option<Credentials> {
    let token = table.text("token_file").map(|(text, _)| text.to_owned());
    let user = table.text("username").map(|(text, span)| (text.to_owned(), span));
    let password = table.text("password_file").map(|(text, _)| text.to_owned());
    for (key, other) in [("username", "password_file"), ("password_file", "username")] {
        if table.has(key) && !table.has(other) {
            let span = table.key(key);
            table.note(span, format!("{key} needs {other}"), "", format!("add {other}, or remove {key}"));
        }
    }
    if table.has("token_file") && table.has("username") {
        let span = table.key("username");
        table.note(
            span,
            "both token_file and username",
            "",
            "an Alertmanager takes one of them: remove the other",
        );
    }
    if let Some((_, span)) = user.as_ref().filter(|(user, _)| user.contains(':') || !is_value(user)) {
        table.note(
            span.clone(),
            "a username can't have a colon or a control character",
            "",
            "write another one",
        );
    }
    match (token, user, password) {
        (Some(token), ..) => Some(Credentials::Token(token.into())),
        (None, Some((user, _)), Some(password)) => Some(Credentials::Basic(user, password.into())),
        _ => None,
    }
}

/// The URL of an Alertmanager.
///
/// # Errors
/// It is none, in words.
pub fn url(text: &str) -> Result<Endpoint, String> {
    let is_http = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if text.contains('@') {
        return Err("a URL has no user and no password here: they have files of their own".to_owned());
    }
    let bare = text.trim_end_matches('/');
    if is_http && bare.ends_with("/api/v2/alerts") {
        let text = without_secrets(text);
        return Err(format!("{text:?} has the path of the API: leave out /api/v2/alerts"));
    }
    let is_plain = is_http && !text.contains(['?', '#']) && !bare.ends_with("/ws");
    // As the base of paths.
    let endpoint = format!("{bare}/").parse::<Endpoint>().ok().filter(|_| is_plain);
    endpoint
        .ok_or_else(|| {
            let text = without_secrets(text);
            format!("{text:?} is not the URL of an Alertmanager, such as http://127.0.0.1:9093: it has a host, and nothing behind ? or #")
        })
}

/// Whether a label can have this value.
pub fn is_value(value: &str) -> bool {
    value.chars().count() <= LABEL_CHARS && !value.chars().any(char::is_control)
}
