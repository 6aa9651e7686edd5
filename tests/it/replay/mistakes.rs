//! Recordings that are not whole, or none.

use incident::journal::{Place, Record};
use incident::recording::{Recording, RecordingError};
use serde_json::json;

use super::{Tape, with};
use crate::harness::{Scratch, action, incident, metrics, resolved, started};

/// Line and text of what is wrong with a line.
fn wrong(tape: &Tape) -> (usize, String) {
    match tape.read() {
        Err(RecordingError::Line { line, what, .. }) => (line, what),
        other => panic!("{other:?}"),
    }
}

/// An incident of three events, for what comes around it.
fn three() -> Tape {
    Tape::of("S1").at(0, &started("a")).at(1_000, &metrics("a", 2)).at(2_000, &resolved("a", 3))
}

#[test]
fn control_messages_repeats_and_empty_lines_are_skipped() {
    let beat = r#"{"specversion":"1.0","id":"9","source":"/servers/x","type":"heartbeat","time":"2026-01-01T00:00:09Z","data":{"stream":"S1","head":3,"state":"playing"}}"#;
    let unknown = beat.replace("heartbeat", "server_notice").replace("2026", "2031");
    let whole = three();
    let twice = Tape { text: whole.text.clone() + &whole.text, ..whole.clone() };
    let lines: Vec<&str> = whole.text.lines().collect();
    let windows = Tape { text: whole.text.replace('\n', "\r\n"), ..whole.clone() };
    let again = Tape::of("S1").line(lines[0]).line(lines[1]).line(lines[0]).line(lines[1]).line(lines[2]);
    let among = Tape::of("S1")
        .line("")
        .line(beat)
        .line(lines[0])
        .line("  ")
        .line(&unknown)
        .line(lines[1])
        .line(lines[2]);
    let marked = Tape { text: format!("\u{feff}{}", whole.text), ..whole.clone() };
    for tape in [&whole, &twice, &windows, &again, &among, &marked] {
        let recording = tape.whole();
        let dues: Vec<u64> = recording.incidents[0].plan.events().iter().map(|event| event.due).collect();
        assert_eq!((recording.incidents.len(), dues), (1, vec![0, 1_000_000, 2_000_000]), "{}", tape.text);
        assert_eq!(recording.duration().as_millis(), 2_000);
    }
}

#[test]
fn who_was_joined_in_the_middle_is_left_out_and_named() {
    let tape = Tape::of("S1")
        .at(0, &metrics("late", 7))
        .at(5_000, &started("a"))
        .at(5_100, &resolved("late", 8))
        .at(6_000, &resolved("a", 2));
    let recording = tape.read().unwrap();
    assert_eq!(recording.warnings, ["run.ndjson: not played, because the start is missing: late"]);
    assert_eq!(recording.incidents.len(), 1);
    let only = &recording.incidents[0];
    assert_eq!((only.id.as_str(), only.start.as_millis()), ("a", 0), "nobody waits for what is left out");
    // Its start stands further down: two recordings of one stream, put together.
    let whole = Tape { text: tape.text + &three().text.replace("\"a\"", "\"late\""), ..three() };
    let recording = whole.read().unwrap();
    assert_eq!(recording.incidents.len(), 2);
    assert!(recording.warnings.is_empty(), "{:?}", recording.warnings);
}

/// Parts that were put together in the wrong order: nothing is left out in silence.
#[test]
fn an_incident_whose_end_stands_before_its_start_is_refused() {
    let tape = Tape::of("S1")
        .at(2_000, &metrics("a", 3))
        .at(3_000, &resolved("a", 4))
        .at(0, &started("a"))
        .at(1_000, &metrics("a", 2));
    let said = tape.read().unwrap_err().to_string();
    assert_eq!(
        said,
        "run.ndjson:2: the event 4 of a stands before its start, which is in line 3: put the parts of the recording in \
         order"
    );
}

