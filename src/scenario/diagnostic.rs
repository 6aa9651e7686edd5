//! Mistakes in a scenario file, shown as a compiler shows them: file, line, column, the text, and what to do.

use std::fmt;
use std::ops::Range;

use console::{measure_text_width, truncate_str};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity};

use super::excerpt::{Excerpt, LineBegins};
use super::suggest::{did_you_mean, listed, shortened};
use crate::breaking;
use crate::visible::visible;

/// The longest line of a drawing, however wide the terminal is.
const WIDTH: usize = 110;

/// The most mistakes of a file that are told. Each is shown with its place, which is looked up in the whole text.
pub(super) const MOST_DIAGNOSTICS: usize = 100;

/// The longest message or help, in characters. Names in them are those of the file, however long.
const LONGEST: usize = 1_000;

/// One mistake, or a warning. Its texts have been through the gate for text from elsewhere: they quote the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// The place: a range of bytes in the text.
    pub span: Range<usize>,
    /// A few words under the place.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// The parameter whose value is wrong there.
    pub parameter: Option<String>,
    /// The file can be played all the same.
    pub is_warning: bool,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        let (message, label) = (told(&message.into()), told(&label.into()));
        Self { message, span, label, help: None, parameter: None, is_warning: false }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(told(&help.into()));
        self
    }

    /// Makes a warning of it.
    #[must_use]
    pub(super) fn warning(self) -> Self {
        Self { is_warning: true, ..self }
    }

    /// A name that refers to nothing.
    pub fn unknown<'a>(
        what: &str,
        name: &toml::Spanned<String>,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Self {
        let message = format!("unknown {what} {:?}", shortened(name.get_ref()));
        let diagnostic = Self::new(name.span(), message, "not defined here");
        if let Some(near) = did_you_mean(name.get_ref(), known.clone()) {
            return diagnostic.help(format!("did you mean {near:?}?"));
        }
        let known: Vec<&str> = known.into_iter().collect();
        diagnostic.help(match known.as_slice() {
            [] => format!("the file defines no {}", what.trim_end_matches(" in [expect]:")),
            known => format!("the file defines {}", listed(known)),
        })
    }
}

/// A text that quotes the file, as it is told.
fn told(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", visible(&text[..cut])),
        None => visible(text).into_owned(),
    }
}

/// A scenario file that can't be played, and all its mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    origin: String,
    /// `None` if the file could not be read.
    text: Option<String>,
    lines: LineBegins,
    /// The mistakes, at least one, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there are, which are not told.
    pub left_out: usize,
    /// Nothing in it is wrong: it is not there, or may not be read.
    pub is_unread: bool,
}

impl ScenarioError {
    pub(crate) fn new(origin: &str, text: &str, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        let left_out = diagnostics.len().saturating_sub(MOST_DIAGNOSTICS);
        diagnostics.truncate(MOST_DIAGNOSTICS);
        let (lines, text) = (LineBegins::of(text), Some(text.to_owned()));
        Self { origin: origin.to_owned(), text, lines, diagnostics, left_out, is_unread: false }
    }

    /// A file that could not be read.
    pub(super) fn unreadable(origin: &str, error: &std::io::Error) -> Self {
        let diagnostics = vec![Diagnostic::new(0..0, format!("cannot be read: {error}"), "")];
        let lines = LineBegins::default();
        // What is there may be too long, or no text.
        let is_unread = error.kind() != std::io::ErrorKind::InvalidData;
        Self { origin: origin.to_owned(), text: None, lines, diagnostics, left_out: 0, is_unread }
    }

    /// The file, as diagnostics name it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Line and column of a byte of the text, from 1; columns count characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let (line, column) = self.lines.place(self.text.as_deref().unwrap_or_default(), offset);
        (line + 1, column + 1)
    }

    /// All mistakes with source text and carets.
    pub fn render(&self, color: bool) -> String {
        self.render_within(color, WIDTH)
    }

    /// The same in lines of at most so many columns.
    pub fn render_within(&self, color: bool, columns: usize) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let width = columns.min(WIDTH);
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_word_separator(breaking::words());
        let origin = self.origin_within(columns);
        let mut out = String::new();
        for diagnostic in &self.diagnostics {
            let report = match &self.text {
                Some(text) => shown_in((&origin, text, &self.lines), diagnostic, width),
                None => {
                    let origin = visible(&self.origin);
                    miette::MietteDiagnostic::new(format!("{origin}: {}", diagnostic.message)).into()
                }
            };
            // Writing to a String cannot fail. If drawing fails all the same, the message is still shown.
            if handler.render_report(&mut out, report.as_ref()).is_err() {
                out += &diagnostic.message;
            }
        }
        if let Some(more) = self.more() {
            out += &more;
        }
        let fits = |line: &str| measure_text_width(line) <= columns;
        if out.lines().all(fits) {
            return out;
        }
        out.lines().map(|line| truncate_str(line, columns, "…").into_owned() + "\n").collect()
    }

    /// The file's name, without the beginning of its path if there is no room for it beside the place.
    fn origin_within(&self, columns: usize) -> String {
        const PLACE: usize = "  ╭─[:10000:1000]".len();
        let origin = visible(&self.origin).into_owned();
        let mut rest = origin.as_str();
        while measure_text_width(rest) > columns.saturating_sub(PLACE + 1).max(8) {
            rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
        }
        if rest.len() == origin.len() { origin } else { format!("…{rest}") }
    }
}

impl ScenarioError {
    /// `FILE: 12 more mistakes`
    fn more(&self) -> Option<String> {
        let noun = if self.left_out == 1 { "mistake" } else { "mistakes" };
        (self.left_out > 0).then(|| format!("{}: {} more {noun}", self.origin, self.left_out))
    }
}

/// A mistake with the lines of text around it.
fn shown_in(within: (&str, &str, &LineBegins), diagnostic: &Diagnostic, columns: usize) -> miette::Report {
    let mut report = miette::MietteDiagnostic::new(diagnostic.message.clone());
    report.help.clone_from(&diagnostic.help);
    report.severity = diagnostic.is_warning.then_some(Severity::Warning);
    let excerpt = Excerpt::new(within, &diagnostic.span, &diagnostic.label, columns);
    // An arrow leads to its words: without any, the place is underlined.
    let words = Some(diagnostic.label.clone()).filter(|words| !words.is_empty());
    let label = LabeledSpan::new_with_span(words, excerpt.span.clone());
    miette::Report::from(report.with_label(label)).with_source_code(excerpt)
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, diagnostic) in self.diagnostics.iter().enumerate() {
            let newline = if count == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:", visible(&self.origin))?;
            if self.text.is_some() {
                let (line, column) = self.line_column(diagnostic.span.start);
                write!(f, "{line}:{column}:")?;
            }
            let warning = if diagnostic.is_warning { " warning:" } else { "" };
            write!(f, "{warning} {}", diagnostic.message)?;
            if let Some(help) = &diagnostic.help {
                write!(f, " ({})", help.replace('\n', "; "))?;
            }
        }
        self.more().map_or(Ok(()), |more| write!(f, "\n{more}"))
    }
}

impl std::error::Error for ScenarioError {}
