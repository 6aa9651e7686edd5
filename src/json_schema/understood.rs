//! A document of schemas without what the validator does not know, or gets wrong: regular expressions, and limits of numbers.
//!
//! What is left accepts at least what the whole accepts: no message fails because something was left out. So `not` over such an
//! expression is left out as well; of `oneOf` it stays that one of its schemas fits, of `if` that it and `then` fit, or `else`.

use std::collections::BTreeSet;

use boon::Draft;
use serde_json::{Map, Value, json};

use super::exact::{Allowed, Judged, Limit, Limits, MOST, Rough, rough};
use super::moved::{Moved, is_within};
use super::pattern::{FORMAT, Reading, WRONG};
use super::pointer::join;
use super::positions::{has_names, is_data, visit};
use super::readings::{Readings, patterns};
use super::references::{BESIDE, draft_of, is_reference, refers_alone, refers_to_unknown, spread};
use super::rounded::Rounded;
use super::same::is_rough;
use super::words::quoted;

/// A document as the validator gets it.
#[derive(Debug)]
pub struct Understood {
    /// The document.
    pub value: Value,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
    moved: Moved,
}

/// Something that is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What: a keyword and its value.
    pub what: String,
    /// A JSON pointer to it.
    pub pointer: String,
    /// Why.
    pub why: String,
}

impl Understood {
    /// Where what a pointer leads to stands now.
    pub fn moved(&self, pointer: &str) -> String {
        self.moved.to(pointer)
    }

    /// Where what a pointer into this document leads to stands in the whole one.
    pub fn written_at(&self, pointer: &str) -> String {
        self.moved.back(pointer)
    }
}

/// The document for the validator; `None` if that is the whole one. `elsewhere` says whether what a reference to another
/// document leads to has a regular expression that the validator does not know. Its limits of numbers are added to `limits`; `rounded`
/// are its numbers that have lost digits.
/// Schemas without `$schema` are of `draft`.
pub fn understood(
    document: &Value,
    draft: Draft,
    readings: &Readings,
    elsewhere: &dyn Fn(&str) -> bool,
    limits: &Limits,
    rounded: &Rounded,
) -> Option<Understood> {
    let mut unknown = BTreeSet::new();
    let mut is_same = true;
    let is_alone = refers_alone(document, draft);
    let has_const = draft_of(document, draft) != Draft::V4;
    visit(document, &mut |schema, pointer| {
        is_same = is_same
            && !(is_alone && is_reference(schema) && BESIDE.iter().any(|key| schema.contains_key(*key)))
            && schema.get("format").is_none_or(|format| format != "regex")
            && rough(schema).next().is_none()
            && values(schema, has_const).next().is_none()
            && !is_unique(schema);
        for pattern in patterns(schema) {
            match readings.get(pattern) {
                Reading::Unsupported(_) => {
                    unknown.insert(pointer.to_owned());
                }
                Reading::Known(known) => is_same = is_same && known == pattern,
                Reading::Wrong => is_same = false,
            }
        }
    });
    if unknown.is_empty() && is_same && !refers_to_unknown(document, elsewhere) {
        return None;
    }
    spread(document, &mut unknown, elsewhere);
    let mut writer = Writer {
        unknown,
        readings,
        limits,
        rounded,
        is_alone,
        has_const,
        left_out: Vec::new(),
        moved: Moved::default(),
    };
    let value = writer.value(document, "", "", false);
    Some(Understood { value, left_out: writer.left_out, moved: writer.moved })
}

/// Whether a pointer leads to the messages of a channel in AsyncAPI 2, which are no schemas.
fn is_messages(pointer: &str) -> bool {
    let tokens: Vec<&str> = pointer.split('/').collect();
    matches!(tokens.as_slice(), ["", "channels", _, "publish" | "subscribe", "message", "oneOf"])
}

/// The values that a schema allows, by keyword, if the validator takes others for the same.
fn values(schema: &Map<String, Value>, has_const: bool) -> impl Iterator<Item = (&'static str, Vec<Value>)> {
    let one = schema.get("const").filter(|_| has_const).map(|value| ("const", vec![value.clone()]));
    let listed = schema.get("enum").and_then(Value::as_array).map(|values| ("enum", values.clone()));
    one.into_iter().chain(listed).filter(|(_, values)| values.iter().any(is_rough))
}

fn is_unique(schema: &Map<String, Value>) -> bool {
    schema.get("uniqueItems") == Some(&Value::Bool(true))
}

fn add_format(format: &str, written: &mut Map<String, Value>) {
    if !written.contains_key("format") {
        written.insert("format".to_owned(), format.into());
    } else if let Some(all) = written.entry("allOf").or_insert_with(|| json!([])).as_array_mut() {
        all.push(json!({ "format": format }));
    }
}

