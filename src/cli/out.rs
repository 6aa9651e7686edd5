//! The only place that writes to stdout and stderr. Every text goes through the gate here; styles are added after it.
//!
//! A text is given as it came: a `&str`, a `String`, or one in colours. Pieces of different styles are put together with
//! [`painted!`], never with `format!`: the gate shows the codes of a style that stand in a text.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use colored::ColoredString;
use serde_json::Value;

use super::backlog::Backlog;
use super::emoji::apart;
use super::{fit, screen};
use crate::visible::{document as shown_document, json as shown_json, unforged, visible};

/// A text that has been through the gate and has its styles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Painted(String);

/// What a line is put together from.
pub(super) trait Piece {
    fn add_to(&self, line: &mut Painted);
}

impl Piece for str {
    fn add_to(&self, line: &mut Painted) {
        line.0 += &visible(self);
    }
}

impl Piece for String {
    fn add_to(&self, line: &mut Painted) {
        self.as_str().add_to(line);
    }
}

impl Piece for Cow<'_, str> {
    fn add_to(&self, line: &mut Painted) {
        self.as_ref().add_to(line);
    }
}

/// The style is added to what the gate lets through.
impl Piece for ColoredString {
    fn add_to(&self, line: &mut Painted) {
        let mut shown = self.clone();
        if let Cow::Owned(text) = visible(&self.input) {
            shown.input = text;
        }
        line.0 += &shown.to_string();
    }
}

impl Piece for Painted {
    fn add_to(&self, line: &mut Painted) {
        line.0 += &self.0;
    }
}

impl<T: Piece + ?Sized> Piece for &T {
    fn add_to(&self, line: &mut Painted) {
        (**self).add_to(line);
    }
}

/// Puts a text together from pieces, each with its style or none.
macro_rules! painted {
    ($($piece:expr),* $(,)?) => {{
        let mut line = $crate::cli::out::Painted::default();
        $($crate::cli::out::Piece::add_to(&$piece, &mut line);)*
        line
    }};
}
pub(super) use painted;