#[test]
fn without_any_start_there_is_nothing_to_play() {
    let text = |tape: &Tape| match tape.read() {
        Err(error @ RecordingError::Nothing { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let headless = Tape::of("S1").at(0, &metrics("a", 2)).at(5, &resolved("b", 9));
    assert_eq!(text(&headless), "run.ndjson has no incident to play: it lacks the start of a and b");
    assert_eq!(text(&Tape::of("S1")), "run.ndjson has no incident to play: it has no events");
    let many = (1..=13).fold(Tape::of("S1"), |tape, n| tape.at(n, &metrics(&format!("i{n}"), 2)));
    assert!(text(&many).ends_with("i9, i10 and 3 more"), "{}", text(&many));
}

#[test]
fn a_last_line_that_is_torn_is_left_out_wherever_it_was_torn() {
    let whole = three().text;
    let last = whole.trim_end().rfind('\n').unwrap() + 1;
    for cut in last + 1..whole.len() - 1 {
        let recording = Recording::read(&whole.as_bytes()[..cut], "run.ndjson").unwrap();
        assert_eq!(recording.warnings.len(), 2, "{:?}", recording.warnings);
        assert_eq!(recording.warnings[0], "run.ndjson:3: the last line is incomplete and was skipped");
        assert!(recording.warnings[1].ends_with("the resolution is missing: a"));
        assert_eq!(recording.incidents[0].plan.events().len(), 3, "the end is made up");
    }
    // Whole but for its line break, or torn in the middle of a letter.
    let recording = Recording::read(whole.trim_end().as_bytes(), "run.ndjson").unwrap();
    assert!(recording.warnings.is_empty(), "{:?}", recording.warnings);
    let torn = [whole.as_bytes(), b"{\"specversion\":\"1.0\",\"x\":\"\xc3"].concat();
    let recording = Recording::read(torn.as_slice(), "run.ndjson").unwrap();
    assert_eq!(recording.warnings, ["run.ndjson:4: the last line is incomplete and was skipped"]);
}

#[test]
fn a_line_that_is_no_event_is_told_with_its_place() {
    let start = three().text.lines().next().unwrap().to_owned();
    let torn = &start[..start.len() / 2];
    let foreign = r#"{"type":"agent_action","timestamp":"2026-01-01T00:00:00Z","data":{}}"#;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
    for (line, what) in [
        (torn, "not JSON: EOF while parsing"),
        ("{nonsense", "not JSON: key must be a string"),
        (&start.replace("{\"specversion\"", "{\"index\":1e400,\"specversion\""), "a number is too large"),
        (foreign, "not a CloudEvents event: missing field `specversion`"),
        ("17", "not a CloudEvents event: invalid type: integer `17`"),
        (
            &start.replace("incident_started", "incident_note"),
            "the message type \"incident_note\" is unknown",
        ),
        (&start.replace("\"subject\":\"a\",", ""), "the incident_started has no subject"),
        (&start.replace("\"subject\":\"a\"", "\"subject\":\"\""), "the incident_started has no subject"),
        (
            &start.replace("\"subject\":\"a\"", "\"subject\":\"a/../b\""),
            "\"a/../b\" cannot be an incident's id",
        ),
        (&start.replace("\"subject\":\"a\"", "\"subject\":\"..\""), "\"..\" cannot be an incident's id"),
        (&start.replace("\"subject\":\"a\"", "\"subject\":\"a\\u001b[2J\""), "\"a\\u{1b}[2J\" cannot be an"),
        (
            &start.replace("\"title\"", "\"titel\""),
            "the payload of the incident_started does not match its type: missing field `title`",
        ),
        (
            &start.replace("\"title\"", "\"target_s\":1e400,\"title\""),
            "the payload of the incident_started cannot be read: a number is too large",
        ),
        (&start.replace("\"index\":1", "\"index\":0"), "the incident_started has the index 0"),
        (&large, "the line has more than 1048576 bytes"),
    ] {
        let tape = Tape::of("S1").line("").line(line).line("");
        let (at, told) = wrong(&tape);
        assert_eq!(at, 2, "{told}");
        assert!(told.starts_with(what) && !told.contains(" at line "), "{told}");
        let told = tape.read().unwrap_err().to_string();
        assert!(told.starts_with("run.ndjson:2: "), "{told}");
    }
}

#[test]
fn an_incident_whose_events_do_not_follow_is_told_with_the_place() {
    let start = || Tape::of("S1").at(0, &started("a"));
    let end = || start().at(10, &metrics("a", 2)).at(20, &resolved("a", 3));
    let slow = with(started("a"), |data| data["speed"] = json!(0.0));
    for (tape, line, what) in [
        (start().at(10, &metrics("a", 3)), 2, "index 3 of a follows, but index 2 is missing"),
        (start().at(10, &metrics("a", 9)), 2, "index 9 of a follows, but indexes 2 to 8 are missing"),
        (end().at(30, &metrics("a", 4)), 4, "a has an event after its resolution, with the index 4"),
        (
            start().at(10, &Record { place: Place::At(2), ..started("a") }),
            2,
            "a has a second incident_started",
        ),
        (Tape::of("S1").at(0, &metrics("a", 1)), 1, "a begins with system_metrics"),
        (Tape::of("S1").at(0, &slow), 1, "a has the speed 0"),
        (
            start().at(10, &action("a", 2, &"x".repeat(65_000))),
            2,
            "the agent_action would have more than 65536 bytes",
        ),
    ] {
        let (at, told) = wrong(&tape);
        assert_eq!(at, line, "{told}");
        assert!(told.contains(what), "{told}");
    }
}

/// A replay that nobody lives to see the end of is refused at the start, as such a scenario is.
#[test]
fn an_incident_of_more_than_a_year_is_refused_with_the_place() {
    let late = |offset_s: f64| {
        let end = with(resolved("a", 3), |data| data["offset_s"] = json!(offset_s));
        Tape::of("S1").at(0, &started("a")).at(1_000, &metrics("a", 2)).at(2_000, &end)
    };
    let slow = with(started("a"), |data| data["phases"][0]["play_s"] = json!(1e9));
    let slow = Tape::of("S1")
        .at(0, &slow)
        .at(100, &metrics("a", 2))
        .at(2_000, &with(resolved("a", 3), |data| data["offset_s"] = json!(59.0)));
    let year = 366 * 86_400_000;
    let cut = Tape::of("S1").at(0, &started("a")).at(0, &metrics("a", 2)).at(year + 1_000, &started("b"));
    let unplanned =
        with(action("a", 2, "late"), |data| drop(data.as_object_mut().unwrap().remove("offset_s")));
    let by_times = Tape::of("S1").at(0, &started("a")).at(year + 1_000, &unplanned);
    let faster = with(started("a"), |data| data["speed"] = json!(1000.0));
    let shown = Tape::of("S1")
        .at(0, &faster)
        .at(86_400_000, &action("a", 2, "a day"))
        .at(86_400_000, &resolved("a", 3));
    for (name, tape, line) in [
        ("1e300", late(1e300), 3),
        ("1e12", late(1e12), 3),
        ("play_s", slow, 3),
        ("cut", cut, 2),
        ("by its times", by_times, 2),
    ] {
        match tape.read() {
            Err(RecordingError::Endless { line: at, what, .. }) => {
                assert_eq!(at, line, "{name}: {what}");
                assert!(
                    what.contains(" of a would be played after ") && what.ends_with("more than a year"),
                    "{what}"
                );
            }
            other => panic!("{name}: {other:?}"),
        }
        let folder = Scratch::new().with("run.ndjson", &tape.text);
        let file = folder.path().join("run.ndjson");
        let ran =
            incident(&["serve", "--port", "0", "--journal", "memory", "--replay", file.to_str().unwrap()])
                .run();
        assert_eq!(ran.status, Some(2), "{name}: {ran:?}");
        assert!(ran.stderr.contains(&format!("run.ndjson:{line}: ")), "{name}: {ran:?}");
        assert!(ran.stderr.contains("try: correct the event's"), "{name}: {ran:?}");
    }
    assert!(late(365.0 * 86_400.0).read().is_ok());
    assert!(shown.read().is_ok(), "a day on the clock of its server");
}

/// A journal whose tail nobody vouches for goes on as a new stream and tells what is open again: it is one incident.
#[test]
fn an_incident_that_two_streams_tell_is_one() {
    let begun = |stream| Tape::of(stream).at(0, &started("a")).at(1_000, &metrics("a", 2));
    let again = begun("S2").at(2_000, &metrics("a", 3)).at(3_000, &resolved("a", 4));
    for text in [begun("S1").text + &again.text, begun("S1").text + &again.text + &begun("S1").text] {
        let recording = Tape { text, ..again.clone() }.whole();
        assert_eq!(recording.incidents.len(), 1);
        assert_eq!(recording.incidents[0].plan.events().len(), 4);
    }
    let cut = Tape { text: begun("S1").text + &begun("S2").at(5_000, &started("b")).text, ..again.clone() };
    let recording = cut.read().unwrap();
    assert_eq!(recording.incidents.len(), 2);
    assert_eq!(
        recording.incidents[0].plan.duration(),
        5_000_000,
        "it is open as long as the second stream is"
    );
    // Another microsecond, another incident.
    let other = Tape { text: begun("S1").text + &Tape::of("S2").at(1, &started("a")).text, ..again };
    assert_eq!(other.read().unwrap().incidents.len(), 2);
}

/// A clock that was set back: nothing comes before what it follows.
#[test]
fn a_time_that_falls_back_is_played_right_after_the_event_before() {
    let tape = Tape::of("S1")
        .at(5_000, &started("a"))
        .at(6_000, &metrics("a", 2))
        .at(5_500, &metrics("a", 3))
        .at(4_000, &metrics("a", 4))
        .at(6_500, &resolved("a", 5));
    let recording = tape.read().unwrap();
    let warning =
        "run.ndjson:3: the time goes back (2 times); the event is played right after the previous one";
    assert_eq!(recording.warnings, [warning]);
    let dues: Vec<u64> = recording.incidents[0].plan.events().iter().map(|event| event.due / 1_000).collect();
    assert_eq!(dues, [0, 1_000, 1_000, 1_000, 1_500]);
}

#[test]
fn names_come_from_the_run_or_from_the_id() {
    let named = |id: &str, run: bool| {
        let start = with(started(id), |data| {
            if run {
                data["run"] = json!({ "scenario": "outage", "digest": "d", "seed": 7 });
            }
        });
        let recording = Tape::of("S1").at(0, &start).at(5, &resolved(id, 2)).whole();
        (recording.incidents[0].plan.scenario.clone(), recording.incidents[0].plan.seed)
    };
    assert_eq!(named("whatever", true), ("outage".to_owned(), 7));
    for (id, scenario) in
        [("db-outage-x7k2p", "db-outage"), ("INC-4711", "INC-4711"), ("-abcde", "-abcde"), ("plain", "plain")]
    {
        assert_eq!(named(id, false), (scenario.to_owned(), 0));
    }
}

#[test]
fn what_can_not_be_read_says_so() {
    let folder = Scratch::new();
    for path in [folder.path().to_owned(), folder.path().join("nowhere.ndjson")] {
        match Recording::open(&path) {
            Err(error @ RecordingError::Unreadable { .. }) => {
                assert_eq!(error.to_string(), format!("{} cannot be read", path.display()));
            }
            other => panic!("{other:?}"),
        }
    }
}
