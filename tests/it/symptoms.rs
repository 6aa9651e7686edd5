//! The alerts of scenarios: when each fires, what is wrong with a file, and that none gives the cause away.

use incident::plan::{Firing, Plan, PlannedAlert};
use incident::scenario::{Comparison, Condition, Keyframes, Library, Metric, SHIPPED, Scenario};
use incident::world::Alerts;
use proptest::prelude::*;

use crate::mistakes::SOUND;

/// The sound scenario with these alerts.
fn with(alerts: &str) -> String {
    SOUND.replacen("[[hypotheses]]", &format!("{alerts}\n[[hypotheses]]"), 1)
}

fn scenario(alerts: &str) -> Scenario {
    Scenario::parse("a.toml", &with(alerts)).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn planned(alerts: &str) -> Vec<PlannedAlert> {
    scenario(alerts).compile(1).unwrap().symptoms.alerts
}

/// Screen seconds at which the only alert begins and ends.
fn fires(alert: &str) -> Vec<(f64, f64)> {
    let mut alerts = planned(&format!("[[alerts]]\nname = \"Slow\"\nservice = \"s\"\n{alert}"));
    let secs = |micros: i64| (micros as f64 / 1e3).round() / 1e3;
    alerts.remove(0).firings.iter().map(|Firing { from, to }| (secs(*from), secs(*to))).collect()
}

/// errors: 0.1 at 0 s, 0.9 at 30 s, and so on; the second phase of 30 s plays in 10 s.
#[test]
fn an_alert_fires_while_its_condition_holds() {
    assert_eq!(fires("when = \"errors > 0.5\""), [(15.0, 40.0)], "to the end of the incident, on screen");
    assert_eq!(fires("when = \"errors > 0.5\"\nfor = \"5s\""), [(20.0, 40.0)]);
    assert_eq!(fires("when = \"errors < 0.5\""), [(0.0, 15.0)]);
    assert_eq!(fires("when = \"errors >= 0.9\""), [(30.0, 40.0)]);
    assert_eq!(fires("when = \"errors <= 0.1\"").len(), 1, "a moment is one");
    assert_eq!(
        fires("when = \"errors >= 0.9\"\nfor = \"15s\""),
        [(35.0, 40.0)],
        "it holds for 30 s of the incident"
    );
    assert_eq!(fires("at = \"45s\""), [(35.0, 40.0)]);
    assert_eq!(fires("at = \"-12m\"\nuntil = \"3s\""), [(-720.0, 3.0)]);
    assert_eq!(fires("at = \"-12m\"\nuntil = \"-11m\""), [(-720.0, -660.0)]);
    assert_eq!(fires("at = \"5s\"\nuntil = \"9m\""), [(5.0, 40.0)], "nothing fires beyond the end");
}

#[test]
fn an_alert_on_a_metric_that_swings_fires_several_times() {
    let text = with("[[alerts]]\nname = \"Slow\"\nservice = \"s\"\nwhen = \"errors > 0.5\"\nfor = \"2s\"");
    let steps =
        "interpolate = \"step\", keys = { 0s = 0.1, 5s = 0.9, 6s = 0.1, 10s = 0.9, 20s = 0.2, 25s = 0.6 } }";
    let text = text.replacen("keys = { 0s = 0.1, 30s = 0.9 } }", steps, 1);
    let plan = Scenario::parse("a.toml", &text).unwrap().compile(1).unwrap();
    let firings: Vec<_> =
        plan.symptoms.alerts[0].firings.iter().map(|firing| (firing.from, firing.to)).collect();
    assert_eq!(
        firings,
        [(12_000_000, 20_000_000), (27_000_000, 40_000_000)],
        "the first is shorter than `for`"
    );
}

proptest! {
    /// Whatever the curve is: at every moment the alert fires if the condition holds there, but for a microsecond at each
    /// crossing.
    #[test]
    fn what_fires_is_what_holds(
        values in prop::collection::vec(0_u32..1000, 2..12), step: bool, limit in 0_u32..1000, comparison in 0..4,
    ) {
        let keys: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{at}s = {}", f64::from(*value) / 1000.0)).collect();
        let keys = format!("{{ {} }}", keys.join(", "));
        let interpolate = if step { "step" } else { "linear" };
        let sign = [">", ">=", "<", "<="][comparison as usize];
        let limit = f64::from(limit) / 1000.0;
        let text = with(&format!("[[alerts]]\nname = \"Slow\"\nservice = \"s\"\nwhen = \"errors {sign} {limit}\""))
            .replacen("keys = { 0s = 0.1, 30s = 0.9 } }", &format!("interpolate = \"{interpolate}\", keys = {keys} }}"), 1);
        let scenario = Scenario::parse("a.toml", &text).unwrap();
        let firings = scenario.compile(1).unwrap().symptoms.alerts.remove(0).firings;
        for pair in firings.windows(2) {
            prop_assert!(pair[0].to <= pair[1].from, "{firings:?}");
        }
        let Metric { keys, interpolate, .. } = &scenario.file.metrics.0[0].1;
        let keys: &Keyframes = keys;
        let comparison = scenario.file.alerts[0].when.as_ref().unwrap().get_ref().comparison;
        for moment in (0..12_000_000_u64).step_by(97_001) {
            let near = firings.iter().any(|firing| {
                [firing.from, firing.to].iter().any(|edge| edge.abs_diff(moment.cast_signed()) <= 2)
            });
            let value = keys.at(incident::scenario::Micros(moment), *interpolate);
            let holds = match comparison {
                Comparison::Above => value > limit,
                Comparison::AtLeast => value >= limit,
                Comparison::Below => value < limit,
                Comparison::AtMost => value <= limit,
            };
            let fires = firings.iter().any(|firing| (firing.from..firing.to).contains(&moment.cast_signed()));
            prop_assert!(near || fires == holds, "{moment}: {value} {sign} {limit}, {firings:?}");
        }
    }

    #[test]
    fn a_condition_is_read_as_it_is_written(limit in -1e9..1e9_f64, sign in 0..4_usize) {
        let text = format!("a b {} {limit}", [">", ">=", "<", "<="][sign]);
        let condition: Condition = text.parse().unwrap();
        prop_assert_eq!(condition.metric.as_str(), "a b");
        prop_assert_eq!(condition.to_string(), text);
    }
}

/// The alert, what has to be said, the text at its place, the help.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        "when = \"errors > 0.5\"\nsevrity = \"x\"",
        "unknown field `sevrity`",
        "sevrity",
        "did you mean `severity`?",
    ),
    ("when = \"eror > 0.5\"", "unknown metric \"eror\"", "\"eror > 0.5\"", "did you mean \"errors\"?"),
    ("when = \"errors is bad\"", "a condition is METRIC > NUMBER", "\"errors is bad\"", ""),
    ("when = \"errors > much\"", "a condition is METRIC > NUMBER", "\"errors > much\"", ""),
    ("when = \"errors == 1\"", "a condition is METRIC > NUMBER", "\"errors == 1\"", ""),
    ("when = 5", "expected a condition like", "5", ""),
    ("when = \"errors > inf\"", "a condition is METRIC > NUMBER", "\"errors > inf\"", ""),
    ("severity = \"x\"", "neither `when` nor `at`", "\"Slow\"", "give when ="),
    ("when = \"errors > 0.5\"\nat = \"3s\"", "both `when` and `at`", "\"3s\"", "on a metric, or at a time"),
    ("at = \"3s\"\nfor = \"5s\"", "`for` without `when`", "\"5s\"", "how long a condition"),
    (
        "when = \"errors > 0.5\"\nuntil = \"5s\"",
        "`until` without `at`",
        "\"5s\"",
        "ends when its condition does",
    ),
    (
        "at = \"5s\"\nuntil = \"-5s\"",
        "`until` (-5s) is not after `at` (5s)",
        "\"-5s\"",
        "times of the incident",
    ),
    ("at = 5", "expected a duration like", "5", "\"5s\""),
    (
        "at = \"5s\"\nlabels = { run = \"x\" }",
        "the label \"run\" is set by the program",
        "run",
        "mark every drill",
    ),
    (
        "at = \"5s\"\nlabels = { \"my-team\" = \"x\" }",
        "\"my-team\" can't be the name of a label",
        "\"my-team\"",
        "no digit first",
    ),
    ("at = \"5s\"\nlabels = { team = \"\" }", "the value of a label is empty", "\"\"", ""),
    ("at = \"5s\"\nseverity = \" \"", "the severity of an alert is empty", "\" \"", ""),
    ("at = \"5s\"\nsummary = \"a\\nb\"", "more than one line", "\"a\\nb\"", ""),
    (
        "at = \"5s\"\nsummary = \"Some leak somewhere\"",
        "names the hypothesis \"leak\"",
        "\"Some leak somewhere\"",
        "no hypothesis has",
    ),
    ("at = \"5s\"\nlabels = { load = \"x\" }", "names the hypothesis \"load\"", "load", "no hypothesis has"),
    (
        "at = \"5s\"\n[[alerts]]\nname = \"Slow\"\nservice = \"s\"\nat = \"6s\"",
        "two alerts \"Slow\" have the same labels",
        "\"Slow\"",
        "an alert is its labels",
    ),
];

