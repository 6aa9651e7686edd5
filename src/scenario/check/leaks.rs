//! What an alert must not say: participants of a drill see alerts, and have to find the cause themselves.

use std::collections::HashSet;

use toml::Spanned;

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::{AlertFile, ScenarioFile};

/// A shorter word of a claim gives nothing away.
const SHORTEST: usize = 4;

/// So many words of the claim in a row are the claim.
const IN_A_ROW: usize = 3;

/// Words that every text has.
const COMMON: [&str; 20] = [
    "after", "before", "does", "each", "every", "from", "have", "into", "more", "most", "never", "once",
    "only", "other", "over", "than", "that", "this", "when", "with",
];

/// The words that would give the cause away.
pub(super) struct Secrets<'a> {
    /// The id of each hypothesis, and its words.
    ids: Vec<(&'a str, Vec<String>)>,
    /// The words of the true claim, without the names of services and metrics, which are seen in any case.
    claim: HashSet<String>,
    /// All words of the true claim, in order.
    sentence: Vec<String>,
}

impl<'a> Secrets<'a> {
    pub(super) fn of(file: &'a ScenarioFile) -> Self {
        let ids = file.hypotheses.iter().map(|known| known.id.get_ref().as_str());
        let seen = file.services.iter().map(|name| name.get_ref().as_str());
        let seen = seen.chain(file.metrics.0.iter().map(|(name, _)| name.get_ref().as_str()));
        let seen: HashSet<String> = seen.flat_map(words).collect();
        let truth = file.hypotheses.iter().find(|known| known.truth);
        let sentence = truth.map(|truth| words(&truth.claim)).unwrap_or_default();
        let claim = sentence.iter().filter(|word| {
            word.chars().count() >= SHORTEST && !COMMON.contains(&word.as_str()) && !seen.contains(*word)
        });
        Self { ids: ids.map(|id| (id, words(id))).collect(), claim: claim.cloned().collect(), sentence }
    }

    /// Reports each text of an alert that gives something away.
    pub(super) fn look_for(&self, alert: &AlertFile, found: &mut Vec<Diagnostic>) {
        let texts = [&alert.name, &alert.severity].into_iter().chain(&alert.summary);
        let texts = texts.chain(alert.labels.iter().flat_map(|(name, value)| [name, value]));
        for text in texts {
            found.extend(self.told_by(text, alert.service.get_ref()));
        }
    }

    /// Reports a line of a log, or a change, that gives something away. A change is evidence, so it may have words of the
    /// claim; several in a row would be the claim.
    pub(super) fn look_in(&self, what: &str, line: &Spanned<String>) -> Option<Diagnostic> {
        let said = words(line.get_ref());
        let is_said = |id: &[String]| !id.is_empty() && said.windows(id.len()).any(|part| part == id);
        let named = self.ids.iter().find(|(_, id)| id.len() > 1 && is_said(id));
        let message = match named {
            Some((id, _)) => format!("{what} names the hypothesis {id:?}"),
            None if self.claims(&said) => {
                format!("{what} has {IN_A_ROW} words in a row of the true claim")
            }
            None => return None,
        };
        Some(
            Diagnostic::new(line.span(), message, "seen by those who look for the cause")
                .help("say what happens, in other words than the hypothesis"),
        )
    }

    /// Whether words have a part of the claim in a row. Numbers don't count: a release has several.
    fn claims(&self, said: &[String]) -> bool {
        let is_word = |word: &&String| word.chars().any(char::is_alphabetic);
        let said: Vec<&String> = said.iter().filter(is_word).collect();
        let claim: Vec<&String> = self.sentence.iter().filter(is_word).collect();
        claim.windows(IN_A_ROW).any(|part| said.windows(IN_A_ROW).any(|other| part == other))
    }

    fn told_by(&self, text: &Spanned<String>, service: &str) -> Option<Diagnostic> {
        let said = words(text.get_ref());
        let is_said = |id: &[String]| !id.is_empty() && said.windows(id.len()).any(|part| part == id);
        let mistake = |message: String| {
            Diagnostic::new(text.span(), message, "seen by those who look for the cause")
                .help("say what is measured, in words that no hypothesis has")
        };
        if let Some((id, _)) = self.ids.iter().find(|(_, id)| is_said(id)) {
            return Some(mistake(format!("the alert names the hypothesis {id:?}")));
        }
        let service = words(service);
        let word = said.iter().find(|word| self.claim.contains(*word) && !service.contains(word))?;
        Some(mistake(format!("the alert has the word {word:?} of the true claim")))
    }
}

/// The words of a text in lower case and without the s of a plural; `TokenCheckSlow` has three.
fn words(text: &str) -> Vec<String> {
    let (mut found, mut word, mut was_small) = (Vec::new(), String::new(), false);
    let mut end = |word: &mut String| {
        if word.len() > SHORTEST && word.ends_with('s') {
            word.pop();
        }
        found.extend(Some(std::mem::take(word)).filter(|word| !word.is_empty()));
    };
    for c in text.chars() {
        let starts = c.is_uppercase() && was_small;
        if starts || !c.is_alphanumeric() {
            end(&mut word);
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        was_small = c.is_lowercase() || c.is_numeric();
    }
    end(&mut word);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_a_capital_begins() {
        assert_eq!(
            words("TokenCheckSlow on orders-db, p99 2x"),
            ["token", "check", "slow", "on", "order", "db", "p99", "2x"]
        );
        assert_eq!(
            words("HTTPErrors, Drives"),
            ["httperror", "drive"],
            "an abbreviation is no word of its own"
        );
        assert!(words("").is_empty());
    }
}
