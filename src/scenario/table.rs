//! A table of TOML, read value by value. What is wrong with a value is noted, and reading goes on.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use super::suggest::did_you_mean;

/// A table, and the mistakes in it.
pub(crate) struct Table<'a, 'i> {
    table: &'a DeTable<'i>,
    pub(crate) mistakes: Vec<Diagnostic>,
}

/// A text with its place.
pub(crate) type Text<'a> = (&'a str, Range<usize>);

impl<'a, 'i> Table<'a, 'i> {
    pub(crate) fn new(table: &'a DeTable<'i>) -> Self {
        Self { table, mistakes: Vec::new() }
    }

    /// Notes every key that is not one of these.
    pub(crate) fn only(&mut self, what: &str, known: &[&'static str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let help = match did_you_mean(name, known.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("the keys are {}", known.join(", ")),
            };
            self.note(key.span(), format!("{what} has no key {name:?}"), "not known", help);
        }
    }

    pub(crate) fn note(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        self.mistakes.push(Diagnostic::new(span, message, label).help(help));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table.iter().find(|(key, _)| *key.get_ref() == name).map(|(_, value)| value)
    }

    /// The place of a key's name, for what is wrong with its being there.
    pub(crate) fn key(&self, name: &str) -> Range<usize> {
        let key = self.table.keys().find(|key| *key.get_ref() == name);
        key.map_or(0..0, Spanned::span)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn wrong(&mut self, name: &str, value: &Spanned<DeValue<'i>>, wanted: &str) {
        let found = words(value.get_ref());
        self.note(value.span(), format!("{name} is {found}"), wanted, format!("write {wanted}"));
    }

    pub(crate) fn bool(&mut self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong(name, value, "true or false");
        }
        found
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<u64> {
        let value = self.get(name)?;
        let number = value.get_ref().as_integer();
        let found = number
            .and_then(|number| u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok());
        if found.is_none() {
            self.wrong(name, value, "a whole number from 0");
        }
        found
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, name: &str) -> Option<Text<'a>> {
        let value = self.get(name)?;
        self.as_text(name, value)
    }

    fn as_text(&mut self, name: &str, value: &'a Spanned<DeValue<'i>>) -> Option<Text<'a>> {
        match value.get_ref().as_str() {
            Some("") => {
                self.note(value.span(), format!("{name} is an empty text"), "empty", "leave it out");
                None
            }
            Some(text) => Some((text, value.span())),
            None => {
                self.wrong(name, value, "a text");
                None
            }
        }
    }

    /// A list of texts, none of which is empty or there twice.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<Text<'a>> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(name, value, "a list of texts, as in [\"one\", \"two\"]");
            return Vec::new();
        };
        let mut found: Vec<Text<'a>> = Vec::new();
        for item in items {
            let Some((text, span)) = self.as_text(name, item) else { continue };
            if found.iter().any(|(other, _)| *other == text) {
                self.note(span, format!("{name} has {text:?} twice"), "the second", "leave one of them out");
            } else {
                found.push((text, span));
            }
        }
        found
    }

    /// A table of texts.
    pub(crate) fn pairs(&mut self, name: &str) -> Vec<(Text<'a>, Text<'a>)> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(name, value, "a table, as in { X-Name = \"value\" }");
            return Vec::new();
        };
        let entries = table.iter().filter_map(|(key, value)| {
            let value = self.as_text(key.get_ref(), value)?;
            let name: &'a str = key.get_ref();
            Some(((name, key.span()), value))
        });
        entries.collect()
    }

    /// A table of its own.
    pub(crate) fn table(&mut self, name: &str, wanted: &str) -> Option<Table<'a, 'i>> {
        let value = self.get(name)?;
        let found = value.get_ref().as_table().map(Table::new);
        if found.is_none() {
            self.wrong(name, value, wanted);
        }
        found
    }
}

impl<'a, 'i> Table<'a, 'i> {
    /// A number that is neither negative nor infinite.
    pub(crate) fn amount(&mut self, name: &str) -> Option<f64> {
        let value = self.get(name)?;
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            _ => None,
        };
        let number = text.and_then(|text| text.replace('_', "").parse::<f64>().ok());
        let found = number.filter(|number| number.is_finite() && *number >= 0.0);
        if found.is_none() {
            self.wrong(name, value, "a number from 0");
        }
        found
    }

    /// A list of tables: `[[NAME]]`, each with its place.
    pub(crate) fn tables(&mut self, name: &str) -> Vec<(Table<'a, 'i>, Range<usize>)> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let wanted = format!("a list of tables: [[{name}]] above each");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(name, value, &wanted);
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => found.push((Table::new(table), item.span())),
                None => self.wrong(name, item, &wanted),
            }
        }
        found
    }

    /// Takes the mistakes of a table within this one.
    pub(crate) fn take(&mut self, inner: Table<'a, 'i>) {
        self.mistakes.extend(inner.mistakes);
    }
}

fn words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
