//! What the `main` of every benchmark does: it says what went wrong, and measures only if it is asked to.

use std::process::ExitCode;

use super::report::{Report, Section};

/// Ends the program: with a word about an error, if there is one.
pub(crate) fn end(name: &str, ran: anyhow::Result<()>) -> ExitCode {
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether anything is to be measured. `reads` says what is read from /proc.
pub(crate) fn measures(name: &str, reads: &str, asked: bool) -> bool {
    if !cfg!(target_os = "linux") {
        eprintln!("{name}: Linux only: {reads} of a process are read from /proc");
        return false;
    }
    if !asked {
        // `cargo test --all-targets` gets here: a benchmark of a debug build would be long and say nothing.
        println!("{name}: run it with `cargo bench --bench {name}`");
    }
    asked
}

/// Measures the wanted sections, or the usual ones if none is wanted, and prints the report.
pub(crate) fn sections<W>(
    name: &'static str,
    json: bool,
    (wanted, usual): (&[W], &[W]),
    mut measure: impl FnMut(&W) -> anyhow::Result<Section>,
) -> anyhow::Result<()> {
    let mut report = Report::new(name, json);
    for section in if wanted.is_empty() { usual } else { wanted } {
        report.add(measure(section)?);
    }
    report.finish();
    Ok(())
}
