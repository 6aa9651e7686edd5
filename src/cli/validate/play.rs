//! Plays a scenario on a temporary server, for as long as it is listened to.

use anyhow::anyhow;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Exit, Failure};
use crate::client::Endpoint;
use crate::contract::StreamId;
use crate::journal::{Journal, Memory, Retention};
use crate::player::Speed;
use crate::scenario::{Library, Scenario};
use crate::server::{Options, Server};

/// A server that knows one scenario.
pub(super) struct TemporaryServer {
    pub(super) endpoint: Endpoint,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl TemporaryServer {
    pub(super) async fn start(scenario: &Scenario, speed: Speed) -> Result<Self, Failure> {
        let internal = |error: anyhow::Error| Failure::new(Exit::Internal, error);
        let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
        // Its only clients are those of this command: many scenarios are played at the same time.
        let options =
            Options { speed, max_clients: 96, max_waiting: 16, max_served: 16, ..Options::default() };
        let library = Library::of(scenario.clone());
        let server = Server::bind(options, library, journal).await.map_err(|error| internal(error.into()))?;
        let endpoint =
            format!("ws://{}/ws", server.address()).parse().map_err(|error| internal(anyhow!("{error}")))?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving = tokio::spawn(async move {
            // What the server could not do shows in the stream.
            let () = server.run(stopped).await;
        });
        Ok(Self { endpoint, stop, serving })
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        // The server ends because of the token.
        let _ = self.serving.await;
    }
}
