//! Mends that a scenario's mistakes advise, followed literally.

use incident::scenario::Scenario;

use crate::mistakes::SOUND;

/// To declare it again would be one more mistake.
#[test]
fn a_parameter_whose_value_does_not_fit_is_not_told_to_be_declared() {
    for (from, to, parameter) in [
        ("at = \"5s\"", "at = \"{when}\"", "when = \"banana\""),
        ("confidence = 0.9", "confidence = \"{sure}\"", "sure = \"very\""),
        ("truth = true", "truth = \"{t}\"", "t = 3"),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let name = parameter.split(' ').next().unwrap();
        let told =
            Scenario::parse("a.toml", &format!("{text}[parameters]\n{parameter}\n")).unwrap_err().to_string();
        assert!(told.contains(&format!("this is the value of the parameter `{name}`")), "{told}");
        let told = Scenario::parse("a.toml", &text).unwrap_err().to_string();
        assert!(
            told.contains(&format!("no parameter is called \"{name}\": declare it in [parameters]")),
            "{told}"
        );
    }
}

/// Who does what is advised has one mistake less.
#[test]
fn no_mend_is_advised_that_is_refused_again() {
    for (from, to) in [
        ("target = \"1m\"", "target = \"50%\""),
        ("services = [\"s\"]", "services = \"5\""),
        ("truth = true", "truth = \"1\""),
        ("retry = { times = 2, backoff = \"1s\" }", "retry = \"3\""),
        ("times = 2", "times = \"2.5\""),
    ] {
        let told = Scenario::parse("a.toml", &SOUND.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(!told.contains("leave out the quotes") && !told.contains(" as 0."), "{to}: {told}");
    }
}

/// To make the step earlier would not help.
#[test]
fn an_end_at_the_moment_of_its_step_needs_a_delay() {
    let text = SOUND.replace("at = \"5s\"", "at = \"55s\"").replace("at = \"60s\"", "after = \"check\"");
    let told = Scenario::parse("a.toml", &text).unwrap_err().to_string();
    assert!(told.contains(" and the incident end at the same moment"), "{told}");
    assert!(told.contains("give the resolution a `delay`"), "{told}");
    let mended = text.replace("after = \"check\"", "after = \"check\"\ndelay = \"1s\"");
    assert!(Scenario::parse("a.toml", &mended).is_ok());
}