#[test]
fn each_mistake_is_told_at_its_place_with_help() {
    for (alert, message, at, help) in CASES {
        let text = with(&format!("[[alerts]]\nname = \"Slow\"\nservice = \"s\"\n{alert}"));
        let Err(error) = Scenario::parse("wrong.toml", &text) else { panic!("{alert:?} was accepted") };
        let found: Vec<_> = error.diagnostics.iter().map(|found| &found.message).collect();
        let told = error.diagnostics.iter().find(|found| found.message.contains(message));
        let told = told.unwrap_or_else(|| panic!("{alert:?} says {found:?}"));
        assert_eq!(found.len(), 1, "{alert:?} says {found:?}");
        assert_eq!(&text[told.span.clone()], *at, "{alert:?}");
        assert!(told.help.as_deref().unwrap_or_default().contains(help), "{alert:?}: {:?}", told.help);
    }
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let text = with(
        "[[alerts]]\nname = \"\"\nservice = \"s\"\nwhen = \"nothing > 1\"\nfor = \"2 parsecs\"\n\
         [[alerts]]\nname = \"TheLeak\"\nat = \"1s\"\nuntil = \"1s\"\nlabels = { \"1\" = \"x\", synthetic = \"false\" }",
    );
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    let said: Vec<_> = error.diagnostics.iter().map(|found| found.message.as_str()).collect();
    for part in [
        "the name of an alert is empty",
        "unknown metric \"nothing\"",
        "\"2 parsecs\" is not a duration",
        "missing field `service`",
        "`until` (1s) is not after `at` (1s)",
        "names the hypothesis \"leak\"",
        "\"1\" can't be the name of a label",
        "the label \"synthetic\" is set by the program",
    ] {
        assert!(said.iter().any(|said| said.contains(part)), "{part:?} is not in {said:#?}");
    }
    assert_eq!(said.len(), 8, "{said:#?}");
}

