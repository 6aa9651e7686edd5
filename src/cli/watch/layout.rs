//! Lays the line of an event and the footer out for the width of the terminal: nothing is cut in the middle of a word.

use colored::{ColoredString, Colorize};

use crate::cli::out::{Painted, painted};
use crate::cli::{fit, format};

/// Columns of a phase, of an agent, and of both the id and the agent when they are shortened.
const PHASE: usize = 9;
const AGENT: usize = 13;
const SHORT_ID: usize = 12;
const SHORTEST_ID: usize = 10;
const SHORT_AGENT: usize = 9;

/// If fewer columns are left for the summary, it gets lines of its own.
const SUMMARY: usize = 40;

/// The indent of a summary on lines of its own.
const INDENT: usize = 8;

/// The line of one event, without colours. Its texts have been through the gate, so that their width is known.
pub(super) struct Cells {
    pub(super) when: String,
    pub(super) incident: String,
    pub(super) phase: String,
    pub(super) agent: String,
    /// Four columns.
    pub(super) percent: String,
    /// One column.
    pub(super) mark: ColoredString,
    pub(super) text: String,
}

impl Cells {
    /// The lines, of which the first begins with the time. `emphasise` colours each line of the summary.
    pub(super) fn laid_out(&self, columns: usize, emphasise: impl Fn(&str) -> ColoredString) -> Vec<Painted> {
        let id = fit::width(&self.incident);
        for (id, agent) in [(id, AGENT), (id.min(SHORT_ID), SHORT_AGENT)] {
            let before = self.head(id, agent);
            let indent = before.width() + 3;
            if indent + SUMMARY <= columns {
                let lines = fit::wrapped(&self.text, columns - indent, 0);
                let first = painted![before, " ", self.mark, " "];
                return hung(first, indent, lines.iter().map(|line| emphasise(line)));
            }
        }
        let narrow = [(id, AGENT), (id, SHORT_AGENT), (SHORT_ID, SHORT_AGENT), (SHORT_ID, 0)];
        let heads = narrow.into_iter().map(|(id, agent)| self.head(id, agent).trimmed());
        let head = heads.into_iter().find(|head| head.width() <= columns);
        let head = head.unwrap_or_else(|| self.head(SHORT_ID, 0).cut(columns).trimmed());
        let lines = fit::wrapped(&self.text, columns.saturating_sub(INDENT + 2), 0);
        let first = painted![" ".repeat(INDENT), self.mark, " "];
        let below = hung(first, INDENT + 2, lines.iter().map(|line| emphasise(line)));
        std::iter::once(head).chain(below).collect()
    }

    /// Everything before the mark. Columns of 0 are left out.
    fn head(&self, id: usize, agent: usize) -> Painted {
        let when = self.when.dimmed();
        let incident = fit::short_id(&self.incident, id);
        let phase = fit::column(&self.phase, PHASE);
        let phase = format::in_phase(&self.phase, &phase);
        let agent = if agent == 0 { String::new() } else { fit::column(&self.agent, agent) + " " };
        let rest = format!("{agent}{}", self.percent);
        if self.phase.is_empty() && rest.trim().is_empty() {
            let blank = " ".repeat(PHASE + 1 + fit::width(&rest));
            return painted![when, " ", incident.cyan(), " ", blank];
        }
        painted![when, " ", incident.cyan(), " ", phase, " ", rest]
    }
}

/// Texts below each other: the first behind `first`, all others with that indent.
fn hung(first: Painted, indent: usize, texts: impl Iterator<Item = ColoredString>) -> Vec<Painted> {
    let begins = std::iter::once(first).chain(std::iter::repeat(painted![" ".repeat(indent)]));
    begins.zip(texts).map(|(begin, text)| painted![begin, text]).collect()
}

/// What the footer says of one incident, coloured. What is not known is empty.
pub(super) struct Parts {
    pub(super) incident: String,
    pub(super) phase: Painted,
    pub(super) clock: Painted,
    pub(super) cost: String,
    pub(super) metrics: Vec<String>,
}

