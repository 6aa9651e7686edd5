//! A pipe, a device, a socket or a folder where a file is meant: it is refused at once, by every command alike.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::harness::{Ran, Scratch, fixture, incident};

/// Puts each kind at this path, and asserts that a run says so and ends with this status.
fn refused(name: &str, status: i32, run: impl Fn(&Path) -> Ran) {
    let folder = Scratch::new();
    let path = folder.path().join(name);
    let kinds: [(&str, &dyn Fn()); 4] = [
        ("it is a pipe", &|| assert!(Command::new("mkfifo").arg(&path).status().unwrap().success())),
        ("it is a device", &|| symlink("/dev/zero", &path).unwrap()),
        ("it is a socket", &|| drop(UnixListener::bind(&path).unwrap())),
        ("it is a directory", &|| fs::create_dir(&path).unwrap()),
    ];
    for (what, put) in kinds {
        put();
        let ran = run(&path);
        assert!(ran.stderr.contains(what), "{what}: {ran:?}");
        assert_eq!(ran.status, Some(status), "{what}: {ran:?}");
        if path.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) }.unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_recording_to_replay() {
    refused("run.ndjson", 2, |path| {
        incident(&["serve", "--port", "0", "--journal", "memory", "--replay", text(path)]).run()
    });
}

#[test]
fn a_recording_to_report() {
    refused("run.ndjson", 2, |path| incident(&["report", text(path)]).run());
}

/// A folder is meant as a folder by these commands.
fn but_folders(ran: Ran, path: &Path, status: i32) -> Ran {
    if path.is_dir() {
        Ran { status: Some(status), stderr: "it is a directory".to_owned(), ..ran }
    } else {
        ran
    }
}

#[test]
fn a_recording_or_a_scenario_to_validate() {
    for name in ["run.ndjson", "outage.toml"] {
        refused(name, 2, |path| but_folders(incident(&["validate", text(path)]).run(), path, 2));
    }
    refused("outage.toml", 2, |path| incident(&["validate", "--timeline", text(path)]).run());
    refused("outage.toml", 2, |path| {
        let file = fixture("golden/database-outage.ndjson").display().to_string();
        incident(&["validate", &file, "--expect", text(path)]).run()
    });
}

#[test]
fn a_scenario_to_serve_list_or_show() {
    for command in [&["serve", "--port", "0", "--journal", "memory"][..], &["list"], &["show", "outage"]] {
        refused("outage.toml", 2, |path| {
            let ran = incident(&[command, &["--scenarios", text(path)]].concat()).run();
            but_folders(ran, path, 2)
        });
    }
}

#[test]
fn a_scenario_in_a_folder_leaves_the_others_alone() {
    let sound = fs::read_to_string(fixture("scenarios/database-outage.toml")).unwrap();
    refused("other.toml", 0, |path| {
        let folder = path.parent().unwrap();
        fs::write(folder.join("sound.toml"), &sound).unwrap();
        let listed = incident(&["list", "--scenarios", text(folder)]).run();
        assert!(listed.stdout.contains("database-outage"), "{listed:?}");
        let validated = incident(&["validate", text(folder), "--rule", "schema"]).run();
        assert_eq!(validated.status, Some(6), "{validated:?}");
        Ran { stderr: validated.stderr, ..listed }
    });
}

#[test]
fn a_scenario_to_trigger() {
    refused("outage.toml", 2, |path| but_folders(incident(&["trigger", text(path)]).run(), path, 2));
}

#[test]
fn a_journal_to_check_or_to_copy() {
    refused("journal.db", 2, |path| incident(&["check-journal", text(path)]).run());
    refused("journal.db", 2, |path| {
        let new = path.with_file_name("new.db");
        incident(&["check-journal", text(path), "--salvage", text(&new)]).run()
    });
}

#[test]
fn certificates_to_trust() {
    refused("ca.pem", 2, |path| {
        incident(&["watch", "--url", "wss://127.0.0.1:1/ws", "--cacert", text(path)]).run()
    });
}

/// What a shell gives for `<(…)`, and stdin by its name, can be read.
#[test]
fn a_pipe_without_a_name_is_read() {
    let file = fixture("golden/database-outage.ndjson").display().to_string();
    let script = format!(
        "'{}' report <(cat '{file}') && cat '{file}' | '{}' report /dev/stdin",
        env!("CARGO_BIN_EXE_incident"),
        env!("CARGO_BIN_EXE_incident")
    );
    let ran = Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(said.matches("## Timeline").count(), 2, "{said}");
}

/// Each of the files beside a journal, for a journal that is new and for one that is there.
#[test]
fn the_files_beside_a_journal() {
    for suffix in ["head", "lock", "wal", "shm"] {
        let name = format!("journal.db-{suffix}");
        for is_new in [true, false] {
            let prepared = |path: &Path| {
                let journal = path.with_file_name("journal.db");
                let _ = fs::remove_file(&journal);
                if !is_new {
                    let elsewhere = Scratch::new();
                    let made = elsewhere.path().join("journal.db");
                    drop(
                        incident::journal::Sqlite::open(&made, incident::journal::Retention::default())
                            .unwrap(),
                    );
                    fs::copy(made, &journal).unwrap();
                }
                journal
            };
            refused(&name, 3, |path| {
                incident(&["serve", "--port", "0", "--journal", text(&prepared(path))]).run()
            });
            if !is_new {
                for (flags, status) in [(&[][..], 2), (&["--backup", "b.db"], 2), (&["--salvage", "b.db"], 2)]
                {
                    refused(&name, status, |path| {
                        incident(&[&["check-journal", text(&prepared(path))], flags].concat()).run()
                    });
                }
            }
        }
    }
}
