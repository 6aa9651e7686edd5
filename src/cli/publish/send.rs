//! Sending a batch until a server has answered.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::Value;

use crate::cli::exit::{self, Exit, Failure};
use crate::client::{Backoff, ClientError, Endpoint, Endpoints, request_publish_within};

/// The least time for an answer: that of the last attempt, which begins when the time is over.
const LAST: Duration = Duration::from_secs(2);

/// Why events were not stored, as far as is known.
pub(super) struct Unsent {
    error: ClientError,
    /// Whether a server may have taken one of the attempts.
    may_be_stored: bool,
}

/// Sends events until a server has stored or refused them: it may have stored them although no answer came, and then
/// knows them by their ids, as all servers of the same stream do.
///
/// # Errors
/// A server refuses the events, or none could store them all this time.
pub(super) async fn send(servers: &Endpoints, events: &[Value], within: Duration) -> Result<Value, Unsent> {
    let body = Value::from(events.to_vec()).to_string();
    let (until, mut backoff) = (Instant::now() + within, Backoff::default());
    let servers_in_all = u32::try_from(servers.all().len()).unwrap_or(u32::MAX);
    let publish = async |server: &Endpoint| {
        // Each server gets its part, so that one which does not answer leaves time for the others.
        let patience = in_tenths(until.saturating_duration_since(Instant::now()).max(LAST)) / servers_in_all;
        let answer = request_publish_within(server, &body, patience).await?;
        match unstored(&answer, events.len()) {
            None => Ok(answer),
            Some(why) => Err(ClientError::Answer { url: server.http("/api/events"), why }),
        }
    };
    let mut may_be_stored = false;
    loop {
        let error = match servers.any(&publish).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        may_be_stored |= may_have_stored(&error);
        let left = until.saturating_duration_since(Instant::now());
        if !may_pass(&error) || left.is_zero() {
            return Err(Unsent { error, may_be_stored });
        }
        // The last attempt is at the end of the time, however long the server asks to wait.
        let wait = backoff.next_wait().max(retry_after(&error)).min(left);
        tracing::warn!("{error}; sending again under the same ids");
        tokio::time::sleep(wait).await;
    }
}

/// Rounds up to what is said of it.
fn in_tenths(time: Duration) -> Duration {
    Duration::from_millis((time.as_millis() as u64).div_ceil(100) * 100)
}

/// Whether a server may have stored the events, although it has not said so.
fn may_have_stored(error: &ClientError) -> bool {
    match error {
        ClientError::Answer { .. } => true,
        // The server waits for its journal no longer than its clients wait.
        ClientError::Status { advice: Some(advice), .. } => advice.problem == "journal-paused",
        ClientError::NoServer(errors) => errors.iter().any(may_have_stored),
        error => error.may_be_done(),
    }
}

/// Why an answer does not say that every event is stored, each at its position; `None` if it does. What is between may have
/// answered instead of the server.
fn unstored(answer: &Value, sent: usize) -> Option<String> {
    let accepted = answer["accepted"].as_u64();
    let places = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
    let is_whole = accepted == Some(sent as u64)
        && places.len() == sent
        && places.iter().all(|place| place["position"].is_u64() && place["index"].is_u64());
    (!is_whole).then(|| {
        format!(
            "it does not say that {} stored",
            if sent == 1 { "the event is".to_owned() } else { format!("all {sent} events are") }
        )
    })
}

/// How long the server asks to wait.
fn retry_after(error: &ClientError) -> Duration {
    match error {
        ClientError::Status { retry_after: asked, .. } => asked.unwrap_or_default(),
        // One of them may be asked again after the shortest of the times.
        ClientError::NoServer(errors) => errors.iter().map(retry_after).min().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Whether the same request may succeed later.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. }
        | ClientError::Late { .. }
        | ClientError::Unanswered { .. }
        | ClientError::Answer { .. } => true,
        ClientError::Status { status, .. } => matches!(status, 408 | 429 | 502 | 503 | 504),
        ClientError::NoServer(errors) => errors.iter().any(may_pass),
        _ => false,
    }
}

impl Unsent {
    /// The failure in words. `look` says how to see whether the events are stored, and `again` how they can be sent again, so that each
    /// is stored once.
    pub(super) fn failure(self, look: &str, again: &str) -> Failure {
        match self.error {
            // Which it would not, had it stored them before.
            ClientError::Status {
                status: 400 | 409 | 413 | 415 | 422, said, problem: true, advice, ..
            } => {
                let name = advice.as_ref().map(|advice| format!(" ({})", advice.problem)).unwrap_or_default();
                let error = anyhow!("the server refuses the events{name}: {said}");
                Failure::new(Exit::Invalid, error).hint(match advice {
                    Some(advice) => exit::advised(&advice),
                    None => "docs/problems.md says what each problem means".to_owned(),
                })
            }
            error if self.may_be_stored => {
                let what = "what was sent may be stored all the same";
                let hint = format!("{}{what}: {look} shows it; {again}", error.first_wait());
                Failure::new(Exit::Connection, error).hint(hint)
            }
            error => error.into(),
        }
    }
}
