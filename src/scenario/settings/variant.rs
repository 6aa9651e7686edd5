//! Variants: changing, adding to and removing from the table of a file.

use std::collections::{HashMap, HashSet};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
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
            let places = places(entries);
            for (name, patch) in patches {
                match places.get(&**name.get_ref()).and_then(|place| entries.get_mut(*place)) {
                    Some(entry) => change_keys(entry, patch),
                    // No more are told, and each is compared with all names.
                    None if mistakes.len() < MOST_DIAGNOSTICS => {
                        mistakes.push(no_entry(key.get_ref(), &name, entries));
                    }
                    None => {}
                }
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

/// Where the entries of a list are, by their names. Of two with the same name, the first is meant.
fn places(entries: &DeArray<'_>) -> HashMap<String, usize> {
    let named = entries.iter().enumerate().rev();
    named.filter_map(|(place, entry)| Some((name_of(entry.get_ref())?.to_owned(), place))).collect()
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
    let names = names.iter().filter_map(|name| Some((name.get_ref().as_str()?, name.span())));
    let mut target = root.get_mut(&*key.get_ref().clone()).map(Spanned::get_mut);
    let mut left: HashSet<String> = match &target {
        Some(DeValue::Table(table)) => table.keys().map(|name| name.get_ref().to_string()).collect(),
        Some(DeValue::Array(list)) => {
            list.iter().filter_map(|entry| name_of(entry.get_ref())).map(str::to_owned).collect()
        }
        _ => HashSet::new(),
    };
    let mut removed = HashSet::new();
    for (name, place) in names {
        if left.remove(name) {
            removed.insert(name);
        } else if mistakes.len() < MOST_DIAGNOSTICS {
            let message = format!("`{}` has no entry called {:?}", key.get_ref(), shortened(name));
            mistakes.push(Diagnostic::new(place, message, "removed by this variant"));
        }
    }
    match &mut target {
        Some(DeValue::Table(table)) => removed.into_iter().for_each(|name| drop(table.remove(name))),
        Some(DeValue::Array(list)) => {
            let entries = std::mem::replace(list, DeArray::new()).into_iter();
            let is_kept = |entry: &Spanned<DeValue<'_>>| {
                name_of(entry.get_ref()).is_none_or(|name| !removed.contains(name))
            };
            *list = entries.filter(is_kept).collect();
        }
        _ => {}
    }
}
