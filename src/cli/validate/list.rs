//! `validate --list`: the rules, for people and for programs.

use serde_json::json;

use crate::check::{Limits, Rule};
use crate::cli::fit;
use crate::visible;

/// The rules with what they require, their limits, and an example of a finding, in lines of at most so many columns.
pub(super) fn pretty<'a>(rules: impl Iterator<Item = &'a Rule>, columns: usize) -> String {
    let paragraphs = rules.map(|rule| {
        let mut lines = vec![bold(rule.name)];
        lines.extend(indented(rule.meaning, columns, 2, 2));
        for (name, meaning, default) in limits(rule) {
            let text = format!("--limit {name}=…  {meaning} [default: {default}]");
            lines.extend(indented(&text, columns, 2, 4));
        }
        lines.extend(indented(&format!("such as: {}", rule.example), columns, 2, 11));
        lines.join("\n") + "\n"
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// The same as one JSON object.
pub(super) fn json<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let rules = rules.map(|rule| {
        let limits = limits(rule)
            .map(|(name, meaning, default)| json!({ "name": name, "meaning": meaning, "default": default }));
        json!({
            "rule": rule.name,
            "meaning": rule.meaning,
            "example": rule.example,
            "limits": limits.collect::<Vec<_>>(),
        })
    });
    visible::json(&json!({ "rules": rules.collect::<Vec<_>>() }).to_string()).into_owned() + "\n"
}

fn limits(rule: &Rule) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    Limits::ALL.iter().filter(|(name, ..)| rule.limits.contains(name))
}

fn bold(text: &str) -> String {
    use colored::Colorize;
    text.bold().to_string()
}

/// A paragraph with its first line and the others indented.
fn indented(text: &str, columns: usize, first: usize, later: usize) -> Vec<String> {
    let text = format!("{}{text}", " ".repeat(first));
    fit::wrapped(&text, columns, later)
}