impl Painted {
    /// The columns of the text.
    pub(super) fn width(&self) -> usize {
        fit::width(&self.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most that many columns; "…" stands for what is cut.
    pub(super) fn cut(&self, columns: usize) -> Self {
        Self(fit::cut(&self.0, columns).into_owned())
    }

    /// Without spaces at its end.
    pub(super) fn trimmed(&self) -> Self {
        Self(self.0.trim_end().to_owned())
    }

    /// Several texts with the same between each two.
    pub(super) fn joined(parts: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let parts: Vec<String> = parts.into_iter().map(|part| part.0).collect();
        Self(parts.join(between))
    }

    /// For what draws on the terminal itself: [`super::bars`].
    pub(super) fn into_text(self) -> String {
        unforged(&apart(&self.0)).into_owned()
    }

    /// A line to this output. On a terminal it takes the columns that were counted.
    fn ended(&self, to: &impl IsTerminal) -> String {
        let is_drawn = !self.0.is_ascii() && to.is_terminal();
        let text = if is_drawn { apart(&self.0) } else { Cow::Borrowed(self.0.as_str()) };
        unforged(&text).into_owned() + "\n"
    }
}

/// The lines on their way to stderr, of a command that must not wait for their reader.
static BACKLOG: OnceLock<Backlog> = OnceLock::new();

/// How long the end of the process waits for the reader of stderr.
const LAST_LINES: Duration = Duration::from_secs(2);

/// From now on nothing waits until its line is on stderr.
pub(super) fn never_wait_for_stderr() {
    let lost = |lines| {
        tracing::error!(lines, "lines of the log were dropped, because stderr was not read");
    };
    // Without a thread for it, stderr is written at once, as by every other command.
    if let Ok(backlog) = Backlog::start(io::stderr(), lost) {
        // Only `serve` calls this, and once.
        let _ = BACKLOG.set(backlog);
    }
}

/// Waits for the reader of stderr to take the last lines, for a while.
pub(super) fn finish_stderr() {
    if let Some(backlog) = BACKLOG.get() {
        backlog.flush(LAST_LINES);
    }
}

/// Before something else is written to the terminal, or the process ends: what is drawn stays.
pub(super) fn leave_drawing() {
    if screen::leaves_line() {
        // If this fails, the terminal is gone.
        let _ = io::stderr().write_all(b"\n");
    }
}

/// Errors are ignored: a closed stderr is no reason to stop.
fn to_stderr(line: String) {
    leave_drawing();
    match BACKLOG.get() {
        Some(backlog) => backlog.push(line.into_bytes()),
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// Writes one line to stderr. Errors are ignored: a closed stderr is no reason to stop.
pub(super) fn say(line: impl Piece) {
    to_stderr(painted![line].ended(&io::stderr()));
}

/// Writes a text to stderr, on a terminal in lines of whole words.
pub(super) fn say_in_lines(text: &str) {
    let columns = if io::stderr().is_terminal() { fit::of_stderr() } else { usize::MAX };
    fit::wrapped(&visible(text), columns, 2).iter().for_each(say);
}

/// Writes a text to stderr, and a command behind it. A terminal without room for both has the command on a line of its own, in which no
/// break is put: it is there to be copied.
pub(super) fn say_with_command(text: &str, command: &str) {
    let whole = painted![text, " ", command];
    if !io::stderr().is_terminal() || whole.width() <= fit::of_stderr() {
        return say(whole);
    }
    say_in_lines(text);
    say(painted!["  ", command]);
}

/// Writes lines to stderr that a renderer of our own has drawn, with its styles, from texts that went through the gate.
pub(super) fn say_drawn(drawing: &str) {
    for line in drawing.lines() {
        to_stderr(Painted(only_styles(line)).ended(&io::stderr()));
    }
}

/// Whether whoever read stdout has gone: `incident list | head -1`.
static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// A reader that has gone changes nothing about what a command does, or finds: it goes on, and what it would print is lost.
fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    if io::stdout().is_terminal() {
        leave_drawing();
    }
    // What stays in a buffer would be written at the end of the process, where no error can be told.
    match io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            READER_LEFT.store(true, Ordering::Relaxed);
            Ok(())
        }
        written => written,
    }
}

/// Whether nobody reads stdout any more. A command that only prints, for as long as it is read, ends then.
pub(super) fn reader_has_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

/// Writes lines to stdout that a renderer of our own has drawn, with its styles, from texts that went through the gate.
pub(super) fn print_drawn(drawing: &str) -> io::Result<()> {
    let lines = drawing.lines().map(|line| Painted(only_styles(line)).ended(&io::stdout()));
    to_stdout(lines.collect::<String>().as_bytes())
}

/// Writes one line to stdout.
pub(super) fn print(line: impl Piece) -> io::Result<()> {
    to_stdout(painted![line].ended(&io::stdout()).as_bytes())
}

/// Writes a line of fields to stdout, separated by tabs. No field can have one.
pub(super) fn print_fields<T: Piece>(fields: impl IntoIterator<Item = T>) -> io::Result<()> {
    let fields = fields.into_iter().map(|field| painted![field]);
    to_stdout(Painted::joined(fields, "\t").ended(&io::stdout()).as_bytes())
}

/// Writes a JSON value of our own to stdout, as one line.
pub(super) fn print_json(value: &Value) -> io::Result<()> {
    let text = value.to_string();
    to_stdout(format!("{}\n", shown_json(&text)).as_bytes())
}

/// Writes an event to stdout as it came: one line, and in a pipe the bytes that the server sent. A terminal would obey
/// some of them: there they are escaped, which changes nothing about the value.
pub(super) fn print_event(raw: &str) -> io::Result<()> {
    let line = if io::stdout().is_terminal() {
        shown_json(raw)
    } else {
        // JSON has line breaks only between tokens, where a space means the same.
        Cow::Owned(raw.replace(['\n', '\r'], " "))
    };
    to_stdout(format!("{line}\n").as_bytes())
}

/// A document of several lines from elsewhere, through the gate line by line.
pub(super) fn lines_of(text: &str) -> String {
    let shown = shown_document(text);
    shown.split_inclusive('\n').map(unforged).collect()
}

/// Writes a document from elsewhere to stdout.
pub(super) fn print_document(text: &str) -> io::Result<()> {
    to_stdout(lines_of(text).as_bytes())
}

/// Writes a file to stdout: as it is, except to a terminal.
pub(super) fn print_file(text: &str) -> io::Result<()> {
    if io::stdout().is_terminal() {
        return print_document(text);
    }
    to_stdout(text.as_bytes())
}

/// Writes what this program generates from nothing but itself: scripts, man pages, the schema.
pub(super) fn print_own(bytes: &[u8]) -> io::Result<()> {
    to_stdout(bytes)
}

/// Writes what clap has drawn: help to stdout, mistakes of the command line to stderr. Help names what variables have.
pub(super) fn print_usage(drawing: &str, mistake: bool) -> io::Result<()> {
    if mistake {
        say_drawn(drawing);
        return Ok(());
    }
    print_drawn(drawing)
}

/// Where the log of the process is written: each write is one line.
pub(super) fn log_lines(as_json: bool) -> LogLines {
    LogLines { as_json }
}

/// The log on stderr. Lines of text are gated field by field in [`super::log`], those of JSON here.
pub(super) struct LogLines {
    as_json: bool,
}

impl Write for LogLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\n');
        let line_of_log = if self.as_json {
            format!("{}\n", shown_json(text))
        } else {
            Painted(only_styles(text)).ended(&io::stderr())
        };
        to_stderr(line_of_log);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line in which styles are all that steers a terminal: a second gate behind renderers that are not ours.
fn only_styles(line: &str) -> String {
    let mut written = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find('\u{1b}') {
        let (before, code) = rest.split_at(start);
        written += &shown_document(before).replace('\n', "\\n");
        let style = code.strip_prefix("\u{1b}[").and_then(|style| {
            let end = style.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
            style[end..].starts_with('m').then_some(end + "\u{1b}[m".len())
        });
        let length = style.unwrap_or(1);
        if style.is_some() {
            written += &code[..length];
        } else {
            written += &visible(&code[..length]);
        }
        rest = &code[length..];
    }
    written + &shown_document(rest).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use colored::Colorize;

    use super::*;

    #[test]
    fn styles_come_after_the_gate() {
        colored::control::set_override(true);
        let line = painted!["error:".red(), " ", "a\u{1b}[31mb\n", "x\u{202e}".bold()];
        assert_eq!(line.0, "\u{1b}[31merror:\u{1b}[0m a\\u{1b}[31mb\\n\u{1b}[1mx\\u{202e}\u{1b}[0m");
        assert_eq!(painted![format!("{}", "x".red())].0, "\\u{1b}[31mx\\u{1b}[0m", "styles in a text show");
    }

    #[test]
    fn of_a_drawing_only_styles_stay() {
        assert_eq!(
            only_styles("\u{1b}[1;31mx\u{1b}[0m\u{1b}]0;t\u{7}\u{1b}[2J\ty"),
            "\u{1b}[1;31mx\u{1b}[0m\\u{1b}]0;t\\u{7}\\u{1b}[2J\ty"
        );
    }
}
