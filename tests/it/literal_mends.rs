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

/// What is replaced, by what; what is advised, and what stands there if somebody does it.
#[rustfmt::skip]
const SLIPS: &[(&str, &str, &str, &str)] = &[
    ("{ 0s = 0.2, 30s", "{ 0s = 0.2 30s", "put a comma before `30s`", "{ 0s = 0.2, 30s"),
    ("times = 2, backoff", "times = 2 backoff", "put a comma before `backoff`", "times = 2, backoff"),
    ("confidence = 0.9\n", "confidence = 0.9 ", "begin a new line before `marks`", "confidence = 0.9\n"),
    ("truth = true", "truth = yes", "write true; or \"yes\"", "truth = true"),
    ("truth = true", "truth = \"yes\"", "write true, without quotes", "truth = true"),
    ("truth = true", "truth = \"true\"", "leave out the quotes: true", "truth = true"),
    ("target = \"1m\"", "target = 50%", "write a duration, as in target = \"30s\"", "target = \"90s\""),
    ("confidence = 0.9", "confidence = 150%", "confidence is from 0 to 1, which is 100%", "confidence = 1"),
    ("confidence = 0.9", "confidence = \"150%\"", "confidence is from 0 to 1, which is 100%", "confidence = 1"),
    ("confidence = 0.9", "confidence = 12.3%", "write 12.3% as 0.123", "confidence = 0.123"),
    ("confidence = 0.9", "confidence = \"12.3%\"", "write 12.3% as 0.123", "confidence = 0.123"),
    ("confidence = 0.9", "confidence = 70%", "write 70% as 0.7", "confidence = 0.7"),
    ("{ 0s = 0.2, 30s", "{ 0s = 12.3%, 30s", "write 12.3% as 0.123", "{ 0s = 0.123, 30s"),
    ("fails = 0.5", "fails = 0,5", "write 0.5, with a point", "fails = 0.5"),
    ("{ 0s = 0.2, 30s", "{ 0s = 0,2, 30s", "write 0.2, with a point", "{ 0s = 0.2, 30s"),
    ("30s = 0.6 }", "30s = 0,6 }", "write 0.6, with a point", "30s = 0.6 }"),
    ("find = 10,", "find = 1,000,", "write 1000", "find = 1000,"),
    ("mend = 5 }", "mend = 1.000,5 }", "write 1000.5, with a point", "mend = 1000.5 }"),
    ("on = \"any\"", "on = \"success\"", "it has completed, failed, any", "on = \"completed\""),
    ("severity = \"SEV1\"", "severity = 3", "write \"SEV3\"", "severity = \"SEV3\""),
    ("severity = \"SEV1\"", "severity = \"3\"", "write \"SEV3\"", "severity = \"SEV3\""),
];

#[test]
fn slips_of_the_pen_are_told_with_what_to_write() {
    for (from, slip, advice, mended) in SLIPS {
        let told = Scenario::parse("a.toml", &SOUND.replacen(from, slip, 1)).expect_err(slip);
        let [one] = told.diagnostics.as_slice() else { panic!("{slip}: {told}") };
        let said = format!("{} {}", one.message, one.help.clone().unwrap_or_default());
        assert!(said.contains(advice), "{slip}: {told}");
        if let Err(told) = Scenario::parse("a.toml", &SOUND.replacen(from, mended, 1)) {
            panic!("{mended}: {told}");
        }
    }
}
