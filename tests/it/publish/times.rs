//! Times from outside are RFC 3339, and so is every time that is written.

use incident::contract::parse_time;
use incident::json_schema::Schema;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{action, event, places, publish, refusal, started};
use crate::harness::{Local, Scratch, Serving, incident};

/// ISO 8601, or nearly so, and not RFC 3339.
pub const WRONG: [&str; 15] = [
    "",
    "yesterday",
    "-000001-06-01T00:00:00Z",
    "+002026-11-22T10:00:00Z",
    "2026-11-22 10:00:00Z",
    "2026-11-22T10:00Z",
    "2026-11-22T10Z",
    "20261122T100000Z",
    "2026-11-22T10:00:00",
    "2026-11-22T10:00:00+01",
    "2026-11-22T10:00:00+0100",
    "2026-11-22T10:00:00+01:00[Europe/Paris]",
    "2026-11-22T10:00:00+24:00",
    "2026-11-22T10:00:00,5Z",
    "2026-11-22T10:00:60Z",
];

/// RFC 3339, and in UTC in the year before 0, which RFC 3339 has not.
const EARLY: &str = "0000-01-01T00:30:00+01:00";

#[tokio::test]
async fn a_publisher_sends_rfc_3339() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "0")]).await);
    for time in WRONG {
        let mut act = action("a", time, "note");
        act["id"] = "x".into();
        act["time"] = time.into();
        let reply = publish(server.address, &[act]).await;
        assert_eq!(
            (reply.status, refusal(&reply).1),
            (400, vec![("bad-envelope".into(), "/time".into())]),
            "{time:?}"
        );
        let mut began = started("b", "1");
        began["data"]["impact_started_at"] = time.into();
        let reply = publish(server.address, &[began]).await;
        let wanted = vec![("schema".into(), "/data/impact_started_at".into())];
        assert_eq!((reply.status, refusal(&reply).1), (422, wanted), "{time:?}");
    }
    let (mut act, mut began) = (action("a", "y", "note"), started("b", "2"));
    act["time"] = EARLY.into();
    began["data"]["impact_started_at"] = EARLY.into();
    assert_eq!(publish(server.address, &[act]).await.status, 400);
    assert_eq!(publish(server.address, &[began]).await.status, 422);
    for (time, stored) in [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22t11:00:00.123456789123+01:00", "2026-11-22T10:00:00.123456Z"),
        ("2016-12-31T23:59:60z", "2016-12-31T23:59:59.000000Z"),
        ("0000-01-01T00:00:00-00:00", "0000-01-01T00:00:00.000000Z"),
    ] {
        let mut act = action("a", time, "note");
        act["time"] = time.into();
        let place = places(&publish(server.address, &[act]).await)[0].0;
        let events = server.journal.read(place - 1, incident::journal::ReadLimit::ALL).await.unwrap();
        let data: Value = serde_json::from_str(events[0].data.get()).unwrap();
        assert_eq!(data["observed_at"], stored);
    }
}

/// A recording in which every type has a time that only its payload has.
#[tokio::test(flavor = "multi_thread")]
async fn validate_fails_a_payload_whose_time_is_not_rfc_3339() {
    let server = Serving::with(&[]);
    let sample = event("a", "m", "system_metrics", &json!({ "metrics": { "errors": 1 } }));
    let batch = [started("a", "0"), action("a", "1", "note"), sample, super::resolved("a", "2")];
    places(&publish(server.address(), &batch).await);
    let ran = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("\"subject\"")).collect();
    assert_eq!(lines.len(), 4, "{ran:?}");
    let (mut folder, mut files) = (Scratch::new(), Vec::new());
    for (place, line) in lines.iter().enumerate() {
        for (form, time) in WRONG.iter().enumerate() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event["data"]["observed_at"] = (*time).into();
            let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            text[place] = event.to_string();
            let name = format!("{place}-{form}.ndjson");
            folder = folder.with(&name, &(text.join("\n") + "\n"));
            files.push(name);
        }
    }
    folder = folder.with("good.ndjson", &(lines.join("\n") + "\n"));
    let judged = incident(&["validate", "good.ndjson"]).at(folder.path()).run();
    assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
    for file in files {
        let judged = incident(&["validate", &file]).at(folder.path()).run();
        assert_eq!(judged.status, Some(5), "{file}: {}{}", judged.stdout, judged.stderr);
        assert!(judged.stdout.contains("observed_at"), "{file}: {}", judged.stdout);
    }
}

