//! Profiles: those that ship with the program, the examples of the documentation, and every kind of mistake.

use std::fmt::Write;

use incident::check::{KEYS, Profile, SHIPPED_PROFILES};

use crate::harness::{Scratch, ensure_file_contents, fixture, incident, root};
use crate::tidy::{files, relative};

#[test]
fn the_shipped_profiles_are_the_folder_and_have_no_mistakes() {
    let there = files("profiles", "toml");
    assert_eq!(there.len(), SHIPPED_PROFILES.len());
    for path in there {
        let name = relative(&path, "profiles").trim_end_matches(".toml").to_owned();
        let (_, text) = SHIPPED_PROFILES.iter().find(|(known, _)| *known == name).unwrap();
        Profile::read(&name, text).unwrap_or_else(|error| panic!("{error}"));
        assert!(Profile::shipped(&name).is_some());
        assert!(text.starts_with("# "), "{name} says what it is for");
    }
}

#[test]
fn every_example_of_the_documentation_is_a_profile() {
    let text = std::fs::read_to_string(root().join("docs/profiles.md")).unwrap();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 10, "only {} examples", examples.len());
    for example in &examples {
        Profile::read("docs/profiles.md", example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
    // The reference has each key with its kind and default, and an example uses it.
    for key in KEYS {
        let row = format!("| `{}` | {} | {} |", key.name, key.kind, key.default);
        assert!(text.contains(&row), "docs/profiles.md lacks: {row}");
        let used = |example: &&str| example.lines().any(|line| line.starts_with(&format!("{} = ", key.name)));
        assert!(examples.iter().any(used), "no example uses {}", key.name);
    }
    for (name, _) in SHIPPED_PROFILES {
        assert!(text.contains(&format!("`{name}`")), "docs/profiles.md does not name {name}");
    }
}

/// Every kind of mistake, each in a profile of its own.
const MISTAKES: [(&str, &str); 34] = [
    ("no TOML", "type = /type\n"),
    ("a key twice", "type = \"/type\"\ntype = \"/kind\"\n"),
    ("an unknown key", "type = \"/type\"\nsequnce = \"/n\"\n"),
    ("a key that is like no other", "type = \"/type\"\nfoo = 1\n"),
    ("a number for a text", "type = 7\n"),
    ("a text for a truth value", "id = \"/id\"\nunique = \"yes\"\n"),
    ("a text for a list", "type = \"/type\"\nignore = \"ping\"\n"),
    ("an empty text", "type = \"\"\n"),
    ("a name instead of a pointer", "type = \"data.kind\"\n"),
    ("something else than a pointer", "type = \"$.kind\"\n"),
    ("a tilde in a pointer", "type = \"/a~b\"\n"),
    ("a pointer into what is no JSON", "json = false\ntype = \"/type\"\n"),
    ("a pointer that differs and is none", "type = \"/type\"\nvaries = [\"sent_at\"]\n"),
    ("an unknown envelope", "envelope = \"soap\"\n"),
    ("an envelope without JSON", "json = false\nenvelope = \"cloudevents\"\n"),
    ("an unknown time format", "time = \"/at\"\ntime_format = \"unix\"\n"),
    ("a time format without a time", "type = \"/type\"\ntime_format = \"unix_s\"\n"),
    ("a gapless nothing", "type = \"/type\"\ngapless = true\n"),
    ("a first nothing", "type = \"/type\"\nfirst = 1\n"),
    ("a negative first number", "sequence = \"/n\"\nfirst = -1\n"),
    ("unique nothings", "type = \"/type\"\nunique = true\n"),
    ("an optional field that is none", "type = \"/type\"\noptional = [\"tim\"]\n"),
    ("an optional field that is nowhere", "type = \"/type\"\noptional = [\"time\"]\n"),
    ("a silence that is no duration", "type = \"/type\"\nsilence = \"long\"\n"),
    ("no silence at all", "type = \"/type\"\nsilence = \"0s\"\n"),
    ("a type with two meanings", "type = \"/type\"\nkey = \"/id\"\nbegins = [\"a\"]\nends = [\"a\"]\n"),
    ("something begins and nothing is named", "type = \"/type\"\nbegins = [\"a\"]\n"),
    ("headers", "type = \"/type\"\nheaders = { Host = \"x\", \"X Y\" = \"z\", Cookie = \"\\n\" }\n"),
    (
        "a subprotocol twice and one that is none",
        "type = \"/type\"\nsubprotocols = [\"a\", \"a\", \"b c\"]\n",
    ),
    ("queries", "type = \"/type\"\nquery = \"?a=b\"\nresume = { query = \"after=x y\" }\n"),
    ("no way to resume, and two", "type = \"/type\"\nresume = { value = \"{id}\" }\n"),
    ("two ways to resume", "id = \"/id\"\nresume = { query = \"a={id}\", send = \"{id}\" }\n"),
    ("wrong names in braces", "id = \"/id\"\nresume = { query = \"a={idd}&b={sequence}\" }\n"),
    ("the same after every event", "id = \"/id\"\nresume = { send = \"again\", extra = 1 }\n"),
];

#[test]
fn mistakes_are_shown_with_their_place_and_what_to_write() {
    let mut shown = String::new();
    for (what, text) in MISTAKES {
        let error = Profile::read("p.toml", text).expect_err(what);
        writeln!(shown, "# {what}\n{text}\n{error}\n").unwrap();
        for mistake in &error.diagnostics {
            assert!(mistake.help.is_some(), "{what}: {} does not say what to do", mistake.message);
        }
    }
    for text in [
        "",
        "# nothing\n",
        "gapless = false\nreplays = false\n",
        "sequence = \"/n\"\nkey = \"/k\"\nresume = { query = \"a={sequence}\" }\n",
    ] {
        let error = Profile::read("p.toml", text).expect_err(text);
        writeln!(shown, "{text}\n{error}\n").unwrap();
    }
    ensure_file_contents(&[(fixture("profiles/mistakes.txt"), shown)]);
}

#[test]
fn mistakes_stop_the_command_before_it_connects() {
    let folder = Scratch::new().with("p.toml", "type = \"/type\"\nsequnce = \"/n\"\n");
    let ran = incident(&["validate", "--profile", "p.toml", "--url", "ws://127.0.0.1:1/", "--for", "1s"])
        .at(folder.path())
        .run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    for said in [
        "p.toml:2:1",
        "a profile has no key \"sequnce\"",
        "did you mean \"sequence\"?",
        "1 mistake in the profile p.toml",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

/// Beyond 64 bits the last digits of a number are lost when it is read.
#[test]
fn ids_with_more_digits_than_are_read_are_told_and_not_taken_for_the_same() {
    let message = |id: &str| format!("{{\"type\":\"x\",\"id\":{id}}}\n");
    let profile = "type = \"/type\"\nid = \"/id\"\nunique = true\n";
    let judged = |ids: [&str; 2]| {
        let folder = Scratch::new().with("p.toml", profile).with("r.ndjson", &ids.map(message).concat());
        incident(&["validate", "r.ndjson", "--profile", "p.toml", "--rule", "schema", "--rule", "duplicate"])
            .at(folder.path())
            .run()
    };
    let ran = judged(["18446744073709551617", "18446744073709551618"]);
    assert!(ran.status == Some(5) && ran.stdout.contains("a number whose digits are all read"), "{ran:?}");
    assert!(!ran.stdout.contains("arrived twice"), "{ran:?}");
    assert_eq!(judged(["18446744073709551614", "18446744073709551615"]).status, Some(0));
    assert_eq!(judged(["7", "7"]).status, Some(5));
}

/// Its number is one of some key, so that it is compared with none.
#[test]
fn an_event_whose_key_is_wrong_is_told_once() {
    let profile = "type = \"/type\"\nkey = \"/k\"\nsequence = \"/n\"\ngapless = true\nid = \"/id\"\nunique = true\ntime = \"/t\"\n";
    for keys in [["18446744073709551617", "18446744073709551618"], ["[1]", "{}"]] {
        let mut text = String::new();
        for (n, key) in [(1, keys[0]), (1, keys[1]), (2, keys[0]), (2, keys[1]), (1, "\"a\""), (2, "\"a\"")] {
            text += &format!(
                "{{\"type\":\"x\",\"k\":{key},\"n\":{n},\"id\":\"i{n}\",\"t\":\"2026-11-28T10:00:0{}Z\"}}\n",
                9 - n
            );
        }
        let folder = Scratch::new().with("p.toml", profile).with("r.ndjson", &text);
        let ran = incident(&["validate", "r.ndjson", "--profile", "p.toml"]).at(folder.path()).run();
        let told = ran.stdout.contains("the key is") && ran.stdout.contains("and 1 more");
        assert!(ran.status == Some(5) && told, "{ran:?}");
        assert!(!ran.stdout.contains("arrived twice"), "{ran:?}");
        // The time of the last two falls.
        assert_eq!(ran.stdout.matches("goes back").count(), 1, "{ran:?}");
    }
}
