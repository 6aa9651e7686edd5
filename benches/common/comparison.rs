//! Several servers side by side: a table of Markdown, one row a server, or the same as JSON.

use serde_json::{Value, json};

use super::report::Row;

/// What one section found about all of them.
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    /// The conditions, in one line.
    pub(crate) about: String,
    /// What the cells are, with their units.
    pub(crate) columns: Vec<String>,
    pub(crate) lines: Vec<Line>,
    /// Why something failed.
    pub(crate) notes: Vec<String>,
}

/// One server.
pub(crate) struct Line {
    pub(crate) title: &'static str,
    /// Of the server, and of what it runs on.
    pub(crate) version: String,
    pub(crate) cells: Cells,
}

pub(crate) enum Cells {
    Measured(Vec<Cell>),
    /// Why there is none.
    Missing(String),
}

pub(crate) enum Cell {
    Figure(Row),
    /// What happened instead.
    Instead(String),
}

impl Comparison {
    pub(super) fn text(&self) -> String {
        let mut head = vec!["server".to_owned()];
        head.extend(self.columns.iter().cloned());
        let mut rows = vec![head];
        rows.extend(self.lines.iter().map(|line| line.row(self.columns.len())));
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..=self.columns.len()).map(width).collect();
        rows.insert(1, widths.iter().map(|width| "-".repeat(*width)).collect());
        let mut text = format!("{}: {}\n", self.name, self.about);
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
            text += &format!("|{}\n", cells.collect::<String>());
        }
        for line in &self.lines {
            match &line.cells {
                Cells::Missing(why) => text += &format!("{}: {why}\n", line.title),
                Cells::Measured(_) if line.version.is_empty() => {}
                Cells::Measured(_) => text += &format!("{}: {}\n", line.title, line.version),
            }
        }
        for note in &self.notes {
            text += &format!("NOTE: {note}\n");
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let lines = self.lines.iter().map(Line::json).collect::<Vec<_>>();
        json!({ "name": self.name, "about": self.about, "servers": lines, "notes": self.notes })
    }
}

impl Line {
    fn row(&self, columns: usize) -> Vec<String> {
        let mut row = vec![self.title.to_owned()];
        match &self.cells {
            Cells::Measured(cells) => row.extend(cells.iter().map(Cell::text)),
            Cells::Missing(_) => row.resize(columns + 1, "not installed".to_owned()),
        }
        row
    }

    fn json(&self) -> Value {
        match &self.cells {
            Cells::Measured(cells) => {
                let rows = cells.iter().map(Cell::json).collect::<Vec<_>>();
                json!({ "name": self.title, "version": self.version, "rows": rows })
            }
            Cells::Missing(why) => json!({ "name": self.title, "missing": why }),
        }
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Figure(row) => row.median_text(),
            Self::Instead(what) => what.clone(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Figure(row) => row.json(),
            Self::Instead(what) => json!({ "instead": what }),
        }
    }
}
