//! Variants: changing, adding to and removing from the table of a file.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::suggest::{did_you_mean, listed, shortened};

/// The keys by which an entry of a list is found.
const NAMES: [&str; 2] = ["id", "name"];

/// Tables of tables: an entry is found by its key, and the keys within it are changed one by one.
const BY_KEY: [&str; 1] = ["metrics"];

/// What no variant can change: the scenario's name, and what else may be chosen.
const FIXED: [&str; 2] = ["id", "variant"];

/// Applies the variant of that name.
pub(super) fn apply(root: &mut DeTable<'_>, name: &str, mistakes: &mut Vec<Diagnostic>) {
    let variant =
        root.get("variant").and_then(|all| all.get_ref().as_table()?.get(name)?.get_ref().as_table());
    let Some(variant) = variant.cloned() else { return };
    let part = |key: &str| variant.get(key).and_then(|part| part.get_ref().as_table()).cloned();
    for (key, entries) in part("remove").into_iter().flatten() {
        remove(root, &key, entries, mistakes);
    }
    for (key, patch) in part("change").into_iter().flatten() {
        change(root, key, patch, mistakes);
    }
    for (key, entries) in part("add").into_iter().flatten() {
        add(root, key, entries, mistakes);
    }
}

fn fixed(key: &Spanned<std::borrow::Cow<'_, str>>, mistakes: &mut Vec<Diagnostic>) -> bool {
    let name: &str = key.get_ref();
    let is_fixed = FIXED.contains(&name);
    if is_fixed {
        mistakes.push(Diagnostic::new(key.span(), format!("a variant can't change `{name}`"), "here"));
    }
    is_fixed
}

fn change<'a>(
    root: &mut DeTable<'a>,
    key: Spanned<std::borrow::Cow<'a, str>>,
    patch: Spanned<DeValue<'a>>,
    mistakes: &mut Vec<Diagnostic>,
) {
    if fixed(&key, mistakes) {
        return;
    }
    let Some(target) = root.get_mut(&*key.get_ref().clone()) else {
        root.insert(key, patch);
        return;
    };
    let span = patch.span();
    match (target.get_mut(), patch.into_inner()) {
        (DeValue::Array(entries), DeValue::Table(patches)) => {
            for (name, patch) in patches {
                let Some(entry) = named(entries, name.get_ref()) else {
                    mistakes.push(no_entry(key.get_ref(), &name, entries));
                    continue;
                };
                change_keys(entry, patch);
            }
        }
        (DeValue::Table(table), DeValue::Table(patches)) if BY_KEY.contains(&&**key.get_ref()) => {
            for (name, patch) in patches {
                match table.get_mut(&*name.get_ref().clone()) {
                    Some(entry) => change_keys(entry, patch),
                    None => {
                        table.insert(name, patch);
                    }
                }
            }
        }
        (DeValue::Table(table), DeValue::Table(patches)) => replace_keys(table, patches),
        (_, patch) => *target = Spanned::new(span, patch),
    }
}

/// Changes the keys of an entry. What is no table replaces it, and the types judge that.
fn change_keys<'a>(entry: &mut Spanned<DeValue<'a>>, patch: Spanned<DeValue<'a>>) {
    let span = patch.span();
    match (entry.get_mut(), patch.into_inner()) {
        (DeValue::Table(table), DeValue::Table(patches)) => replace_keys(table, patches),
        (_, patch) => *entry = Spanned::new(span, patch),
    }
}

fn replace_keys<'a>(table: &mut DeTable<'a>, patches: DeTable<'a>) {
    for (key, value) in patches {
        // `at` instead of `after`, and the other way round: one of them is meant.
        for (this, other) in
            [("at", "after"), ("after", "at"), ("confidence", "hypothesis"), ("hypothesis", "confidence")]
        {
            if key.get_ref() == this {
                table.remove(other);
            }
        }
        if key.get_ref() == "at" {
            table.remove("delay");
        }
        table.remove(&*key.get_ref().clone());
        table.insert(key, value);
    }
}

/// The entry of a list with that name.
fn named<'t, 'a>(entries: &'t mut DeArray<'a>, name: &str) -> Option<&'t mut Spanned<DeValue<'a>>> {
    entries.iter_mut().find(|entry| name_of(entry.get_ref()) == Some(name))
}

fn name_of<'t>(entry: &'t DeValue<'_>) -> Option<&'t str> {
    let table = entry.as_table()?;
    NAMES.iter().find_map(|key| table.get(*key)?.get_ref().as_str())
}

fn no_entry(list: &str, name: &Spanned<std::borrow::Cow<'_, str>>, entries: &DeArray<'_>) -> Diagnostic {
    let names: Vec<&str> = entries.iter().filter_map(|entry| name_of(entry.get_ref())).collect();
    let message = format!("[[{list}]] has no entry called {:?}", shortened(name.get_ref()));
    let help = match did_you_mean(name.get_ref(), names.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("the file has {}", listed(&names)),
    };
    Diagnostic::new(name.span(), message, "named by this variant").help(help)
}

fn add<'a>(
    root: &mut DeTable<'a>,
    key: Spanned<std::borrow::Cow<'a, str>>,
    entries: Spanned<DeValue<'a>>,
    mistakes: &mut Vec<Diagnostic>,
) {
    if fixed(&key, mistakes) {
        return;
    }
    match root.get_mut(&*key.get_ref().clone()).map(Spanned::get_mut) {
        Some(DeValue::Array(list)) => {
            if let DeValue::Array(entries) = entries.into_inner() {
                for entry in entries {
                    list.push(entry);
                }
            }
        }
        Some(_) => {
            let message = format!("`{}` is no list, so a variant can't add to it", key.get_ref());
            mistakes.push(Diagnostic::new(key.span(), message, "here").help("write it under `change`"));
        }
        None => {
            root.insert(key, entries);
        }
    }
}

fn remove(
    root: &mut DeTable<'_>,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    names: Spanned<DeValue<'_>>,
    mistakes: &mut Vec<Diagnostic>,
) {
    if fixed(key, mistakes) {
        return;
    }
    let DeValue::Array(names) = names.into_inner() else { return };
    for name in names {
        let Some(text) = name.get_ref().as_str() else { continue };
        match root.get_mut(&*key.get_ref().clone()).map(Spanned::get_mut) {
            Some(DeValue::Table(table)) if table.contains_key(text) => {
                table.remove(text);
            }
            Some(DeValue::Array(list)) if list.iter().any(|entry| name_of(entry.get_ref()) == Some(text)) => {
                let mut left = DeArray::new();
                for entry in std::mem::replace(list, DeArray::new()) {
                    if name_of(entry.get_ref()) != Some(text) {
                        left.push(entry);
                    }
                }
                *list = left;
            }
            _ => {
                let message = format!("`{}` has no entry called {:?}", key.get_ref(), shortened(text));
                mistakes.push(Diagnostic::new(name.span(), message, "removed by this variant"));
            }
        }
    }
}
