//! Debian's Alertmanager, for tests of both directions.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use super::{PATIENCE, Scratch};

/// An Alertmanager that is killed when dropped.
pub struct Alertmanager {
    process: Child,
    pub address: SocketAddr,
    _folder: Scratch,
}

impl Alertmanager {
    /// With this configuration, and these files beside it.
    pub fn start(config: &str, files: &[(&str, &str)]) -> Self {
        let mut folder = Scratch::new().with("alertmanager.yml", config);
        for (name, text) in files {
            folder = folder.with(name, text);
        }
        let mut process = Command::new("prometheus-alertmanager")
            .args(["--config.file=alertmanager.yml", "--storage.path=data"])
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus-alertmanager is installed: ./tests/run does that");
        let log = BufReader::new(process.stderr.take().unwrap());
        let (found, address) = mpsc::channel();
        // It has to be read on: a full pipe would stop it.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let word = line.split(' ').find_map(|word| word.strip_prefix("address="));
                if let Some(address) = word.and_then(|word| word.parse::<SocketAddr>().ok()) {
                    let _ = found.send(address);
                }
            }
        });
        let address = address.recv_timeout(PATIENCE).expect("it says where it listens");
        Self { process, address, _folder: folder }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
