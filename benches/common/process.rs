//! A process that is measured: it does not outlive its owner.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

/// How long a process may take to end by itself.
const TIDY_UP: Duration = Duration::from_secs(5);

/// A child that does not outlive its owner.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it and waits for its first line.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<(Self, String)> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = Self(child.with_context(|| format!("cannot start {command:?}"))?);
        let stdout = process.0.stdout.take().context("a child has a standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        Ok((process, line))
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.0.stdin.as_mut().context("a child has a standard input")?;
        Ok(writeln!(stdin, "{line}")?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// CPU so far of all its threads, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        cpu_us(self.0.id())
    }

    /// Memory that is resident now, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<f64> {
        rss_kib(self.0.id())
    }

    /// Closes its standard input, and gives it a moment to end by itself and tidy up.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        drop(self.0.stdin.take());
        let start = Instant::now();
        while self.0.try_wait()?.is_none() && start.elapsed() < TIDY_UP {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// CPU so far of all threads of any process, in microseconds. From the scheduler, which counts nanoseconds:
/// `/proc/PID/stat` has ticks of 10 ms.
pub(crate) fn cpu_us(pid: u32) -> anyhow::Result<f64> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the look.
        let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let running = schedstat.split(' ').next().unwrap_or_default();
        nanoseconds += running.parse::<u64>().context("schedstat begins with nanoseconds")?;
    }
    Ok(nanoseconds as f64 / 1e3)
}

/// Memory of any process that is resident now, in KiB.
pub(crate) fn rss_kib(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is missing")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A process and all that it started, and so on.
pub(crate) fn family(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut family = vec![pid];
    let mut known = 0;
    while let Some(pid) = family.get(known) {
        for task in fs::read_dir(format!("/proc/{pid}/task"))?.collect::<Vec<_>>() {
            let children = fs::read_to_string(task?.path().join("children"))?;
            for child in children.split_whitespace() {
                family.push(child.parse()?);
            }
        }
        known += 1;
    }
    Ok(family)
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
