//! Against a paused clock: deadlines are exact.

use std::sync::atomic::Ordering;

use incident::check::{Context, MustResolve, Verdict, judge_lines};
use incident::contract::{Message, MessageType, Outcome};
use incident::player::{Replay, Speed};
use incident::recording::Recording;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::stage::{Came, Stage, data, told};
use super::{Tape, with};
use crate::harness::{action, fixtures, metrics, ms, resolved, started, story};

/// `a` at speed 1 from 5 s to 14 s, `b` at speed 20 from 7.5 s on, beside it and beyond.
fn two() -> Tape {
    let fast = with(started("b"), |data| data["speed"] = json!(20.0));
    Tape::of("S1")
        .at(5_000, &started("a"))
        .at(5_700, &metrics("a", 2))
        .at(6_500, &action("a", 3, "looks"))
        .at(7_500, &fast)
        .at(7_750, &metrics("b", 2))
        .at(9_001, &metrics("a", 4))
        .at(9_001, &metrics("b", 3))
        .at(14_000, &resolved("a", 5))
        .at(21_003, &resolved("b", 4))
}

#[tokio::test(start_paused = true)]
async fn every_event_comes_when_it_came() {
    let moments = [
        ("a", 0),
        ("a", 700),
        ("a", 1_500),
        ("b", 2_500),
        ("b", 2_750),
        ("a", 4_001),
        ("b", 4_001),
        ("a", 9_000),
        ("b", 16_003),
    ];
    for factor in [1.0, 4.0, 0.5] {
        let stage = Stage::new();
        stage.replay(two().whole(), factor).await;
        let came = stage.over().await;
        assert_eq!(came.len(), moments.len());
        for ((came, event), (subject, moment)) in came.iter().zip(moments) {
            assert_eq!(&*event.subject, subject);
            let due = f64::from(moment) / factor;
            let late = *came as f64 - due;
            assert!((-0.001..=1.0).contains(&late), "{subject} {} at {came}, due at {due}", event.index);
        }
    }
}