struct Writer<'l> {
    /// The schemas that have, or refer to, an expression that is not known.
    unknown: BTreeSet<String>,
    readings: &'l Readings,
    limits: &'l Limits,
    rounded: &'l Rounded,
    /// Whether nothing is judged beside a reference.
    is_alone: bool,
    /// Whether the draft knows `const`.
    has_const: bool,
    left_out: Vec<LeftOut>,
    moved: Moved,
}

/// No keyword: what stands there is not judged.
const ASIDE: &str = "incident-not";

/// Why a keyword over such an expression is not checked.
const RESTS: &str = "it rests on a regular expression that is not checked";

impl Writer<'_> {
    fn is_unknown(&self, pointer: &str) -> bool {
        self.unknown.iter().any(|place| is_within(place, pointer))
    }

    fn leave_out(&mut self, what: String, pointer: String, why: &str) {
        self.left_out.push(LeftOut { what, pointer, why: why.to_owned() });
    }

    /// `from` is the pointer in the whole document, `to` in the new one.
    fn value(&mut self, value: &Value, from: &str, to: &str, is_map: bool) -> Value {
        match value {
            Value::Object(object) if is_map => {
                let members = object.iter();
                let members = members.map(|(name, value)| {
                    (name.clone(), self.value(value, &join(from, name), &join(to, name), false))
                });
                Value::Object(members.collect())
            }
            Value::Object(object) => Value::Object(self.schema(object, from, to)),
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    let index = index.to_string();
                    self.value(item, &join(from, &index), &join(to, &index), false)
                });
                Value::Array(items.collect())
            }
            other => other.clone(),
        }
    }

    fn schema(&mut self, schema: &Map<String, Value>, from: &str, to: &str) -> Map<String, Value> {
        let mut written = Map::new();
        let is_alone = self.is_alone && is_reference(schema);
        let is_open = schema.contains_key("if") && !is_alone && self.is_unknown(&join(from, "if"));
        for (key, value) in schema {
            let (from, mut to) = (join(from, key), join(to, key));
            if key == "not" && self.is_unknown(&from) {
                // A reference may lead there, so it stays, where the validator does not look for it.
                to = sibling(&to, ASIDE);
                self.leave_out("`not`".to_owned(), from.clone(), RESTS);
                let value = self.value(value, &from, &to, false);
                self.moved.add(from, to);
                written.insert(ASIDE.to_owned(), value);
                continue;
            }
            let value = match (key.as_str(), value) {
                ("pattern", Value::String(pattern)) => match self.readings.get(pattern) {
                    Reading::Unsupported(why) => {
                        self.leave_out(format!("pattern {}", quoted(pattern)), from, why);
                        continue;
                    }
                    Reading::Known(known) => {
                        self.limits.pattern(known, pattern);
                        Value::String(known.clone())
                    }
                    Reading::Wrong => Value::String(format!("{WRONG}{pattern}")),
                },
                ("patternProperties", Value::Object(names)) => {
                    let has_rest = ["additionalProperties", "unevaluatedProperties"]
                        .into_iter()
                        .find(|rest| schema.contains_key(*rest));
                    Value::Object(self.names(names, has_rest, &from, &to))
                }
                ("format", Value::String(format)) if format == "regex" => FORMAT.into(),
                ("oneOf", Value::Array(_)) if self.is_unknown(&from) && !is_messages(&from) => continue,
                ("if" | "then" | "else", _) if is_open => continue,
                (key, _) if is_alone && BESIDE.contains(&key) => continue,
                _ if is_data(key) => value.clone(),
                _ => self.value(value, &from, &to, has_names(key)),
            };
            if !(key == "maxContains" && self.is_unknown(&sibling(&from, "contains"))) {
                written.insert(key.clone(), value);
            }
        }
        if let Some(one_of @ Value::Array(_)) = schema.get("oneOf") {
            self.any_of(one_of, &join(from, "oneOf"), to, &mut written);
        }
        if is_open {
            self.either(schema, from, to, &mut written);
        }
        for limit in rough(schema) {
            self.exact(&limit, from, &mut written);
        }
        if !is_alone {
            self.same(schema, from, &mut written);
        }
        written
    }

    /// Adds a format for values that are compared, and puts one in the place of `uniqueItems`.
    fn same(&mut self, schema: &Map<String, Value>, from: &str, written: &mut Map<String, Value>) {
        for (keyword, values) in values(schema, self.has_const) {
            match self.limits.format_of(Judged::Values(self.allowed(values))) {
                Some(format) => add_format(format, written),
                None => self.is_rough(&format!("`{keyword}`"), join(from, keyword)),
            }
        }
        if is_unique(schema) {
            match self.limits.format_of(Judged::Unique) {
                Some(format) => {
                    written.remove("uniqueItems");
                    add_format(format, written);
                }
                None => self.is_rough("`uniqueItems`", join(from, "uniqueItems")),
            }
        }
    }

    fn allowed(&self, values: Vec<Value>) -> Vec<Allowed> {
        values.into_iter().map(|value| Allowed::new(value, self.rounded)).collect()
    }

    fn is_rough(&mut self, what: &str, pointer: String) {
        let why = format!("only {MOST} such limits are compared exactly");
        self.leave_out(format!("{what} to the last digit"), pointer, &why);
    }

    /// Puts a format in the place of a limit.
    fn exact(&mut self, limit: &Rough<'_>, from: &str, written: &mut Map<String, Value>) {
        let Rough { keyword, asks, number, beside } = *limit;
        let Some(format) = self.limits.format_of(Judged::Limit(Limit::new(asks, number, self.rounded)))
        else {
            self.is_rough(&format!("`{keyword}` {number}"), join(from, keyword));
            return;
        };
        if beside {
            // No number is beyond it.
            let far = if keyword == "minimum" { f64::MIN } else { f64::MAX };
            written.insert(keyword.to_owned(), far.into());
        } else {
            written.remove(keyword);
        }
        add_format(format, written);
    }

    /// Whether `if` fits is not known: `if` and `then` have to, or `else`. Each that fits says which fields and items are known,
    /// for `unevaluatedProperties` and `unevaluatedItems`. Drafts without `if` go on without it.
    fn either(
        &mut self,
        schema: &Map<String, Value>,
        from: &str,
        to: &str,
        written: &mut Map<String, Value>,
    ) {
        self.leave_out("which of `then` and `else` applies".to_owned(), join(from, "if"), RESTS);
        let either = format!("{to}/then/anyOf");
        let [condition, then, otherwise] =
            [("if", "0/allOf/0"), ("then", "0/allOf/1"), ("else", "1")].map(|(key, place)| {
                let Some(value) = schema.get(key) else { return Value::Bool(true) };
                let (from, to) = (join(from, key), format!("{either}/{place}"));
                let value = self.value(value, &from, &to, false);
                self.moved.add(from, to);
                value
            });
        written.insert("if".to_owned(), Value::Bool(true));
        written.insert("then".to_owned(), json!({ "anyOf": [{ "allOf": [condition, then] }, otherwise] }));
    }

    /// Two schemas that differ by what is left out may both fit.
    fn any_of(&mut self, one_of: &Value, from: &str, to: &str, written: &mut Map<String, Value>) {
        if written.contains_key("oneOf") {
            return;
        }
        self.leave_out("that only one of `oneOf` fits".to_owned(), from.to_owned(), RESTS);
        let to = if written.contains_key("anyOf") {
            let place = written.get("allOf").and_then(Value::as_array).map_or(0, Vec::len);
            format!("{to}/allOf/{place}/anyOf")
        } else {
            join(to, "anyOf")
        };
        let value = self.value(one_of, from, &to, false);
        self.moved.add(from.to_owned(), to);
        if !written.contains_key("anyOf") {
            written.insert("anyOf".to_owned(), value);
        } else if let Some(all) = written.entry("allOf").or_insert_with(|| json!([])).as_array_mut() {
            all.push(json!({ "anyOf": value }));
        }
    }

    fn names(
        &mut self,
        names: &Map<String, Value>,
        rest: Option<&str>,
        from: &str,
        to: &str,
    ) -> Map<String, Value> {
        let mut written = Map::new();
        let mut is_left_out = false;
        for (pattern, schema) in names {
            let from = join(from, pattern);
            let name = match self.readings.get(pattern) {
                Reading::Unsupported(why) => {
                    let beside = rest.map(|rest| format!(", and `{rest}` beside it"));
                    let what = format!("patternProperties {}{}", quoted(pattern), beside.unwrap_or_default());
                    self.leave_out(what, from, why);
                    is_left_out = true;
                    continue;
                }
                Reading::Known(known) => free(&written, known.clone()),
                Reading::Wrong => format!("{WRONG}{pattern}"),
            };
            let to = join(to, &name);
            let schema = self.value(schema, &from, &to, false);
            if name != *pattern {
                self.moved.add(from, to);
            }
            written.insert(name, schema);
        }
        if is_left_out {
            // It fits every name: what would be further than those that are listed is not known. Draft 4 has no `true`.
            written.insert(free(&written, String::new()), json!({}));
        }
        written
    }
}

/// The expression, written so that no other is the same.
fn free(written: &Map<String, Value>, mut pattern: String) -> String {
    while written.contains_key(&pattern) {
        pattern.push_str("(?:)");
    }
    pattern
}

fn sibling(pointer: &str, key: &str) -> String {
    pointer.rsplit_once('/').map_or_else(|| join("", key), |(parent, _)| join(parent, key))
}
