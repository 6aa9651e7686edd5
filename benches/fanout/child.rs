//! A process that is measured: this program in another role, told what to do through its standard input.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

use crate::options::Role;

/// What to publish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) messages: u64,
    /// A second; 0 is all at once.
    pub(crate) rate: f64,
    /// Messages the floor joins in one write. The server decides that itself.
    pub(crate) batch: u64,
}

impl Order {
    /// When the `index`th message is due: counted from the start, so that lateness never adds up.
    pub(crate) fn due(&self, start: Instant, index: u64) -> Option<Instant> {
        (self.rate > 0.0).then(|| start + Duration::from_secs_f64((index - 1) as f64 / self.rate))
    }
}

impl FromStr for Order {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let mut words = line.split(' ');
        let mut word = || words.next().context("an order is MESSAGES RATE BATCH");
        Ok(Self { messages: word()?.parse()?, rate: word()?.parse()?, batch: word()?.parse()? })
    }
}

/// The process; it ends with this value.
pub(crate) struct Measured {
    process: Process,
    pub(crate) port: u16,
}

impl Measured {
    pub(crate) fn start(role: Role, clients: u32) -> anyhow::Result<Self> {
        let role = role.to_possible_value().context("every role has a name")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", role.get_name(), "--clients", &clients.to_string()]);
        let (process, line) = Process::start(&mut command)?;
        Ok(Self { process, port: line.trim().parse().context("a child names its port first")? })
    }

    pub(crate) fn publish(&mut self, order: Order) -> anyhow::Result<()> {
        let Order { messages, rate, batch } = order;
        let stdin = self.process.0.stdin.as_mut().context("a child has a standard input")?;
        writeln!(stdin, "{messages} {rate} {batch}")?;
        Ok(())
    }

    /// CPU so far of all its threads, in microseconds. From the scheduler, which counts nanoseconds:
    /// `/proc/PID/stat` has ticks of 10 ms.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.process.0.id()))? {
            // A thread may end between the listing and the look.
            let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let running = schedstat.split(' ').next().unwrap_or_default();
            nanoseconds += running.parse::<u64>().context("schedstat begins with nanoseconds")?;
        }
        Ok(nanoseconds as f64 / 1e3)
    }

    /// Memory that is resident now, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is missing")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

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
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
