//! Collects what a server sends: a temporary one, or any running one.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use anyhow::anyhow;

use crate::check::{Parsed, Transcript};
use crate::cli::exit::{Exit, Failure};
use crate::client::{ClientError, Endpoint, Socket, SocketEvent, request};
use crate::contract::{Envelope, Message, MessageType};

/// The server announces how many events it replays. They are waited for until none arrives for this long.
const REPLAY_PAUSE: Duration = Duration::from_secs(1);

/// What a server sent.
pub(super) struct Collected {
    pub(super) transcript: Transcript,
    /// The incident that was triggered, or the one whose end ended the collecting.
    pub(super) subject: Option<String>,
}

/// Collects everything that arrives until the triggered incident has ended, or without a trigger the first incident that
/// ends live; or for `listen`. Takes at most `timeout`. Arrival times count from the handshake.
pub(super) async fn server(
    endpoint: &Endpoint,
    trigger: Option<&str>,
    listen: Option<Duration>,
    timeout: Duration,
) -> Result<Collected, Failure> {
    let mut socket = Socket::connect(endpoint, None).await?;
    let origin = Instant::now();
    let limit = origin + timeout;
    let mut deadline = listen.map_or(limit, |listen| (origin + listen).min(limit));
    let mut transcript = Transcript::default();
    // Connect first, then trigger, so that the start is not missed. The server need not send `stream_opened`.
    let mut progress = match trigger {
        Some(name) => Progress { subject: Some(start(endpoint, name).await?), ..Progress::default() },
        None => Progress::default(),
    };
    let mut last_event = origin;
    while !(progress.over && listen.is_none() && progress.replay_is_complete()) {
        // If the collecting ended in the middle of a replay, the rest of it would look lost.
        let until = if progress.replay_is_complete() {
            deadline
        } else {
            deadline.max(last_event + REPLAY_PAUSE).min(limit)
        };
        match timeout_at(until, socket.receive()).await {
            Ok(SocketEvent::Text(raw)) => {
                transcript.push(raw, Some(origin.elapsed()));
                let parsed = transcript.frames.last().and_then(|frame| frame.parsed.as_ref().ok());
                if parsed.is_some_and(|parsed| progress.take(parsed, trigger.is_some())) {
                    last_event = Instant::now();
                }
                if progress.over && listen.is_none() {
                    deadline = deadline.min(last_event);
                }
            }
            Ok(SocketEvent::Binary(length)) => {
                transcript.push(format!("{length} bytes of binary"), Some(origin.elapsed()));
            }
            Ok(SocketEvent::Alive) => {}
            // What arrived until now is checked. An incident that was cut off counts as not ended.
            Ok(SocketEvent::Closed { .. }) | Err(_) => break,
        }
    }
    transcript.ended = Some(origin.elapsed());
    socket.close().await;
    Ok(Collected { transcript, subject: progress.subject })
}

/// The progress of the collecting.
#[derive(Default)]
struct Progress {
    /// The last position of the announced replay.
    announced: u64,
    /// The highest position that arrived.
    received: u64,
    subject: Option<String>,
    /// The incident that is waited for has ended.
    over: bool,
}

impl Progress {
    fn replay_is_complete(&self) -> bool {
        self.received >= self.announced
    }

    /// Takes a message. Returns whether it is an event.
    fn take(&mut self, parsed: &Parsed, triggered: bool) -> bool {
        if let Some(Message::StreamOpened(opened)) = &parsed.message {
            let (from, to) = opened.follows.range();
            if from <= to {
                self.announced = to;
            }
        }
        let position = parsed.envelope.as_ref().and_then(Envelope::position).map(|at| at.n);
        self.received = self.received.max(position.unwrap_or_default());
        let text = |name: &str| parsed.value.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("type") == MessageType::IncidentResolved.as_str() && !self.over {
            let incident = text("subject");
            if triggered {
                self.over = self.subject.as_deref() == Some(incident);
            } else if position.is_none_or(|position| position > self.announced) {
                // An incident whose end is only replayed ended before the collecting began.
                self.subject = Some(incident.to_owned());
                self.over = true;
            }
        }
        position.is_some()
    }
}

async fn start(endpoint: &Endpoint, name: &str) -> Result<String, Failure> {
    let answer =
        match request(endpoint, Method::POST, "/api/incidents", Some(&json!({ "scenario": name }))).await {
            Err(ClientError::Status { status: 404 | 422, said, problem: true, .. }) => {
                return Err(Failure::new(Exit::Usage, anyhow!(said)));
            }
            answer => answer?,
        };
    let id = answer.get("id").and_then(Value::as_str).map(str::to_owned);
    id.ok_or_else(|| {
        Failure::new(Exit::Connection, anyhow!("the server's answer has no incident id: {answer}"))
    })
}
