//! Starts the incident that is listened to.

use anyhow::anyhow;
use hyper::Method;
use serde_json::{Value, json};

use crate::cli::exit::{Exit, Failure};
use crate::client::{ClientError, Endpoint, request};
use crate::scenario::Settings;

pub(super) async fn start(endpoint: &Endpoint, name: &str, settings: &Settings) -> Result<String, Failure> {
    let mut body = json!({ "scenario": name });
    // A server of another program may not know settings.
    if !settings.is_empty() {
        body["settings"] = settings.to_json();
    }
    let answer = match request(endpoint, Method::POST, "/api/incidents", Some(&body)).await {
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
