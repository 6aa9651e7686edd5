//! The entries of a list whose header is missing: their keys stand twice in the table above them.

use super::roots::Root;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::suggest::shortened;

/// The mistakes of a text. Keys that stand twice in one table, one after the other, are those of a table whose header is
/// missing.
pub(super) fn swallowed(roots: &[Root], text: &str, tell: impl Fn(&Root) -> Diagnostic) -> Vec<Diagnostic> {
    let twice = |root: &Root| match root {
        Root::Told(error) if error.message().starts_with("duplicate key") => error.span(),
        _ => None,
    };
    let header = |place: usize| {
        let lines = text[..place].lines().rev();
        lines.map(str::trim).find(|line| line.starts_with('[') && line.ends_with(']'))
    };
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut rest = roots;
    while let Some(root) = rest.first() {
        let Some(first) = twice(root) else {
            found.push(tell(root));
            rest = &rest[1..];
            continue;
        };
        let above = header(first.start);
        let same = rest
            .iter()
            .take_while(|root| twice(root).is_some_and(|span| header(span.start) == above))
            .count();
        let (keys, further) = rest.split_at(same);
        rest = further;
        // The next entry of the list has the same header, and a table of its own.
        let is_near =
            keys.iter().filter_map(twice).all(|span| !text[first.start..span.start].contains("\n["));
        match above {
            Some(above) if keys.len() > 1 && is_near => {
                let names = keys.iter().filter_map(|root| text.get(twice(root)?));
                let names: Vec<String> = names.map(|key| format!("`{}`", shortened(key.trim()))).collect();
                let message =
                    format!("these keys are in the table {} twice: {}", shortened(above), names.join(", "));
                let help = format!("is a header missing above, such as {}?", shortened(above));
                found.push(Diagnostic::new(first, message, "from here on").help(help));
            }
            _ => found.extend(keys.iter().map(&tell)),
        }
    }
    found
}
