//! Transcripts that are none: what is wrong is said in words, and they show nothing of the files that they name.

use crate::harness::{Ran, Scratch, incident};

fn header(more: &str) -> String {
    format!(
        "{{\"transcript\":1,\"target\":\"x\",\"began\":\"2026-11-22T10:00:00Z\",\"arrivals\":false{more}}}"
    )
}

fn judged(text: &str) -> Ran {
    let folder = Scratch::new().with("t.ndjson", text);
    incident(&["validate", "t.ndjson"]).at(folder.path()).run()
}

/// A line, and what is said about it.
const LINES: [(&str, &str); 18] = [
    ("x", "it is not JSON"),
    ("[]", "it is no JSON object"),
    ("{\"openedX\":\"follow\"}", "\"at\" has to be a number"),
    ("{\"at\":\"x\",\"text\":\"\"}", "\"at\" has to be a number"),
    ("{\"at\":null,\"text\":\"\"}", "\"at\" has to be a number"),
    ("{\"at\":-1,\"text\":\"\"}", "\"at\" has to be a number"),
    ("{\"at\":1e300,\"text\":\"\"}", "\"at\" has to be a number"),
    ("{\"at\":1e400,\"text\":\"\"}", "a number is too large"),
    ("{\"at\":0}", "it says nothing that was observed: one of opened, refused, text,"),
    ("{\"at\":0,\"openedX\":\"follow\"}", "it says nothing that was observed"),
    ("{\"at\":0,\"opened\":\"nonsense\"}", "\"opened\" has to be what the connection is for: \"follow\""),
    ("{\"at\":0,\"text\":5}", "\"text\" has to be the text of the message"),
    ("{\"at\":0,\"connection\":-1,\"text\":\"\"}", "\"connection\" has to be the number of a connection"),
    ("{\"at\":0,\"closed\":5}", "\"closed\" has to be how the connection ended"),
    ("{\"at\":0,\"refused\":[\"follow\",99999]}", "\"refused\" has to be a list"),
    ("{\"at\":0,\"stopped\":5}", "\"stopped\" has to be true, the name of an incident, or null"),
    ("{\"at\":0,\"event\":{\"data\":5}}", "\"event\" has to be an event with a string \"data\""),
    ("{\"at\":0,\"binary\":-1}", "\"binary\" has to be the length"),
];

const HEADERS: [(&str, &str); 9] = [
    ("{\"transcript\":1}", "\"target\" has to be a string"),
    ("{\"transcript\":1,\"target\":5}", "\"target\" has to be a string"),
    ("{\"transcript\":1,\"target\":\"x\",\"began\":\"then\"}", "\"began\" has to be a time"),
    (
        "{\"transcript\":1,\"target\":\"x\",\"began\":\"2026-11-22T10:00:00Z\",\"arrivals\":1}",
        "\"arrivals\" has to be true or false",
    ),
    ("{\"transcript\":2}", "the transcript has version 2; this program reads 1"),
    ("{\"transcript\":-1}", "the transcript has version -1; this program reads 1"),
    ("{\"transcript\":1.5}", "the transcript has version 1.5; this program reads 1"),
    ("{\"transcript\":\"1\"}", "the transcript has version \"1\"; this program reads 1"),
    ("{\"transcript\":null}", "the transcript has version null; this program reads 1"),
];

fn told(ran: &Ran, place: &str, what: &str) {
    assert_eq!(ran.status, Some(2), "{what}: {ran:?}");
    assert!(ran.stderr.contains(place) && ran.stderr.contains(what), "{what}: {}", ran.stderr);
    // The words of the library that reads JSON.
    for foreign in ["enum", "variant", "struct", "expected", "invalid type", "f64", "missing field"] {
        assert!(!ran.stderr.contains(foreign), "{foreign}: {}", ran.stderr);
    }
}

#[test]
fn a_line_that_is_none_is_told_in_words() {
    for (line, what) in LINES {
        told(&judged(&format!("{}\n{line}\n", header(""))), "t.ndjson:2: ", what);
    }
    for (line, what) in HEADERS {
        told(&judged(&format!("{line}\n")), "t.ndjson:1: ", what);
    }
    for (more, what) in [
        (",\"limits\":[5]", "\"limits\" has to be a list of strings"),
        (",\"profile\":5", "\"profile\" has to be a string"),
    ] {
        told(&judged(&header(more)), "t.ndjson:1: ", what);
    }
}

/// What `validate` prints lands in the logs of CI systems.
#[test]
fn a_transcript_from_elsewhere_shows_no_file_of_this_machine() {
    let folder = Scratch::new()
        .with("secret.env", "TOKEN=hunter2 and more\n")
        .with("secret.json", "{\"hunter2\": tru}\n")
        .with("secret.yaml", "hunter2: [a\n");
    for flag in ["profile", "contract", "expect"] {
        for file in ["secret.env", "secret.json", "secret.yaml", "/proc/self/environ", "nowhere"] {
            let text = header(&format!(",\"{flag}\":\"{file}\"")) + "\n";
            std::fs::write(folder.path().join("t.ndjson"), text).unwrap();
            let ran =
                incident(&["validate", "t.ndjson"]).env("SOME_TOKEN", "hunter2").at(folder.path()).run();
            let both = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!both.contains("hunter2"), "{flag} {file}: {both}");
            let place = format!("t.ndjson:1: the {flag} \"{file}\" that the transcript names");
            assert!(
                flag == "expect" || (ran.status == Some(2) && both.contains(&place)),
                "{flag} {file}: {both}"
            );
        }
    }
}
