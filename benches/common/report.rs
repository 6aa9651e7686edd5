//! The figures: as a table for a person, or as one JSON object.

use serde_json::{Value, json};

use super::comparison::Comparison;

/// What one section found.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// The conditions, in one line.
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
    /// Why the figures do not say what they should.
    pub(crate) note: Option<String>,
}

/// One figure: a value a round.
pub(crate) struct Row {
    name: &'static str,
    unit: &'static str,
    values: Vec<f64>,
    goal: Option<Goal>,
}

/// What a figure should be. Said beside it, never enforced: a busy machine is no error.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// A value, and how far from it is fine.
    Within(f64, f64),
}

impl Goal {
    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Within(middle, distance) => (value - middle).abs() <= distance,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most}"),
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::Within(middle, distance) => format!("{middle} ± {distance}"),
        }
    }
}

impl Row {
    pub(crate) fn new(name: &'static str, unit: &'static str, values: Vec<f64>) -> Self {
        Self { name, unit, values, goal: None }
    }

    pub(crate) fn single(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self::new(name, unit, vec![value])
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Each round's quotient: what both sides had in common, the state of the machine, goes out of it.
    pub(crate) fn ratio(name: &'static str, over: &Self, under: &Self) -> Self {
        let pairs = over.values.iter().zip(&under.values);
        Self::new(name, "×", pairs.map(|(over, under)| over / under).collect())
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    pub(super) fn json(&self) -> Value {
        let mut row = json!({
            "name": self.name,
            "unit": self.unit,
            "median": rounded(self.median()),
            "rounds": self.values.iter().copied().map(rounded).collect::<Vec<_>>(),
        });
        if let Some(goal) = self.goal {
            row["goal"] = match goal {
                Goal::AtMost(most) => json!({ "at_most": most }),
                Goal::AtLeast(least) => json!({ "at_least": least }),
                Goal::Within(middle, distance) => json!({ "value": middle, "within": distance }),
            };
            row["ok"] = goal.reached(self.median()).into();
        }
        row
    }

    pub(super) fn median_text(&self) -> String {
        figure(self.median())
    }

    fn line(&self) -> String {
        let median = figure(self.median());
        let spread = match self.values.as_slice() {
            [] | [_] => String::new(),
            values if values.len() <= 5 => values.iter().copied().map(figure).collect::<Vec<_>>().join("  "),
            values => {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                format!("{} … {}", figure(least), figure(most))
            }
        };
        let goal = self.goal.map_or_else(String::new, |goal| {
            let verdict = match goal {
                _ if goal.reached(self.median()) => "ok",
                Goal::AtLeast(_) => "under",
                Goal::AtMost(_) | Goal::Within(..) => "over",
            };
            format!("{:<14} {verdict}", goal.text())
        });
        let line = format!("  {:<36} {median:>9} {:<4}  {spread:<26} {goal}", self.name, self.unit);
        line.trim_end().to_owned()
    }
}

/// More digits than these say nothing in such a measurement.
fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 1000.0 => 1,
        middle if middle >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Prints sections as they come, or keeps them for one object.
pub(crate) struct Report {
    json: bool,
    sections: Vec<Value>,
}

impl Report {
    pub(crate) fn new(name: &str, json: bool) -> Self {
        if !json {
            println!("{name} on {}", machine());
            println!("{:<40} {:>7}       {:<26} goal", "", "median", "rounds");
        }
        Self { json, sections: Vec::new() }
    }

    pub(crate) fn add(&mut self, section: Section) {
        if self.json {
            let rows = section.rows.iter().map(Row::json).collect::<Vec<_>>();
            let Section { name, about, note, .. } = section;
            self.sections.push(json!({ "name": name, "about": about, "rows": rows, "note": note }));
            return;
        }
        println!("{}: {}", section.name, section.about);
        for row in &section.rows {
            println!("{}", row.line());
        }
        if let Some(note) = &section.note {
            println!("  NOTE: {note}");
        }
        println!();
    }

    pub(crate) fn compare(&mut self, comparison: &Comparison) {
        if self.json {
            self.sections.push(comparison.json());
        } else {
            println!("{}", comparison.text());
        }
    }

    pub(crate) fn finish(&self) {
        if !self.json {
            println!("The least and the most of a figure differ by the machine's noise; ratios hold best.");
            return;
        }
        let report =
            json!({ "version": env!("CARGO_PKG_VERSION"), "machine": machine(), "sections": self.sections });
        println!("{report}");
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unnamed CPU", |(_, name)| name);
    format!("{cores} cores of {model}, Linux {}, loopback", kernel.trim())
}
