//! Plays a scenario on a temporary server, and collects it over a socket.

use std::time::Duration;

use anyhow::anyhow;
use tokio_util::sync::CancellationToken;

use super::collect;
use crate::check::{Probe, Transcript};
use crate::cli::exit::{Exit, Failure};
use crate::client::{Endpoint, Socket, SocketEvent};
use crate::contract::{Envelope, Message, StreamId};
use crate::journal::{Journal, Memory, Retention};
use crate::player::Speed;
use crate::scenario::{Library, Scenario};
use crate::server::{Options, Server};

/// Collects what a client receives of a scenario from its start to its end, and what two more clients receive that resume
/// in the middle.
pub(super) async fn play(
    scenario: &Scenario,
    speed: Speed,
    timeout: Duration,
) -> Result<Transcript, Failure> {
    let internal = |error: anyhow::Error| Failure::new(Exit::Internal, error);
    let stream = StreamId::generate(jiff::Timestamp::now().as_millisecond() as u64, crate::random::bits());
    let journal = Journal::new(Memory::new(stream.clone(), Retention::default()));
    // Its only clients are the ones below: many scenarios are played at the same time.
    let options = Options { speed, max_clients: 16, max_waiting: 16, max_served: 16, ..Options::default() };
    let library = Library::of(scenario.clone());
    let server = Server::bind(options, library, journal).await.map_err(|error| internal(error.into()))?;
    let endpoint: Endpoint =
        format!("ws://{}/ws", server.address()).parse().map_err(|error| internal(anyhow!("{error}")))?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.run(stop.clone().cancelled_owned()));
    let collected = async {
        let mut transcript = collect::server(&endpoint, Some(scenario.id()), None, timeout).await?.transcript;
        let head =
            transcript.events().filter_map(|(_, envelope, _)| envelope.position()).map(|at| at.n).max();
        let head = head.unwrap_or_default();
        for after in [head / 3, head * 2 / 3] {
            let frames = resume(&endpoint, &stream, after, head).await?;
            transcript.probes.push(Probe { after, frames });
        }
        Ok(transcript)
    };
    let collected = collected.await;
    stop.cancel();
    // The server ends because of the token.
    let _ = serving.await;
    collected
}

/// Collects what a client receives that resumes after position `after` of a stream that ends at `head`.
async fn resume(
    endpoint: &Endpoint,
    stream: &StreamId,
    after: u64,
    head: u64,
) -> Result<Vec<String>, Failure> {
    let mut socket = Socket::connect(endpoint, Some(&format!("{stream}/{after}"))).await?;
    let mut frames = Vec::new();
    let collected = async {
        while let SocketEvent::Text(raw) = socket.receive().await {
            let Ok(envelope) = serde_json::from_str::<Envelope>(&raw) else { break };
            match envelope.message() {
                Ok(Message::StreamOpened(_)) => {}
                // Before a heartbeat the server has sent everything: an event that is missing now is lost.
                Ok(Message::Heartbeat(_)) => break,
                _ => frames.push(raw),
            }
            if envelope.position().is_some_and(|position| position.n >= head) {
                break;
            }
        }
    };
    // If neither the head nor a heartbeat arrives, events are missing, and the rule `resume` fails.
    let _ = tokio::time::timeout(Duration::from_secs(10), collected).await;
    socket.close().await;
    Ok(frames)
}
