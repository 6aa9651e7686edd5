//! `incident`: parses the command line, runs it, reports an error, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    incident::cli::main()
}
