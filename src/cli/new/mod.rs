//! `incident new`: writes a scenario that can be played at once, with comments that say how to go on.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;

use super::exit::{Exit, Failure};
use super::out::{print_file, say};
use super::outfile::{OutFile, STDOUT};
use crate::scenario::{is_id, is_scenario_file};
use crate::shell::{self, word};

/// The file that is written; `ID` and `FILE` stand for its id and name.
const STARTER: &str = include_str!("starter.toml");

/// Write the beginning of a scenario of your own
///
/// The file can be played at once, and its comments explain it. It is written to scenarios/NAME.toml, or to NAME.toml where
/// there is no folder scenarios/. A file that exists is never overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident new slow-search                           Write a scenario, and say how to check and play it
  incident new slow-search --output - | less         Only look at it")]
pub(super) struct New {
    /// The scenario's id: 1 to 64 lower-case letters, digits and dashes
    #[arg(value_name = "NAME")]
    name: String,

    /// The file to write; - is stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self, quiet: bool) -> Result<Exit, Failure> {
        if !is_id(&self.name) {
            let hint = "1 to 64 lower-case letters, digits and dashes, as in slow-search";
            return Err(Failure::new(Exit::Usage, anyhow!("{:?} cannot be an id", self.name)).hint(hint));
        }
        let file = self.output.unwrap_or_else(|| {
            let name = format!("{}.toml", self.name);
            let folder = Path::new("scenarios");
            if folder.is_dir() { folder.join(name) } else { name.into() }
        });
        let shown = shell::file(&file);
        let text = starter(&self.name, if file == Path::new(STDOUT) { STDOUT } else { &shown });
        if file == Path::new(STDOUT) {
            print_file(&text)?;
            return Ok(Exit::Fine);
        }
        // Pipes and devices are written too.
        let is_new = !file.exists() || file.is_file();
        if is_new && !is_scenario_file(&file) {
            let error = anyhow!("{} does not end in .toml, as the files of scenarios do", file.display());
            let named = shell::file(&file.with_extension("toml"));
            return Err(Failure::new(Exit::Usage, error).hint(format!("--output {named}")));
        }
        OutFile::open(&file)?.write(&text)?;
        if !quiet {
            say(format!("wrote {shown}"));
            say(format!("check it:  incident validate {shown} --watch"));
            let id = word(&self.name);
            say(format!("play it:   incident serve --scenarios {shown} --trigger {id}"));
        }
        Ok(Exit::Fine)
    }
}

fn starter(id: &str, file: &str) -> String {
    // In a comment no control character may stand.
    let file = if file == STDOUT || file.contains(char::is_control) { "FILE" } else { file };
    let begin = STARTER.replacen("\"ID\"", &format!("{id:?}"), 1);
    begin.replace(" FILE", &format!(" {file}")).replace("trigger ID", &format!("trigger {id}"))
}
