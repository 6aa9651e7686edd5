//! Listening to a server, ours or anyone's.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use anyhow::anyhow;

use crate::check::{Parsed, Transcript};
use crate::cli::exit::{Exit, Failure};
use crate::client::{ClientError, Endpoint, Socket, SocketEvent, request};
use crate::contract::{Envelope, Message, MessageType};

/// A replay that was promised is waited for as long as its events come at intervals shorter than this.
const REPLAY_PAUSE: Duration = Duration::from_secs(1);

/// What was heard of a server.
pub(super) struct Heard {
    pub(super) transcript: Transcript,
    /// The incident that was triggered, or whose end ended the listening.
    pub(super) subject: Option<String>,
}

/// Everything that arrives until the triggered incident (or the first that ends live) is resolved, or for
/// `listen`; never longer than `timeout`. Arrival times count from the handshake.
pub(super) async fn server(
    endpoint: &Endpoint,
    trigger: Option<&str>,
    listen: Option<Duration>,
    timeout: Duration,
) -> Result<Heard, Failure> {
    let mut socket = Socket::connect(endpoint, None).await?;
    let origin = Instant::now();
    let limit = origin + timeout;
    let mut deadline = listen.map_or(limit, |listen| (origin + listen).min(limit));
    let mut transcript = Transcript::default();
    // Listen first, then trigger: the start can't be missed. A server without a greeting is as good as any.
    let mut progress = match trigger {
        Some(name) => Progress { subject: Some(start(endpoint, name).await?), ..Progress::default() },
        None => Progress::default(),
    };
    let mut last_event = origin;
    while !(progress.over && listen.is_none() && progress.replayed()) {
        // Cutting a replay short would make its rest look lost.
        let until =
            if progress.replayed() { deadline } else { deadline.max(last_event + REPLAY_PAUSE).min(limit) };
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
            // What the server said up to here is judged; an incident that was cut short is not resolved.
            Ok(SocketEvent::Closed { .. }) | Err(_) => break,
        }
    }
    transcript.ended = Some(origin.elapsed());
    socket.close().await;
    Ok(Heard { transcript, subject: progress.subject })
}

/// How far the listening came.
#[derive(Default)]
struct Progress {
    /// The last position of the replay that was promised.
    promised: u64,
    /// The highest position that came.
    held: u64,
    subject: Option<String>,
    /// What was waited for has ended.
    over: bool,
}

impl Progress {
    fn replayed(&self) -> bool {
        self.held >= self.promised
    }

    /// Takes note of a frame; whether it is an event of the stream.
    fn take(&mut self, parsed: &Parsed, triggered: bool) -> bool {
        if let Some(Message::StreamOpened(opened)) = &parsed.message {
            let (from, to) = opened.follows.range();
            if from <= to {
                self.promised = to;
            }
        }
        let position = parsed.envelope.as_ref().and_then(Envelope::position).map(|at| at.n);
        self.held = self.held.max(position.unwrap_or_default());
        let text = |name: &str| parsed.value.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("type") == MessageType::IncidentResolved.as_str() && !self.over {
            let incident = text("subject");
            if triggered {
                self.over = self.subject.as_deref() == Some(incident);
            } else if position.is_none_or(|position| position > self.promised) {
                // What was only replayed ended before anybody listened.
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
        Failure::new(Exit::Connection, anyhow!("the server's answer to the trigger has no id: {answer}"))
    })
}