impl Parts {
    /// One line of at most that many columns. Metrics are dropped first, and the line says how many; then the id is
    /// shortened, then the cost and the phase are left out.
    pub(super) fn fitted(&self, state: &Painted, more: &str, columns: usize) -> Painted {
        let id = fit::width(&self.incident);
        let line = |id: usize, phase: bool, cost: bool, metrics: Option<usize>| {
            let dropped = metrics.map_or(0, |metrics| self.metrics.len() - metrics);
            let dropped = match dropped {
                0 => Painted::default(),
                dropped => painted![format!("+{}", format::count(dropped as u64, "metric")).dimmed()],
            };
            let name = painted![state, " ", fit::short_id(&self.incident, id).bold()];
            let mut parts = vec![name];
            parts.extend(Some(self.phase.clone()).filter(|_| phase));
            parts.push(self.clock.clone());
            parts.extend(Some(painted![self.cost]).filter(|_| cost));
            parts.extend(self.metrics[..metrics.unwrap_or(0)].iter().map(|metric| painted![metric]));
            parts.extend([dropped, painted![more]]);
            parts.retain(|part| !part.is_empty());
            Painted::joined(parts, "  ")
        };
        let with_metrics = (0..=self.metrics.len()).rev().map(Some);
        let shorter = with_metrics
            .flat_map(|metrics| [(id, true, true, metrics), (id.min(SHORT_ID), true, true, metrics)]);
        let tiny = id.min(SHORTEST_ID);
        let shortest = [
            (tiny, true, true, Some(0)),
            (tiny, true, false, Some(0)),
            (tiny, true, false, None),
            (tiny, false, false, Some(0)),
            (tiny, false, false, None),
        ];
        let mut lines =
            shorter.chain(shortest).map(|(id, phase, cost, metrics)| line(id, phase, cost, metrics));
        let fits = lines.find(|line| line.width() <= columns);
        fits.unwrap_or_else(|| line(tiny, false, false, None).cut(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        let text = str::to_owned;
        Parts {
            incident: text("database-outage-x7k2p"),
            phase: painted!["DIAGNOSE"],
            clock: painted!["left 01:40"],
            cost: text("$4,310"),
            metrics: ["error rate 42.0%", "latency p99 4.8 s", "traffic 520/s"].map(text).into(),
        }
    }

    #[test]
    fn the_footer_fits_every_width_and_says_what_it_leaves_out() {
        colored::control::set_override(false);
        let fitted = |columns| parts().fitted(&painted!["● LIVE"], "", columns).into_text();
        for columns in 20..200 {
            let line = fitted(columns);
            assert!(fit::width(&line) <= columns, "{columns}: {line}");
            let shown = parts().metrics.iter().filter(|metric| line.contains(metric.as_str())).count();
            let missing = match 3 - shown {
                0 => String::new(),
                1 => "+1 metric".to_owned(),
                more => format!("+{more} metrics"),
            };
            assert!(columns < 51 || line.contains(&missing), "{columns}: {line}");
        }
        let all = "● LIVE database-outage-x7k2p  DIAGNOSE  left 01:40  $4,310  error rate 42.0%  latency p99 4.8 s  traffic 520/s";
        assert_eq!(fitted(120), all);
        assert_eq!(
            fitted(80),
            "● LIVE datab…-x7k2p  DIAGNOSE  left 01:40  $4,310  error rate 42.0%  +2 metrics"
        );
        assert_eq!(fitted(60), "● LIVE dat…-x7k2p  DIAGNOSE  left 01:40  $4,310  +3 metrics");
    }

    /// That an incident has ended says more than how many metrics are left out.
    #[test]
    fn the_outcome_is_left_out_last() {
        colored::control::set_override(false);
        let ended = Parts { phase: painted!["RESOLVED"], clock: painted!["in 03:00"], ..parts() };
        assert_eq!(
            ended.fitted(&painted!["● LIVE"], "", 40).into_text(),
            "● LIVE dat…-x7k2p  RESOLVED  in 03:00"
        );
    }

    #[test]
    fn wide_characters_are_counted() {
        colored::control::set_override(false);
        let cells = Cells {
            when: "T+00:08".to_owned(),
            incident: "障害-x7k2p".to_owned(),
            phase: "検知".to_owned(),
            agent: "監視エージェント担当".to_owned(),
            percent: " 97%".to_owned(),
            mark: "✓".normal(),
            text: "十四件の警報は一つの障害である ".repeat(8),
        };
        for columns in 40..200 {
            for line in cells.laid_out(columns, |text| text.normal()) {
                assert!(line.width() <= columns, "{columns}: {}", line.into_text());
            }
        }
    }
}
