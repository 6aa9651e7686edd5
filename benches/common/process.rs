//! A process that is measured: it does not outlive its owner.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

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

    /// CPU so far of all its threads, in microseconds. From the scheduler, which counts nanoseconds:
    /// `/proc/PID/stat` has ticks of 10 ms.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may end between the listing and the look.
            let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let running = schedstat.split(' ').next().unwrap_or_default();
            nanoseconds += running.parse::<u64>().context("schedstat begins with nanoseconds")?;
        }
        Ok(nanoseconds as f64 / 1e3)
    }

    /// Memory that is resident now, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is missing")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
