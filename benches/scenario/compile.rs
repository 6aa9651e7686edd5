//! From the text of a file to its plan, in a process of its own for each time.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use incident::contract::MessageType;
use incident::scenario::Scenario;
use serde_json::{Value, json};

use crate::common::report::{Goal, Row, Section};
use crate::common::slope;
use crate::written::{Size, toml};

/// The file of the goal.
const LARGE: Size = Size { steps: 10_000, samples: 500, bytes: 1_000_000 };

/// From 1,000 to 100,000 steps and samples together, which is as many steps as a file may have: one step, which has two
/// events here, to nine samples, so that what is compiled is the same and only its size grows.
const SIZES: [Size; 5] = [
    Size { steps: 100, samples: 900, bytes: 0 },
    Size { steps: 300, samples: 2_700, bytes: 0 },
    Size { steps: 1_000, samples: 9_000, bytes: 0 },
    Size { steps: 3_000, samples: 27_000, bytes: 0 },
    Size { steps: 10_000, samples: 90_000, bytes: 0 },
];

/// The names of the rows of `SIZES`.
const NAMES: [&str; 5] = [
    "100 steps, 900 samples",
    "300 steps, 2,700 samples",
    "1,000 steps, 9,000 samples",
    "3,000 steps, 27,000 samples",
    "10,000 steps, 90,000 samples",
];

/// Compiles once, in this process, and prints what it took.
pub(crate) fn once(size: Size) -> anyhow::Result<()> {
    let text = toml(size);
    let start = Instant::now();
    // It reads, checks and compiles with the file's own seed.
    let scenario = Scenario::parse("large.toml", &text)?;
    let read = start.elapsed();
    let plan = scenario.compile(1)?;
    let compiled = start.elapsed().saturating_sub(read);
    let samples = plan.events().iter().filter(|event| event.kind() == MessageType::SystemMetrics).count();
    ensure!(samples as u64 == size.samples, "{samples} samples, not {}", size.samples);
    ensure!(
        plan.events().len() as u64 == 2 * size.steps + size.samples + 2,
        "{} events",
        plan.events().len()
    );
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM is missing")?;
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    let took = json!({
        "bytes": text.len(),
        "read_ms": read.as_secs_f64() * 1e3,
        "compile_ms": compiled.as_secs_f64() * 1e3,
        "mib": kib / 1024.0,
    });
    println!("{took}");
    Ok(())
}

/// What some rounds took, each in a fresh process.
#[derive(Default)]
struct Took {
    bytes: f64,
    read: Vec<f64>,
    compile: Vec<f64>,
    mib: Vec<f64>,
}

fn rounds(size: Size, rounds: u32) -> anyhow::Result<Took> {
    let mut took = Took::default();
    for _ in 0..rounds {
        let mut command = Command::new(std::env::current_exe()?);
        let ran = command.args(["--compile", &size.argument()]).stderr(Stdio::inherit()).output()?;
        ensure!(ran.status.success(), "{command:?} failed: {}", ran.status);
        let told: Value = serde_json::from_slice(&ran.stdout)?;
        let number = |key: &str| told[key].as_f64().with_context(|| format!("{told} has no {key}"));
        took.bytes = number("bytes")?;
        took.read.push(number("read_ms")?);
        took.compile.push(number("compile_ms")?);
        took.mib.push(number("mib")?);
    }
    Ok(took)
}

pub(crate) fn large(number: u32) -> anyhow::Result<Section> {
    let took = rounds(LARGE, number)?;
    Ok(Section {
        name: "large",
        about: format!("a file of {:.2} MB with {} steps", took.bytes / 1e6, LARGE.steps),
        rows: vec![
            Row::new("read, check and compile", "ms", took.read).goal(Goal::AtMost(50.0)),
            Row::new("compile again with another seed", "ms", took.compile),
            Row::new("most memory of the process", "MiB", took.mib).goal(Goal::AtMost(100.0)),
        ],
        note: None,
    })
}

pub(crate) fn slope(number: u32) -> anyhow::Result<Section> {
    let mut rows = Vec::new();
    let mut points = Vec::new();
    let mut most = Vec::new();
    for (size, name) in SIZES.into_iter().zip(NAMES) {
        let took = rounds(size, number)?;
        let row = Row::new(name, "ms", took.read);
        most = took.mib;
        points.push((size.parts() as f64, row.median()));
        rows.push(row);
    }
    // 1 is linear, 2 quadratic.
    let exponent = Row::single("exponent of the growth", "", slope::of(&points)).goal(Goal::AtMost(1.15));
    rows.insert(0, exponent);
    rows.push(Row::new("most memory of the process, 100,000", "MiB", most).goal(Goal::AtMost(100.0)));
    Ok(Section {
        name: "slope",
        about: "from text to plan; a straight line through the logarithms of size and time".to_owned(),
        rows,
        note: None,
    })
}
