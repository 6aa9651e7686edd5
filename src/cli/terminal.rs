//! What the terminal can do.

use std::io::IsTerminal;

/// Whether an output can be drawn on again and again. A terminal that calls itself `dumb`, as those of editors and of some
/// CI systems do, only takes lines.
pub(super) fn redraws(output: &impl IsTerminal) -> bool {
    output.is_terminal() && !is_dumb()
}

/// Whether the terminal knows no colours and no movements of the cursor.
pub(super) fn is_dumb() -> bool {
    match std::env::var_os("TERM") {
        Some(term) => term.is_empty() || term == "dumb",
        // Windows has no such variable, and its terminals can do everything.
        None => cfg!(unix),
    }
}
