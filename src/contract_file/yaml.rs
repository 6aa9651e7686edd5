//! YAML, read as the JSON that it stands for: bounded in depth and size, aliases included.
//!
//! Plain scalars are those of YAML 1.2's core schema, so that `no` and `2026-01-31` are texts. Merge keys (`<<`) work. A
//! key that occurs twice is a mistake.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Number, Value};

use crate::json_schema::pointer::join;
use crate::json_schema::words::quoted;

/// The deepest nesting.
const DEEPEST: usize = 100;

/// The most values in a document, each as often as an alias repeats it.
const MOST: usize = 500_000;

/// Why a text is no YAML, or too much of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    /// From 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Value, YamlError> {
    Ok(Builder::default().read(text)?.0)
}

/// The lines of a document's values, by their JSON pointers.
pub(super) fn lines(text: &str) -> HashMap<String, usize> {
    let builder = Builder { lines: Some(HashMap::new()), ..Builder::default() };
    builder.read(text).map(|(_, lines)| lines).unwrap_or_default()
}

/// A list or a map that is not complete.
struct Open {
    value: Value,
    /// The key that waits for its value.
    key: Option<String>,
    /// What merge keys add. The map's own keys go before these.
    merged: Vec<Value>,
    anchor: usize,
    pointer: String,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    root: Option<Value>,
    count: usize,
    /// Kept only if they are asked for.
    lines: Option<HashMap<String, usize>>,
}

impl Builder {
    fn read(mut self, text: &str) -> Result<(Value, HashMap<String, usize>), YamlError> {
        let mut parser = Parser::new_from_str(text);
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| YamlError {
                line: error.marker().line(),
                text: format!("this is no YAML: {}", error.info()),
            })?;
            let line = span.start.line();
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    let text = "a second document begins here; there may be only one".to_owned();
                    return Err(YamlError { line, text });
                }
            }
            self.event(event, span).map_err(|text| YamlError { line, text })?;
        }
        Ok((self.root.unwrap_or_default(), self.lines.unwrap_or_default()))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_key =
                    self.open.last().is_some_and(|open| open.value.is_object() && open.key.is_none());
                let value = if is_key {
                    Value::String(text.into_owned())
                } else {
                    scalar(&text, style, tag.as_deref())?
                };
                self.add(value, anchor, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Value::Array(Vec::new()), anchor, tag.as_deref(), span)
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Value::Object(Map::new()), anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { mut value, merged, anchor, .. }) => {
                    merged.into_iter().try_for_each(|other| merge(&mut value, other))?;
                    self.add(value, anchor, span)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                let value = value.ok_or("this alias stands inside the value that it repeats")?;
                self.count += size(&value);
                if self.open.len() + depth(&value) > DEEPEST {
                    return Err(format!("this is nested more than {DEEPEST} levels deep"));
                }
                self.add(value, 0, span)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, value: Value, anchor: usize, tag: Option<&Tag>, span: Span) -> Result<(), String> {
        known(tag)?;
        if self.open.last().is_some_and(|open| open.value.is_object() && open.key.is_none()) {
            return Err("a key is a list or a map here; keys must be texts".to_owned());
        }
        if self.open.len() == DEEPEST {
            return Err(format!("this is nested more than {DEEPEST} levels deep"));
        }
        let pointer = self.pointer();
        self.note(&pointer, span);
        self.open.push(Open { value, key: None, merged: Vec::new(), anchor, pointer });
        Ok(())
    }

    /// A value is complete: it is a key, or belongs where the innermost list or map goes on.
    fn add(&mut self, value: Value, anchor: usize, span: Span) -> Result<(), String> {
        self.count += 1;
        if self.count > MOST {
            return Err(format!("there are more than {MOST} values, those that aliases repeat included"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        if !matches!(value, Value::Array(_) | Value::Object(_)) {
            let pointer = self.pointer();
            self.note(&pointer, span);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match (&mut open.value, open.key.take()) {
            (Value::Array(items), _) => items.push(value),
            (Value::Object(_), Some(key)) if key == "<<" => open.merged.push(value),
            (Value::Object(map), Some(key)) => {
                map.insert(key, value);
            }
            (Value::Object(map), None) => match value {
                Value::String(key) if map.contains_key(&key) => {
                    return Err(format!("the key {} is here for the second time", quoted(&key)));
                }
                Value::String(key) => open.key = Some(key),
                _ => return Err("a key is no text here".to_owned()),
            },
            _ => {}
        }
        Ok(())
    }

    /// Where the next value will stand.
    fn pointer(&self) -> String {
        let Some(open) = self.open.last().filter(|_| self.lines.is_some()) else { return String::new() };
        match (&open.value, &open.key) {
            (Value::Array(items), _) => join(&open.pointer, &items.len().to_string()),
            (_, Some(key)) => join(&open.pointer, key),
            _ => open.pointer.clone(),
        }
    }

    fn note(&mut self, pointer: &str, span: Span) {
        if let Some(lines) = &mut self.lines {
            lines.entry(pointer.to_owned()).or_insert(span.start.line());
        }
    }
}

/// A merge key: the keys of other maps, where the map has none of its own.
fn merge(into: &mut Value, value: Value) -> Result<(), String> {
    let maps = match value {
        Value::Array(maps) => maps,
        value => vec![value],
    };
    for other in maps {
        let (Value::Object(map), Value::Object(other)) = (&mut *into, other) else {
            return Err("a `<<` in this map needs a map, or a list of maps".to_owned());
        };
        for (key, value) in other {
            map.entry(key).or_insert(value);
        }
    }
    Ok(())
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Refuses tags that would need a program of their own.
fn known(tag: Option<&Tag>) -> Result<(), String> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            Err(format!("the tag {} is not supported", quoted(&tag.to_string())))
        }
        _ => Ok(()),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    known(tag)?;
    let is_text = tag.is_some_and(|tag| tag.suffix == "str");
    // Of a quoted text a tag says that it is something else.
    let is_plain = style == ScalarStyle::Plain || tag.is_some();
    if is_text || !is_plain {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Result<Option<Number>, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(format!("JSON has no number {text}"));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return Ok(u64::from_str_radix(digits, radix).ok().map(Number::from));
        }
    }
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !is_number {
        return Ok(None);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Some(whole.into()));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(Some(whole.into()));
    }
    // What has the characters of a number and is none, such as a version or a date, is a text.
    Ok(text.parse().ok().and_then(Number::from_f64))
}
