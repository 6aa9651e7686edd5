//! Parameters and variants.

use std::collections::HashSet;
use std::ops::Range;

use super::names::unique;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::{ParameterFile, ParameterValue, ScenarioFile};
use crate::scenario::settings::{MOST, VARIANT, bounds};

/// The most bytes of a file times its variants: each variant is read and compiled.
const MOST_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn settings(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    unique("parameters", file.parameters.0.iter().map(|(name, _)| name), found);
    for (kind, mut names) in [
        ("parameter", file.parameters.0.iter().map(|(name, _)| name).collect::<Vec<_>>()),
        ("variant", file.variant.0.iter().map(|(name, _)| name).collect()),
    ] {
        for name in &names {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let text = name.get_ref();
            if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
                let message = format!("{text:?} cannot be the name of a {kind}");
                found.push(Diagnostic::new(name.span(), message, "1 to 64 letters, digits, '_' and '-'"));
            }
        }
        if let Some(more) = names.drain(..).nth(MOST) {
            let message = format!("more than {MOST} {kind}s");
            found.push(Diagnostic::new(more.span(), message, "the first too many"));
        }
    }
    for (name, parameter) in &file.parameters.0 {
        if name.get_ref() == VARIANT {
            let message = "a parameter can't be called \"variant\": that key chooses a variant";
            found.push(Diagnostic::new(name.span(), message, "here"));
        }
        if let Some(message) = mistake(parameter) {
            found.push(Diagnostic::new(name.span(), message, "this parameter"));
        }
    }
}

/// A file with variants may not be so long that reading all of them takes long.
/// `last` is the place of the last one's name.
pub(in crate::scenario) fn size(variants: usize, last: Range<usize>, text: &str) -> Option<Diagnostic> {
    (text.len().saturating_mul(variants) > MOST_BYTES).then(|| {
        let message = format!("{variants} variants of a file of {} bytes", text.len());
        Diagnostic::new(last, message, "the last of them")
            .help("each variant is checked when the file is read: leave some out, or shorten the file")
    })
}

/// The plans of the variants up to this one are too much together.
pub(in crate::scenario) fn too_much_of_variants(
    number: usize,
    most: usize,
    last: Range<usize>,
) -> Diagnostic {
    let message =
        format!("the plans of {number} variants have more than {} MiB together", most / 1024 / 1024);
    Diagnostic::new(last, message, "the last of them").help(
        "each variant is compiled when the file is read: leave variants out, or samples by a higher metrics_every",
    )
}

fn mistake(parameter: &ParameterFile) -> Option<String> {
    let is_number = matches!(parameter.default, ParameterValue::Whole(_) | ParameterValue::Number(_));
    let same =
        |other: &ParameterValue| std::mem::discriminant(other) == std::mem::discriminant(&parameter.default);
    if (parameter.min.is_some() || parameter.max.is_some()) && !is_number {
        return Some("`min` and `max` are for parameters whose default is a number".to_owned());
    }
    if !parameter.one_of.iter().all(same) {
        return Some("the values of `one_of` are not all of the same kind as the default".to_owned());
    }
    match (parameter.min, parameter.max) {
        (Some(min), Some(max)) if min > max => Some(format!("min ({min}) is above max ({max})")),
        _ => bounds(parameter, &parameter.default)
            .map(|wanted| format!("the default must be {wanted}, not {}", parameter.default)),
    }
}

/// A warning for each parameter that neither the file nor any variant uses.
pub(in crate::scenario) fn unused(file: &ScenarioFile, used: &HashSet<String>) -> Vec<Diagnostic> {
    let unused = file.parameters.0.iter().filter(|(name, _)| !used.contains(name.get_ref()));
    let warned = unused.map(|(name, _)| {
        let message = format!("no text of the file has {{{}}}", name.get_ref());
        Diagnostic::new(name.span(), message, "never used")
            .help("a parameter's value stands where its name stands in braces within a text")
            .warning()
    });
    warned.collect()
}
