//! What is suspicious in a scenario is told once, however many variants it has, and by `--timeline` too.

use super::command::{json, shipped};
use crate::harness::{Ran, Scratch, incident};

/// A scenario with a target that is far from what it takes, with and without its variant.
fn folder() -> Scratch {
    let text = std::fs::read_to_string(shipped("database-outage.toml")).unwrap();
    let strange = text.replacen("target   = \"3m\"", "target   = \"3h\"", 1);
    assert_ne!(text, strange);
    Scratch::new().with("strange.toml", &strange)
}

/// How often stderr says so.
fn told(ran: &Ran) -> usize {
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ran.stderr.matches("the target is 3h").count()
}

#[test]
fn a_variant_repeats_nothing() {
    let folder = folder();
    let run =
        |more: &[&str]| incident(&[&["validate", "strange.toml"], more].concat()).at(folder.path()).run();
    let ran = run(&[]);
    assert_eq!(told(&ran), 2, "each length once: {}", ran.stderr);
    assert!(ran.stderr.contains("(in variant \"failover-fails\")"), "{}", ran.stderr);
    assert!(ran.stdout.contains("2 warnings"), "{}", ran.stdout);
    assert_eq!(told(&run(&["--quiet"])), 0);
    let report = json(&run(&["--format", "json"]));
    let warnings = |target: usize| report["targets"][target]["warnings"].as_array().unwrap().len();
    assert_eq!((warnings(0), warnings(1)), (2, 0), "{report:#}");
    // Alone it has its own.
    assert_eq!(told(&run(&["--set", "variant=failover-fails"])), 1);
}

#[test]
fn a_timeline_is_warned_of_too() {
    let folder = folder();
    let run = |more: &[&str]| {
        incident(&[&["validate", "--timeline", "strange.toml"], more].concat()).at(folder.path()).run()
    };
    let ran = run(&[]);
    assert!(told(&ran) > 0 && !ran.stdout.contains("the target is"), "{ran:?}");
    assert_eq!(told(&run(&["--quiet"])), 0);
}
