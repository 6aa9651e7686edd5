//! The results in several formats, on stdout and in files. The files are opened before anything is checked, so that a path
//! that can't be written fails at once.

mod escape;
mod github;
mod items;
mod json;
mod junit;
mod pretty;
mod sarif;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::anyhow;
use clap::ValueEnum;

use super::judged::Findings;
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::fit;
use crate::cli::out::{print_drawn, print_own};
use crate::cli::outfile::{OutFile, STDOUT};
pub(super) use pretty::{Detail, View};

/// The formats of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Text for people
    #[default]
    Pretty,
    /// One JSON object
    Json,
    /// JUnit XML, which most CI systems show
    Junit,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// `KIND=FILE`, or several with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportsTo(Vec<ReportTo>);

impl FromStr for ReportsTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A comma in the name of a file is no end, unless a kind follows.
        let begins = |rest: &str| {
            let kind = rest.split_once('=').map(|(kind, _)| kind);
            kind.is_some_and(|kind| Kind::from_str(kind, false).is_ok())
        };
        let mut reports = Vec::new();
        let mut from = 0;
        for (at, _) in text.match_indices(',').filter(|(at, _)| begins(&text[at + 1..])) {
            reports.push(text[from..at].parse()?);
            from = at + 1;
        }
        reports.push(text[from..].parse()?);
        Ok(Self(reports))
    }
}

/// `KIND=FILE`
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReportTo {
    kind: Kind,
    /// `None` is stdout.
    file: Option<PathBuf>,
}

impl FromStr for ReportTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = || {
            let kinds = Kind::value_variants().iter().filter_map(Kind::to_possible_value);
            kinds.map(|kind| kind.get_name().to_owned()).collect::<Vec<_>>().join(", ")
        };
        let (kind, file) = text.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or_else(|| {
            format!("a report is KIND=FILE, as in junit=report.xml; the kinds are {}", kinds())
        })?;
        let kind = Kind::from_str(kind, false)
            .map_err(|_| format!("there is no kind {kind:?}; there are {}", kinds()))?;
        Ok(Self { kind, file: (file != STDOUT).then(|| PathBuf::from(file)) })
    }
}

/// What is written where.
#[derive(Debug)]
pub(super) struct Reports {
    stdout: Vec<Kind>,
    files: Vec<(Kind, OutFile)>,
}

impl Reports {
    /// Opens the files.
    ///
    /// # Errors
    /// A file can't be written, or has content already; two reports would be mixed.
    pub(super) fn open(format: Option<Kind>, reports: &[ReportsTo]) -> Result<Self, Failure> {
        let reports: Vec<&ReportTo> = reports.iter().flat_map(|several| &several.0).collect();
        let on_stdout: Vec<Kind> =
            reports.iter().filter(|report| report.file.is_none()).map(|report| report.kind).collect();
        // Annotations are lines among others; what else is printed is read as a whole.
        let is_document = |kind: &Kind| *kind != Kind::Github;
        let mut stdout = match format {
            Some(format) => vec![format],
            None if on_stdout.iter().any(is_document) => Vec::new(),
            None => vec![Kind::Pretty],
        };
        stdout.extend(on_stdout);
        let has_other = |kind: &Kind| !matches!(kind, Kind::Pretty | Kind::Github);
        if stdout.len() > 1 && stdout.iter().any(has_other) {
            let error = anyhow!("stdout can take only one of json, junit and sarif, and nothing beside it");
            return Err(
                Failure::new(Exit::Usage, error).hint("write the others to files: --report KIND=FILE")
            );
        }
        let mut files: Vec<(Kind, OutFile)> = Vec::new();
        for report in reports {
            let Some(path) = &report.file else { continue };
            let taken = |(_, file): &(Kind, OutFile)| is_same(file.path(), path);
            if files.iter().any(taken) {
                let error = anyhow!("two reports would be written to {}", path.display());
                return Err(Failure::new(Exit::Usage, error).hint("name another file"));
            }
            files.push((report.kind, OutFile::open(path)?));
        }
        Ok(Self { stdout, files })
    }

    /// The JSON report in a file.
    pub(super) fn json(&self) -> Option<String> {
        let found = self.files.iter().find(|(kind, _)| *kind == Kind::Json);
        found.map(|(_, file)| file.path().display().to_string())
    }

    /// Writes everything: first to the files, because the reader of stdout may be gone.
    pub(super) fn write(self, found: &Findings, view: &View, color: ColorChoice) -> Result<(), Failure> {
        let Self { stdout, files } = self;
        write_files(files, found, view, color)?;
        for kind in stdout {
            let text = text(kind, found, view)?;
            match kind {
                Kind::Pretty => print_drawn(&text)?,
                // What comes from elsewhere was escaped as each format does it.
                Kind::Json | Kind::Junit | Kind::Github | Kind::Sarif => print_own(text.as_bytes())?,
            }
        }
        Ok(())
    }

    /// That nothing could be checked, for the programs that read reports. People read the error.
    pub(super) fn write_failure(
        self,
        found: &Findings,
        view: &View,
        color: ColorChoice,
    ) -> Result<(), Failure> {
        let Self { stdout, files } = self;
        write_files(files, found, view, color)?;
        if stdout.contains(&Kind::Github) {
            print_own(github::text(found).as_bytes())?;
        }
        Ok(())
    }
}

fn write_files(
    files: Vec<(Kind, OutFile)>,
    found: &Findings,
    view: &View,
    color: ColorChoice,
) -> Result<(), Failure> {
    for (kind, file) in files {
        colored::control::set_override(false);
        let text = text(kind, found, &View { columns: usize::MAX, ..view.clone() });
        color.apply(&std::io::stdout());
        file.write(&text?)?;
    }
    Ok(())
}

fn text(kind: Kind, found: &Findings, view: &View) -> Result<String, Failure> {
    Ok(match kind {
        Kind::Pretty => pretty::text(found, view),
        Kind::Json => json::text(found),
        Kind::Junit => junit::text(found)?,
        Kind::Github => github::text(found),
        Kind::Sarif => sarif::text(found),
    })
}

/// Whether two paths are the same file, which need not exist.
fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((folder.canonicalize().ok()?, path.file_name()?.to_owned()))
    };
    one == other || whole(one).zip(whole(other)).is_some_and(|(one, other)| one == other)
}

/// The columns that the text on stdout may have.
pub(super) fn columns() -> usize {
    if std::io::stdout().is_terminal() { fit::of_stdout() } else { usize::MAX }
}