/// What is read is what the schemas take, and is written in the same form.
fn agrees(text: &str) -> Option<jiff::Timestamp> {
    static SCHEMA: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(|| {
        Schema::compile(&json!({ "type": "string", "format": "date-time" })).unwrap()
    });
    let time = parse_time(text)?;
    assert_eq!(SCHEMA.mismatch(&json!(text)), None, "{text:?}");
    let written = format!("{time:.9}");
    assert_eq!(parse_time(&written), Some(time), "{text:?}");
    assert_eq!(text.to_ascii_uppercase().parse::<jiff::Timestamp>().ok(), Some(time), "{text:?}");
    Some(time)
}

#[test]
fn the_reader_takes_what_the_schemas_take() {
    for text in WRONG.iter().chain([&EARLY]) {
        assert_eq!(parse_time(text), None, "{text:?}");
    }
    let end = agrees("9999-12-30T21:59:59.999999999Z").unwrap();
    assert_eq!(format!("{end:.6}"), "9999-12-30T21:59:59.999999Z");
    assert_eq!(parse_time("9999-12-31T23:59:59Z"), None, "later than any time of this program");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn times_are_read_as_the_schemas_say(
        text in "[0-9]{4}-(0[0-9]|1[0-3])-[0-3][0-9][Tt ]([01][0-9]|2[0-5]):[0-6][0-9]:[0-6][0-9]([.,][0-9]{0,9})?([Zz]|[+-][0-2][0-9]:?[0-6][0-9])?"
    ) {
        agrees(&text);
    }

    #[test]
    fn a_time_survives_small_changes_or_is_refused(
        seconds in -62_167_219_200_i64..253_000_000_000,
        place in 0_usize..28,
        other in "[0-9TtZz:+. -]",
    ) {
        let text = format!("{:.6}", jiff::Timestamp::from_second(seconds).unwrap());
        prop_assert!(agrees(&text).is_some(), "{}", text);
        let mut changed = text;
        if place < changed.len() {
            changed.replace_range(place..=place, &other);
        }
        agrees(&changed);
    }
}

/// Flags and files with times are read in the same way.
#[test]
fn commands_take_rfc_3339_only() {
    let folder = Scratch::new();
    for args in [
        &["publish", "note", "--subject", "a", "--by", "x", "--time", "2026-11-22 10:00Z", "text"][..],
        &["export", "database-outage", "--logs-ndjson", "--start", "2026-11-22 10:00Z"],
        &["export", "database-outage", "--logs-ndjson", "--start=-000001-11-22T10:00:00Z"],
    ] {
        let ran = incident(args).at(folder.path()).run();
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("RFC 3339"), "{}", ran.stderr);
    }
}

/// A time that can't be written was written as another one.
#[test]
fn nothing_is_exported_at_the_ends_of_time() {
    let folder = Scratch::new();
    let export = |what: &str, start: &str| {
        incident(&["export", "database-outage", what, "--start", start]).at(folder.path()).run()
    };
    for start in ["0000-06-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-30T21:59:00Z"] {
        for what in ["--openmetrics", "--alerts-json"] {
            let ran = export(what, start);
            assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{start} {what}: {}", ran.stderr);
            assert!(ran.stderr.contains("in the years 1 to 9999"), "{}", ran.stderr);
        }
    }
    for start in ["10000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z"] {
        let ran = export("--openmetrics", start);
        assert!(ran.status == Some(2) && ran.stderr.contains("RFC 3339"), "{start}: {ran:?}");
    }
    for start in ["0002-01-01T00:00:00Z", "9998-12-31T00:00:00Z"] {
        assert_eq!(export("--openmetrics", start).status, Some(0), "{start}");
    }
}

/// TOML has days and times without a zone, too.
#[test]
fn second_0_of_a_scenario_is_a_moment() {
    let path = crate::harness::root().join("scenarios/github-2018.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let t0 = text.lines().find(|line| line.starts_with("t0 ")).unwrap();
    for other in ["2018-10-21", "2018-10-21T22:52:00", "22:52:00"] {
        let changed = text.replace(t0, &format!("t0 = {other}"));
        let told = incident::scenario::Scenario::parse("s.toml", &changed).unwrap_err().to_string();
        assert!(told.contains(&format!("t0 is {other}: not a moment")), "{told}");
    }
}
