//! Mends a table so that the rest of it can be read: takes out what is wrong, and puts in what is missing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::words;
use crate::scenario::diagnostic::Diagnostic;

/// A value for each key that a table needs, to stand where it is missing.
const STAND_INS: &str = r#"
id = "x"
title = "x"
severity = "SEV1"
services = []
target = "1m"
agents = { x = "" }
phases = [{ name = "x", at = "0s" }]
steps = [{ id = "x", at = "0s", agent = "x", action = "", summary = "" }]
resolution = { at = "366d", summary = "" }
name = "x"
at = "0s"
agent = "x"
service = "x"
action = "x"
summary = ""
unit = ""
keys = { 0s = 0 }
claim = ""
belief = { 0s = 0 }
quantity = ""
p50 = 0
kind = ""
ref = ""
times = 1
url = ""
t0 = 2026-01-01T00:00:00Z
step = "x"
currency = "USD"
per_minute = {}
"#;

/// Keys that other parts of the file refer to: if one was mended, what refers to it can't be judged.
const NAMES: [&str; 9] =
    ["id", "name", "agents", "phases", "hypotheses", "steps", "step", "metrics", "agent"];

/// A table with what was mended in it.
pub(super) struct Repaired<'a> {
    table: Spanned<DeTable<'a>>,
    /// The keys that were taken out of or put into a table, by the place of the table.
    mended: HashSet<(Option<usize>, String)>,
}

impl<'a> Repaired<'a> {
    pub(super) fn new(table: Spanned<DeTable<'a>>) -> Self {
        Self { table, mended: HashSet::new() }
    }

    pub(super) fn table(&self) -> Spanned<DeTable<'a>> {
        self.table.clone()
    }

    /// Mends what an error is about. Returns the mistakes, unless they follow from one that was mended before, and whether
    /// the rest can be read. All unknown keys of a table are mended at once, and the first `most` are told.
    pub(super) fn mend(
        &mut self,
        error: &toml::de::Error,
        text: &'a str,
        most: usize,
    ) -> (Vec<Diagnostic>, bool) {
        let span = error.span().unwrap_or(0..0);
        let unknown = words::expected_keys(error)
            .and_then(|known| remove_unknown(self.table.get_mut(), None, &span, &known));
        let Some((table, keys)) = unknown else {
            let (mistake, mended) = self.mend_one(error, text);
            return (mistake.into_iter().collect(), mended);
        };
        let told =
            keys.iter().take(most).map(|(key, span)| words::of_unknown(key, error, span.clone(), text));
        let told = told.collect();
        self.mended.extend(keys.into_iter().map(|(key, _)| (table, key)));
        (told, true)
    }

    fn mend_one(&mut self, error: &toml::de::Error, text: &'a str) -> (Option<Diagnostic>, bool) {
        let root = self.table.span();
        let span = error.span().unwrap_or(0..0);
        if let Some(key) = missing(error.message()) {
            let table = Some(span.clone()).filter(|span| *span != root && !span.is_empty());
            let new = self.mended.insert((table.as_ref().map(|table| table.start), key.to_owned()));
            let mistake = new.then(|| words::of_missing(key, table.clone(), text));
            let stand_in = stand_in(key);
            let place = match &table {
                None => Some(self.table.get_mut()),
                Some(table) => table_at(self.table.get_mut(), table),
            };
            let (Some(place), Some(stand_in)) = (place, stand_in) else { return (mistake, false) };
            place.insert(Spanned::new(0..0, Cow::Owned(key.to_owned())), stand_in);
            return (mistake, true);
        }
        // What is empty because a wrong entry was taken out is not wrong too.
        let follows = emptied(error.message()).is_some_and(|name| {
            self.mended.iter().any(|(table, key)| *table == Some(span.start) || key == name)
        });
        let mistake = (!follows).then(|| words::of_types(error, span.clone(), text));
        (mistake, self.take_out(&span))
    }

    /// Takes out the value with that place, if there is one.
    pub(super) fn take_out(&mut self, place: &Range<usize>) -> bool {
        let Some(Removed { table, key }) = remove(self.table.get_mut(), None, place) else { return false };
        // A key that is wrong and then missing is one mistake.
        self.mended.insert((table, key));
        true
    }

    /// Whether a mistake in the meaning is one of the author, whatever was mended.
    pub(super) fn is_certain(&self, diagnostic: &Diagnostic) -> bool {
        let mended = |keys: &[&str]| self.mended.iter().any(|(_, key)| keys.contains(&key.as_str()));
        let message = &diagnostic.message;
        let refers_to = |key: &str| message.contains(&format!("{key:?}"));
        let beside = |keys: &[&str]| self.mended_beside(&diagnostic.span, keys);
        // Stand-ins have no place in the file.
        !diagnostic.span.is_empty()
            && !(mended(&NAMES) && (message.starts_with("unknown ") || message.starts_with("two ")))
            && !(message.starts_with("unknown ") && self.mended.iter().any(|(_, key)| refers_to(key)))
            && !(beside(&["at", "after"])
                && (message.starts_with("neither ") || message.starts_with("`delay`")))
            && !(beside(&["at", "when"])
                && ["neither ", "`for` ", "`until` "].iter().any(|start| message.starts_with(start)))
            && !(mended(&["service", "severity", "labels"]) && message.starts_with("two alerts "))
            && !(mended(&["fails"]) && message.contains("never "))
            && !(mended(&["at", "after", "delay", "takes", "fails", "retry", "draws", "marks"])
                && diagnostic.message.contains(" mark"))
            && !(mended(&["phases", "at"]) && message.contains("begin"))
            && !(mended(&["truth"]) && message.contains("true hypothesis"))
    }
}

