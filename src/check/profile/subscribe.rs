//! What a profile says about connecting: texts, headers, subprotocols, the query, and how to resume.

use hyper::header::{HeaderName, HeaderValue};

use super::described::Profile;
use super::resume::{NAMES, Resume};
use crate::scenario::{Table, Text, did_you_mean};

/// Headers that belong to the connection itself.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn read(table: &mut Table<'_, '_>, profile: &mut Profile) {
    let to = &mut profile.subscribing;
    to.send = table.texts("send").into_iter().map(|(text, _)| text.to_owned()).collect();
    for ((name, name_span), (value, value_span)) in table.pairs("headers") {
        match header(name, value) {
            Ok(()) => to.headers.push((name.to_owned(), value.to_owned())),
            Err(wrong) => {
                let span = if wrong.is_about_name { name_span } else { value_span };
                table.note(span, wrong.what, "", wrong.help);
            }
        }
    }
    for (name, span) in table.texts("subprotocols") {
        match subprotocol(name) {
            Ok(()) => to.subprotocols.push(name.to_owned()),
            Err(what) => table.note(span, what, "", "write a name such as \"orders.v1\""),
        }
    }
    if let Some((text, span)) = table.text("query")
        && is_query(table, text, &span, "query")
    {
        to.query = Some(text.to_owned());
    }
    profile.resume = resume(table, profile);
}

/// What is wrong with a header.
pub struct WrongHeader {
    is_about_name: bool,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// Checks a header.
///
/// # Errors
/// It is no header, or one that belongs to the connection.
pub fn header(name: &str, value: &str) -> Result<(), WrongHeader> {
    let wrong =
        |is_about_name, what, help: &str| Err(WrongHeader { is_about_name, what, help: help.to_owned() });
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return wrong(
            true,
            format!("{name:?} is not the name of a header"),
            "a name has letters, digits and hyphens",
        );
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        let help = if lower == "sec-websocket-protocol" {
            "name subprotocols with subprotocols = [\"…\"] or --subprotocol"
        } else {
            "remove it"
        };
        return wrong(true, format!("the header {name} belongs to the connection and is set by it"), help);
    }
    if HeaderValue::from_str(value).is_err() {
        return wrong(
            false,
            format!("the value of the header {name} has characters that a header can't have"),
            "write visible ASCII characters on one line",
        );
    }
    Ok(())
}

/// Checks the name of a subprotocol.
///
/// # Errors
/// It is none.
pub fn subprotocol(name: &str) -> Result<(), String> {
    let is_token = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if is_token { Ok(()) } else { Err(format!("{name:?} is not the name of a subprotocol")) }
}

/// Checks a query; notes what is wrong with it.
fn is_query(table: &mut Table<'_, '_>, text: &str, span: &std::ops::Range<usize>, key: &str) -> bool {
    if let Some(bare) = text.strip_prefix(['?', '&']) {
        let help = format!("write {bare:?}");
        table.note(
            span.clone(),
            format!("{key} begins with {:?}, which is added by itself", &text[..1]),
            "",
            help,
        );
        return false;
    }
    let plain = text.replace(['{', '}'], "");
    if let Some(wrong) = plain.chars().find(|c| !c.is_ascii_graphic() || "#\"<>\\^`|".contains(*c)) {
        let help = "write other characters as %XX, their bytes in UTF-8";
        table.note(span.clone(), format!("{key} has {wrong:?}, which a query can't have"), "", help);
        return false;
    }
    true
}

fn resume(table: &mut Table<'_, '_>, profile: &Profile) -> Option<Resume> {
    let mut inner = table.table("resume", "a table, as in { query = \"after={sequence}\" }")?;
    inner.only("resume", &["query", "send", "header", "value"]);
    let ways: Vec<&str> = ["query", "send", "header"].into_iter().filter(|way| inner.has(way)).collect();
    let mut texts: Vec<Text<'_>> = Vec::new();
    let found = match *ways.as_slice() {
        ["query"] => inner.text("query").and_then(|(text, span)| {
            let fine = is_query(&mut inner, text, &span, "resume.query");
            texts.push((text, span));
            fine.then(|| Resume::Query(text.to_owned()))
        }),
        ["send"] => {
            // One text, or several.
            let is_one = inner.get("send").is_some_and(|value| value.get_ref().is_str());
            texts = if is_one { inner.text("send").into_iter().collect() } else { inner.texts("send") };
            (!texts.is_empty())
                .then(|| Resume::Send(texts.iter().map(|(text, _)| (*text).to_owned()).collect()))
        }
        ["header"] => inner.text("header").and_then(|(name, span)| {
            let (value, value_span) = inner.text("value").unwrap_or(("{id}", span.clone()));
            texts.push((value, value_span));
            match header(name, value) {
                Ok(()) => Some(Resume::Header(name.to_owned(), value.to_owned())),
                Err(wrong) => {
                    inner.note(span, wrong.what, "", wrong.help);
                    None
                }
            }
        }),
        _ => {
            if inner.mistakes.is_empty() {
                let what =
                    if ways.is_empty() { "resume says no way" } else { "resume says more than one way" };
                let help = "write one of query = \"after={sequence}\", send = '{\"after\":{sequence}}' and header = \
                            \"Last-Event-ID\"";
                let span = table.key("resume");
                inner.note(span, what, "", help);
            }
            None
        }
    };
    if inner.has("value") && ways != ["header"] {
        let span = inner.key("value");
        inner.note(span, "value belongs to header", "", "remove it, or write header = \"Last-Event-ID\"");
    }
    if inner.mistakes.is_empty() {
        placeholders(&mut inner, profile, &texts);
    }
    let mistakes = std::mem::take(&mut inner.mistakes);
    let found = found.filter(|_| mistakes.is_empty());
    table.mistakes.extend(mistakes);
    found
}

/// Checks what stands in braces.
fn placeholders(table: &mut Table<'_, '_>, profile: &Profile, texts: &[Text<'_>]) {
    let mut any = false;
    for (text, span) in texts {
        for (at, _) in text.match_indices('{') {
            let Some((name, _)) = text[at + 1..].split_once('}') else { continue };
            // JSON has braces too.
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                continue;
            }
            any = true;
            if !NAMES.contains(&name) {
                let help = match did_you_mean(name, NAMES) {
                    Some(near) => format!("did you mean {{{near}}}?"),
                    None => "there are {sequence}, {id}, {key} and {time}".to_owned(),
                };
                table.note(span.clone(), format!("resume: nothing is called {{{name}}}"), "", help);
            } else if profile.fields().iter().any(|(field, place)| *field == name && place.is_none())
                && !table.mistakes.iter().any(|mistake| mistake.span == *span)
            {
                let message = format!("resume uses {{{name}}}, but the profile does not say where it is");
                table.note(
                    span.clone(),
                    message,
                    "",
                    format!("add {name} = \"/…\" at the top of the profile"),
                );
            }
        }
    }
    let has = |name| texts.iter().any(|(text, _)| text.contains(name));
    if let (true, false, Some(_), Some((_, span))) =
        (has("{sequence}"), has("{key}"), &profile.key, texts.first())
    {
        let help = "add {key} to the template, or leave out key and name what begins and ends as subject";
        table.note(span.clone(), "resume uses {sequence}, which counts in each key", "", help);
    }
    if let (false, Some((_, span))) = (any, texts.first()) {
        let help = "write {sequence}, {id}, {key} or {time} where the value of the last event belongs";
        table.note(span.clone(), "resume asks for the same after every event", "", help);
    }
}
