//! Values of flags that can't be used: what is told about them.

use crate::harness::{Scratch, incident};

/// Holds that the command line is refused with these words.
fn refused(args: &[&str], words: &[&str]) {
    let ran = incident(args).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{args:?}: {word:?} is not in {}", ran.stderr);
    }
    for raw in ["invalid digit", "too large to fit", "syntax", "-- -1", "os error"] {
        assert!(!ran.stderr.contains(raw), "{args:?}: {}", ran.stderr);
    }
}

/// Each command that is named exists.
#[test]
fn a_command_of_another_program_is_told_as_the_one_that_is_meant() {
    for (word, meant) in [
        ("start", "trigger"),
        ("stop", "cancel"),
        ("tail", "watch"),
        ("record", "watch --record FILE"),
        ("replay", "serve --replay FILE"),
        ("server", "serve"),
        ("ls", "list"),
        ("ps", "list --running"),
        ("lint", "validate"),
        ("init", "new"),
        ("postmortem", "report"),
        ("backup", "check-journal --backup FILE"),
    ] {
        refused(&[word, "x"], &[word, &format!("subcommand exists: '{meant}'")]);
        let mut words = meant.split(' ');
        let help = incident(&[words.next().unwrap(), "--help"]).run();
        assert_eq!(help.status, Some(0), "{meant}");
        for flag in words.filter(|word| word.starts_with('-')) {
            assert!(
                help.stdout.contains(&format!("{flag} ")) || help.stdout.contains(&format!("{flag}\n")),
                "{meant}"
            );
        }
    }
    refused(&["triger"], &["subcommand exists: 'trigger'"]);
}

/// What newcomers write without its flag, or with that of another program.
#[test]
fn the_flag_that_is_missing_is_named() {
    for (args, wanted) in [
        (&["watch", "localhost:7911"][..], "write `--url localhost:7911`"),
        (&["watch", "noise-abcde"], "write `--incident noise-abcde`"),
        (&["list", "http://me:s3cret@localhost:1/"], "write `--url 'http://…@localhost:1/'`"),
        (&["health", "https://a.example/"], "write `--url https://a.example/`"),
        (&["trigger", "noise", "localhost:1"], "write `--url localhost:1`"),
        (&["serve", "8080"], "write `--port 8080`"),
        (&["serve", "mine.toml"], "write `--scenarios mine.toml`"),
        (&["serve", "run.ndjson"], "write `--replay run.ndjson`"),
        (&["serve", "noise"], "write `--trigger noise`"),
        (&["serve", "--host", "0.0.0.0"], "the flag is called --bind"),
        (&["watch", "--host", "a"], "the flag is called --url"),
        (&["--color", "never", "watch", "a\u{1b}b"], "unexpected argument 'a\\u{1b}b'"),
        (&["watch", "$(id)"], "write `--incident '$(id)'`"),
        (&["serve", "my file.toml"], "write `--scenarios 'my file.toml'`"),
        (&["watch", "--urls", "x"], "unexpected argument '--urls' found"),
        (&["validate", "ws://127.0.0.1:7911/ws"], "--url URL"),
        (&["trigger"], "`incident list` prints the scenarios"),
        (&["cancel"], "`incident list --running` prints the open incidents"),
    ] {
        refused(args, &[wanted]);
    }
}

#[test]
fn a_password_in_an_address_without_its_flag_is_not_repeated() {
    let ran = incident(&["watch", "me:s3cr3t@localhost:7911"]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("--url '…@localhost:7911'"), "{ran:?}");
    assert!(!ran.stderr.contains("s3cr3t"), "{ran:?}");
    assert!(!incident(&["serve", "99999"]).run().stderr.contains("--port"));
}

#[test]
fn a_number_that_is_none_is_told_the_range() {
    let any = "expected a whole number from 0 to 9007199254740991";
    for value in ["x", "1.5", "-1", "99999999999999999999", "9007199254740992"] {
        refused(&["watch", "--tail", value], &[value, any]);
        refused(&["trigger", "noise", "--seed", value], &[value, any]);
        refused(&["serve", "--seed", value], &[value, any]);
        refused(&["export", "noise", "--seed", value], &[value, any]);
        refused(&["publish", "metrics", "--subject", "a", "--users", value], &[value, any]);
    }
    refused(&["serve", "--port", "65536"], &["expected a whole number from 0 to 65535"]);
    refused(&["serve", "--max-clients", "x"], &["expected a whole number from 1 to 1000000"]);
    for count in ["0", "1025", "x"] {
        refused(&["serve", "--threads", count], &[count, "expected a whole number from 1 to 1024"]);
    }
    refused(&["serve", "--retain-events", "1e6"], &["expected a whole number from 1000 to 4294967295"]);
    refused(&["serve", "--publish-rate", "0"], &["expected a whole number from 1 to"]);
    refused(&["validate", "noise", "--clients", "65"], &["expected a whole number from 1 to 64"]);
    refused(&["trigger", "noise", "--speed", "-1"], &["invalid value '-1' for '--speed <FACTOR>'"]);
    refused(&["publish", "metrics", "--subject", "a", "n=1e400"], &["1e400", "is too large"]);
    refused(&["publish", "metrics", "--subject", "a", "n=nan"], &["is not a number"]);
    refused(&["publish", "metrics", "--subject", "a", "=1"], &["the name before = is missing"]);
}

#[test]
fn an_address_that_is_none_is_told_the_form() {
    refused(&["serve", "--bind", "localhost"], &["expected an IP address", "localhost is 127.0.0.1 or ::1"]);
    refused(&["serve", "--bind", "127.1"], &["expected an IP address, as in 127.0.0.1"]);
}

/// The variable is for the commands that need a server, and a flag beside it is meant.
#[test]
fn a_url_beside_scenarios_is_refused_whatever_the_variable_says() {
    for variable in ["ws://127.0.0.1:1/ws", "ws://127.0.0.1:2/ws"] {
        let list = |args: &[&str]| incident(&[&["list"], args].concat()).env("INCIDENT_URL", variable);
        let folder = Scratch::new();
        let file = folder.path().join("mine.toml");
        std::fs::write(&file, crate::validate::command::SHORT).unwrap();
        let file = file.to_str().unwrap();
        let ran = list(&["--scenarios", file, "--url", "ws://127.0.0.1:1/ws"]).run();
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("leave out one of them"), "{ran:?}");
        let ran = list(&["--scenarios", file]).run();
        assert!(ran.status == Some(0) && ran.stdout.starts_with("short\t"), "{ran:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told_in_our_words() {
    refused(&["validate", "./noise"], &["./noise cannot be read: no such file", "its name without a folder"]);
    refused(&["validate", "localhost:8080"], &["localhost:8080 cannot be read: no such file", "--url URL"]);
    refused(&["publish", "none.ndjson"], &["none.ndjson cannot be read: no such file"]);
    let ran = incident(&["validate", "noise", "./noise"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no such file") && !ran.stderr.contains("os error"), "{ran:?}");
}

/// Either is checked: a usage line that wants both can't be followed.
#[test]
fn the_usage_of_validate_names_files_or_a_server() {
    let ran = incident(&["validate", "noise", "--for", "5s"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("incident validate [OPTIONS] [FILE|DIR|NAME]...\n"), "{ran:?}");
    assert!(ran.stderr.contains("incident validate [OPTIONS] <--url <URL>|--sse <URL>>\n"), "{ran:?}");
}
