//! A rule passes only if something was compared, and says if that was only a part.

use incident::check::{Closing, Promise};
use incident::contract::MessageType;
use serde_json::Value;

use super::command::json;
use super::sound::{Stream, sound};
use super::strangers::rule;
use crate::harness::{Scratch, incident};

/// A sound stream of an incident that was cancelled instead of resolved.
fn cancelled() -> Stream {
    let mut stream = sound();
    let end = stream.resolution();
    stream.data(end)["outcome"] = "cancelled".into();
    stream
}

/// It is not resolved, and nobody knows what would have happened later.
#[test]
fn an_incident_that_was_cancelled_meets_nothing_that_had_not_happened_by_then() {
    let mut stream = cancelled();
    stream.expect("resolve = { max = \"1h\" }");
    let failures = stream.failures();
    let [("expect", found)] = failures.as_slice() else { panic!("{failures:?}") };
    assert!(found.starts_with("the incident was cancelled after ") && found.ends_with(" s, not resolved"));
    stream.expect("order = [\"no-such-step\"]\nactions = { min = 500 }");
    assert_eq!(stream.failures(), []);
    let why = "nothing that is expected can be compared: 1 incident is open, was cancelled or lacks events";
    assert_eq!(stream.unchecked("expect"), why);
    // What is too much by then stays too much.
    stream.expect("actions = { max = 1 }");
    assert_eq!(stream.failures()[0].0, "expect");
    stream.expect("detect = { max = \"1h\" }");
    assert!(stream.summary("expect").contains(" is met so far; 1 incident is open, was cancelled"));
}

#[test]
fn an_empty_table_expects_nothing() {
    let mut stream = sound();
    stream.expect("");
    assert_eq!(stream.unchecked("expect"), "the [expect] of test.toml:1 is empty");
}

#[test]
fn a_resolution_that_cannot_be_read_meets_nothing() {
    let mut stream = sound();
    stream.expect("order = [\"no-such-step\"]");
    let end = stream.resolution();
    stream.data(end).as_object_mut().unwrap().remove("outcome");
    assert!(stream.failures().iter().all(|(rule, _)| *rule == "schema"), "{:?}", stream.failures());
    assert!(stream.unchecked("expect").starts_with("nothing that is expected can be compared"));
}

#[test]
fn a_connection_of_which_nothing_can_be_compared_is_not_checked() {
    let mut stream = sound();
    let last = stream.frames.last().unwrap().1;
    stream.closing = Some((last, Closing::Lost("reset".to_owned())));
    stream.others = vec![stream.twin(), stream.resume(30)];
    for other in &mut stream.others {
        other.frames.clear();
    }
    assert_eq!(stream.unchecked("fan-out"), "no other client got anything that can be compared");
    assert_eq!(stream.unchecked("resume"), "nothing that came after a cut can be compared");
    // Of several those are counted that were compared.
    stream.closing = None;
    stream.ended = Some(last + 5.0);
    stream.others = vec![stream.resume(30), stream.resume(70), stream.twin()];
    let broken = stream.others[1].frames[0].replace("\"specversion\":\"1.0\"", "\"specversion\":\"9\"");
    stream.others[1].frames[0] = broken;
    assert!(stream.summary("resume").starts_with("cut at position 30: "), "{}", stream.summary("resume"));
    assert_eq!(stream.summary("fan-out"), "2 clients got the same events");
}

#[test]
fn an_answer_with_a_fault_of_its_own_is_no_right_answer() {
    let mut stream = sound();
    let mut other = stream.wrong_position("S/1000000", Promise::Reset("ahead".to_owned()));
    other.frames[0] = other.frames[0].replace("\"specversion\":\"1.0\"", "\"specversion\":\"9\"");
    stream.others = vec![other];
    assert_eq!(stream.unchecked("positions"), "what was answered to a wrong position can't be read");
}

#[test]
fn heartbeats_say_nothing_without_a_greeting() {
    let mut stream = sound();
    stream.frames.remove(0);
    assert_eq!(stream.unchecked("heartbeat"), "stream_opened is missing");
}

#[test]
fn one_event_is_compared_with_none() {
    let mut stream = sound();
    let start = stream.all(MessageType::IncidentStarted)[0];
    let frame = stream.frames[start].clone();
    stream.frames = vec![frame];
    let recorded = stream.recorded();
    for (rule, verdict) in recorded.rules {
        let is_about_two = ["order", "gap", "duplicate", "clock"].contains(&rule.name);
        let is_unchecked = matches!(verdict, incident::check::Verdict::NotChecked(_));
        assert!(!is_about_two || is_unchecked, "{}: {verdict:?}", rule.name);
    }
}

