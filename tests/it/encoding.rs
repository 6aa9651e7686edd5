//! Recordings in the encodings that editors and shells write: `report`, `validate` and `serve --replay` read the same
//! ones, and refuse the others with the same reason.

use std::fs;

use crate::harness::{Ran, Scratch, Serving, fixture, incident, root};
use crate::publish::{action, started};

fn recording() -> String {
    fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// A file with this content.
fn file(bytes: &[u8]) -> (Scratch, String) {
    let scratch = Scratch::new();
    let path = scratch.path().join("run.ndjson");
    fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (scratch, path)
}

#[test]
fn every_command_reads_what_shells_and_editors_write() {
    let text = recording();
    let marked = format!("\u{feff}{text}");
    let middle = text.match_indices('\n').nth(20).unwrap().0 + 1;
    let wanted = fs::read_to_string(fixture("golden/report.md")).unwrap();
    for (encoding, bytes) in [
        ("UTF-8", text.clone().into_bytes()),
        ("UTF-8 with a byte order mark", marked.clone().into_bytes()),
        ("two marked files, one after the other", {
            format!("\u{feff}{}\u{feff}{}", &text[..middle], &text[middle..]).into_bytes()
        }),
        ("what PowerShell redirects", utf16(&marked.replace('\n', "\r\n"), u16::to_le_bytes)),
        ("UTF-16, big end first", utf16(&marked, u16::to_be_bytes)),
        ("UTF-16 without a mark", utf16(&text, u16::to_le_bytes)),
        ("UTF-16, big end first, without a mark", utf16(&text, u16::to_be_bytes)),
    ] {
        let (_scratch, path) = file(&bytes);
        let report = incident(&["report", &path]).run();
        assert_eq!((report.status, report.stderr.as_str()), (Some(0), ""), "{encoding}");
        assert_eq!(report.stdout, wanted, "{encoding}");
        let validated = incident(&["validate", &path]).run();
        assert_eq!(validated.status, Some(0), "{encoding}: {}{}", validated.stdout, validated.stderr);
        Serving::with(&["--replay", &path]);
    }
}

#[test]
fn every_command_refuses_the_rest_with_the_same_reason() {
    let text = recording();
    let (first, rest) = text.split_once('\n').unwrap();
    let latin = [first.as_bytes(), b"\n{\"caf\xe9\":1}\n", rest.as_bytes()].concat();
    let half =
        [&utf16(&format!("\u{feff}{first}\n"), u16::to_le_bytes)[..], &[0x00, 0xd8, 0x0a, 0x00]].concat();
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let utf32_marked = [&[0xff, 0xfe, 0, 0], &utf32[..]].concat();
    let long = format!("{text}{}\n", " ".repeat(1024 * 1024 + 1));
    for (bytes, says) in [
        (latin, "run.ndjson:2: not UTF-8"),
        (half, "run.ndjson:2: not UTF-16"),
        (utf32, "run.ndjson:1: UTF-32"),
        (utf32_marked, "run.ndjson:1: UTF-32"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "run.ndjson:1: compressed (gzip)"),
        (b"\x28\xb5\x2f\xfd\x04\x00".to_vec(), "run.ndjson:1: compressed (zstd)"),
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "run.ndjson:1: compressed (zip)"),
        (long.into_bytes(), "the line has more than 1048576 bytes"),
    ] {
        let (_scratch, path) = file(&bytes);
        let commands: [&[&str]; 3] =
            [&["report", &path], &["validate", &path], &["serve", "--port", "0", "--replay", &path]];
        for command in commands {
            let Ran { status, stdout, stderr } = incident(command).run();
            assert_eq!((status, stdout.as_str()), (Some(2), ""), "{command:?}: {stderr}");
            assert!(stderr.contains(says), "{says:?} is not what {command:?} says: {stderr}");
        }
    }
}

