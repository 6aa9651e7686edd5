//! A table: aligned columns for people, tabs for programs.

use std::io;

use colored::Colorize;

use super::fit;
use super::out::{print, print_fields};

/// The least that is left of the last column, which is cut to the width of the terminal.
const LEAST: usize = 12;

/// A table whose last column is the longest.
pub(super) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One cell, as people and as programs read it. Its text has been through the gate, so that its width is known.
pub(super) struct Cell {
    people: String,
    programs: String,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { people: text.clone(), programs: text }
    }
}

impl From<(String, String)> for Cell {
    fn from((people, programs): (String, String)) -> Self {
        Self { people, programs }
    }
}

impl Table {
    pub(super) fn new<const N: usize>(header: [&'static str; N]) -> Self {
        Self { header: header.into(), rows: Vec::new() }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Aligned columns below a header. The last one is cut where the terminal ends.
    pub(super) fn print_for_people(&self, width: usize) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let last = self.header.len() - 1;
        let widths: Vec<usize> = (0..last)
            .map(|column| {
                let cells = self.rows.iter().map(|row| fit::width(&row[column].people));
                cells.chain([self.header[column].len()]).max().unwrap_or_default()
            })
            .collect();
        let left = width.saturating_sub(widths.iter().map(|width| width + 2).sum()).max(LEAST);
        let line = |cells: Vec<&str>| {
            let padded = cells.iter().zip(&widths);
            let padded: String = padded.map(|(cell, width)| fit::column(cell, *width) + "  ").collect();
            format!("{padded}{}", fit::cut(cells[last], left))
        };
        print(line(self.header.clone()).dimmed())?;
        self.rows
            .iter()
            .try_for_each(|row| print(line(row.iter().map(|cell| cell.people.as_str()).collect())))
    }

    /// A line a row, without a header.
    pub(super) fn print_for_programs(&self) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| print_fields(row.iter().map(|cell| &cell.programs)))
    }
}