#[test]
fn the_tally_says_what_it_lacks() {
    let mut stream = sound();
    stream.and_another(200);
    let [_, end] = stream.all(MessageType::IncidentResolved)[..] else { panic!("two resolutions") };
    // The second one lacks an event.
    stream.frames.remove(end - 1);
    let summary = "the resolution agrees with the events; 1 incident was not received as a whole";
    assert_eq!(stream.summary("tally"), summary);
}

/// What a profile makes of these messages.
fn foreign(profile: &str, messages: &[&str]) -> Value {
    let folder = Scratch::new().with("p.toml", profile).with("r.ndjson", &messages.join("\n"));
    let args =
        ["validate", "r.ndjson", "--profile", "p.toml", "--limit", "clock.skew=1h", "--format", "json"];
    json(&incident(&args).at(folder.path()).run())
}

/// A profile with the wrong field for the key: each event counts in a stream of its own.
#[test]
fn events_that_share_no_key_are_not_compared() {
    let profile = "type = \"/type\"\nid = \"/id\"\nunique = true\nsequence = \"/n\"\ngapless = true\nkey = \"/id\"\n\
                   time = \"/time\"\n";
    let event = |id: u32, n: u32| {
        format!(r#"{{"type":"x","id":"{id}","n":{n},"time":"2026-11-22T10:00:{:02}Z"}}"#, 59 - id)
    };
    let events = [event(1, 9), event(2, 5), event(3, 1)];
    let report = foreign(profile, &events.each_ref().map(String::as_str));
    for name in ["order", "gap", "duplicate", "clock"] {
        let said = rule(&report, name);
        assert_eq!(said["status"], "not_checked", "{name}: {report:#}");
        assert!(said["why"].as_str().unwrap().starts_with("no two events of a key have "), "{said}");
    }
    let report = foreign(&profile.replace("key = \"/id\"\n", ""), &events.each_ref().map(String::as_str));
    assert_eq!(rule(&report, "order")["status"], "failed", "{report:#}");
    assert_eq!(rule(&report, "duplicate")["summary"], "3 events, each once");
}

/// A profile with types that the stream does not have.
#[test]
fn a_stream_in_which_nothing_begins_or_ends_has_no_lives() {
    let profile =
        "type = \"/type\"\nsubject = \"/of\"\nbegins = [\"order.created\"]\nends = [\"order.done\"]\n";
    let messages = [r#"{"type":"OrderCreated","of":"1"}"#, r#"{"type":"OrderDone","of":"1"}"#];
    let said = rule(&foreign(profile, &messages), "lifecycle").clone();
    assert_eq!(said["why"], "no event has a type that begins or ends something", "{said}");
}

/// What is ignored is held to nothing.
#[test]
fn messages_that_are_ignored_are_not_among_those_that_were_checked() {
    let profile = "type = \"/type\"\nid = \"/id\"\nignore = [\"ping\"]\n";
    let messages = [r#"{"type":"ping"}"#, r#"{"type":"ping"}"#, r#"{"type":"x","id":"1"}"#];
    let said = rule(&foreign(profile, &messages), "schema").clone();
    assert_eq!(said["summary"], "1 messages have the fields that the profile names", "{said}");
}

/// A recording has no arrivals, also of a server that never sends what is old.
#[test]
fn times_of_a_recording_are_near_no_clock() {
    let profile = "type = \"/type\"\ntime = \"/time\"\nrising = false\nreplays = false\n";
    let messages =
        [r#"{"type":"x","time":"2001-11-22T10:00:00Z"}"#, r#"{"type":"x","time":"2001-11-22T10:00:01Z"}"#];
    let said = rule(&foreign(profile, &messages), "clock").clone();
    assert_eq!(said["why"], "arrival times are only checked with --url or --sse", "{said}");
}

/// A profile that names no field requires none.
#[test]
fn a_profile_without_fields_says_what_it_holds_messages_to() {
    let messages = [r#"{"a":1}"#, r#"{"b":2}"#];
    let said = rule(&foreign("silence = \"30s\"\n", &messages), "schema").clone();
    assert_eq!(said["summary"], "2 messages are JSON", "{said}");
    let said = rule(&foreign("json = false\nsilence = \"30s\"\n", &messages), "schema").clone();
    assert_eq!(said["why"], "the profile names no fields, and takes what is no JSON", "{said}");
}
