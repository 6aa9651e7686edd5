//! Mistakes in a scenario file, shown as a compiler would: file, line, column, the text, what to do.

use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

use super::did_you_mean;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where, as bytes of the text.
    pub span: Range<usize>,
    /// A word at the place.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A mistake at a place.
    pub fn new(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { message: message.into(), span, label: label.into(), help: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A name that refers to nothing.
    pub fn unknown<'a>(
        what: &str,
        name: &toml::Spanned<String>,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Self {
        let problem =
            Self::new(name.span(), format!("unknown {what} {:?}", name.get_ref()), "not defined here");
        if let Some(near) = did_you_mean(name.get_ref(), known.clone()) {
            return problem.help(format!("did you mean {near:?}?"));
        }
        let known = known.into_iter().collect::<Vec<_>>();
        match known.as_slice() {
            [] => problem.help(format!("the file defines no {what}")),
            _ if known.len() <= 20 => problem.help(format!("the file defines {}", known.join(", "))),
            _ => {
                let more = known.len() - 20;
                problem.help(format!("the file defines {} and {more} more", known[..20].join(", ")))
            }
        }
    }

    /// What the TOML reader found: bad syntax, a wrong type, a missing or an unknown key.
    pub(super) fn from_toml(error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', ": ");
        let problem = Self::new(error.span().unwrap_or(0..0), message.clone(), "here");
        // serde: unknown field `sumary`, expected one of `id`, `at`, …
        let mut names = message.split('`').skip(1).step_by(2);
        match names.next() {
            Some(key) if message.starts_with("unknown field") || message.starts_with("unknown variant") => {
                match did_you_mean(key, names) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                }
            }
            _ => problem,
        }
    }
}

/// A scenario file that can't be played, and everything that is wrong with it.
#[derive(Debug, Clone)]
pub struct ScenarioError {
    origin: String,
    /// `None` if it could not be read.
    text: Option<String>,
    /// The mistakes, at least one.
    pub problems: Vec<Problem>,
}

impl ScenarioError {
    pub(super) fn new(origin: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.start);
        Self { origin: origin.to_owned(), text: Some(text.to_owned()), problems }
    }

    /// A file that could not even be read.
    pub(super) fn unreadable(origin: &str, error: &std::io::Error) -> Self {
        let problems = vec![Problem::new(0..0, format!("cannot be read: {error}"), "")];
        Self { origin: origin.to_owned(), text: None, problems }
    }

    /// Line and column of a place, from 1; columns count characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let text = self.text.as_deref().unwrap_or_default();
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The whole report with source text and carets.
    pub fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(110);
        let mut out = String::new();
        for problem in &self.problems {
            let report = match &self.text {
                Some(text) => shown_in(&self.origin, text, problem),
                None => miette::MietteDiagnostic::new(format!("{}: {}", self.origin, problem.message)).into(),
            };
            // Writing to a String cannot fail; a report that could not be drawn still says what is wrong.
            if handler.render_report(&mut out, report.as_ref()).is_err() {
                out += &problem.message;
            }
        }
        out
    }
}

/// A mistake with the lines of its place.
fn shown_in(origin: &str, text: &str, problem: &Problem) -> miette::Report {
    let mut report = miette::MietteDiagnostic::new(problem.message.clone());
    report.help.clone_from(&problem.help);
    let span = problem.span.start..problem.span.start + problem.span.len().max(1);
    // An empty text has no line that could be shown.
    let text = if text.is_empty() { "\n" } else { text };
    let source = NamedSource::new(origin, text.to_owned());
    let report = report.with_label(LabeledSpan::at(span, problem.label.clone()));
    miette::Report::from(report).with_source_code(source)
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, problem) in self.problems.iter().enumerate() {
            let newline = if count == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:", self.origin)?;
            if self.text.is_some() {
                let (line, column) = self.line_column(problem.span.start);
                write!(f, "{line}:{column}:")?;
            }
            write!(f, " {}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioError {}
