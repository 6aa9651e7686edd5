//! Closing a terminal ends what runs in it as ctrl-c does, and leaves nothing behind.

use std::fs;

use crate::harness::{Scratch, Terminal, incident};

#[test]
fn a_closed_terminal_leaves_no_temporary_folder() {
    let temporary = Scratch::new();
    let left = || fs::read_dir(temporary.path()).unwrap().count();
    let variables = [("TERM", "xterm-256color"), ("TMPDIR", temporary.text())];
    let terminal = Terminal::with(80, &["validate", "database-outage", "--real-time"], &variables);
    terminal.shows("last: ");
    assert_eq!(left(), 1, "it keeps what it gets meanwhile");
    terminal.close();
    assert_eq!(left(), 0);
}

#[test]
fn a_server_stops_cleanly_when_its_terminal_is_closed() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let terminal = Terminal::run(
        80,
        &["serve", "--port", "0", "--journal", &journal, "--trigger", "database-outage", "--drain", "1s"],
    );
    terminal.shows("Ctrl-C to stop");
    terminal.close();
    assert_eq!(
        fs::metadata(folder.path().join("journal.db-wal")).unwrap().len(),
        0,
        "everything is in the file itself"
    );
    let ran = incident(&["check-journal", &journal]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}
