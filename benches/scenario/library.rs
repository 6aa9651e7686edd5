//! The shipped scenarios, each played by a server and judged by a client, as `incident validate` does it.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::ensure;
use incident::scenario::SHIPPED;

use crate::common::report::{Goal, Row, Section};

pub(crate) fn measure(rounds: u32) -> anyhow::Result<Section> {
    let names = SHIPPED.map(|(name, _)| name.trim_end_matches(".toml"));
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let mut command = Command::new(env!("CARGO_BIN_EXE_incident"));
        // Beside any scenarios/ folder: names are those that ship with the program.
        command.arg("validate").args(names).current_dir(std::env::temp_dir());
        let start = Instant::now();
        let ran = command.stdin(Stdio::null()).output()?;
        seconds.push(start.elapsed().as_secs_f64());
        ensure!(ran.status.success(), "validate failed: {}", String::from_utf8_lossy(&ran.stdout));
    }
    Ok(Section {
        name: "library",
        about: format!("`incident validate` on the {} shipped scenarios and their variants", names.len()),
        rows: vec![Row::new("all of them", "s", seconds).goal(Goal::AtMost(10.0))],
        note: None,
    })
}
