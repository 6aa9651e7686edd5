//! The servers of others that ours is measured beside: what they are called and how each is started. How each is
//! set up is in `benches/peers/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use crate::child::Over;
use crate::dialect::{Dialect, Nats};

/// Below the target directory, as `benches/peers/install` knows it too.
const INSTALLED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../peers");

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

/// Each has the name that `benches/peers/install` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// uWebSockets, by way of socketify
    #[value(name = "uwebsockets")]
    UWebSockets,
    /// nginx with nchan
    NginxNchan,
    /// nats-server's WebSocket listener
    NatsServer,
    /// Node's ws
    NodeWs,
    /// Python's websockets, with its broadcast
    PythonWebsockets,
    /// A route behind uvicorn that awaits each send
    FastapiAwait,
    /// Node's http, which needs no package
    NodeHttp,
    /// A streaming response behind uvicorn, with a queue for each client
    FastapiEvents,
}

impl Peer {
    /// As people call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::UWebSockets => "uWebSockets",
            Self::NginxNchan => "nginx + nchan",
            Self::NatsServer => "nats-server",
            Self::NodeWs => "Node ws",
            Self::PythonWebsockets => "Python websockets",
            Self::FastapiAwait => "FastAPI, await each",
            Self::NodeHttp => "Node http",
            Self::FastapiEvents => "FastAPI, streaming response",
        }
    }

    /// Whether its clients can come so here.
    pub(crate) fn speaks(self, over: Over) -> bool {
        match over {
            Over::WebSocket => !matches!(self, Self::NodeHttp | Self::FastapiEvents),
            Over::Events => matches!(self, Self::NginxNchan | Self::NodeHttp | Self::FastapiEvents),
            Over::Tls => matches!(self, Self::UWebSockets | Self::NginxNchan),
        }
    }

    /// As the installer calls it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |name| name.get_name().to_owned())
    }

    /// What the installer put there; `None` if it did not.
    pub(crate) fn version(self) -> Option<String> {
        let version = fs::read_to_string(self.folder().join("version")).ok()?;
        Some(version.trim().to_owned())
    }

    /// What starts it. Its first line is its port, and the ids of the processes that are the server, if it is not
    /// itself; orders come through its standard input, at whose end it ends.
    pub(crate) fn command(self) -> Command {
        let folder = self.folder();
        let (interpreter, program) = match self {
            Self::UWebSockets => (folder.join("bin/python"), "uwebsockets.py"),
            Self::NginxNchan => ("python3".into(), "nginx_nchan.py"),
            Self::NatsServer => ("python3".into(), "nats_server.py"),
            Self::NodeWs => ("node".into(), "node_ws.mjs"),
            Self::PythonWebsockets => (folder.join("bin/python"), "python_websockets.py"),
            Self::FastapiAwait => (folder.join("bin/python"), "fastapi_await.py"),
            Self::NodeHttp => ("node".into(), "node_http.mjs"),
            Self::FastapiEvents => (folder.join("bin/python"), "fastapi_events.py"),
        };
        // It must not outlive this process, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(interpreter).arg(Path::new(PROGRAMS).join(program));
        command.env("NODE_PATH", folder.join("node_modules"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
        command
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::NatsServer => Dialect::Nats(Nats::default()),
            _ => Dialect::Plain,
        }
    }

    fn folder(self) -> PathBuf {
        Path::new(INSTALLED).join(self.name())
    }
}
