//! Parameters: `"{NAME}"` in a text of the file stands for the parameter's value.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::chosen::Settings;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::LONGEST;
use crate::scenario::suggest::did_you_mean;

/// The parts of a file in which no parameter stands for anything: the scenario's name, and what declares parameters.
const FIXED: [&str; 3] = ["id", "parameters", "variant"];

/// The longest name of a parameter.
const LONGEST_NAME: usize = 64;

/// The parameters with their values, while they are put in.
pub(super) struct Substitution<'a> {
    values: HashMap<String, DeValue<'a>>,
    used: HashSet<String>,
    warnings: Vec<Diagnostic>,
    /// The bytes of all values that were put in.
    bytes: usize,
    /// Where they became too many. Then nothing more is put in.
    too_large: Option<Diagnostic>,
}

/// What came of putting the values in.
#[derive(Default)]
pub(super) struct Substituted {
    /// What is probably a mistake.
    pub(super) warnings: Vec<Diagnostic>,
    /// The parameters that the file uses.
    pub(super) used: HashSet<String>,
    /// The values make the file too large: the rest of it is as it was.
    pub(super) too_large: Option<Diagnostic>,
}

impl<'a> Substitution<'a> {
    /// The values of the parameters that the file declares: the caller's, or the file's own.
    pub(super) fn new(root: &DeTable<'a>, settings: &'a Settings) -> Self {
        let declared = root.get("parameters").and_then(|parameters| parameters.get_ref().as_table());
        let values = declared.into_iter().flat_map(DeTable::iter).filter_map(|(name, declared)| {
            let default = match declared.get_ref() {
                DeValue::Table(table) => table.get("default")?.get_ref(),
                value => value,
            };
            let name = name.get_ref().to_string();
            let value = match (settings.get(&name), default) {
                (None, default) => default.clone(),
                (Some(chosen), DeValue::String(_)) => DeValue::String(Cow::Borrowed(chosen)),
                // It was chosen in the form of TOML.
                (Some(chosen), _) => DeValue::parse(chosen).ok()?.into_inner(),
            };
            Some((name, value))
        });
        let values = values.collect();
        Self { values, used: HashSet::new(), warnings: Vec::new(), bytes: 0, too_large: None }
    }

    /// Puts the values in.
    pub(super) fn apply(mut self, root: &mut DeTable<'a>) -> Substituted {
        if !self.values.is_empty() {
            self.table(root, &FIXED);
        }
        Substituted { warnings: self.warnings, used: self.used, too_large: self.too_large }
    }

    fn table(&mut self, table: &mut DeTable<'a>, fixed: &[&str]) {
        let entries = std::mem::replace(table, DeTable::new()).into_iter();
        for (key, mut value) in entries {
            if fixed.contains(&&**key.get_ref()) {
                table.insert(key, value);
                continue;
            }
            self.value(&mut value);
            let (span, name) = (key.span(), key.into_inner());
            let name = match self.filled(&name, &span) {
                Some(filled) => Cow::Owned(filled),
                None => name,
            };
            table.insert(Spanned::new(span, name), value);
        }
    }

    fn value(&mut self, value: &mut Spanned<DeValue<'a>>) {
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, &[]),
            DeValue::Array(items) => self.items(items),
            DeValue::String(text) => {
                // A text that is nothing but the name becomes the value with its kind.
                let whole = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                let whole = whole.and_then(|name| Some((name.to_owned(), self.values.get(name)?.clone())));
                if let Some((name, whole)) = whole {
                    if !self.fits(whole.as_str().map_or(0, str::len), &span) {
                        return;
                    }
                    self.used.insert(name);
                    *value.get_mut() = whole;
                } else if let Some(filled) = self.filled(text, &span) {
                    *text = Cow::Owned(filled);
                }
            }
            _ => {}
        }
    }

    fn items(&mut self, items: &mut DeArray<'a>) {
        items.iter_mut().for_each(|item| self.value(item));
    }

    /// The text with values for the names in braces; `None` if there are none. Braces around anything else stay.
    fn filled(&mut self, text: &str, span: &Range<usize>) -> Option<String> {
        let (mut filled, mut rest, mut is_filled) = (String::new(), text, false);
        while let Some((before, after)) = rest.split_once('{') {
            filled += before;
            let named = after.split_once('}').filter(|(name, _)| is_name(name));
            match named.and_then(|(name, after)| Some((name, self.text_of(name)?, after))) {
                Some((name, value, after)) => {
                    if !self.fits(value.len(), span) {
                        return None;
                    }
                    self.used.insert(name.to_owned());
                    filled += &value;
                    rest = after;
                    is_filled = true;
                }
                None => {
                    if let Some((name, _)) = named {
                        self.warn(name, span);
                    }
                    filled.push('{');
                    rest = after;
                }
            }
        }
        is_filled.then(|| filled + rest)
    }

    /// Whether a value of so many bytes can be put in as well: a value may be long, and a short file may name it very often.
    fn fits(&mut self, bytes: usize, span: &Range<usize>) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > LONGEST && self.too_large.is_none() {
            let message = format!(
                "the values of parameters make the scenario too large: they may take {LONGEST} bytes, as a file may"
            );
            let mistake = Diagnostic::new(span.clone(), message, "too large here");
            self.too_large = Some(mistake.help("choose shorter values, or name the parameters less often"));
        }
        self.too_large.is_none()
    }

    /// The value of a parameter within a text.
    fn text_of(&self, name: &str) -> Option<String> {
        Some(match self.values.get(name)? {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => {
                i128::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()?.to_string()
            }
            DeValue::Float(number) => number.as_str().replace('_', ""),
            DeValue::Boolean(value) => value.to_string(),
            _ => return None,
        })
    }

    /// Warns of a name in braces that is like a parameter's.
    fn warn(&mut self, name: &str, span: &Range<usize>) {
        if let Some(near) = did_you_mean(name, self.values.keys().map(String::as_str)) {
            let message = format!("no parameter is called {name:?}: the text stays as it is");
            let warning = Diagnostic::new(span.clone(), message, "in here").warning();
            self.warnings.push(warning.help(format!("did you mean {{{near}}}?")));
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(is_plain)
}
