//! The milestones of a scenario: each once, in their order, and in every branch.

use incident::scenario::Scenario;

use crate::mistakes::made_of;

/// `milestones` of steps: what is told of them, and nothing if they are sound.
fn marked(steps: &str) -> Vec<String> {
    let text = made_of("[[phases]]\nname = \"p\"\nat = \"0s\"", steps, "at = \"300s\"");
    match Scenario::parse("marked.toml", &text) {
        Ok(_) => Vec::new(),
        Err(error) => error.diagnostics.iter().map(|mistake| mistake.message.clone()).collect(),
    }
}

fn marking(id: &str, moment: &str, rest: &str) -> String {
    format!("[[steps]]\nid = \"{id}\"\n{moment}\nagent = \"x\"\naction = \"a\"\nsummary = \"s\"\n{rest}\n")
}

#[test]
fn milestones_that_the_stream_could_not_have_are_mistakes_of_the_file() {
    let (first, second) = ("at = \"5s\"", "at = \"50s\"");
    let detected = "marks = \"detected\"";
    let after = |on: &str| format!("after = {{ step = \"a\", on = \"{on}\" }}");
    for (steps, wanted) in [
        (marking("a", first, "marks = [\"detected\", \"detected\"]"), "the step marks `detected` twice"),
        (
            marking("a", first, "marks = [\"mitigated\", \"detected\", \"diagnosed\"]"),
            "the step marks `mitigated` before `detected`",
        ),
        (
            marking("a", first, detected) + &marking("b", second, detected),
            "\"a\" and \"b\" both mark `detected`",
        ),
        (
            marking("a", first, detected) + &marking("b", "after = \"a\"", detected),
            "\"a\" and \"b\" both mark `detected`",
        ),
        (
            marking("a", first, "marks = \"mitigated\"") + &marking("b", second, detected),
            "step \"b\" marks `detected` after step \"a\" has marked `mitigated`",
        ),
        (
            marking("b", &after("completed"), detected) + &marking("a", first, "marks = \"diagnosed\""),
            "step \"b\" marks `detected` after step \"a\" has marked `diagnosed`",
        ),
        (
            marking("a", first, &format!("{detected}\nfails = 0.5"))
                + &marking("b", &after("completed"), detected),
            "both mark `detected`",
        ),
    ] {
        let told = marked(&steps);
        assert!(told.len() == 1 && told[0].contains(wanted), "{steps}{told:?}");
    }
    let text = made_of(
        "[[phases]]\nname = \"p\"\nat = \"0s\"",
        &marking("a", first, "marks = [\"detected\", \"detected\"]"),
        "at = \"300s\"",
    );
    let error = Scenario::parse("marked.toml", &text).unwrap_err();
    assert!(text[error.diagnostics[0].span.start..].starts_with("[\"detected\""), "{error}");
}

/// Steps of which a run has one at most, or of which chance decides, may name the same milestone.
#[test]
fn milestones_of_branches_that_exclude_one_another_are_sound() {
    let (first, detected) = ("at = \"5s\"", "marks = \"detected\"");
    let after = |on: &str| format!("after = {{ step = \"a\", on = \"{on}\" }}");
    let draws = "draws = { good = 0.5, bad = 0.5 }";
    for steps in [
        marking("a", first, "fails = 0.5")
            + &marking("b", &after("failed"), detected)
            + &marking("c", &after("completed"), detected),
        marking("a", first, &format!("{detected}\nfails = 0.5")) + &marking("b", &after("failed"), detected),
        marking("a", first, draws)
            + &marking("b", &after("good"), detected)
            + &marking("c", &after("bad"), detected),
        marking("a", first, "marks = \"mitigated\"\nfails = 0.5") + &marking("b", &after("any"), detected),
        marking("a", first, &format!("{detected}\nfails = 0.5"))
            + &marking("b", "at = \"50s\"", &format!("{detected}\nfails = 0.5")),
        marking("a", first, detected)
            + &marking("b", "at = \"50s\"", "marks = [\"diagnosed\", \"mitigated\"]"),
    ] {
        assert_eq!(marked(&steps), [""; 0], "{steps}");
    }
}

/// As many steps as a file may have, all with the same milestone, in branches that exclude one another.
#[test]
fn milestones_of_thousands_of_steps_are_looked_at_quickly() {
    let mut steps = marking("s0", "at = \"1s\"", "fails = 0.5");
    for number in 1..2_000 {
        let moment = format!("after = {{ step = \"s{}\", on = \"failed\" }}", number - 1);
        steps += &marking(&format!("s{number}"), &moment, "marks = \"detected\"\nfails = 0.5");
    }
    assert_eq!(marked(&steps), [""; 0]);
}
