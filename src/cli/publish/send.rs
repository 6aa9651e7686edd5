//! Sending a batch until the server has answered.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::Value;

use crate::cli::exit::{self, Exit, Failure};
use crate::client::{Backoff, ClientError, Endpoint, request_publish};

/// Sends events until the server has stored or refused them: it may have stored them although no answer came, and then
/// knows them by their ids.
///
/// # Errors
/// The server refuses the events, or could not store them all this time.
pub(super) async fn send(endpoint: &Endpoint, events: &[Value], within: Duration) -> Result<Value, Failure> {
    let body = Value::from(events.to_vec()).to_string();
    let (until, mut backoff) = (Instant::now() + within, Backoff::default());
    loop {
        let error = match request_publish(endpoint, &body).await {
            Ok(answer) => match unstored(&answer, events.len()) {
                None => return Ok(answer),
                Some(why) => ClientError::Answer { url: endpoint.http("/api/events"), why },
            },
            Err(error) => error,
        };
        let left = until.saturating_duration_since(Instant::now());
        if !may_pass(&error) || left.is_zero() {
            return Err(failure(error));
        }
        // The last attempt is at the end of the time, however long the server asks to wait.
        let wait = backoff.next_wait().max(retry_after(&error)).min(left);
        tracing::warn!("{error}; sending again under the same ids");
        tokio::time::sleep(wait).await;
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
        ClientError::Status { retry_after, .. } => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Whether the same request may succeed later.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Answer { .. } => true,
        ClientError::Status { status, .. } => matches!(status, 408 | 429 | 502 | 503 | 504),
        _ => false,
    }
}

fn failure(error: ClientError) -> Failure {
    match error {
        ClientError::Status { status: 400 | 409 | 413 | 415 | 422, said, problem: true, advice, .. } => {
            let name = advice.as_ref().map(|advice| format!(" ({})", advice.problem)).unwrap_or_default();
            let error = anyhow!("the server refuses the events{name}: {said}");
            Failure::new(Exit::Invalid, error).hint(match advice {
                Some(advice) => exit::advised(&advice),
                None => "docs/problems.md says what each problem means".to_owned(),
            })
        }
        error => error.into(),
    }
}
