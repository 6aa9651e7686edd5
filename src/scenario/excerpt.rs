//! The lines of a text around a place, cut to the columns there are: however long a text and its lines are, little of them
//! is looked at and shown.

use std::ops::Range;

use console::{measure_text_width, truncate_str};
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::visible::{document, source, visible};

/// The bytes of a line that are looked at, before and after the place.
const LOOKED_AT: usize = 2_000;

/// The columns of a tab.
const TAB: &str = "    ";

/// Stands for what is cut.
const CUT: &str = "…";

/// Three lines of a text, or fewer.
#[derive(Debug)]
pub(super) struct Excerpt {
    origin: String,
    text: String,
    /// The place in `text`.
    pub(super) span: Range<usize>,
    /// The number of its first line in the whole text, from 0.
    first: usize,
    /// The place's column in the whole text, from 0.
    column: usize,
}

/// Where the lines of a text begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LineBegins(Vec<usize>);

impl LineBegins {
    pub(super) fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line and the column of a byte, from 0; columns count characters.
    pub(super) fn place(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = floor(text, offset);
        let line = self.0.partition_point(|begin| *begin <= offset).saturating_sub(1);
        let begin = self.0.get(line).copied().unwrap_or_default();
        (line, text.get(begin..offset).unwrap_or_default().chars().count())
    }

    /// The bytes of a line without its line break.
    fn line(&self, text: &str, line: usize) -> Option<Range<usize>> {
        let begin = *self.0.get(line)?;
        let end = self.0.get(line + 1).map_or(text.len(), |next| next - 1);
        Some(begin..end)
    }
}

impl Excerpt {
    /// The lines around `span`, which `label` stands below, in at most so many columns with the numbers beside them.
    pub(super) fn new(
        (origin, text, lines): (&str, &str, &LineBegins),
        span: &Range<usize>,
        label: &str,
        columns: usize,
    ) -> Self {
        let (line, column) = lines.place(text, span.start);
        // ` 12 │ `
        let numbers = (line + 2).to_string().len() + 4;
        let columns = columns.saturating_sub(numbers).max(10);
        let whole = lines.line(text, line).unwrap_or_default();
        let start = floor(text, span.start).clamp(whole.start, whole.end);
        let end = floor(text, span.end).clamp(start, whole.end);
        let before = line.checked_sub(1).and_then(|before| lines.line(text, before));
        let mut shown =
            before.clone().map_or_else(String::new, |before| beside(&text[before], columns) + "\n");
        let (main, mut span) =
            around(&text[whole.clone()], start - whole.start..end - whole.start, label, columns);
        span = span.start + shown.len()..span.end + shown.len();
        shown += &main;
        shown.push('\n');
        if let Some(after) = lines.line(text, line + 1).filter(|after| !after.is_empty()) {
            shown += &(beside(&text[after], columns) + "\n");
        }
        span.end = span.end.max(span.start + 1);
        let first = if before.is_some() { line - 1 } else { line };
        Self { origin: visible(origin).into_owned(), text: shown, span, first, column }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, before, after)?;
        // Without lines around it, it is the place that is told.
        let column = if before == 0 { self.column } else { read.column() };
        let line = self.first + read.line();
        let origin = self.origin.clone();
        let read =
            MietteSpanContents::new_named(origin, read.data(), *read.span(), line, column, read.line_count());
        Ok(Box::new(read))
    }
}

/// A line above or below the place.
fn beside(line: &str, columns: usize) -> String {
    let part = &line[..floor(line, LOOKED_AT)];
    let shown = document(part).replace('\t', TAB);
    if part.len() < line.len() && measure_text_width(&shown) <= columns {
        return shown + CUT;
    }
    truncate_str(&shown, columns, CUT).into_owned()
}

/// The line of the place, and where the place is in it.
fn around(line: &str, span: Range<usize>, label: &str, columns: usize) -> (String, Range<usize>) {
    let begin = floor(line, span.start.saturating_sub(LOOKED_AT));
    let end = floor(line, span.start + LOOKED_AT);
    let (shown, place) =
        source(&line[begin..end], span.start - begin..span.end.clamp(span.start, end) - begin);
    let part = |range: Range<usize>| shown[range].replace('\t', TAB);
    let (left, within, right) = (part(0..place.start), part(place.clone()), part(place.end..shown.len()));
    let width = |text: &str| measure_text_width(text);
    // The label begins below the middle of the place.
    let label = 4 + width(label);
    let fits = |left: usize, within: usize| left + within / 2 + label <= columns;
    let is_whole = begin == 0 && end == line.len();
    if is_whole
        && width(&left) + width(&within) + width(&right) <= columns
        && fits(width(&left), width(&within))
    {
        let start = left.len();
        return (left + &within + &right, start..start + within.len());
    }
    let within = truncate_str(&within, columns / 2, CUT).into_owned();
    let mut left = left;
    if begin > 0 || width(&left) > columns / 3 || !fits(width(&left), width(&within)) {
        let room = columns.saturating_sub(label + width(&within) / 2).clamp(1, columns / 3);
        left = if width(&left) > room { format!("{CUT}{}", last(&left, room - 1)) } else { left };
    }
    let start = left.len();
    let rest = columns.saturating_sub(width(&left) + width(&within));
    let right = match right.as_str() {
        "" if end == line.len() => String::new(),
        right if width(right) <= rest && end < line.len() => {
            format!("{}{CUT}", truncate_str(right, rest.saturating_sub(1), ""))
        }
        right => truncate_str(right, rest, CUT).into_owned(),
    };
    let span = start..start + within.len();
    (left + &within + &right, span)
}

/// The end of a text, of at most so many columns.
fn last(text: &str, columns: usize) -> &str {
    let (mut begin, mut taken) = (text.len(), 0);
    for (at, c) in text.char_indices().rev() {
        taken += measure_text_width(c.encode_utf8(&mut [0; 4]));
        if taken > columns {
            break;
        }
        begin = at;
    }
    &text[begin..]
}

/// The last boundary of characters that is not behind `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
