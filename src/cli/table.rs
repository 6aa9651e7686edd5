//! A table: aligned columns for people, tabs for programs.

use std::io;

use colored::Colorize;

use super::fit;
use super::out::{print, print_fields};

/// What a row should have of the last column before other columns are cut.
const LAST: usize = 12;

/// A table whose last column is the longest.
pub(super) struct Table {
    header: Vec<&'static str>,
    fits: Vec<Fits>,
    rows: Vec<Vec<Cell>>,
}

/// How a column gives way where the terminal is narrow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fits {
    /// It does not.
    Whole,
    /// It is cut, down to so many columns.
    Text(usize),
    /// The middle of its ids is cut, down to so many columns; after every text.
    Id(usize),
}

impl Fits {
    fn cell(self, text: &str, width: usize) -> String {
        match self {
            Self::Id(_) => fit::column(&fit::short_id(text, width), width),
            Self::Whole | Self::Text(_) => fit::column(text, width),
        }
    }
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
    pub(super) fn new<const N: usize>(columns: [(&'static str, Fits); N]) -> Self {
        let (header, fits) = columns.into_iter().unzip();
        Self { header, fits, rows: Vec::new() }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Aligned columns below a header, of rows that the terminal does not break.
    pub(super) fn print_for_people(&self, width: usize) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let widths = self.widths(width);
        let line = |cells: &[&str]| {
            let cells = cells.iter().zip(&self.fits).zip(&widths);
            let padded: Vec<String> = cells.map(|((cell, fits), width)| fits.cell(cell, *width)).collect();
            padded.join("  ").trim_end().to_owned()
        };
        print(line(&self.header).dimmed())?;
        self.rows.iter().try_for_each(|row| {
            let cells: Vec<&str> = row.iter().map(|cell| cell.people.as_str()).collect();
            print(line(&cells))
        })
    }

    /// The columns of each column: as many as it needs, or fewer where they would be too many together. The last one gives way
    /// first, then texts, then ids.
    fn widths(&self, width: usize) -> Vec<usize> {
        let needed = |column: usize| {
            let cells = self.rows.iter().map(|row| fit::width(&row[column].people));
            cells.chain([self.header[column].len()]).max().unwrap_or_default()
        };
        let mut widths: Vec<usize> = (0..self.header.len()).map(needed).collect();
        let last = widths.len() - 1;
        let between = 2 * last;
        let mut give_way = |column: usize, least: usize| {
            let over = (widths.iter().sum::<usize>() + between).saturating_sub(width);
            let most = widths[column].saturating_sub(least);
            widths[column] -= over.min(most);
        };
        give_way(last, LAST);
        let columns = || self.fits.iter().copied().enumerate();
        for (column, fits) in columns().take(last) {
            if let Fits::Text(least) = fits {
                give_way(column, least);
            }
        }
        for (column, fits) in columns().take(last) {
            if let Fits::Id(least) = fits {
                give_way(column, least);
            }
        }
        if let Some(Fits::Text(least)) = self.fits.last() {
            give_way(last, *least);
        }
        widths
    }

    /// A line a row, without a header.
    pub(super) fn print_for_programs(&self) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| print_fields(row.iter().map(|cell| &cell.programs)))
    }
}
