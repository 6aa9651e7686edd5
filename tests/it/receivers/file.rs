//! `receivers.toml`: what it says, and every mistake in it with its line.

use incident::receivers::{RECEIVER_KEYS, read};

use crate::harness::root;

/// The examples of the guide.
fn examples() -> Vec<String> {
    let guide = std::fs::read_to_string(root().join("docs/receivers.md")).unwrap();
    let blocks = guide.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(str::to_owned).collect()
}

#[test]
fn the_example_of_the_guide_has_every_key() {
    let guide = std::fs::read_to_string(root().join("docs/receivers.md")).unwrap();
    for key in RECEIVER_KEYS {
        assert!(guide.contains(&format!("`{key}`")), "docs/receivers.md does not say what {key} is");
    }
    let examples = examples();
    assert!(examples.len() >= 3, "{examples:#?}");
    for example in &examples {
        let receivers = read("receivers.toml", example).unwrap_or_else(|error| panic!("{error}"));
        assert!(!receivers.is_empty());
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines() {
    let text = r#"
[[receiver]]
name = "Prod!"
kind = "alertmanger"
token_fil = "t"
settle = "soon"
title = "{alertname"
metrics = { A = "x" }
[receiver.severity]
map = { critical = "SEV9" }
defalt = "SEV1"
[[receiver.cost]]
currency = "usd"
[[receiver.drop]]

[[receiver]]
kind = "pagerduty"
hmac_secret_file = "s"
hmac_timestamp_header = "not a name"
stale = "0s"

[[receivers]]
name = "x"
"#;
    let error = read("receivers.toml", text).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    for (line, says) in [
        (3, "can't be the name of a receiver"),
        (4, "did you mean \"alertmanager\"?"),
        (5, "did you mean \"token_file\"?"),
        (6, "settle: \"soon\" is not a duration"),
        (7, "brace"),
        (10, "there is no severity \"SEV9\""),
        (11, "did you mean \"default\"?"),
        (13, "\"usd\" is not the code of a currency"),
        (12, "the cost has no per_minute"),
        (14, "would leave out every alert"),
        (16, "the receiver has no name"),
        (18, "needs a receiver of kind \"grafana\""),
        (19, "is not the name of a header"),
        (20, "stale is no time at all"),
        (22, "did you mean \"receiver\"?"),
    ] {
        let place = format!("receivers.toml:{line}:");
        let found = lines.iter().any(|text| text.starts_with(&place) && text.contains(says));
        assert!(found, "line {line}, {says:?}:\n{error}");
    }
}

#[test]
fn names_are_unique_and_a_file_has_a_receiver() {
    let one = "[[receiver]]\nname = \"a\"\nkind = \"grafana\"\ntoken_file = \"t\"\n";
    let error = read("r", &format!("{one}{one}")).unwrap_err().to_string();
    assert!(error.contains("r:6:8: there are two receivers with the name \"a\""), "{error}");
    assert!(read("r", "").unwrap_err().to_string().contains("the file has no receiver"));
    assert!(read("r", "[[receiver").unwrap_err().to_string().starts_with("r:1:"));
}
