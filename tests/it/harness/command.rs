//! The real binary: one run to its end, or a server that is killed when the test is over.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

use super::{PATIENCE, Scratch, fixture};

/// A run of the binary with nothing inherited that changes what it does.
pub struct Run {
    command: Command,
    /// Whatever it keeps between runs (a journal) stays in here.
    home: Scratch,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// `incident ARGS…`
pub fn incident(args: &[&str]) -> Run {
    let home = Scratch::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_incident"));
    command.args(args).env_remove("NO_COLOR").env_remove("INCIDENT_URL").env_remove("INCIDENT_TOKEN");
    command.env_remove("INCIDENT_READ_TOKEN").env_remove("INCIDENT_CACERT");
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_ascii_lowercase());
    }
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    command.env_remove("CLICOLOR_FORCE").env("XDG_STATE_HOME", home.path()).env("HOME", home.path());
    command.current_dir(home.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Run { command, home }
}

impl Run {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    pub fn at(mut self, folder: &std::path::Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs with a limit on open files, soft and hard.
    pub fn limited(mut self, files: u64) -> Self {
        let inner = std::mem::replace(&mut self.command, Command::new("sh"));
        self.command.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]);
        self.wrap(&inner)
    }

    /// Runs with a umask: the permissions that new files don't get.
    pub fn masked(mut self, mask: &str) -> Self {
        let inner = std::mem::replace(&mut self.command, Command::new("sh"));
        self.command.args(["-c", &format!("umask {mask} && exec \"$0\" \"$@\"")]);
        self.wrap(&inner)
    }

    /// What a wrapping command runs, with its environment.
    fn wrap(mut self, inner: &Command) -> Self {
        self.command.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => self.command.env(name, value),
                None => self.command.env_remove(name),
            };
        }
        self.command.current_dir(self.home.path());
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self
    }

    /// Runs in a mount namespace of its own, after a command that mounts something there.
    pub fn within(mut self, mount: &str) -> Self {
        let inner = std::mem::replace(&mut self.command, Command::new("unshare"));
        self.command.args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            &format!("{mount} && exec \"$0\" \"$@\""),
        ]);
        self.wrap(&inner)
    }

    /// Runs behind another command, as in `nsenter … incident serve`.
    pub fn behind(mut self, prefix: &[String]) -> Self {
        let Some((program, args)) = prefix.split_first() else { return self };
        let inner = std::mem::replace(&mut self.command, Command::new(program));
        self.command.args(args);
        self.wrap(&inner)
    }

    /// Runs with a stdout that takes no byte; its reader is to be kept.
    pub fn with_full_stdout(mut self) -> (Running, std::io::PipeReader) {
        let (reader, writer) = full_pipe();
        self.command.stdout(writer);
        (self.spawn(), reader)
    }

    /// Runs with a stdout whose reader has gone.
    pub fn with_gone_reader(mut self) -> Running {
        let (_, writer) = std::io::pipe().unwrap();
        self.command.stdout(writer);
        self.spawn()
    }

    /// Runs with a pipe as stdin, which ends when the second one is dropped.
    pub fn fed(mut self) -> (Running, std::io::PipeWriter) {
        let (reader, writer) = std::io::pipe().unwrap();
        self.command.stdin(reader);
        (self.spawn(), writer)
    }

    /// Runs to the end.
    pub fn run(self) -> Ran {
        self.spawn().end()
    }

    pub fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let stderr = lines(child.stderr.take());
        Running { child, stderr, said: String::new(), _home: self.home }
    }
}

/// A process that is killed when dropped.
pub struct Running {
    child: Child,
    stderr: mpsc::Receiver<String>,
    /// What came of stderr so far.
    said: String,
    _home: Scratch,
}

impl Running {
    /// The lines that it prints, as they come. Its output is closed soon after the receiver is dropped.
    pub fn lines(&mut self) -> mpsc::Receiver<String> {
        lines(self.child.stdout.take())
    }

    /// Waits until stderr has a line with this text, and gives that line.
    pub fn says(&mut self, text: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{text:?} was not said, but:\n{}", self.said));
            self.said += &line;
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the end and takes everything that it printed.
    pub fn end(mut self) -> Ran {
        let stdout = lines(self.child.stdout.take());
        let rest = |lines: &mpsc::Receiver<String>, what: &str| {
            let mut text = String::new();
            loop {
                match lines.recv_timeout(PATIENCE) {
                    Ok(line) => text += &line,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return text,
                    Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} did not end:\n{text}"),
                }
            }
        };
        let stdout = rest(&stdout, "stdout");
        let stderr = std::mem::take(&mut self.said) + &rest(&self.stderr, "stderr");
        let status = self.child.wait().unwrap().code();
        Ran { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe on a thread, so that a full pipe blocks nobody and every wait has a bound.
fn lines(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (lines, received) = mpsc::channel();
    thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        // With its line break: whether the last line has one is a part of what is tested.
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if lines.send(String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned()).is_err() {
                return;
            }
        }
    });
    received
}

