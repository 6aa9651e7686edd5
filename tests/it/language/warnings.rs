//! Warnings: what can be played, but was probably not meant so.

use super::{parse, step, text};

fn warned(text: &str) -> Vec<String> {
    parse(text).warnings.iter().map(|warning| warning.message.clone()).collect()
}

#[test]
fn a_plain_scenario_has_no_warnings() {
    assert_eq!(warned(&text("", "", "")), [""; 0]);
}

#[test]
fn each_suspicion_is_told_once_with_what_to_do() {
    let hypothesis = |belief: &str| format!("[[hypotheses]]\nid = \"h\"\nclaim = \"c\"\nbelief = {belief}\n");
    let alert = "[[alerts]]\nname = \"DiskFull\"\nat = \"5s\"\nservice = \"shop\"\ndecoy = true\nsummary = \"A decoy: nobody needs this disk\"\n";
    let sure = step("look", "at = \"5s\"");
    let late =
        step("try", "at = \"5s\"\nfails = 0.5\ntakes = \"2s\"\nretry = { times = 3, backoff = \"20s\" }");
    // Its second attempt is in time, and what follows then is not.
    let again = step("try", "at = \"5s\"\nfails = 0.5\nretry = { times = 1, backoff = \"40s\" }")
        + &step("next", "after = { step = \"try\", on = \"completed\" }\ndelay = \"20s\"");
    let sparse = "metrics_every = \"30s\"\n";
    for (metrics, steps, more, says) in [
        (hypothesis("{ 5s = 0.3, 9s = 0.3 }").as_str(), "", "", "the belief in \"h\" never moves"),
        (
            "[impact]\ncost = { currency = \"USD\", per_minute = { all = 5 } }\n",
            "",
            "",
            "but no user is affected",
        ),
        ("", "", alert, "the decoy says that it is one: \"decoy\""),
        (
            sparse,
            "",
            "[expect]\nmax_silence = \"3s\"",
            "30s of silence on screen from 30s, but max_silence is 3s",
        ),
        (
            "",
            &format!("[[phases]]\nname = \"idle\"\nat = \"40s\"\n{sure}"),
            "",
            "no agent does anything in phase \"idle\"",
        ),
        ("", late.as_str(), "", "if step \"try\" fails, step \"try\" is not over before the incident ends"),
        ("", again.as_str(), "", "of 24 seeds"),
    ] {
        let found = warned(&text(metrics, steps, more));
        assert_eq!(found.len(), 1, "{says}: {found:?}");
        assert!(found[0].contains(says), "{found:?}");
    }
}

#[test]
fn what_only_looks_suspicious_is_not_told() {
    let moves = "[[hypotheses]]\nid = \"h\"\nclaim = \"c\"\nbelief = { 5s = 0.3, 9s = 0.4 }\n[impact]\nusers = { 0s = 1 }\ncost = { currency = \"USD\", per_minute = { all = 5 } }\n";
    let decoy = "[[alerts]]\nname = \"DiskFull\"\nat = \"5s\"\nservice = \"shop\"\ndecoy = true\nsummary = \"The disk of the backup is full\"\n[expect]\nmax_silence = \"3s\"";
    let soon =
        step("try", "at = \"5s\"\nfails = 0.5\ntakes = \"2s\"\nretry = { times = 3, backoff = \"2s\" }");
    assert_eq!(warned(&text(moves, &soon, decoy)), [""; 0]);
}
