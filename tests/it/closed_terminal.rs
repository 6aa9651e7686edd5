//! Closing a terminal ends what runs in it as ctrl-c does, and leaves nothing behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::harness::{Scratch, Terminal, incident};

#[test]
fn a_closed_terminal_leaves_no_temporary_folder() {
    let temporary = Scratch::new();
    let names = || fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().path());
    // With what is in them, to see why.
    let left = || names().map(|folder| (fs::read_dir(&folder).unwrap().count(), folder)).collect::<Vec<_>>();
    let variables = [("TERM", "xterm-256color"), ("TMPDIR", temporary.text())];
    // Of what fails a transcript is kept, and on a busy machine times do.
    let args = ["validate", "database-outage", "--real-time", "--rule", "schema"];
    let terminal = Terminal::with(80, &args, &variables);
    terminal.shows("last: ");
    assert_eq!(left().len(), 1, "it keeps what it gets meanwhile");
    terminal.close();
    assert_eq!(left(), [], "how many files are in what is left");
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

/// `trap '' HUP; incident serve &` leaves the terminal where it is, and so does `nohup` on some systems.
#[cfg(target_os = "linux")]
#[test]
fn whoever_ignores_that_its_terminal_is_closed_goes_on_doing_so() {
    let home = Scratch::new();
    for trap in ["trap '' HUP;", ""] {
        let inside = format!(
            "{trap} echo process $$; exec '{}' serve --port 0 --journal memory",
            env!("CARGO_BIN_EXE_incident")
        );
        let mut terminal = Command::new("script")
            .args(["-qec", &inside, "/dev/null"])
            .envs([("HOME", home.text()), ("SHELL", "/bin/sh"), ("TERM", "dumb")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(terminal.stdout.take().unwrap()).lines().map_while(Result::ok);
        let process = lines.find_map(|line| Some(line.split_once("process ")?.1.trim().to_owned())).unwrap();
        assert!(lines.any(|line| line.contains("Ctrl-C to stop")));
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
        let ignores = u64::from_str_radix(ignored, 16).unwrap() & 1 == 1;
        assert_eq!(ignores, !trap.is_empty(), "{trap}");
        assert!(Command::new("kill").arg(process).status().unwrap().success());
        terminal.wait().unwrap();
    }
}
