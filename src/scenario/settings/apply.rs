//! Applying settings to the table of a file.

use std::collections::HashSet;

use toml::Spanned;
use toml::de::DeTable;

use super::chosen::{Settings, VARIANT};
use super::substitute::{Substituted, Substitution};
use super::variant;
use crate::scenario::diagnostic::Diagnostic;

/// What came of applying settings.
#[derive(Default)]
pub(in crate::scenario) struct Applied {
    /// What the chosen variant can't do.
    pub(in crate::scenario) mistakes: Vec<Diagnostic>,
    /// The values of the parameters are too large: the file is not as it would be.
    pub(in crate::scenario) too_large: Option<Diagnostic>,
    /// Names in braces that are probably meant for a parameter.
    pub(in crate::scenario) warnings: Vec<Diagnostic>,
    /// The parameters that the file uses.
    pub(in crate::scenario) used: HashSet<String>,
}

/// Changes the table as the chosen variant says, and then puts the parameters' values in. The settings are those of
/// [`super::choose`]; a table that is not in the shape of a scenario is left for the types to judge.
pub(in crate::scenario) fn apply<'a>(table: &mut Spanned<DeTable<'a>>, settings: &'a Settings) -> Applied {
    let mut mistakes = Vec::new();
    if let Some(name) = settings.get(VARIANT) {
        variant::apply(table.get_mut(), name, &mut mistakes);
    }
    let substitution = Substitution::new(table.get_ref(), settings);
    let Substituted { warnings, used, too_large } = substitution.apply(table.get_mut());
    Applied { mistakes, too_large, warnings, used }
}
