//! Sending a batch until the server has answered.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::Value;

use crate::cli::exit::{Exit, Failure};
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
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = backoff.next_wait();
        if !may_pass(&error) || Instant::now() + wait >= until {
            return Err(failure(error));
        }
        tracing::warn!("{error}; sending again under the same ids");
        tokio::time::sleep(wait).await;
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
        ClientError::Status { status: 400 | 409 | 413 | 415 | 422, said, problem: true, .. } => {
            Failure::new(Exit::Invalid, anyhow!("the server refuses the events: {said}"))
                .hint("docs/problems.md says what each problem means")
        }
        error => error.into(),
    }
}
