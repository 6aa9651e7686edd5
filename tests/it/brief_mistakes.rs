//! Wrong files of any size: what is told of them is short, fits the terminal, and few names are compared for it.

use std::cell::Cell;

use incident::scenario::{Scenario, ScenarioError, did_you_mean};

use crate::harness::{Scratch, Terminal};
use crate::mistakes::SOUND;

fn wrong(text: &str) -> ScenarioError {
    Scenario::parse("wrong.toml", text).unwrap_err()
}

/// Steps with these ids and agents, in front of the resolution.
fn with_steps(steps: impl Iterator<Item = (String, String)>) -> String {
    let steps: String = steps
        .map(|(id, agent)| {
            let rest = "at = \"1s\"\naction = \"a\"\nsummary = \"s\"";
            format!("[[steps]]\nid = {id:?}\nagent = {agent:?}\n{rest}\n")
        })
        .collect();
    SOUND.replace("[resolution]", &format!("{steps}[resolution]"))
}

#[test]
fn few_names_are_compared_and_few_are_listed() {
    let names: Vec<String> = (0..9_000).map(|n| format!("{}{n}", "name".repeat(8))).collect();
    let compared = Cell::new(0);
    let counted = names.iter().map(String::as_str).inspect(|_| compared.set(compared.get() + 1));
    let near = did_you_mean(&"name".repeat(9), counted);
    assert!(near.is_some() && compared.get() < 1_000, "{near:?} of {}", compared.get());
    assert_eq!(did_you_mean(&"name".repeat(1_000), names.iter().map(String::as_str)), None);

    let agents: String = (0..900).map(|n| format!(", agent{n} = \"A\"")).collect();
    let text = SOUND.replace("repair = \"Mends\" }", &format!("repair = \"Mends\"{agents} }}"));
    let error = wrong(&text.replacen("agent = \"repair\"", "agent = \"zzz\"", 1)).to_string();
    assert!(
        error.contains("the file defines detection, repair, ") && error.contains(" and 892 more"),
        "{error}"
    );
    let metric = "hypothesis = \"leak\"\nevidence = [{ kind = \"metric\", ref = \"zzz\" }]\nforecast";
    let metrics: String =
        (0..50).map(|n| format!("m{n} = {{ unit = \"u\", keys = {{ 0s = 1 }} }}\n")).collect();
    let odd = SOUND
        .replace("hypothesis = \"leak\"\nforecast", metric)
        .replace("[impact]", &format!("{metrics}[impact]"));
    let warned = Scenario::parse("odd.toml", &odd).unwrap().warned().unwrap().to_string();
    assert!(warned.contains(" and 41 more"), "{warned}");
}

#[test]
fn what_is_told_of_a_large_file_is_short() {
    let agents = with_steps((0..1_000).map(|n| (format!("s{n}"), format!("{}x{n}", "ag".repeat(30)))));
    let order: Vec<String> = (0..3_000).map(|n| format!("\"{}{n}\"", "q".repeat(20))).collect();
    let order = SOUND.replace("order = [\"alert\", \"check\"]", &format!("order = [{}]", order.join(",")));
    let ids = with_steps((0..300).map(|n| (format!("{}{n}", "y".repeat(4_000)), "repair".to_owned())));
    let ids = (0..200).fold(ids, |ids, n| {
        ids.replacen("at = \"1s\"\naction", &format!("after = \"{}z{n}\"\naction", "y".repeat(3_999)), 1)
    });
    for (what, text, mistakes) in [("agents", agents, 1_000), ("order", order, 3_000), ("ids", ids, 200)] {
        let error = wrong(&text);
        assert_eq!(error.diagnostics.len() + error.left_out, mistakes, "{what}");
        for told in [error.render(false), error.to_string()] {
            assert!(told.len() < 200_000, "{what}: {} bytes", told.len());
        }
        for line in error.render_within(false, 70).lines() {
            let width = console::measure_text_width(line);
            assert!(width <= 70, "{what}: {width} columns: {line}");
        }
    }
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let services = format!("services = [{}\"s\"]", "\"検知する\", ".repeat(300));
    let text = SOUND.replace("services = [\"s\"]", &services);
    let long = text.replace(&services, &format!("{services} = 1"));
    let agents =
        format!("agents = {{ {}repair = \"Mends\" }}", "a = \"👨\u{200d}👩\u{200d}👧\", ".repeat(100));
    let twice = SOUND.replace("agents = { detection = \"Looks\", repair = \"Mends\" }", &agents);
    let unit = SOUND
        .replace("title = \"t\"", &format!("title = \"{}\u{1b}\"\nsevrity = 1", "\t\u{202e}".repeat(5_000)));
    for (text, shown) in [(long, "\"s\"] = 1"), (twice, "a = \""), (unit, "sevrity")] {
        let error = wrong(&text);
        for columns in [30, 60, 110] {
            let drawn = error.render_within(false, columns);
            assert!(drawn.contains(shown) && drawn.contains('…'), "{drawn}");
            for line in drawn.lines() {
                let width = console::measure_text_width(line);
                assert!(width <= columns, "{width} of {columns} columns: {line}");
            }
        }
    }
    // The place is that of the whole line.
    let error = wrong(&SOUND.replace("agents = { d", &format!("agents = {{ {}d", "b = 1, ".repeat(100))));
    let (line, column) = error.line_column(error.diagnostics[0].span.start);
    assert!(column > 13, "{column}");
    assert!(error.render(false).contains(&format!("wrong.toml:{line}:{column}]")), "{}", error.render(false));
}

#[test]
fn mistakes_and_the_checks_of_a_journal_fit_the_terminal() {
    let long = SOUND.replace("services = [\"s\"]", &format!("services = [{}3]", "\"s\", ".repeat(100)));
    let folder = Scratch::new().with("a-scenario-with-a-long-name.toml", &long).with("journal.db", "no");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let journal = file("sound.db");
    crate::harness::incident(&["serve", "--port", "0", "--journal", &journal, "--scenarios", "nowhere.toml"])
        .run();
    let server = crate::harness::Serving::alone(&["serve", "--port", "0", "--json", "--journal", &journal]);
    server.signal("TERM");
    server.end();
    let apart = |line: &str| ["/", "0 targets", "  try:"].iter().any(|part| line.contains(part));
    for columns in [40, 60] {
        for args in [
            &["validate", &file("a-scenario-with-a-long-name.toml")][..],
            &["check-journal", &journal],
            &["check-journal", &file("journal.db")],
        ] {
            // What is too long goes on in the next row.
            let bytes = Terminal::run(columns, args).end_with_bytes();
            let text = console::strip_ansi_codes(&String::from_utf8_lossy(&bytes)).into_owned();
            for line in text.lines() {
                let line = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
                let width = console::measure_text_width(line);
                // A path has no place to break. The totals and a command are one line.
                assert!(width <= columns.into() || apart(line), "{args:?}: {width} of {columns}: {line}");
            }
        }
    }
}

#[test]
fn a_cause_is_expected_of_a_file_without_hypotheses() {
    let (before, rest) = SOUND.split_once("[[hypotheses]]").unwrap();
    let steps = &rest[rest.find("[[steps]]").unwrap()..];
    let text = before.to_owned()
        + &steps.replace("hypothesis = \"leak\"\n", "").replacen("root_cause = \"leak\"\n", "", 1);
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    let [only] = error.diagnostics.as_slice() else { panic!("{error}") };
    assert_eq!(only.message, "unknown hypothesis in [expect]: \"leak\"");
    assert_eq!(only.help.as_deref(), Some("the file defines no hypothesis"));
}
