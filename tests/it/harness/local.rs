//! A server in this process, whose journal a test can append to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use incident::contract::{Position, StreamId};
use incident::journal::{Journal, Memory, Record, Retention, Sqlite};
use incident::scenario::Library;
use incident::server::{Auth, Options, Server};
use incident::token::{Scope, Token};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Client, Scratch, fixture};

/// The examples.
pub fn library() -> Library {
    Library::read(&fixture("scenarios")).library
}

/// The usual options, but that stopping takes no longer than a test may.
pub fn options() -> Options {
    Options { drain: Duration::from_secs(3), ..Options::default() }
}

/// Tokens that tests show.
pub const READ: &str = "r3ad-0123456789abcdef";
pub const WRITE: &str = "wr1te-0123456789abcdef";

/// As a server knows them.
pub fn tokens(known: &[(Scope, &str)]) -> Vec<(Scope, Token)> {
    known.iter().map(|(scope, token)| (*scope, token.parse().unwrap())).collect()
}

/// A server that runs until it is dropped.
pub struct Local {
    pub address: SocketAddr,
    pub journal: Journal,
    pub auth: Arc<Auth>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    folder: Option<Scratch>,
}

impl Local {
    /// With the usual options and everything kept.
    pub async fn start() -> Self {
        Self::with(options(), Retention::default()).await
    }

    /// One that asks for [`READ`] or [`WRITE`].
    pub async fn closed() -> Self {
        let tokens = tokens(&[(Scope::Read, READ), (Scope::Write, WRITE)]);
        Self::with(Options { tokens, ..options() }, Retention::default()).await
    }

    pub async fn with(options: Options, retention: Retention) -> Self {
        let stream = StreamId::generate(1_700_000_000_000, incident::random::bits());
        Self::over(options, Journal::new(Memory::new(stream, retention))).await
    }

    /// Over a journal in a file, in a folder that vanishes with it.
    pub async fn in_a_file(options: Options, retention: Retention) -> Self {
        let folder = Scratch::new();
        let journal = Sqlite::open(&folder.path().join("journal.db"), retention).unwrap();
        let mut server = Self::over(options, Journal::new(journal)).await;
        server.folder = Some(folder);
        server
    }

    /// Over a journal that has a past.
    pub async fn over(options: Options, journal: Journal) -> Self {
        Self::playing(options, library(), journal).await
    }

    /// With these scenarios.
    pub async fn playing(options: Options, library: Library, journal: Journal) -> Self {
        let server = Server::bind(options, library, journal.clone()).await.unwrap();
        let (address, auth) = (server.address(), server.auth());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
        Self { address, journal, auth, stop: Some(stop), running, folder: None }
    }

    /// Stops serving and waits until everybody was sent away.
    pub async fn drained(mut self) {
        drop(self.stop.take());
        (&mut self.running).await.unwrap();
    }

    /// Appends and returns the positions.
    pub async fn append(&self, records: Vec<Record>) -> Vec<u64> {
        let appended = self.journal.append(records).await.unwrap();
        appended.into_iter().map(|event| event.position).collect()
    }

    /// Position of the newest event.
    pub fn journal_head(&self) -> u64 {
        self.journal.extent().head
    }

    /// A position in its stream, as text.
    pub fn position(&self, n: u64) -> String {
        Position { stream: self.journal.stream().clone(), n }.to_string()
    }

    /// A client without a position.
    pub async fn client(&self) -> Client {
        Client::connect(self.address, "").await
    }

    /// A client that goes on after a position of its stream.
    pub async fn client_after(&self, n: u64) -> Client {
        Client::connect(self.address, &format!("?after={}", self.position(n))).await
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.running.abort();
    }
}
