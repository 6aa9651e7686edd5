//! `validate --list`: prints the rules.

use std::io;

use crate::check::{Limits, Rule};
use crate::cli::out::print;

/// Prints what a rule requires, its limits, and an example of a finding.
pub(super) fn rule(rule: &Rule) -> io::Result<()> {
    print(format!("{:<10} {}", rule.name, rule.meaning))?;
    for (name, meaning, default) in Limits::ALL.iter().filter(|(name, ..)| rule.limits.contains(name)) {
        print(format!("{:<10}   --limit {name}=…  {meaning} [default: {default}]", ""))?;
    }
    print(format!("{:<10}   such as: {}", "", rule.example))
}