impl Repaired<'_> {
    /// Whether one of these keys was mended in a table around that place: what is said of another table is certain.
    fn mended_beside(&self, place: &Range<usize>, keys: &[&str]) -> bool {
        let mut around = Vec::new();
        tables_around(self.table.get_ref(), None, place, &mut around);
        self.mended.iter().any(|(table, key)| keys.contains(&key.as_str()) && around.contains(table))
    }
}

/// Where the tables begin that have a key or a value at that place, from the inner to the outer.
fn tables_around(
    table: &DeTable<'_>,
    begin: Option<usize>,
    place: &Range<usize>,
    around: &mut Vec<Option<usize>>,
) -> bool {
    let is_around = table
        .iter()
        .any(|(key, value)| key.span() == *place || within(value, place, around) || value.span() == *place);
    if is_around {
        around.push(begin);
    }
    is_around
}

fn within(value: &Spanned<DeValue<'_>>, place: &Range<usize>, around: &mut Vec<Option<usize>>) -> bool {
    match value.get_ref() {
        // What is said of a whole table, such as the resolution.
        DeValue::Table(_) if value.span() == *place => {
            around.push(Some(place.start));
            true
        }
        DeValue::Table(table) => tables_around(table, Some(value.span().start), place, around),
        DeValue::Array(items) => {
            items.iter().any(|item| within(item, place, around) || item.span() == *place)
        }
        _ => false,
    }
}

/// serde: missing field `title`
fn missing(message: &str) -> Option<&str> {
    message.trim().strip_prefix("missing field `")?.strip_suffix('`')
}

/// Ours: no agents: at least one is needed
fn emptied(message: &str) -> Option<&str> {
    let (name, rest) = message.trim().strip_prefix("no ")?.split_once(": ")?;
    rest.starts_with("at least one is needed").then_some(name)
}

/// The value that stands for a key, without a place in the file.
fn stand_in(key: &str) -> Option<Spanned<DeValue<'static>>> {
    let table = DeTable::parse(STAND_INS).ok()?.into_inner();
    let (_, value) = table.into_iter().find(|(name, _)| name.get_ref() == key)?;
    Some(without_place(value))
}