/// A pipe that has no room for another byte.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    let (filled, is_full) = mpsc::channel();
    // The usual capacity. In a smaller pipe the thread waits until the pipe is closed, and the pipe is full too.
    thread::spawn(move || {
        let _ = filler.write_all(&vec![b'\n'; 65_536]);
        let _ = filled.send(());
    });
    let _ = is_full.recv_timeout(PATIENCE);
    (reader, writer)
}

/// These arguments, with the examples as scenarios.
fn examples(args: &[&str]) -> Run {
    let scenarios = fixture("scenarios");
    incident(&[args, &["--scenarios", scenarios.to_str().unwrap()]].concat())
}

/// `incident serve --port 0 --json`, ready.
pub struct Serving {
    process: Running,
    ready: Value,
}

impl Serving {
    /// Serves the examples with these further flags; returns once it says that it is ready.
    pub fn with(args: &[&str]) -> Self {
        let fixed = ["serve", "--port", "0", "--json", "--quiet"];
        Self::again(&[&fixed, args].concat())
    }

    /// As [`Serving::with`], in a mount namespace of its own.
    pub fn within(mount: &str, args: &[&str]) -> Self {
        let fixed = ["serve", "--port", "0", "--json", "--quiet"];
        Self::ready(examples(&[&fixed, args].concat()).within(mount))
    }

    /// A server with exactly these arguments and the examples, ready.
    pub fn again(args: &[&str]) -> Self {
        Self::ready(examples(args))
    }

    /// A server with exactly these arguments and nothing else, ready.
    pub fn alone(args: &[&str]) -> Self {
        Self::ready(incident(args))
    }

    fn ready(mut run: Run) -> Self {
        // Nobody reads its log: a full pipe must not stop it.
        run.command.stderr(Stdio::null());
        Self::started(run.spawn())
    }

    /// A server that is run as it is, with its log in a file; `None` if it ends before it is ready.
    pub fn logging(mut run: Run, log: std::fs::File) -> Option<Self> {
        run.command.stderr(log);
        let mut process = run.spawn();
        let line = process.lines().recv_timeout(PATIENCE).ok()?;
        let ready = serde_json::from_str(&line).unwrap();
        Some(Self { process, ready })
    }

    fn started(mut process: Running) -> Self {
        let line = process.lines().recv_timeout(PATIENCE).expect("the server says that it is ready");
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["event"], "ready", "{line}");
        Self { process, ready }
    }

    /// A server whose log goes into a pipe that was closed.
    pub fn unheard() -> Self {
        let mut run = incident(&["serve", "--port", "0", "--json"]);
        let (reader, writer) = std::io::pipe().unwrap();
        run.command.stderr(writer);
        drop(reader);
        let mut process = run.spawn();
        let line = process.lines().recv_timeout(PATIENCE).expect("the server says that it is ready");
        Self { process, ready: serde_json::from_str(&line).unwrap() }
    }

    /// A server with these further arguments whose log goes into a full pipe that nobody reads; and the reader of that pipe.
    pub fn unread(args: &[&str]) -> (Self, std::io::PipeReader) {
        let mut run = examples(&[&["serve", "--port", "0", "--json"], args].concat());
        let (reader, writer) = full_pipe();
        run.command.stderr(writer);
        let mut process = run.spawn();
        let line = process.lines().recv_timeout(PATIENCE).expect("the server says that it is ready");
        (Self { process, ready: serde_json::from_str(&line).unwrap() }, reader)
    }

    /// Of its WebSocket.
    pub fn url(&self) -> &str {
        self.ready["websocket"].as_str().unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        self.url().split('/').nth(2).unwrap().parse().unwrap()
    }

    /// `incident COMMAND --url …`, prepared.
    pub fn incident(&self, args: &[&str]) -> Run {
        incident(&[args, &["--url", self.url()]].concat())
    }

    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.process.child.id()
    }

    /// Waits until it ends by itself.
    pub fn end(self) -> Option<i32> {
        self.process.end().status
    }
}