#[test]
fn a_scenario_in_another_encoding_is_told_which_it_looks_like() {
    let text = fs::read_to_string(root().join("scenarios/database-outage.toml")).unwrap();
    let marked = format!("\u{feff}{text}");
    let latin = [text.as_bytes(), b"# caf\xe9\n"].concat();
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let line = text.lines().count() + 1;
    for (bytes, says) in [
        (utf16(&marked, u16::to_le_bytes), "UTF-16".to_owned()),
        (utf16(&text, u16::to_be_bytes), "UTF-16".to_owned()),
        (utf32, "UTF-32".to_owned()),
        (latin, format!("not UTF-8 at byte 6 of line {line}")),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "compressed (gzip)".to_owned()),
    ] {
        let scratch = Scratch::new();
        let path = scratch.path().join("run.toml");
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        for command in [&["validate", path][..], &["serve", "--port", "0", "--scenarios", path]] {
            let ran = incident(command).run();
            let next = if says.contains("gzip") { "unpack it" } else { "save the file as UTF-8" };
            // It is wrapped, where the length of the path wants it.
            let words = ran.stderr.replace('│', " ");
            let said = words.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains(&says), "{command:?}: {says}: {}", ran.stderr);
            assert!(said.contains(next), "{command:?}: {next}: {}", ran.stderr);
        }
    }
    let scratch = Scratch::new().with("marked.toml", &marked);
    let path = scratch.path().join("marked.toml").display().to_string();
    let ran = incident(&["validate", &path, "--rule", "schema"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
}

/// One judgement on how a recording ends, whichever command reads it.
#[test]
fn every_command_judges_the_end_of_a_recording_alike() {
    let text = recording();
    let whole = utf16(&text, u16::to_le_bytes);
    let padded = [text.as_bytes(), &[0; 4_096]].concat();
    for (what, bytes) in [
        ("a byte of the last line break is missing", whole[..whole.len() - 1].to_vec()),
        ("the last line break is missing", whole[..whole.len() - 2].to_vec()),
        ("NULs at the end, as after a power cut", padded),
        ("NULs behind the last line", [text.trim_end().as_bytes(), &[0; 512]].concat()),
    ] {
        let (_scratch, path) = file(&bytes);
        let report = incident(&["report", &path]).run();
        let validated = incident(&["validate", &path, "--rule", "schema"]).run();
        assert_eq!(report.status, Some(0), "{what}: {}", report.stderr);
        assert_eq!(validated.status, Some(0), "{what}: {}{}", validated.stdout, validated.stderr);
        Serving::with(&["--replay", &path]);
    }
}

/// What is published, and the sample of a receiver.
#[test]
fn published_files_and_samples_are_read_as_recordings_are() {
    type Encode = fn(&str) -> Vec<u8>;
    let server = Serving::with(&[]);
    let events = |subject: &str| {
        let started = started(subject, &format!("{subject}-1"));
        format!("{started}\n{}\n", action(subject, &format!("{subject}-2"), "loöks"))
    };
    let encodings: [(&str, Encode); 4] = [
        ("a", |text| utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        ("b", |text| utf16(text, u16::to_be_bytes)),
        ("c", |text| format!("\u{feff}{text}").into_bytes()),
        ("d", |text| utf16(&text.replace('\n', "\r\n"), u16::to_le_bytes)),
    ];
    for (place, (subject, encoded)) in encodings.into_iter().enumerate() {
        let (_scratch, path) = file(&encoded(&events(subject)));
        let ran = server.incident(&["publish", &path]).run();
        assert_eq!(ran.status, Some(0), "{subject}: {ran:?}");
        assert!(ran.stderr.contains(&format!("at position {}", 2 * place + 2)), "{subject}: {ran:?}");
    }
    let utf32: Vec<u8> = events("e").chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let (_scratch, path) = file(&utf32);
    let ran = server.incident(&["publish", &path]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains(":1: UTF-32, which is not read"), "{ran:?}");

    let receivers = "[[receiver]]\nname = \"prod\"\nkind = \"pagerduty\"\ntoken_file = \"token\"\n";
    let sample = r#"{"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger","payload":{"summary":"Höt","source":"a","severity":"critical"}}"#;
    let folder = Scratch::new()
        .with("receivers.toml", &format!("\u{feff}{receivers}"))
        .with("token", "\u{feff}0123456789abcdef0123456789abcdef\n");
    let check = |bytes: &[u8]| {
        fs::write(folder.path().join("sample.json"), bytes).unwrap();
        incident(&["check-receivers", "receivers.toml", "--payload", "sample.json"]).at(folder.path()).run()
    };
    for bytes in [sample.as_bytes(), format!("\u{feff}{sample}").as_bytes()] {
        let ran = check(bytes);
        assert!(ran.status == Some(0) && ran.stdout.contains("Höt"), "{ran:?}");
    }
    let utf32: Vec<u8> = sample.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (bytes, says) in [
        (
            utf16(sample, u16::to_le_bytes),
            "it is UTF-16, which is read in recordings and published files alone: save the file as UTF-8",
        ),
        (utf16(&format!("\u{feff}{sample}"), u16::to_be_bytes), "it is UTF-16"),
        (utf32, "it is UTF-32, which is not read: save the file as UTF-8"),
        (b"{\"caf\xe9\":1}".to_vec(), "it is not UTF-8 at byte 6 of line 1"),
    ] {
        let ran = check(&bytes);
        assert!(ran.status == Some(2) && ran.stderr.contains(says), "{says}: {ran:?}");
    }
}