fn without_place(value: Spanned<DeValue<'_>>) -> Spanned<DeValue<'_>> {
    let value = match value.into_inner() {
        DeValue::Array(items) => {
            let mut array = DeArray::new();
            for item in items {
                array.push(without_place(item));
            }
            DeValue::Array(array)
        }
        DeValue::Table(table) => {
            let entries = table.into_iter();
            let entries =
                entries.map(|(key, value)| (Spanned::new(0..0, key.into_inner()), without_place(value)));
            DeValue::Table(entries.collect())
        }
        other => other,
    };
    Spanned::new(0..0, value)
}

/// The table with that place.
fn table_at<'t, 'a>(table: &'t mut DeTable<'a>, place: &Range<usize>) -> Option<&'t mut DeTable<'a>> {
    let mut values: Vec<&'t mut Spanned<DeValue<'a>>> = table.iter_mut().map(|(_, value)| value).collect();
    while let Some(value) = values.pop() {
        if value.span() == *place && value.get_ref().is_table() {
            let DeValue::Table(found) = value.get_mut() else { return None };
            return Some(found);
        }
        match value.get_mut() {
            DeValue::Table(table) => values.extend(table.iter_mut().map(|(_, value)| value)),
            DeValue::Array(items) => values.extend(items.iter_mut()),
            _ => {}
        }
    }
    None
}

/// What was taken out: the key, and where its table begins.
struct Removed {
    table: Option<usize>,
    key: String,
}

/// Takes out the entry whose key or value has that place, or an element of a list.
fn remove(table: &mut DeTable<'_>, begin: Option<usize>, place: &Range<usize>) -> Option<Removed> {
    let is_it = |key: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>| {
        key.span() == *place || value.span() == *place
    };
    if let Some(key) =
        table.iter().find(|(key, value)| is_it(key, value)).map(|(key, _)| key.get_ref().to_string())
    {
        let entries = std::mem::replace(table, DeTable::new()).into_iter();
        *table = entries.filter(|(name, _)| *name.get_ref() != key).collect();
        return Some(Removed { table: begin, key });
    }
    for (key, value) in table.iter_mut() {
        let span = value.span();
        let found = match value.get_mut() {
            DeValue::Table(table) => remove(table, Some(span.start), place),
            DeValue::Array(items) => remove_item(items, key.get_ref(), begin, place),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// A key and its place.
type Key = (String, Range<usize>);

/// Takes all keys that are not `known` out of the table that has a key at that place. Returns where the table begins, and the
/// keys in their order.
fn remove_unknown(
    table: &mut DeTable<'_>,
    begin: Option<usize>,
    place: &Range<usize>,
    known: &[&str],
) -> Option<(Option<usize>, Vec<Key>)> {
    if table.iter().any(|(key, _)| key.span() == *place) {
        let entries = std::mem::replace(table, DeTable::new()).into_iter();
        let (kept, removed): (Vec<_>, Vec<_>) =
            entries.partition(|(key, _)| known.contains(&key.get_ref().as_ref()));
        *table = kept.into_iter().collect();
        let mut keys: Vec<Key> =
            removed.into_iter().map(|(key, _)| (key.get_ref().to_string(), key.span())).collect();
        keys.sort_by_key(|(_, span)| span.start);
        return Some((begin, keys));
    }
    let mut values: Vec<_> = table.iter_mut().map(|(_, value)| value).collect();
    while let Some(value) = values.pop() {
        let start = value.span().start;
        let found = match value.get_mut() {
            DeValue::Table(table) => remove_unknown(table, Some(start), place, known),
            DeValue::Array(items) => {
                values.extend(items.iter_mut());
                None
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn remove_item(
    items: &mut DeArray<'_>,
    key: &str,
    begin: Option<usize>,
    place: &Range<usize>,
) -> Option<Removed> {
    if items.iter().any(|item| item.span() == *place) {
        let mut left = DeArray::new();
        for item in std::mem::replace(items, DeArray::new()) {
            if item.span() != *place {
                left.push(item);
            }
        }
        *items = left;
        return Some(Removed { table: begin, key: key.to_owned() });
    }
    items.iter_mut().find_map(|item| {
        let start = item.span().start;
        match item.get_mut() {
            DeValue::Table(table) => remove(table, Some(start), place),
            DeValue::Array(items) => remove_item(items, key, begin, place),
            _ => None,
        }
    })
}
