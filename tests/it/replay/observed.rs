//! Real incidents that were published after the fact: their replay tells what the report of their recording tells.

use incident::contract::Message;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::command::{over, recorded};
use super::stage::{Stage, told};
use super::{Tape, with};
use crate::harness::{Scratch, Serving, action, incident, resolved, started};
use crate::publish;

/// Of a report what it says of times, and the rows of its timeline without the time of day.
fn figures(report: &str) -> Vec<String> {
    let rows = report.lines().filter(|line| {
        ["| Detected", "| Mitigated", "| Resolved", "**a**", "**checkout**"]
            .iter()
            .any(|begin| line.starts_with(begin))
    });
    let timeline = report.lines().filter(|line| line.contains("| T+") || line.contains("| T−"));
    let timeline = timeline.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        format!("{} {} {}", cells[1], cells[2], cells[7])
    });
    rows.map(str::to_owned).chain(timeline).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_what_was_published_later_tells_the_figures_of_its_report() {
    let folder = Scratch::new();
    let file = folder.path().join("real.ndjson").display().to_string();
    let server = Serving::with(&["--journal", "memory"]);
    let ago =
        |seconds| Value::from((incident::contract::now() - SignedDuration::from_secs(seconds)).to_string());
    let mut events = [
        publish::started("pay-7", "1"),
        publish::action("pay-7", "2", "sees errors"),
        publish::action("pay-7", "3", "rolls back"),
        publish::resolved("pay-7", "4"),
    ];
    // All of it happened hours ago, within ten minutes.
    for (event, seconds) in events.iter_mut().zip([17_000, 16_940, 16_700, 16_400]) {
        event["time"] = ago(seconds);
    }
    events[1]["data"]["marks"] = json!(["detected"]);
    events[2]["data"]["marks"] = json!(["mitigated"]);
    let reply = publish::publish(server.address(), &events).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    recorded(&server, &file);
    let original = incident(&["report", &file]).run();
    assert_eq!(original.status, Some(0), "{original:?}");
    let of_original = figures(&original.stdout);
    for wanted in ["2 T+01:00 **Detected.** sees errors", "4 T+10:00 **Resolved:** Rolled back"] {
        assert!(of_original.iter().any(|line| line == wanted), "{wanted}: {of_original:#?}");
    }
    let again = Serving::with(&["--journal", "memory", "--replay", &file, "--speed", "2000"]);
    over(&again, 1).await;
    let replayed = again.incident(&["report", "pay-7"]).run();
    assert_eq!(replayed.status, Some(0), "{replayed:?}");
    assert_eq!(figures(&replayed.stdout), of_original);
    let checked = folder.path().join("drill.ndjson").display().to_string();
    recorded(&again, &checked);
    let valid = incident(&["validate", &checked]).run();
    assert_eq!(valid.status, Some(0), "{valid:?}");
}

/// A record as a publisher told it, which was observed this long after the tape's beginning.
fn observed(record: incident::journal::Record, seconds: i64) -> incident::journal::Record {
    let origin = json!({ "source": "/agents/pay", "id": seconds.to_string() });
    let begin: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    with(record, |data| {
        data.as_object_mut().unwrap().remove("offset_s");
        data["synthetic"] = false.into();
        data["origin"] = origin;
        data["observed_at"] = (begin + SignedDuration::from_secs(seconds)).to_string().into();
    })
}

fn real(id: &str) -> incident::journal::Record {
    with(observed(started(id), 0), |data| {
        data["impact_started_at"] = json!("2026-01-01T00:00:00Z");
        data["phases"] = json!([]);
    })
}

/// Seconds never fall, and nothing happens after it was stored.
#[tokio::test(start_paused = true)]
async fn what_was_observed_is_played_in_the_order_in_which_it_was_stored() {
    let seen = with(observed(action("a", 2, "sees it"), 60), |data| data["marks"] = json!(["detected"]));
    let end = with(observed(resolved("a", 5), 300), |data| {
        data["durations"] = json!({ "detect_s": 60.0, "resolve_s": 300.0 });
    });
    let tape = Tape::of("S1")
        .at(7_200_000, &real("a"))
        .at(7_200_010, &seen)
        .at(7_200_020, &observed(action("a", 3, "was before"), 30))
        .at(7_200_030, &observed(action("a", 4, "goes on"), 90))
        .at(7_200_040, &end);
    let stage = Stage::new();
    stage.replay(tape.whole(), 1.0).await;
    let came = stage.over().await;
    let seconds: Vec<f64> = came.iter().map(|(_, event)| told(event).offset_s().unwrap()).collect();
    assert_eq!(seconds, [0.0, 60.0, 60.0, 90.0, 300.0]);
    for ((came, _), second) in came.iter().zip(&seconds) {
        assert!((*came as f64 - second * 1e3).abs() < 1.5, "{came} ms, due at {second} s");
    }
}

