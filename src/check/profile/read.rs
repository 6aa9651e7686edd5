//! Reading a profile from TOML. Every mistake is reported, with its line and what is allowed.

use std::time::Duration;

use toml::de::DeTable;

use super::described::{Envelope, Profile, TimeFormat};
use super::field_place::{self, FieldPlace};
use super::keys::KEYS;
use super::subscribe;
use crate::scenario::{Masked, Micros, ScenarioError, Table, did_you_mean, syntax_mistakes};

/// Keys with values that may have a token in them.
const MAY_BE_SECRET: [&str; 5] = ["send", "headers", "subprotocols", "query", "resume"];

/// Reads a profile. `name` is that of a shipped profile, or the file.
///
/// # Errors
/// All mistakes.
pub(super) fn profile(name: &str, text: &str) -> Result<Profile, ScenarioError> {
    let failed = |mistakes| {
        let harmless: Vec<_> =
            KEYS.iter().map(|key| key.name).filter(|key| !MAY_BE_SECRET.contains(key)).collect();
        let masked = Masked::new(text, "", &harmless);
        Err(ScenarioError::new(name, &masked.text, masked.mistakes(mistakes)))
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return failed(syntax_mistakes(text, "a profile is TOML: NAME = VALUE, a line each"));
    }
    let mut table = Table::new(table.get_ref());
    let known: Vec<&'static str> = KEYS.iter().map(|key| key.name).collect();
    table.only("a profile", &known);
    let mut profile = Profile { name: name.to_owned(), ..Profile::default() };
    fields(&mut table, &mut profile);
    order(&mut table, &mut profile);
    types(&mut table, &mut profile);
    subscribe::read(&mut table, &mut profile);
    let says_nothing = profile.fields().iter().all(|(_, place)| place.is_none())
        && profile.envelope.is_none()
        && profile.silence.is_none();
    if says_nothing && table.mistakes.is_empty() {
        let help = "name at least one of type, id, sequence and time, as in type = \"/type\"";
        table.note(0..0, "the profile names no field, so that nothing could be checked", "", help);
    }
    if table.mistakes.is_empty() { Ok(profile) } else { failed(table.mistakes) }
}

impl Profile {
    /// Reads a profile from the text of a file.
    ///
    /// # Errors
    /// All mistakes.
    pub fn read(origin: &str, text: &str) -> Result<Self, ScenarioError> {
        profile(origin, text)
    }
}

/// Where the fields are.
fn fields(table: &mut Table<'_, '_>, profile: &mut Profile) {
    profile.is_json = table.bool("json").unwrap_or(true);
    if let Some((envelope, span)) = table.text("envelope") {
        if envelope == "cloudevents" {
            profile.envelope = Some(Envelope::CloudEvents);
        } else {
            let message = format!("{envelope:?} is not a known envelope");
            table.note(span, message, "not known", "the only one is \"cloudevents\"");
        }
    }
    profile.kind = place(table, "type", profile.is_json);
    profile.id = place(table, "id", profile.is_json);
    profile.sequence = place(table, "sequence", profile.is_json);
    profile.key = place(table, "key", profile.is_json);
    profile.subject = place(table, "subject", profile.is_json);
    profile.time = place(table, "time", profile.is_json);
    if profile.envelope.is_some() && !profile.is_json {
        let span = table.key("envelope");
        table.note(span, "an envelope needs JSON", "", "remove json = false, or remove envelope");
    }
    for (pointer, span) in table.texts("varies") {
        match field_place::pointer(pointer) {
            Ok(()) => profile.varies.push(pointer.to_owned()),
            Err((what, help)) => table.note(span, format!("varies: {what}"), "", help),
        }
    }
    for (field, span) in table.texts("optional") {
        let places = profile.fields();
        let names = places.iter().map(|(name, _)| *name);
        match places.iter().find(|(name, _)| *name == field) {
            Some((_, Some(_))) => profile.optional.push(field.to_owned()),
            Some((_, None)) => {
                let message = format!("{field} is optional, but the profile does not say where it is");
                let help = format!("add {field} = \"/…\", or leave it out of optional");
                table.note(span, message, "", help);
            }
            None => {
                let help = match did_you_mean(field, names.clone()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("the fields are {}", names.collect::<Vec<_>>().join(", ")),
                };
                table.note(span, format!("optional: there is no field {field:?}"), "not known", help);
            }
        }
    }
}

