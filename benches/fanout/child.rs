//! A process that is measured: this program in another role, told what to do through its standard input.

use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

use crate::common::process::Process;
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
        self.process.tell(&format!("{messages} {rate} {batch}"))
    }

    /// CPU so far of all its threads, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        self.process.cpu_us()
    }

    /// Memory that is resident now, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<f64> {
        self.process.rss_kib()
    }
}