#[test]
fn too_much_is_a_mistake() {
    let alert = |number: usize| format!("[[alerts]]\nname = \"A{number}\"\nservice = \"s\"\nat = \"1s\"\n");
    let many: String = (0..101).map(alert).collect();
    let error = Scenario::parse("wrong.toml", &with(&many)).unwrap_err();
    assert!(error.to_string().contains("101 alerts: at most 100"), "{error}");
    assert_eq!(planned(&(0..100).map(alert).collect::<String>()).len(), 100);
    // A metric that crosses the limit more often than an alert may fire.
    let keys: Vec<String> = (0..400).map(|at| format!("{at}s = {}", at % 2)).collect();
    let text = with("[[alerts]]\nname = \"A\"\nservice = \"s\"\nwhen = \"errors > 0.5\"");
    let text = text.replacen("{ 0s = 0.1, 30s = 0.9 }", &format!("{{ {} }}", keys.join(", ")), 1);
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    assert!(error.to_string().contains("becomes true 200 times"), "{error}");
}

#[test]
fn an_alert_that_never_fires_is_a_warning() {
    for (alert, help) in [
        ("when = \"errors > 0.95\"", "what the metric reaches"),
        ("when = \"errors > 0.5\"\nfor = \"50s\"", "or `for`"),
        ("at = \"61s\"", "over by then"),
    ] {
        let scenario = scenario(&format!("[[alerts]]\nname = \"Slow\"\nservice = \"s\"\n{alert}"));
        let warned: Vec<_> =
            scenario.warnings.iter().filter(|warning| warning.message.contains("never fires")).collect();
        assert_eq!(warned.len(), 1, "{alert}: {:?}", scenario.warnings);
        assert!(warned[0].help.as_deref().unwrap().contains(help), "{warned:?}");
    }
}

