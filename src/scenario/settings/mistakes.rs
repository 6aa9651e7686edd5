//! Mistakes of variants beside those of the file without them.

use std::ops::Range;

use toml::de::DeTable;

use super::chosen::MOST;
use crate::scenario::diagnostic::Diagnostic;

/// The names of the variants of a text with their places, also if its types are wrong. None if it is not TOML.
pub(in crate::scenario) fn variant_names(text: &str) -> Vec<(String, Range<usize>)> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let variants = table.get_ref().get("variant").and_then(|variants| variants.get_ref().as_table());
    let names = variants.into_iter().flat_map(DeTable::keys);
    names.take(MOST).map(|name| (name.get_ref().to_string(), name.span())).collect()
}

/// A mistake with the variant that it is in.
pub(in crate::scenario) fn in_variant(mistake: Diagnostic, name: &str) -> Diagnostic {
    Diagnostic { message: format!("{} (in variant {name:?})", mistake.message), ..mistake }
}

/// Whether a mistake of a variant is one that the file has without it or in another one, or follows from one.
pub(in crate::scenario) fn is_known(mistake: &Diagnostic, plain: &[Diagnostic]) -> bool {
    let is_the_same = |known: &Diagnostic| {
        known.span == mistake.span
            && without_numbers(&known.message).starts_with(&without_numbers(&mistake.message))
    };
    // An entry whose name is missing is found by no variant.
    let is_unnamed = |known: &Diagnostic| {
        known.message.starts_with("missing field")
            && ["`id`", "`name`"].iter().any(|key| known.message.contains(key))
    };
    let follows = mistake.message.contains(" has no entry called ") && plain.iter().any(is_unnamed);
    follows || plain.iter().any(is_the_same)
}

/// A sum may be another one with the values of the variant.
fn without_numbers(message: &str) -> String {
    message.chars().filter(|c| !c.is_ascii_digit()).collect()
}
