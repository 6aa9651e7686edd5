//! What the terminal can do.

use std::io::IsTerminal;

use super::fit;

/// With fewer columns nothing is drawn: no bar and no clock has room.
const NARROWEST: usize = 20;

/// Whether stderr can be drawn on again and again. A terminal that calls itself `dumb`, as those of editors and of some
/// CI systems do, only takes lines, and so does one of a few columns.
pub(super) fn redraws() -> bool {
    std::io::stderr().is_terminal() && !is_dumb() && fit::of_stderr() >= NARROWEST
}

/// Whether stderr is a terminal.
pub(super) fn is_stderr() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a terminal that becomes narrower breaks the lines that are too wide, as nearly all do. Others cut them: the console
/// of Linux, GNU screen and xterm.
pub(super) fn breaks_lines() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let term = std::env::var("TERM").unwrap_or_default();
    // Within tmux it counts what tmux does, which calls itself screen.
    is_set("TMUX") || !(is_set("STY") || is_set("XTERM_VERSION") || term == "linux")
}

/// Whether the terminal knows no colours and no movements of the cursor.
pub(super) fn is_dumb() -> bool {
    match std::env::var_os("TERM") {
        Some(term) => term.is_empty() || term == "dumb",
        // Windows has no such variable, and its terminals can do everything.
        None => cfg!(unix),
    }
}
