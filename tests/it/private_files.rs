//! Who may read the files that the program makes: of a journal its owner alone, of everything else whoever the umask allows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use incident::journal::{Append, Retention, Sqlite};

use crate::harness::{Running, Scratch, WRITE, incident, story};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The files in a folder that have another mode than 0600.
fn open_files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| mode(path) != 0o600)
        .map(|path| format!("{} {:o}", path.display(), mode(&path)))
        .collect()
}

#[test]
fn a_new_journal_is_for_its_owner_alone() {
    let home = Scratch::new();
    let run = incident(&["serve", "--port", "0", "--trigger", "database-outage"]);
    let mut server =
        run.env("XDG_STATE_HOME", home.path().join("state").to_str().unwrap()).masked("0").spawn();
    server.says("Ready in");
    let folder = home.path().join("state/incident");
    assert_eq!((mode(&home.path().join("state")), mode(&folder)), (0o700, 0o700));
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["", "-head", "-lock", "-shm", "-wal"].map(|suffix| format!("journal.db{suffix}")));
    assert_eq!(open_files(&folder), Vec::<String>::new());
    // What is removed while it runs is made again in the same way.
    for suffix in ["-head", "-lock"] {
        fs::remove_file(folder.join(format!("journal.db{suffix}"))).unwrap();
    }
    server.says("lock file was removed");
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
    assert_eq!(open_files(&folder), Vec::<String>::new());
}

/// Also those of a journal that others can read.
#[tokio::test(flavor = "multi_thread")]
async fn so_are_the_copies_of_a_journal() {
    let (folder, copies) = (Scratch::new(), Scratch::new());
    let journal = folder.path().join("journal.db");
    Sqlite::open(&journal, Retention::default()).unwrap().append(story("a", 30).into()).await.unwrap();
    set_mode(&journal, 0o666);
    let copy = |name: &str| copies.path().join(name).to_str().unwrap().to_owned();
    let from = journal.to_str().unwrap();
    for args in [
        &["check-journal", from, "--backup", &copy("b.db")][..],
        &["check-journal", from, "--salvage", &copy("s.db")],
        &["copy-journal", from, &copy("c.db")],
    ] {
        let ran = incident(args).masked("0").run();
        assert_eq!(ran.status, Some(0), "{args:?}: {ran:?}");
    }
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 6);
    assert_eq!(open_files(copies.path()), Vec::<String>::new());
}

#[test]
fn recordings_and_exports_have_the_mode_of_every_new_file() {
    let folder = Scratch::new();
    let (export, recording) = (folder.path().join("e.json"), folder.path().join("r.ndjson"));
    let ran = incident(&["export", "database-outage", "--alerts-json", "--output", export.to_str().unwrap()])
        .masked("027")
        .run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let mut server = incident(&["serve", "--port", "0", "--journal", "memory"]).spawn();
    let socket = server.says("WebSocket");
    let url = format!("ws://{}", socket.rsplit("ws://").next().unwrap());
    let watch = ["watch", "--no-follow", "--url", &url, "--record", recording.to_str().unwrap()];
    assert_eq!(incident(&watch).masked("027").run().status, Some(0));
    assert_eq!((mode(&export), mode(&recording)), (0o640, 0o640));
}

/// What a server over this journal says until it is ready.
fn start(journal: &Path, tokens: bool) -> String {
    let mut run = incident(&["serve", "--port", "0", "--journal", journal.to_str().unwrap()]);
    if tokens {
        run = run.env("INCIDENT_TOKEN", WRITE);
    }
    let mut server: Running = run.spawn();
    server.says("Ready in");
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ran.stderr
}

#[test]
fn a_journal_that_others_can_read_is_warned_about_if_tokens_protect_it() {
    let folder = Scratch::new();
    let (journal, lock) = (folder.path().join("journal.db"), folder.path().join("journal.db-lock"));
    let warns = |tokens: bool| {
        let said = start(&journal, tokens);
        let count = said.matches("other users can read the journal").count();
        let advice = format!("chmod 600 {0} {0}-*", journal.display());
        assert_eq!(said.matches(&advice).count(), count, "{said}");
        count
    };
    assert_eq!(warns(true), 0, "a new one");
    for (path, mode, warnings) in [
        (&journal, 0o640, 1),
        (&journal, 0o604, 1),
        (&journal, 0o600, 0),
        (&lock, 0o644, 1),
        (&lock, 0o600, 0),
    ] {
        set_mode(path, mode);
        assert_eq!((warns(true), warns(false)), (warnings, 0), "{} {mode:o}", path.display());
    }
    // Nobody else comes into the folder.
    set_mode(&journal, 0o666);
    set_mode(folder.path(), 0o700);
    assert_eq!(warns(true), 0);
}
