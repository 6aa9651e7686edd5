//! Reads the text of a scenario file, and finds every mistake in its shape and in its meaning, not only the first.

mod lines;
mod repair;
mod roots;
mod slips;
mod swallowed;
mod tables;
mod words;

use std::collections::HashSet;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::check;
use super::diagnostic::Diagnostic;
use super::file::{Impact, LONGEST, ScenarioFile};
use super::settings::{self, Applied, Settings};
use repair::Repaired;

pub(super) use slips::IN_NUMBERS;
pub(super) use words::UNQUOTED;

/// The most mistakes in the shape of a file that are looked for.
const MOST: usize = 50;

/// The most bytes that are read to find mistakes in the shape: the text is read again after each.
const MOST_READ: usize = 64 * 1024 * 1024;

/// A file without mistakes.
pub(super) struct Read {
    pub(super) file: ScenarioFile,
    /// What is probably a mistake in the use of parameters.
    pub(super) warnings: Vec<Diagnostic>,
    /// The parameters that the file uses.
    pub(super) used: HashSet<String>,
}

/// The file of a text with some settings, which the file offers.
///
/// # Errors
/// All mistakes, at least one. If the text is not TOML, only those of its syntax are found.
pub(super) fn read(text: &str, settings: &Settings) -> Result<Read, Vec<Diagnostic>> {
    if text.len() > LONGEST {
        let message = format!("the file has {} bytes; a scenario has at most {LONGEST}", text.len());
        return Err(vec![Diagnostic::new(0..0, message, "begins here")]);
    }
    let (table, applied) = table_of(text, settings)?;
    let broken = lines::broken(table.get_ref(), MOST);
    let expected = lines::expected(table.get_ref());
    if applied.mistakes.is_empty()
        && broken.is_empty()
        && tables::listed(table.get_ref(), text, 1).is_empty()
        && let Ok(file) = ScenarioFile::deserialize(Deserializer::from(table))
    {
        let file = with_users(file);
        let diagnostics = check::diagnostics(&file);
        let read = Read { file, warnings: applied.warnings, used: applied.used };
        return if diagnostics.is_empty() { Ok(read) } else { Err(lines::at_names(diagnostics, &expected)) };
    }
    // Only now, because it keeps the table, which takes time in a large file.
    Err(mistakes(text, settings))
}

/// The table of a text after the settings were applied.
fn table_of<'a>(
    text: &'a str,
    settings: &'a Settings,
) -> Result<(Spanned<DeTable<'a>>, Applied), Vec<Diagnostic>> {
    // The parser keeps nothing but its first mistake then: there may be as many as lines.
    let Ok(mut table) = DeTable::parse(text) else { return Err(syntax_mistakes(text, words::LIKE_TOML)) };
    let mut applied = settings::apply(&mut table, settings);
    match applied.too_large.take() {
        Some(mistake) => Err(vec![mistake]),
        None => Ok((table, applied)),
    }
}

/// The mistakes of a text that is not TOML, without those that follow from others. `like` says what the file looks like.
pub(crate) fn syntax_mistakes(text: &str, like: &str) -> Vec<Diagnostic> {
    let roots = roots::roots(text, MOST);
    swallowed::swallowed(&roots, text, |root| words::of_syntax(root, text, like))
}

/// The file with the users of each part among its metrics.
fn with_users(mut file: ScenarioFile) -> ScenarioFile {
    let users = file.impact.as_ref().map(Impact::metrics).unwrap_or_default();
    file.metrics.0.extend(users);
    file
}

/// All mistakes of a text that is not in the shape of a scenario.
///
/// The parser of types stops at the first mistake. So it is told, mended as far as the types need it, and the rest is read
/// again.
fn mistakes(text: &str, settings: &Settings) -> Vec<Diagnostic> {
    let (table, applied) = match table_of(text, settings) {
        Ok(read) => read,
        Err(found) => return found,
    };
    if let Some(mistake) = too_many_variants(table.get_ref()) {
        return vec![mistake];
    }
    let is_empty = table.get_ref().is_empty();
    let parameters = table.get_ref().get("parameters").and_then(|found| found.get_ref().as_table());
    let declared: Vec<String> = parameters
        .into_iter()
        .flat_map(|table| table.keys())
        .map(|name| name.get_ref().to_string())
        .collect();
    let mut found = applied.mistakes;
    found.extend(lines::broken(table.get_ref(), MOST));
    let expected = lines::expected(table.get_ref());
    let listed = tables::listed(table.get_ref(), text, MOST);
    let mut repaired = Repaired::new(table);
    for mistake in &listed {
        repaired.take_out(&mistake.span);
    }
    found.extend(listed);
    // A wrong value is taken out, and then it is missing: two readings.
    let most = 2 * (MOST_READ / 2 / text.len().max(1)).clamp(1, MOST);
    let mut readings = 0;
    loop {
        readings += 1;
        let file = match ScenarioFile::deserialize(Deserializer::from(repaired.table())) {
            Ok(file) => with_users(file),
            Err(error) => {
                let (mistakes, mended) = repaired.mend(&error, text, MOST);
                found.extend(mistakes);
                if mended && found.len() < MOST && readings < most {
                    continue;
                }
                found.truncate(MOST);
                return explained(words::together(found), &applied.warnings, &declared);
            }
        };
        let diagnostics = check::diagnostics(&file).into_iter();
        let diagnostics = diagnostics.filter(|diagnostic| repaired.is_certain(diagnostic));
        found.extend(lines::at_names(diagnostics.collect(), &expected));
        let found = explained(words::together(found), &applied.warnings, &declared);
        return if is_empty { words::of_empty(found) } else { found };
    }
}

/// Each wrong variant is a mistake of its own, which takes a reading.
fn too_many_variants(table: &DeTable<'_>) -> Option<Diagnostic> {
    let variants = table.get(settings::VARIANT)?.get_ref().as_table()?;
    let mut places: Vec<_> = variants.keys().map(Spanned::span).collect();
    places.sort_by_key(|place| place.start);
    let first = places.get(settings::MOST)?.clone();
    Some(Diagnostic::new(first, format!("more than {} variants", settings::MOST), "the first too many"))
}

/// A value that is wrong because the name of a parameter in it is wrong, or its value.
fn explained(mut found: Vec<Diagnostic>, warnings: &[Diagnostic], declared: &[String]) -> Vec<Diagnostic> {
    for mistake in &mut found {
        let named = mistake.help.as_deref().and_then(|help| help.strip_prefix(words::UNDECLARED));
        let is_it = |name: &&String| named.is_some_and(|told| told.starts_with(&format!("{name:?}:")));
        if let Some(name) = declared.iter().find(is_it) {
            let help = format!(
                "this is the value of the parameter `{name}`: change its default, or what --set gives it"
            );
            mistake.help = Some(help);
            mistake.parameter = Some(name.clone());
            continue;
        }
        let Some(warning) = warnings.iter().find(|warning| warning.span == mistake.span) else { continue };
        let Some(near) = &warning.help else { continue };
        let name = warning.message.split(':').next().unwrap_or_default();
        mistake.help = Some(format!("{name}; {near}"));
    }
    found
}
