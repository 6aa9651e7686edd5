//! The terminal on which lines are drawn again and again. Also where it becomes narrower meanwhile, nothing stays of what was
//! drawn before.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};
use parking_lot::Mutex;

use super::{fit, terminal};

/// Clears from the cursor to the end of the line, and to the end of the screen.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_REST: &str = "\r\x1b[J";

/// Whether the cursor stands at the beginning of a line that is drawn. What a terminal echoes, as the `^C` of ctrl-c, stands in that line,
/// which is drawn anew; behind a line that reaches the border it would take a row that nobody knows of.
static RESTS: AtomicBool = AtomicBool::new(false);

/// Whether it does. From now on it is expected behind that line.
pub(super) fn leaves_line() -> bool {
    RESTS.swap(false, Ordering::Relaxed)
}

/// Where bars are drawn: on stderr, if it is a terminal, at most so many times in a second.
pub(super) fn target(hz: u8) -> ProgressDrawTarget {
    if !terminal::is_stderr() {
        return ProgressDrawTarget::hidden();
    }
    let term = Term::buffered_stderr();
    let drawn = Drawn { columns: columns(&term), ..Drawn::default() };
    let screen = Screen { term, breaks_lines: terminal::breaks_lines(), drawn: Mutex::new(drawn) };
    ProgressDrawTarget::term_like_with_hz(Box::new(screen), hz)
}

/// Stderr. Who draws fills each line with spaces up to the border and lets the terminal begin the next one, so that all of them
/// are one line for a terminal that breaks lines anew when its width changes; and knows of the lines only how many they were.
/// Here each line is one of its own, and those that were broken are removed.
#[derive(Debug)]
struct Screen {
    term: Term,
    /// A terminal that becomes narrower breaks the lines that are too wide. Others cut them.
    breaks_lines: bool,
    drawn: Mutex<Drawn>,
}

/// What is on the screen, or is just being drawn.
#[derive(Debug, Default)]
struct Drawn {
    /// The columns when it was drawn.
    columns: usize,
    /// The width of each line.
    lines: Vec<usize>,
    /// Calls have come since it was shown.
    is_begun: bool,
    /// The columns of the line at the end, and how many of them are still to be filled.
    width: usize,
    missing: usize,
    /// The cursor stands in a line that is filled, and what follows begins the next one.
    is_at_border: bool,
}

fn columns(term: &Term) -> usize {
    usize::from(term.size().1).max(1)
}

/// The rows of a line.
fn rows(width: usize, columns: usize) -> usize {
    width.div_ceil(columns).max(1)
}

impl Drawn {
    /// How many rows more the last ones take above the cursor where there are fewer columns now. It stands at the beginning of the
    /// last row.
    fn added(&self, last: usize, columns: usize) -> usize {
        let mut lines = self.lines.iter().rev();
        let mut before = lines.next().map_or(0, |width| rows(*width, self.columns));
        let mut now = before.checked_sub(1).map_or(0, |above| above * self.columns / columns + 1);
        for width in lines {
            if before >= last {
                break;
            }
            before += rows(*width, self.columns);
            now += rows(*width, columns);
        }
        now.saturating_sub(before)
    }

    fn begin(&mut self, columns: usize) {
        if !std::mem::replace(&mut self.is_begun, true) {
            *self = Self { columns, is_begun: true, is_at_border: self.is_at_border, ..Self::default() };
        }
    }

    /// The line at the end has reached the border.
    fn is_full(&self) -> bool {
        self.width > 0 && self.width.is_multiple_of(self.columns)
    }

    fn end_line(&mut self) {
        self.lines.push(self.width - self.missing);
        (self.width, self.missing) = (0, 0);
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.term.size().1.max(1)
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    /// The first call of a drawing: to the first of its lines.
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut drawn = self.drawn.lock();
        if !drawn.is_begun {
            let columns = columns(&self.term);
            let added = if self.breaks_lines { drawn.added(n + 1, columns) } else { 0 };
            if added > 0 {
                self.term.move_cursor_up(n + added)?;
                self.term.write_str(CLEAR_REST)?;
                self.term.move_cursor_down(n)?;
            }
            drawn.begin(columns);
        }
        self.term.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        let mut drawn = self.drawn.lock();
        drawn.end_line();
        self.term.write_line("")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut drawn = self.drawn.lock();
        drawn.begin(columns(&self.term));
        let width = fit::width(text);
        if text == "\r" || width == 0 {
            drawn.is_at_border &= text != "\r";
            return self.term.write_str(text);
        }
        if drawn.is_full() {
            drawn.end_line();
            drawn.is_at_border = true;
        }
        if std::mem::take(&mut drawn.is_at_border) {
            self.term.write_str("\n")?;
        }
        drawn.width += width;
        if text.trim_matches(' ').is_empty() && drawn.is_full() {
            drawn.missing = width;
            return self.term.write_str(CLEAR_LINE);
        }
        self.term.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut drawn = self.drawn.lock();
        drawn.begin(columns(&self.term));
        drawn.is_at_border = false;
        self.term.clear_line()
    }

    /// The end of a drawing. Its last line is filled, so that nothing stays beside it, and the cursor goes back to its beginning.
    fn flush(&self) -> io::Result<()> {
        let mut drawn = self.drawn.lock();
        if drawn.width > 0 {
            self.term.write_str(&" ".repeat(drawn.missing))?;
            self.term.write_str("\r")?;
            drawn.missing = 0;
            drawn.is_at_border = drawn.is_full();
            drawn.end_line();
        }
        drawn.is_begun = false;
        RESTS.store(drawn.is_at_border, Ordering::Relaxed);
        self.term.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_that_lines_take_are_counted_from_the_end() {
        let drawn = Drawn { columns: 100, lines: vec![100, 80, 60, 100], ..Drawn::default() };
        // 80, 60 and 100 columns take 2, 1 and 2 rows of 70; the cursor stands in the first of those 2.
        assert_eq!(
            (drawn.added(3, 70), drawn.added(1, 70), drawn.added(3, 100), drawn.added(3, 120)),
            (1, 0, 0, 0)
        );
        // A line that was broken already.
        let drawn = Drawn { columns: 50, lines: vec![10, 100], ..Drawn::default() };
        assert_eq!((drawn.added(2, 25), drawn.added(3, 25)), (1, 1));
    }
}
