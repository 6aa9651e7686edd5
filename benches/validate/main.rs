//! What judging a recording costs, next to a loop that reads and parses its lines: see `benches/README.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

#[path = "../common/mod.rs"]
mod common;
mod live;
mod tape;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;

use common::program;
use common::report::{Goal, Report, Row, Section};

/// Measure `incident validate` against a bare read-and-parse loop, and against a client that only reads.
#[derive(Debug, Parser)]
#[command(name = "validate")]
struct Options {
    /// Events of the recording
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,

    /// Messages per second of the live stream
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..))]
    rate: u32,

    /// Seconds of the live stream
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(3..))]
    seconds: u32,

    /// Rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,

    /// Be the floor: read this file, parse each line, and end
    #[arg(long, hide = true)]
    floor: Option<PathBuf>,

    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let ran = match &options.floor {
        Some(file) => floor(file),
        None => measure(&options),
    };
    program::end("validate", ran)
}

/// Reads and parses every line, on one thread.
fn floor(file: &Path) -> anyhow::Result<()> {
    let mut events = 0_u64;
    for line in BufReader::with_capacity(256 * 1024, File::open(file)?).lines() {
        let event: serde_json::Value = serde_json::from_str(&line?)?;
        events += u64::from(event.is_object());
    }
    anyhow::ensure!(events > 0, "the file has no events");
    Ok(())
}

fn measure(options: &Options) -> anyhow::Result<()> {
    if !program::measures("validate", "CPU and memory", options.bench) {
        return Ok(());
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-events.ndjson", options.events));
    let bytes = tape::write(&file, options.events)?;
    let mut ours = Rounds::default();
    let mut floors = Rounds::default();
    for _ in 0..options.rounds {
        let mut validate = Command::new(env!("CARGO_BIN_EXE_incident"));
        ours.add(run(validate.args(["validate", "--quiet"]).arg(&file))?);
        let mut floor = Command::new(std::env::current_exe()?);
        floors.add(run(floor.arg("--floor").arg(&file))?);
    }
    std::fs::remove_file(&file)?;
    let million = options.events == 1_000_000;
    let time = Row::new("validate", "s", ours.seconds);
    let floor = Row::new("read and parse", "s", floors.seconds);
    let memory = Row::new("most memory of validate", "MiB", ours.mebibytes);
    let rows = vec![
        Row::ratio("validate / read and parse", &time, &floor).goal(Goal::AtMost(3.0)),
        if million { time.goal(Goal::AtMost(5.0)) } else { time },
        floor,
        memory.goal(Goal::AtMost(100.0)),
        Row::new("most memory of read and parse", "MiB", floors.mebibytes),
    ];
    let about = format!("{} events, {:.0} MB, rounds in turns", options.events, bytes as f64 / 1e6);
    let mut report = Report::new("validate", options.json);
    report.add(Section { name: "recording", about, rows, note: None });
    report.add(live::measure(options.rate, options.seconds, options.rounds)?);
    report.finish();
    Ok(())
}

#[derive(Default)]
struct Rounds {
    seconds: Vec<f64>,
    mebibytes: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, (seconds, mebibytes): (f64, f64)) {
        self.seconds.push(seconds);
        self.mebibytes.push(mebibytes);
    }
}

/// Runs a command to its end. Returns how long it took, in seconds, and the most memory that was resident, in MiB.
fn run(command: &mut Command) -> anyhow::Result<(f64, f64)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut most = 0.0_f64;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // The kernel keeps the peak, so that only what comes after the last look is missed.
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<f64>().ok());
            most = most.max(kib.unwrap_or_default() / 1024.0);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    anyhow::ensure!(status.success(), "{command:?} failed: {status}");
    Ok((start.elapsed().as_secs_f64(), most))
}
