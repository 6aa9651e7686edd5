//! Listening to a server, ours or anyone's.

use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use anyhow::anyhow;

use crate::check::Transcript;
use crate::cli::exit::{Exit, Failure};
use crate::client::{ClientError, Endpoint, Received, Socket, request};
use crate::contract::MessageType;

/// Everything that arrives until the triggered incident (or the first that ends) is resolved, or for `listen`;
/// never longer than `timeout`. Arrival times count from the handshake.
pub(super) async fn server(
    endpoint: &Endpoint,
    trigger: Option<&str>,
    listen: Option<Duration>,
    timeout: Duration,
) -> Result<Transcript, Failure> {
    let mut socket = Socket::connect(endpoint, None).await?;
    let origin = Instant::now();
    let deadline = origin + listen.unwrap_or(timeout).min(timeout);
    let mut transcript = Transcript::default();
    // Listen first, then trigger: the start can't be missed. A server without a greeting is as good as any.
    let mut wanted = None;
    let mut pending_trigger = trigger;
    loop {
        if let Some(name) = pending_trigger.take() {
            wanted = Some(start(endpoint, name).await?);
        }
        match timeout_at(deadline, socket.receive()).await {
            Ok(Received::Text(raw)) => {
                let ended = ends(&raw, wanted.as_deref());
                transcript.push(raw, Some(origin.elapsed()));
                if ended && listen.is_none() {
                    break;
                }
            }
            Ok(Received::Binary(length)) => {
                transcript.push(format!("{length} bytes of binary"), Some(origin.elapsed()));
            }
            Ok(Received::Alive) => {}
            // What the server said up to here is judged; an incident that was cut short is not resolved.
            Ok(Received::Closed { .. }) | Err(_) => break,
        }
    }
    socket.close().await;
    Ok(transcript)
}

async fn start(endpoint: &Endpoint, name: &str) -> Result<String, Failure> {
    let answer =
        match request(endpoint, Method::POST, "/api/incidents", Some(&json!({ "scenario": name }))).await {
            Err(ClientError::Status { status: 404 | 422, said, problem: true, .. }) => {
                return Err(Failure::new(Exit::Usage, anyhow!(said)));
            }
            answer => answer?,
        };
    let id = answer.get("id").and_then(serde_json::Value::as_str).map(str::to_owned);
    id.ok_or_else(|| {
        Failure::new(Exit::Connection, anyhow!("the server's answer to the trigger has no id: {answer}"))
    })
}

/// Whether a frame ends what is listened for.
fn ends(raw: &str, wanted: Option<&str>) -> bool {
    let Ok(event) = serde_json::from_str::<serde_json::Value>(raw) else { return false };
    event["type"] == MessageType::IncidentResolved.as_str() && wanted.is_none_or(|id| event["subject"] == id)
}
