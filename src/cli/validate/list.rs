//! `validate --list`: prints the rules.

use std::io::Write;

use crate::check::{Limits, Rule};

/// Prints what a rule requires, its limits, and an example of a finding.
pub(super) fn rule(out: &mut impl Write, rule: &Rule) -> std::io::Result<()> {
    writeln!(out, "{:<10} {}", rule.name, rule.meaning)?;
    for (name, meaning, default) in Limits::ALL.iter().filter(|(name, ..)| rule.limits.contains(name)) {
        writeln!(out, "{:<10}   --limit {name}=…  {meaning} [default: {default}]", "")?;
    }
    writeln!(out, "{:<10}   such as: {}", "", rule.example)
}
