//! Files that are a list of named entries: `[[receiver]]` in `receivers.toml`, `[[sink]]` in `sinks.toml`. Every mistake
//! of a file is noted in one run.

use std::ops::Range;

use toml::de::DeTable;

use super::diagnostic::ScenarioError;
use super::masked::Masked;
use super::read::syntax_mistakes;
use super::suggest::did_you_mean;
use super::table::Table;

/// The longest name of an entry: the id of an incident can hold it, and has at most 64 characters.
const NAME_CHARS: usize = 20;

/// What the entries of a file are, for its messages.
pub(crate) struct Entries {
    /// What one is called, which is the name of its table as well: `sink`.
    pub(crate) what: &'static str,
    /// The keys that each needs: `name, kind and url`.
    pub(crate) needs: &'static str,
    /// Those of its keys whose values may be shown with mistakes: they are not secret, and nobody writes a secret there.
    pub(crate) harmless: &'static [&'static str],
    /// A name that one could have.
    pub(crate) example: &'static str,
    /// Why a name can't have other characters; empty if there is nothing to say.
    pub(crate) why: &'static str,
    /// The most entries.
    pub(crate) most: Option<usize>,
}

/// An entry, for the search of two with one name.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

impl Entries {
    /// Reads the entries in the text of a file. `origin` is how diagnostics name the file; `entry` reads one, and
    /// returns `None` if what it needs is missing or wrong, which it has noted.
    ///
    /// # Errors
    /// All mistakes.
    pub(crate) fn read<T: Named>(
        &self,
        origin: &str,
        text: &str,
        mut entry: impl FnMut(&mut Table<'_, '_>, &Range<usize>) -> Option<T>,
    ) -> Result<Vec<T>, ScenarioError> {
        let what = self.what;
        let failed = |mistakes| {
            let masked = Masked::new(text, what, self.harmless);
            Err(ScenarioError::new(origin, &masked.text, masked.mistakes(mistakes)))
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let help =
                format!("the file is TOML: [[{what}]] above each {what}, then NAME = VALUE, a line each");
            return failed(syntax_mistakes(text, &help));
        }
        let mut table = Table::new(table.get_ref());
        table.only("the file", &[what]);
        let tables = table.tables(what);
        if !table.has(what) && table.mistakes.is_empty() {
            let help = format!("write [[{what}]], and below it {}", self.needs);
            table.note(0..0, format!("the file has no {what}"), "", help);
        }
        let mut found: Vec<T> = Vec::new();
        for (number, (mut inner, span)) in tables.into_iter().enumerate() {
            if let Some(most) = self.most.filter(|most| number == *most) {
                inner.note(span, format!("more than {most} {what}s"), "one too many", "remove some");
                table.take(inner);
                break;
            }
            if let Some(one) = entry(&mut inner, &span) {
                if found.iter().any(|other| other.name() == one.name()) {
                    let span = inner.get("name").map_or(span, toml::Spanned::span);
                    let mistake = format!("there are two {what}s with the name {:?}", one.name());
                    inner.note(span, mistake, "the second", format!("give each {what} a name of its own"));
                }
                found.push(one);
            }
            table.take(inner);
        }
        if table.mistakes.is_empty() { Ok(found) } else { failed(table.mistakes) }
    }

    /// The name of an entry, which is `whole`.
    pub(crate) fn name(&self, table: &mut Table<'_, '_>, whole: &Range<usize>) -> Option<String> {
        let Self { what, example, why, .. } = self;
        if !table.has("name") {
            table.note(
                whole.clone(),
                format!("the {what} has no name"),
                "",
                format!("add name = {example:?}"),
            );
            return None;
        }
        let (text, span) = table.text("name")?;
        let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = text.len() <= NAME_CHARS && !text.starts_with('-') && text.bytes().all(fine);
        if !is_name {
            let help =
                format!("write at most {NAME_CHARS} of a-z, 0-9 and -, with a letter or digit first{why}");
            table.note(span, format!("{text:?} can't be the name of a {what}"), "", help);
            return None;
        }
        Some(text.to_owned())
    }

    /// The kind of an entry, which is `whole`: one of these, each with what is written for it.
    pub(crate) fn kind<K: Copy>(
        &self,
        table: &mut Table<'_, '_>,
        whole: &Range<usize>,
        kinds: &[K],
        written: impl Fn(K) -> &'static str,
    ) -> Option<K> {
        let names: Vec<_> = kinds.iter().map(|kind| written(*kind)).collect();
        if !table.has("kind") {
            let help = format!("add kind = {:?}; the kinds are {}", names[0], names.join(", "));
            table.note(whole.clone(), format!("the {} has no kind", self.what), "", help);
            return None;
        }
        let (text, span) = table.text("kind")?;
        let found = kinds.iter().copied().find(|kind| written(*kind) == text);
        if found.is_none() {
            let help = match did_you_mean(text, names.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("the kinds are {}", names.join(", ")),
            };
            table.note(span, format!("there is no kind {text:?}"), "not known", help);
        }
        found
    }
}
