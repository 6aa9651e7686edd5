//! Reading `sinks.toml`. Every mistake is reported, with its line and what is allowed.

use std::ops::Range;

use toml::de::DeTable;

use super::described::{Credentials, Kind, SINK_KEYS, Sink};
use crate::client::Endpoint;
use crate::plan::{LABEL_CHARS, RESERVED_LABELS, is_label};
use crate::scenario::{ScenarioError, Table, did_you_mean, syntax_mistakes};
use crate::token::Sources;

/// The keys at the top of the file.
const TOP: &[&str] = &["sink"];

/// The longest name of a sink, in characters.
const NAME_CHARS: usize = 20;

/// The most sinks.
const MOST: usize = 20;

/// Reads the sinks in the text of a file. `origin` is how diagnostics name the file.
///
/// # Errors
/// All mistakes.
pub fn read(origin: &str, text: &str) -> Result<Vec<Sink>, ScenarioError> {
    let failed = |mistakes| Err(ScenarioError::new(origin, text, mistakes));
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return failed(syntax_mistakes(
            text,
            "the file is TOML: [[sink]] above each sink, then NAME = VALUE, a line each",
        ));
    }
    let mut table = Table::new(table.get_ref());
    table.only("the file", TOP);
    let mut sinks: Vec<Sink> = Vec::new();
    let tables = table.tables("sink");
    if !table.has("sink") && table.mistakes.is_empty() {
        let help = "write [[sink]], and below it name, kind and url";
        table.note(0..0, "the file has no sink", "", help);
    }
    for (number, (mut inner, span)) in tables.into_iter().enumerate() {
        if number == MOST {
            inner.note(span, format!("more than {MOST} sinks"), "one too many", "remove some");
            table.take(inner);
            break;
        }
        if let Some(sink) = sink(&mut inner, &span) {
            if sinks.iter().any(|other| other.name == sink.name) {
                let span = inner.get("name").map_or(span, toml::Spanned::span);
                let what = format!("there are two sinks with the name {:?}", sink.name);
                inner.note(span, what, "the second", "give each sink a name of its own");
            }
            sinks.push(sink);
        }
        table.take(inner);
    }
    if table.mistakes.is_empty() { Ok(sinks) } else { failed(table.mistakes) }
}

/// One sink; `None` if what it needs is missing or wrong.
fn sink(table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<Sink> {
    table.only("a sink", SINK_KEYS);
    let name = name(table, whole);
    let kind = kind(table, whole);
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

fn name(table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<String> {
    if !table.has("name") {
        table.note(whole.clone(), "the sink has no name", "", "add name = \"pager\"");
        return None;
    }
    let (text, span) = table.text("name")?;
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = text.len() <= NAME_CHARS && !text.starts_with('-') && text.bytes().all(fine);
    if !is_name {
        let help = format!("write at most {NAME_CHARS} of a-z, 0-9 and -, with a letter or digit first");
        table.note(span, format!("{text:?} can't be the name of a sink"), "", help);
        return None;
    }
    Some(text.to_owned())
}

fn kind(table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<Kind> {
    let names = Kind::ALL.map(Kind::as_str);
    if !table.has("kind") {
        let help = format!("add kind = \"alertmanager\"; the kinds are {}", names.join(", "));
        table.note(whole.clone(), "the sink has no kind", "", help);
        return None;
    }
    let (text, span) = table.text("kind")?;
    let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
    if found.is_none() {
        let help = match did_you_mean(text, names) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("the kinds are {}", names.join(", ")),
        };
        table.note(span, format!("there is no kind {text:?}"), "not known", help);
    }
    found
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
        return Err(format!("{text:?} has the path of the API: leave out /api/v2/alerts"));
    }
    let is_plain = is_http && !text.contains(['?', '#']) && !bare.ends_with("/ws");
    // As the base of paths.
    let endpoint = format!("{bare}/").parse::<Endpoint>().ok().filter(|_| is_plain);
    endpoint.ok_or_else(|| format!("{text:?} is not the URL of an Alertmanager"))
}

/// Whether a label can have this value.
pub fn is_value(value: &str) -> bool {
    value.chars().count() <= LABEL_CHARS && !value.chars().any(char::is_control)
}