fn place(table: &mut Table<'_, '_>, name: &str, is_json: bool) -> Option<FieldPlace> {
    let (text, span) = table.text(name)?;
    match FieldPlace::read(text) {
        Ok(FieldPlace::Pointer(_)) if !is_json && !has_mistake_at(table, &span) => {
            let message = format!("{name} is a field of JSON, but json is false");
            table.note(span, message, "", "remove json = false, or write \"sse:id\" or \"sse:event\"");
            None
        }
        Ok(place) => Some(place),
        Err((what, help)) => {
            table.note(span, format!("{name}: {what}"), "", help);
            None
        }
    }
}

fn has_mistake_at(table: &Table<'_, '_>, span: &std::ops::Range<usize>) -> bool {
    table.mistakes.iter().any(|mistake| mistake.span == *span)
}

/// Notes that a key needs another one.
fn needs(table: &mut Table<'_, '_>, name: &str, other: &str, why: &str) {
    if table.has(name) && !table.has(other) {
        let span = table.key(name);
        let message = format!("{name} needs {other}: {why}");
        table.note(span, message, "", format!("add {other} = \"/…\", or remove {name}"));
    }
}

/// What numbers, ids and times mean.
fn order(table: &mut Table<'_, '_>, profile: &mut Profile) {
    profile.is_unique = table.bool("unique").unwrap_or(false);
    needs(table, "unique", "id", "it says that ids are unique");
    profile.is_gapless = table.bool("gapless").unwrap_or(false);
    needs(table, "gapless", "sequence", "it says how sequence numbers rise");
    profile.first = table.number("first");
    needs(table, "first", "sequence", "it is the first sequence number");
    if let Some((name, span)) = table.text("time_format") {
        match TimeFormat::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, format)) => profile.time_format = *format,
            None => {
                let names: Vec<&str> = TimeFormat::ALL.iter().map(|(name, _)| *name).collect();
                let help = format!("the formats are {}", names.join(", "));
                table.note(span, format!("there is no time format {name:?}"), "not known", help);
            }
        }
    }
    needs(table, "time_format", "time", "it says how the time is written");
    profile.is_rising = table.bool("rising").unwrap_or(true);
    needs(table, "rising", "time", "it says how the time goes on");
    profile.replays = table.bool("replays").unwrap_or(true);
    if let Some((text, span)) = table.text("silence") {
        match text.parse::<Micros>() {
            Ok(longest) if Duration::from(longest) > Duration::ZERO => profile.silence = Some(longest.into()),
            Ok(_) => table.note(span, "silence is no time at all", "", "write a duration such as \"30s\""),
            Err(error) => {
                table.note(span, format!("silence: {error}"), "", "write a duration such as \"30s\"");
            }
        }
    }
}

/// Types with a meaning.
fn types(table: &mut Table<'_, '_>, profile: &mut Profile) {
    let mut seen: Vec<(String, &'static str)> = Vec::new();
    for list in ["begins", "ends", "ignore"] {
        for (kind, span) in table.texts(list) {
            if let Some((_, other)) = seen.iter().find(|(known, _)| known == kind) {
                let message = format!("the type {kind:?} stands in {other} and in {list}");
                table.note(span, message, "", "a type has one meaning: leave it out of one of them");
                continue;
            }
            seen.push((kind.to_owned(), list));
            match list {
                "begins" => profile.begins.push(kind.to_owned()),
                "ends" => profile.ends.push(kind.to_owned()),
                _ => profile.ignore.push(kind.to_owned()),
            }
        }
    }
    for list in ["begins", "ends"] {
        if table.has(list) && !table.has("key") && !table.has("subject") {
            let span = table.key(list);
            let message = format!("{list} needs a subject: what begins and ends?");
            table.note(span, message, "", "add subject = \"/…\" (or key), or remove it");
        }
    }
}
