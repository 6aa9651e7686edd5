//! The lines of the phases on a terminal: all of them, or those around the current one where the terminal has too few rows.

use std::ops::Range;

use colored::Colorize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::bars::Shows;
use crate::cli::out::painted;

/// Rows beside the phases: the bar, and that of the cursor.
const OTHERS: usize = 2;

/// The lines of the phases.
pub(super) struct Phases {
    bars: MultiProgress,
    /// One line per phase, in order, with the name of the phase.
    lines: Vec<(String, ProgressBar)>,
    /// Which of them are drawn.
    shown: Range<usize>,
    /// What says how many stand above those that are drawn, and below them.
    above: ProgressBar,
    below: ProgressBar,
}

impl Phases {
    pub(super) fn new(bars: &MultiProgress) -> Self {
        let edge = || {
            // Drawn only among the others.
            let edge = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            if let Ok(style) = ProgressStyle::with_template("   {wide_msg}") {
                edge.set_style(style);
            }
            edge
        };
        let (above, below) = (edge(), edge());
        Self { bars: bars.clone(), lines: Vec::new(), shown: 0..0, above, below }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lays those that do not move any more out again.
    pub(super) fn force_draw(&self) {
        self.lines[self.shown.clone()].iter().for_each(|(_, bar)| bar.force_draw());
    }

    pub(super) fn get(&self, phase: &str) -> Option<&(String, ProgressBar)> {
        self.lines.iter().find(|(name, _)| name == phase)
    }

    pub(super) fn push(&mut self, name: String, bar: ProgressBar) {
        self.lines.push((name, bar));
    }

    /// Leaves what is drawn as it is.
    pub(super) fn abandon(&self) {
        let edges = [&self.above, &self.below];
        for bar in self.lines.iter().map(|(_, bar)| bar).chain(edges).filter(|bar| !bar.is_finished()) {
            bar.abandon();
        }
    }

    /// Draws all of them, or those around a phase that the terminal has room for.
    pub(super) fn show_around(&mut self, phase: Option<&str>, rows: usize) {
        let all = self.lines.len();
        let current = phase.and_then(|phase| self.lines.iter().position(|(name, _)| name == phase));
        let wanted = window(all, current.unwrap_or_default(), rows);
        if wanted == self.shown {
            return;
        }
        let before = self.shown.clone();
        for place in before.clone().filter(|place| !wanted.contains(place)) {
            self.bars.remove(&self.lines[place].1);
        }
        self.bars.remove(&self.above);
        self.bars.remove(&self.below);
        let first = usize::from(wanted.start > 0);
        if first > 0 {
            self.bars.insert(0, self.above.clone());
            self.above.show(painted![format!("… {} before", wanted.start).dimmed()]);
        }
        for (row, place) in wanted.clone().enumerate().filter(|(_, place)| !before.contains(place)) {
            self.bars.insert(first + row, self.lines[place].1.clone());
            self.lines[place].1.force_draw();
        }
        if wanted.end < all {
            self.bars.insert(first + wanted.len(), self.below.clone());
            self.below.show(painted![format!("… {} more", all - wanted.end).dimmed()]);
        }
        self.shown = wanted;
    }
}

/// Which of so many lines are drawn on a terminal of so many rows.
fn window(all: usize, current: usize, rows: usize) -> Range<usize> {
    let room = rows.saturating_sub(OTHERS);
    if all <= room {
        return 0..all;
    }
    // Two rows say how many are left out. Without any room the current one alone is drawn, as well as it can be.
    let room = room.saturating_sub(2).max(1);
    let start = current.saturating_sub(room / 3).min(all - room);
    start..start + room
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn the_current_one_is_always_drawn() {
        assert_eq!(window(5, 0, 24), 0..5);
        assert_eq!(window(22, 21, 24), 0..22);
        for rows in 0..30 {
            for current in 0..23 {
                let shown = window(23, current, rows);
                assert!(shown.contains(&current) && shown.end <= 23, "{rows} rows, at {current}: {shown:?}");
                assert!(
                    rows < 6 || shown.len() + 2 + 2 <= rows || shown.len() == 23,
                    "{rows} {current}: {shown:?}"
                );
            }
        }
    }
}
