//! A process that is measured: this program in another role, or a peer; told what to do through its standard input.

use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

use crate::certificate::{Certificate, Visitor};
use crate::common::process::{self, Process};
use crate::dialect::Dialect;
use crate::load::{Load, Losses};
use crate::options::Role;
use crate::peer::Peer;

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

/// Who is measured, and how its clients come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contender {
    pub(crate) who: Who,
    pub(crate) over: Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Own(Role),
    Peer(Peer),
}

/// How clients come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    WebSocket,
    /// An event stream, `/events`.
    Events,
    /// WebSocket over TLS.
    Tls,
}

impl Contender {
    pub(crate) fn own(role: Role) -> Self {
        Self { who: Who::Own(role), over: Over::WebSocket }
    }

    /// Our server, over its event stream.
    pub(crate) fn events() -> Self {
        Self { who: Who::Own(Role::Server), over: Over::Events }
    }

    pub(crate) fn peer(peer: Peer) -> Self {
        Self { who: Who::Peer(peer), over: Over::WebSocket }
    }

    /// The same with clients that come so.
    pub(crate) fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }
}

/// The process; it ends with this value.
pub(crate) struct Measured {
    process: Process,
    pub(crate) port: u16,
    contender: Contender,
    certificate: Option<Certificate>,
    /// Processes that are the server, with all that they start, if it is not the process itself.
    servers: Vec<u32>,
}

impl Measured {
    pub(crate) fn start(role: Role, clients: u32) -> anyhow::Result<Self> {
        Self::start_any(Contender::own(role), clients)
    }

    pub(crate) fn start_any(contender: Contender, clients: u32) -> anyhow::Result<Self> {
        Self::start_on(contender, clients, None)
    }

    /// The process may run on this core only, if there is one: then our server has one thread for clients.
    pub(crate) fn start_on(contender: Contender, clients: u32, core: Option<u32>) -> anyhow::Result<Self> {
        let mut command = match contender.who {
            Who::Peer(peer) => peer.command(),
            Who::Own(role) => {
                let role = role.to_possible_value().context("every role has a name")?;
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["--role", role.get_name(), "--clients", &clients.to_string()]);
                command
            }
        };
        let certificate = (contender.over == Over::Tls).then(Certificate::make).transpose()?;
        if let Some(certificate) = &certificate {
            certificate.tell(&mut command);
        }
        if let Some(core) = core {
            command = on_core(core, &command);
        }
        let (process, line) = Process::start(&mut command)?;
        let mut words = line.split_whitespace();
        let port = words.next().and_then(|port| port.parse().ok()).context("a child names its port first")?;
        let servers = words.map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { process, port, contender, certificate, servers })
    }

    /// Clients that hold it to what it owes them: ours and the floor to everything.
    pub(crate) fn connect(&self, clients: u32) -> anyhow::Result<Load> {
        self.connect_with(clients, &self.visitors(clients))
    }

    /// What so many clients know when they come for the first time; nothing without TLS.
    pub(crate) fn visitors(&self, clients: u32) -> Vec<Visitor> {
        let Some(certificate) = &self.certificate else { return Vec::new() };
        (0..clients).map(|_| certificate.visitor()).collect()
    }

    /// As [`Measured::connect`], with clients that may have been there before.
    pub(crate) fn connect_with(&self, clients: u32, visitors: &[Visitor]) -> anyhow::Result<Load> {
        let Contender { who, over } = self.contender;
        let (losses, plain) = match who {
            Who::Own(_) => (Losses::Forbidden, Dialect::Plain),
            Who::Peer(peer) => (Losses::Counted, peer.dialect()),
        };
        let dialect = if over == Over::Events { Dialect::Events } else { plain };
        Load::connect_to(self.port, clients, losses, &dialect, visitors)
    }

    pub(crate) fn publish(&mut self, order: Order) -> anyhow::Result<()> {
        let Order { messages, rate, batch } = order;
        self.process.tell(&format!("{messages} {rate} {batch}"))
    }

    /// CPU so far of all its threads, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        self.sum(process::cpu_us)
    }

    /// Memory that is resident now, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<f64> {
        self.sum(process::rss_kib)
    }

    fn sum(&self, figure: impl Fn(u32) -> anyhow::Result<f64>) -> anyhow::Result<f64> {
        if self.servers.is_empty() {
            return figure(self.process.id());
        }
        let mut sum = 0.0;
        for server in &self.servers {
            for pid in process::family(*server)? {
                sum += figure(pid)?;
            }
        }
        Ok(sum)
    }
}

/// The same command, on one core. `taskset` becomes the command, so the id of the process is that of the server.
fn on_core(core: u32, command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", &core.to_string()]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            pinned.env(name, value);
        }
    }
    pinned
}

impl Drop for Measured {
    fn drop(&mut self) {
        if let Who::Peer(_) = self.contender.who {
            // It has servers to end and files to take away. If it does not, it is killed.
            let _ = self.process.end();
        }
    }
}