#[test]
fn durations_that_do_not_follow_from_the_events_are_told() {
    let end = with(observed(resolved("a", 2), 300), |data| {
        data["durations"] = json!({ "mitigate_s": 200.0, "resolve_s": 300.0 });
    });
    let tape = Tape::of("S1").at(400_000, &real("a")).at(400_010, &end);
    let recording = tape.read().unwrap_or_else(|error| panic!("{error}"));
    let [warning] = recording.warnings.as_slice() else { panic!("{:?}", recording.warnings) };
    assert!(
        warning.contains("the durations in the resolution of a do not follow from its events"),
        "{warning}"
    );
    let long_ago = with(real("b"), |data| data["impact_started_at"] = json!("1970-01-01T00:00:00Z"));
    let tape = Tape::of("S1").at(400_000, &long_ago).at(400_010, &observed(resolved("b", 2), 10));
    let recording = tape.read().unwrap_or_else(|error| panic!("{error}"));
    let said = "the impact of b began 20454 days before its first event";
    assert!(recording.warnings.iter().any(|warning| warning.contains(said)), "{:?}", recording.warnings);
}

/// It goes on after its newest event for as long as the stream did, not until the moment at which the rest was stored.
#[tokio::test(start_paused = true)]
async fn an_open_incident_ends_as_long_after_its_newest_event_as_its_stream_does() {
    let tape = Tape::of("S1")
        .at(7_200_000, &real("a"))
        .at(7_200_010, &observed(action("a", 2, "sees it"), 60))
        .at(7_205_010, &started("b"))
        .at(7_205_020, &resolved("b", 2));
    let recording = tape.read().unwrap_or_else(|error| panic!("{error}"));
    let of_a = recording.incidents.iter().find(|one| one.id == "a").unwrap();
    assert_eq!(of_a.plan.duration(), 65_010_000);
}

/// A clock that was never set is in 1970, and a time that nobody has set is in the year 1 to a program in Go.
#[test]
fn a_recording_with_an_observation_of_another_age_is_timed_by_when_its_events_were_stored() {
    for wrong in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"] {
        let begin = with(real("a"), |data| data["observed_at"] = json!(wrong));
        let seen = with(observed(action("a", 2, "sees it"), 60), |data| data["marks"] = json!(["detected"]));
        let open = Tape::of("S1").at(400_000, &begin).at(460_000, &seen);
        let whole = open.clone().at(700_000, &observed(resolved("a", 3), 300));
        for (tape, seconds) in [(whole, [400.0, 460.0, 700.0]), (open, [400.0, 460.0, 801.0])] {
            let tape = tape.at(800_000, &started("b")).at(801_000, &resolved("b", 2));
            let recording = tape.read().unwrap_or_else(|error| panic!("{wrong}: {error}"));
            let said = recording
                .warnings
                .iter()
                .filter(|warning| warning.contains("the events of a were observed over"));
            let [warning] = said.collect::<Vec<_>>()[..] else { panic!("{:?}", recording.warnings) };
            assert!(
                warning.ends_with("it is played by the times at which its events were stored"),
                "{warning}"
            );
            assert!(recording.incidents.iter().any(|one| one.id == "b"), "the others are played too");
            let plan = &recording.incidents.iter().find(|one| one.id == "a").unwrap().plan;
            let dues: Vec<f64> = plan.events().iter().map(|event| event.due as f64 / 1e6).collect();
            assert_eq!(dues, seconds, "{wrong}");
            let messages: Vec<Message> = plan.messages().collect();
            let offsets: Vec<f64> = messages.iter().filter_map(Message::offset_s).collect();
            assert_eq!(offsets, seconds, "{wrong}");
            let Some(Message::IncidentResolved(end)) = messages.last() else { panic!("{messages:?}") };
            assert_eq!(
                (end.durations.detect_s, end.durations.resolve_s),
                (Some(460.0), seconds[2]),
                "{wrong}"
            );
        }
    }
}