/// The examples show the language: sound, with decoys, and every alert fires.
#[test]
fn every_shipped_scenario_has_alerts_that_fire_and_give_nothing_away() {
    let library = Library::shipped().unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut decoys = 0;
    for scenario in library.iter() {
        let warned: Vec<_> = scenario.warnings.iter().map(|warning| &warning.message).collect();
        assert!(warned.is_empty(), "{}: {warned:?}", scenario.id());
        let alerts = scenario.compile(scenario.file.seed).unwrap().symptoms.alerts;
        assert!((1..=6).contains(&alerts.len()), "{} has {} alerts", scenario.id(), alerts.len());
        decoys += alerts.iter().filter(|alert| alert.decoy).count();
        for alert in alerts {
            assert!(!alert.firings.is_empty(), "{}: {} never fires", scenario.id(), alert.name);
        }
    }
    assert_eq!(library.len(), SHIPPED.len());
    assert!(decoys >= 1);
}

#[test]
fn a_plan_keeps_its_symptoms_and_older_plans_have_none() {
    let mut plan = scenario("[[alerts]]\nname = \"Slow\"\nservice = \"s\"\nat = \"1s\"\ndecoy = true")
        .compile(1)
        .unwrap();
    assert!(plan.symptoms.run.is_empty() && Alerts::of(&plan).alerts.is_empty(), "it has not begun");
    plan.stamp(2.0, "2026-11-26T12:00:00Z".parse().unwrap());
    let text = plan.text().unwrap();
    assert_eq!(Plan::read(&text).unwrap(), plan);
    let beginning = Plan::read_beginning(&text).unwrap();
    assert_eq!((&beginning.symptoms, beginning.events().len()), (&plan.symptoms, 1));
    let (alerts, again) = (Alerts::of(&plan), Alerts::of(&beginning));
    assert_eq!(alerts, again);
    assert_eq!(alerts.alerts[0].starts_at.to_string(), "2026-11-26T12:00:00.5Z", "twice as fast");
    let before = plan.symptoms.run.clone();
    plan.stamp(1.0, "2026-11-26T12:00:00Z".parse().unwrap());
    assert_eq!(plan.symptoms.run, before, "a run has one name");
    assert_eq!(before.len(), 12);
    // A scenario without alerts is stored as it was before there were any.
    let old = Scenario::parse("a.toml", SOUND).unwrap().compile(1).unwrap().text().unwrap();
    assert!(!old.contains("symptoms"));
    assert!(Plan::read(&old).unwrap().symptoms.is_empty());
}

/// What participants can see says neither what is a decoy nor which scenario it is.
#[test]
fn the_alerts_of_a_drill_name_no_scenario_and_no_hypothesis() {
    for scenario in Library::shipped().unwrap_or_else(|errors| panic!("{}", errors[0])).iter() {
        let mut plan = scenario.compile(scenario.file.seed).unwrap();
        plan.stamp(1.0, "2026-11-26T12:00:00Z".parse().unwrap());
        let seen = serde_json::to_string(&Alerts::of(&plan)).unwrap().to_lowercase();
        let file = &scenario.file;
        let secrets =
            file.hypotheses.iter().flat_map(|known| [known.id.get_ref().as_str(), known.claim.as_str()]);
        for secret in secrets.chain([scenario.id(), file.title.as_str(), "decoy"]) {
            let is_said = seen.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == secret)
                || (secret.contains(' ') && seen.contains(&secret.to_lowercase()));
            assert!(!is_said, "{} shows {secret:?}: {seen}", scenario.id());
        }
    }
}
