//! nats-servers with JetStream, each with a folder and a port of its own. They end with the test's process, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{PATIENCE, Scratch, root};

/// Runs the server until its stdin ends, and then removes the folder.
const GUARDED: &str = r#"
folder=$1; shift
"$@" &
server=$!
echo "$server" >"$folder/pid"
read -r _
exec 2>/dev/null
kill -9 "$server"
wait "$server" 2>/dev/null
rm -rf "$folder"
"#;

/// A running nats-server.
pub struct NatsServer {
    guard: Child,
    folder: PathBuf,
    pub port: u16,
}

impl NatsServer {
    /// One server for all tests that only need a stream of their own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<NatsServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn start() -> Self {
        let scratch = Scratch::new();
        let folder = scratch.path().to_owned();
        // The guard removes it.
        std::mem::forget(scratch);
        let store = folder.join("store").display().to_string();
        Self::start_in(folder, &["-js", "-a", "127.0.0.1", "-p", "-1", "-sd", &store])
    }

    /// One with a configuration, which names its folder for the stream as `STORE`.
    pub fn configured(configuration: &str) -> Self {
        let scratch = Scratch::new();
        let folder = scratch.path().to_owned();
        std::mem::forget(scratch);
        let file = folder.join("conf");
        let store = folder.join("store");
        fs::write(&file, configuration.replace("STORE", store.to_str().unwrap())).unwrap();
        Self::start_in(folder, &["-c", file.to_str().unwrap()])
    }

    /// Gives a server that was configured another configuration. Connections that there are hear nothing of it.
    pub fn reconfigure(&self, configuration: &str) {
        let store = self.folder.join("store");
        fs::write(self.folder.join("conf"), configuration.replace("STORE", store.to_str().unwrap())).unwrap();
        let pid = fs::read_to_string(self.folder.join("pid")).unwrap();
        let ran = Command::new("kill").args(["-HUP", pid.trim()]).status().unwrap();
        assert!(ran.success());
    }

    fn start_in(folder: PathBuf, flags: &[&str]) -> Self {
        let binary = root().join("target/test-tools/python/bin/nats-server");
        assert!(binary.exists(), "there is no nats-server: ./tests/run installs it");
        let log = folder.join("log");
        let guard = Command::new("sh")
            .args(["-c", GUARDED, "sh"])
            .arg(&folder)
            .arg(binary)
            .arg("-l")
            .arg(&log)
            .args(flags)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let port = port(&log);
        Self { guard, folder, port }
    }

    /// The location of a stream of this server, which is created.
    pub fn location(&self, stream: &str) -> PathBuf {
        at(self.port, stream)
    }

    /// A name that no other stream has.
    pub fn fresh_name() -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The location of a stream behind a port.
pub fn at(port: u16, stream: &str) -> PathBuf {
    format!("nats://127.0.0.1:{port}?stream={stream}&create=1&durability=replicas").into()
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The port that a server has written to its log, once it is ready.
fn port(log: &Path) -> u16 {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let text = fs::read_to_string(log).unwrap_or_default();
        if text.contains("Server is ready") {
            let line = text.lines().find(|line| line.contains("Listening for client connections")).unwrap();
            return line.rsplit(':').next().unwrap().trim().parse().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nats-server did not start: {}", fs::read_to_string(log).unwrap_or_default());
}
