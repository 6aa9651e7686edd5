//! How curves move between keyframes, and metrics by region or service.

use super::{mistakes, parse, samples, started, text};
use crate::harness::Timeline;

#[test]
fn a_curve_moves_in_steps_in_a_line_or_smoothly() {
    for (interpolate, expected) in [
        ("linear", [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
        ("step", [0.0, 0.0, 0.0, 0.0, 0.0, 100.0]),
        // 3p² − 2p³, in four significant digits.
        ("smooth", [0.0, 10.4, 35.2, 64.8, 89.6, 100.0]),
    ] {
        let metrics = format!(
            "metrics_every = \"12s\"\n[metrics]\nload = {{ unit = \"1\", interpolate = \"{interpolate}\", keys = {{ 0s = 0, 60s = 100 }} }}"
        );
        let timeline = Timeline::compile(&parse(&text(&metrics, "", "")), 1);
        let values: Vec<f64> = samples(&timeline).iter().map(|sample| sample.metrics["load"]).collect();
        assert_eq!(values, expected, "{interpolate}");
    }
    let wrong = "[metrics]\nload = { unit = \"1\", interpolate = \"smoth\", keys = { 0s = 0 } }";
    assert!(mistakes(&text(wrong, "", "")).contains("did you mean `smooth`?"));
}

const BY_REGION: &str = r#"metrics_every = "30s"
[metrics.latency]
unit = "ms"
by = "region"
series = { eu = { 0s = 100, 60s = 160 }, us = { 0s = 90 } }
[impact]
users_by = { by = "region", series = { eu = { 0s = 0, 60s = 5 }, us = { 0s = 7, 60s = 0 } } }"#;

#[test]
fn parts_are_metrics_of_their_own_that_name_the_whole() {
    let timeline = Timeline::compile(&parse(&text(BY_REGION, "", "")), 1);
    let parts: Vec<(&str, &str, &str, &str)> = started(&timeline)
        .metrics
        .iter()
        .map(|metric| {
            let part = metric.part.as_ref().unwrap();
            (metric.name.as_str(), part.of.as_str(), part.by.as_str(), part.name.as_str())
        })
        .collect();
    let expected = [
        ("latency.eu", "latency", "region", "eu"),
        ("latency.us", "latency", "region", "us"),
        ("users.eu", "users", "region", "eu"),
        ("users.us", "users", "region", "us"),
    ];
    assert_eq!(parts, expected);
    for sample in samples(&timeline) {
        let parts = sample.metrics["users.eu"] + sample.metrics["users.us"];
        assert_eq!(sample.users_affected, Some(parts as u64), "the parts add up");
    }
    assert_eq!(samples(&timeline)[1].metrics["latency.eu"].to_bits(), 130_f64.to_bits());
}

#[test]
fn parts_that_are_wrong_are_refused() {
    for (old, new, says) in [
        ("by = \"region\"\nseries", "series", "`series` without `by`"),
        (
            "series = { eu = { 0s = 100, 60s = 160 }, us = { 0s = 90 } }",
            "keys = { 0s = 1 }",
            "`by` without `series`",
        ),
        (
            "series = { eu = { 0s = 100",
            "keys = { 0s = 1 }\nseries = { eu = { 0s = 100",
            "both `keys` and `series`",
        ),
        ("series = { eu = { 0s = 100, 60s = 160 }, us = { 0s = 90 } }", "series = {}", "no series"),
        ("eu = { 0s = 100", "\"e u\" = { 0s = 100", "\"e u\" cannot be the name of a part"),
        ("[impact]\n", "[impact]\nusers = { 0s = 1 }\n", "both `users` and `users_by`"),
        ("eu = { 0s = 0, 60s = 5 }", "eu = { 0s = -1 }", "fewer than 0 users"),
        (
            "[impact]\n",
            "[metrics.\"users.eu\"]\nunit = \"users\"\nkeys = { 0s = 1 }\n[impact]\n",
            "two metrics are called \"users.eu\"",
        ),
        (
            "by = \"region\"\nseries = { eu = { 0s = 100, 60s = 160 }, us = { 0s = 90 } }\n",
            "",
            "missing field `keys`",
        ),
    ] {
        let told = mistakes(&text(&BY_REGION.replacen(old, new, 1), "", ""));
        assert!(told.contains(says), "{new}: {told}");
    }
}