/// A drill has no seconds before 0, so all of its seconds are counted from its first event.
#[tokio::test(start_paused = true)]
async fn what_came_before_the_impact_moves_the_seconds_and_the_durations_with_them() {
    let real = |record| {
        with(record, |data| {
            data["synthetic"] = false.into();
            data.as_object_mut().unwrap().remove("offset_s");
        })
    };
    let start = with(real(started("a")), |data| data["impact_started_at"] = json!("2026-01-01T00:04:05Z"));
    let seen = with(real(action("a", 2, "sees it")), |data| data["marks"] = json!(["detected"]));
    let end = with(real(resolved("a", 3)), |data| {
        data["durations"] = json!({ "detect_s": 0.0, "resolve_s": 360.0 });
    });
    let tape = Tape::of("S1").at(5_000, &start).at(25_000, &seen).at(605_000, &end);
    let recording = tape.read().unwrap_or_else(|error| panic!("{error}"));
    assert!(recording.warnings[0].contains("a begins 240 s before its impact"), "{:?}", recording.warnings);
    let stage = Stage::new();
    stage.replay(recording, 1.0).await;
    let came = stage.over().await;
    let Message::IncidentResolved(end) = told(&came[2].1) else { panic!("{came:?}") };
    assert_eq!(
        (end.offset_s, end.durations.detect_s, end.durations.resolve_s),
        (Some(600.0), Some(20.0), 600.0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_told_is_what_was_recorded_at_the_speed_that_it_has_now() {
    let (tape, stage) = (two(), Stage::new());
    stage.replay(tape.whole(), 4.0).await;
    let came = stage.over().await;
    for (text, (_, event)) in tape.text.lines().zip(&came) {
        let line: Value = serde_json::from_str(text).unwrap();
        assert_eq!(line["subject"], *event.subject, "under its own name");
        if let Message::IncidentStarted(started) = told(event) {
            let recorded = line["data"]["speed"].as_f64().unwrap();
            assert_eq!(started.speed, Some(recorded * 4.0));
            let age = Timestamp::now().duration_since(started.impact_started_at);
            assert!(age.as_secs().abs() < 60, "it is now, not {age} ago");
            let mut as_it_was = data(event);
            for field in ["speed", "impact_started_at"] {
                as_it_was[field] = line["data"][field].clone();
            }
            assert_eq!(as_it_was, line["data"]);
        } else {
            assert!(text.contains(event.data.get()), "byte for byte: {} in {text}", event.data.get());
        }
    }
}

/// A reader who knows our fields only would lose the others.
#[tokio::test(start_paused = true)]
async fn fields_of_somebody_else_stay_and_a_real_incident_becomes_a_drill() {
    let odd = |record| {
        with(record, |data| {
            data["synthetic"] = json!(false);
            data["zone"] = json!({ "name": "eu-1", "weights": [1, 2.50] });
        })
    };
    let odd_phase = with(started("a"), |data| data["phases"][0]["colour"] = json!("red"));
    let tape = Tape::of("S1")
        .at(0, &odd(odd_phase))
        .at(10, &odd(action("a", 2, "looks")))
        .at(20, &odd(metrics("a", 3)))
        .at(30, &odd(resolved("a", 4)));
    let stage = Stage::new();
    stage.replay(tape.whole(), 1.0).await;
    let came = stage.over().await;
    assert_eq!(came.len(), 4);
    for (line, (_, event)) in tape.text.lines().zip(&came) {
        let mut wanted: Value = serde_json::from_str(line).unwrap();
        wanted["data"]["synthetic"] = json!(true);
        let mut found = data(event);
        if event.index == 1 {
            assert_eq!(found["phases"][0]["colour"], "red");
            found["impact_started_at"] = wanted["data"]["impact_started_at"].clone();
        }
        assert_eq!(found, wanted["data"], "but for what says that it is played");
    }
}

/// Its seconds followed from the clock, which says nothing in a replay, so a replay gives them to every event.
#[tokio::test(start_paused = true)]
async fn a_real_incident_is_replayed_as_a_drill_that_keeps_the_contract() {
    let events = fixtures("messages").into_iter().filter(|(name, _)| name.contains(".real"));
    let mut events: Vec<Value> = events.map(|(_, text)| serde_json::from_str(&text).unwrap()).collect();
    events.sort_by_key(|event| event["index"].as_u64());
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    for (text, factor) in [(lines.join("\n"), 1.0), (lines.join("\n"), 4.0), (lines[..3].join("\n"), 1.0)] {
        let stage = Stage::new();
        stage.replay(Recording::read(text.as_bytes(), "real.ndjson").unwrap(), factor).await;
        let came = stage.over().await;
        let seconds: Vec<f64> = came.iter().map(|(_, event)| told(event).offset_s().unwrap()).collect();
        assert_eq!(seconds[..3], [217.31, 311.22, 330.0], "since the impact, before which nothing happened");
        for ((came, _), second) in came.iter().zip(&seconds) {
            let due = (second - seconds[0]) * 1e3 / factor;
            assert!((*came as f64 - due).abs() < 1.5, "{came} ms, due at {due} ms");
        }
        let Message::IncidentStarted(started) = told(&came[0].1) else { panic!("{came:?}") };
        let impact = Timestamp::now().duration_since(started.impact_started_at).as_secs_f64() * factor;
        assert!(impact > 217.0, "the impact began before the first event: {impact} s");
        let replayed: String =
            came.iter().map(|(_, event)| event.encode(stage.disk.stream()) + "\n").collect();
        let context = Context { must_resolve: MustResolve::All, ..Context::default() };
        let lines = replayed.lines().zip(1..).map(|(text, line)| Ok::<_, ()>((line, text.to_owned())));
        let judgement = judge_lines(lines, context, |_| true).unwrap();
        for (rule, verdict) in judgement.rules {
            assert!(!matches!(verdict, Verdict::Failed(..)), "{}: {verdict:?}\n{replayed}", rule.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_replaced_by_another_of_the_same_scenario() {
    let run = |data: &mut Value| data["run"] = json!({ "scenario": "outage", "digest": "d", "seed": 7 });
    let named = |id: &str| Tape::of("S1").at(0, &with(started(id), run)).at(5, &resolved(id, 2)).whole();
    let stage = Stage::new();
    for _ in 0..4 {
        stage.replay(named("outage-aaaaa"), 1.0).await;
        // One after the other: while it is played a second replay would go on with it.
        tokio::time::sleep(ms(1_000)).await;
    }
    // Another incident of the same name, and one without a scenario.
    stage.disk.append(story("plain", 2)).await.unwrap();
    let both = Tape::of("S1").at(0, &started("plain")).at(5, &resolved("plain", 2));
    stage.replay(both.whole(), 1.0).await;
    let came = stage.over().await;
    let starts = came.iter().filter(|(_, event)| event.kind == MessageType::IncidentStarted);
    let names: Vec<&str> = starts.map(|(_, event)| &*event.subject).collect();
    assert_eq!((names.len(), names[0]), (6, "outage-aaaaa"), "{names:?}");
    for name in &names[1..4] {
        assert!(name.starts_with("outage-") && name.len() == 12, "{names:?}");
    }
    assert!(names[5].starts_with("plain-") && names[5].len() == 11, "{names:?}");
    let distinct: std::collections::HashSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), 6, "{names:?}");
    assert_eq!(came.len(), 12, "each has its end");
}

#[tokio::test(start_paused = true)]
async fn two_incidents_of_one_name_in_two_streams_are_two() {
    let first = Tape::of("S1").at(0, &started("a")).at(100, &resolved("a", 2));
    let second = Tape::of("S2").at(50, &started("a")).at(70, &metrics("a", 2)).at(250, &resolved("a", 3));
    let both = Tape { text: first.text + &second.text, ..second };
    let recording = both.whole();
    assert_eq!(recording.incidents.len(), 2);
    let stage = Stage::new();
    stage.replay(recording, 1.0).await;
    let came = stage.over().await;
    let other = came[1].1.subject.to_string();
    assert!(other.starts_with("a-"), "{other}");
    let told: Vec<(u128, &str, u64)> =
        came.iter().map(|(at, event)| (*at, &*event.subject, event.index)).collect();
    let wanted = [(0, "a", 1), (50, &other, 1), (70, &other, 2), (100, "a", 2), (250, &other, 3)];
    for (told, wanted) in told.iter().zip(wanted) {
        assert_eq!((told.1, told.2), (wanted.1, wanted.2));
        assert!(told.0.abs_diff(wanted.0) <= 1, "{told:?} {wanted:?}");
    }
    assert_eq!(told.len(), 5);
}

/// Nobody is there to ask for it again: an incident whose start the disk did not take begins when it does, and what
/// is overdue follows at once.
#[tokio::test(start_paused = true)]
async fn a_start_that_the_disk_did_not_take_comes_late_and_nothing_is_missing() {
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(1_000, &resolved("a", 2))
        .at(2_000, &started("b"))
        .at(3_000, &with(action("b", 2, "looks"), |data| data["zone"] = json!("eu-1")))
        .at(20_000, &resolved("b", 3));
    let began = Timestamp::now();
    let stage = Stage::new();
    stage.replay(tape.whole(), 1.0).await;
    tokio::time::sleep(ms(1_500)).await;
    stage.full.store(true, Ordering::Relaxed);
    tokio::time::sleep(ms(8_500)).await;
    stage.full.store(false, Ordering::Relaxed);
    let came = stage.over().await;
    let places: Vec<(&str, u64)> = came.iter().map(|(_, event)| (&*event.subject, event.index)).collect();
    assert_eq!(places, [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3)]);
    assert!((10_000..10_600).contains(&came[2].0), "{} ms", came[2].0);
    let Message::AgentAction(late) = told(&came[3].1) else { panic!("{:?}", came[3]) };
    assert!(late.late_s.is_some_and(|late| (7.0..7.6).contains(&late)), "{:?}", late.late_s);
    assert_eq!(data(&came[3].1)["zone"], "eu-1", "and the rest of it stays");
    assert!(came[4].0.abs_diff(20_000) <= 1, "deadlines stand: {} ms", came[4].0);
    let Message::IncidentStarted(start) = told(&came[2].1) else { panic!("{:?}", came[2]) };
    // The machine's clock stands still here, so this is its moment when the start was due. It is not dated anew when the disk takes it.
    let dated = start.impact_started_at.duration_since(began).as_secs();
    assert!((0..7).contains(&dated), "second 0 is when it was due, {dated} s after the test began");
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_ends_where_its_stream_does() {
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(1_000, &started("b"))
        .at(2_000, &action("a", 2, "looks"))
        .at(4_500, &metrics("b", 2));
    let recording = tape.read().unwrap();
    assert_eq!(
        recording.warnings,
        ["run.ndjson: cancelled at the end of the recording, because the resolution is missing: a and b"]
    );
    let stage = Stage::new();
    stage.replay(recording, 1.0).await;
    let came = stage.over().await;
    assert!(stage.disk.open_incidents().await.unwrap().is_empty());
    let ends: Vec<&Came> =
        came.iter().filter(|(_, event)| event.kind == MessageType::IncidentResolved).collect();
    assert_eq!((ends.len(), came.len()), (2, 6));
    for (at, end) in ends {
        assert!(at.abs_diff(4_500) <= 1, "at {at} ms");
        assert_eq!(end.index, 3);
        let Message::IncidentResolved(end) = told(end) else { panic!("{end:?}") };
        assert_eq!(end.outcome, Outcome::Cancelled);
        assert!(end.summary.contains("The recording ends here"), "{}", end.summary);
        assert!(end.synthetic);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replayed_incident_can_be_cancelled() {
    let stage = Stage::new();
    stage.replay(two().whole(), 1.0).await;
    tokio::time::sleep(ms(3_000)).await;
    assert!(stage.player.cancel("a").await.unwrap().is_some());
    let came = stage.over().await;
    let of_a: Vec<&Came> = came.iter().filter(|(_, event)| &*event.subject == "a").collect();
    let Message::IncidentResolved(end) = told(&of_a[3].1) else { panic!("{of_a:?}") };
    assert_eq!((of_a.len(), end.outcome, end.actions.total), (4, Outcome::Cancelled, 1));
    assert_eq!(came.len(), 8, "the other goes on to its end");
}

/// Whatever phases a stranger's incident has, cancelling it is no reason to break.
#[tokio::test(start_paused = true)]
async fn phases_that_make_no_sense_can_be_cancelled_too() {
    for phases in [
        json!([]),
        json!([{ "name": "x", "start_s": 60.0, "end_s": 0.0, "play_s": 5.0 }]),
        json!([{ "name": "x", "start_s": 1e300, "end_s": 1e300, "play_s": 0.0 }]),
        json!([{ "name": "x", "start_s": 0.0, "end_s": 1e300, "play_s": 1e300 }]),
    ] {
        let odd = with(started("a"), |data| data["phases"] = phases.clone());
        let tape = Tape::of("S1").at(0, &odd).at(9_000, &metrics("a", 2));
        let stage = Stage::new();
        stage.replay(tape.read().unwrap(), 1.0).await;
        tokio::time::sleep(ms(5_000)).await;
        assert!(stage.player.cancel("a").await.unwrap().is_some(), "{phases}");
        assert_eq!(stage.over().await.len(), 2, "{phases}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopping_player_starts_nothing_more() {
    let stage = Stage::new();
    stage.replay(two().whole(), 1.0).await;
    tokio::time::sleep(ms(1_000)).await;
    stage.stop.cancel();
    let came = stage.over().await;
    assert_eq!(came.len(), 2, "{came:?}");
    assert!(stage.began.elapsed() < ms(2_000), "and ends at once");
}

#[test]
fn a_speed_that_is_none_is_refused_before_anything_is_played() {
    let at = |speed: f64| with(started("a"), |data| data["speed"] = json!(speed));
    let tape = |speed| Tape::of("S1").at(0, &at(speed)).at(5, &resolved("a", 2)).whole();
    for (recorded, factor, fits) in [
        (5_000.0, 2.0, true),
        (5_000.0, 2.1, false),
        (0.1, 0.01, true),
        (0.1, 0.009, false),
        (1e-300, 1.0, false),
        (1e300, 1.0, false),
        (1e9, 0.001, false),
    ] {
        let replay = Replay::new(tape(recorded), Speed::new(factor).unwrap());
        assert_eq!(replay.is_ok(), fits, "{recorded} × {factor}");
        if let Err(error) = replay {
            let text = error.to_string();
            assert!(text.starts_with("a was recorded at speed "), "{text}");
        }
    }
}
