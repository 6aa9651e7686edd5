//! Requests to JetStream: JSON over plain requests, as its API is documented.

use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, RequestErrorKind, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a request may take. One to a server that hangs is repeated, and another server answers.
const REQUEST: Duration = Duration::from_secs(1);

/// How long a read may take: any replica may answer, also one that hangs.
const READ: Duration = Duration::from_millis(500);

/// The stream does not exist.
pub(super) const NO_STREAM: u64 = 10_059;
/// A stream of this name has another configuration.
pub(super) const NAME_IN_USE: u64 = 10_058;
/// The stream has reached the most bytes that it may have, or the disk has.
pub(super) const FULL: [u64; 3] = [10_077, 10_047, 10_023];

/// Why a request has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    /// No server has answered: it is not known whether it did what was asked.
    #[error("{0}")]
    Silent(String),
    /// JetStream has refused it.
    #[error("JetStream answers: {text} ({code})")]
    Refused {
        /// JetStream's own code.
        code: u64,
        text: String,
    },
}

impl Fault {
    pub(super) fn is(&self, wanted: u64) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }
}

/// A client of JetStream. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
}

/// A message that is stored in a stream.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) sequence: u64,
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

/// A message to be published.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A request to JetStream's API, as in `STREAM.INFO.NAME`.
    pub(super) async fn ask(&self, what: &str, body: &Value) -> Result<Value, Fault> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = self.request(format!("$JS.API.{what}"), HeaderMap::new(), body).await?;
        result(&answer.payload)
    }

    /// What the leader says of a stream.
    pub(super) async fn info(&self, stream: &str) -> Result<Value, Fault> {
        self.ask(&format!("STREAM.INFO.{stream}"), &Value::Null).await
    }

    /// Drops every message of a stream that `which` describes.
    pub(super) async fn purge(&self, stream: &str, which: &Value) -> Result<(), Fault> {
        self.ask(&format!("STREAM.PURGE.{stream}"), which).await.map(drop)
    }

    /// Publishes one message, and returns the sequence that it got.
    pub(super) async fn publish(&self, message: Outgoing) -> Result<u64, Fault> {
        let Outgoing { subject, headers, payload } = message;
        let answer = self.request(subject, headers, payload).await?;
        let answer = result(&answer.payload)?;
        answer["seq"].as_u64().ok_or_else(|| Fault::Silent("the acknowledgement has no sequence".to_owned()))
    }

    /// Publishes messages that the server takes together or not at all, and returns the sequence of the last. `id` is the
    /// name of this attempt.
    pub(super) async fn publish_all(&self, id: &str, messages: &[Outgoing]) -> Result<u64, Fault> {
        let Some((last, first)) = messages.split_last() else {
            return Err(Fault::Silent("nothing was to be published".to_owned()));
        };
        if first.is_empty() {
            return self.publish(last.clone()).await;
        }
        let of_batch = |message: &Outgoing, number: usize| {
            let mut message = message.clone();
            message.headers.insert("Nats-Batch-Id", id);
            message.headers.insert("Nats-Batch-Sequence", number.to_string());
            message
        };
        let sending = async {
            for (number, message) in (1..).zip(first) {
                let Outgoing { subject, headers, payload } = of_batch(message, number);
                let sent = self.client.publish_with_headers(subject, headers, payload).await;
                sent.map_err(|error| Fault::Silent(error.to_string()))?;
            }
            Ok(())
        };
        timeout(REQUEST, sending).await.map_err(|_| Fault::Silent("nothing can be sent".to_owned()))??;
        let mut last = of_batch(last, messages.len());
        last.headers.insert("Nats-Batch-Commit", "1");
        self.publish(last).await
    }

    /// The messages that a read finds, in order; none if there are none. A replica that is behind may lack the newest.
    pub(super) async fn read(&self, stream: &str, which: &Value) -> Result<Vec<Found>, Fault> {
        let silent = |error: String| Fault::Silent(format!("a read was not answered: {error}"));
        // An inbox of its own: the late answer of a server that hung must not come into the next read.
        let inbox = self.client.new_inbox();
        let mut answers =
            self.client.subscribe(inbox.clone()).await.map_err(|error| silent(error.to_string()))?;
        let asked = self.client.publish_with_reply(
            format!("$JS.API.DIRECT.GET.{stream}"),
            inbox,
            which.to_string().into(),
        );
        let late = || Fault::Silent(format!("a read was not answered within {} ms", READ.as_millis()));
        timeout(READ, asked).await.map_err(|_| late())?.map_err(|error| silent(error.to_string()))?;
        let mut found = Vec::new();
        let is_one = which["batch"].is_null();
        loop {
            // As long as messages come, the server does not hang.
            let answer = timeout_at(Instant::now() + READ, answers.next()).await.map_err(|_| late())?;
            let answer = answer.ok_or_else(|| silent("the connection was closed".to_owned()))?;
            match answer.status.map(|status| status.as_u16()) {
                None | Some(200) => {
                    found.push(stored(answer).ok_or_else(|| silent("it has no sequence".to_owned()))?);
                    if is_one {
                        return Ok(found);
                    }
                }
                Some(204 | 404) => return Ok(found),
                Some(503) => return Err(silent("no server has the stream".to_owned())),
                Some(other) => {
                    return Err(silent(format!("{other} {}", answer.description.unwrap_or_default())));
                }
            }
        }
    }

    async fn request(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<Message, Fault> {
        let request = async_nats::Request::new().headers(headers).payload(payload).timeout(Some(REQUEST));
        // The client waits for room before its own timeout begins.
        let answer = timeout(REQUEST * 2, self.client.send_request(subject, request)).await;
        match answer {
            Ok(Ok(answer)) if answer.status == Some(StatusCode::NO_RESPONDERS) => Err(no_responders()),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Err(no_responders()),
            Ok(Err(error)) if error.kind() != RequestErrorKind::TimedOut => {
                Err(Fault::Silent(error.to_string()))
            }
            _ => Err(Fault::Silent("the NATS servers have not answered in time".to_owned())),
        }
    }
}

fn no_responders() -> Fault {
    Fault::Silent("no NATS server leads the stream at the moment".to_owned())
}

/// The JSON of an answer, which may be an error.
fn result(payload: &[u8]) -> Result<Value, Fault> {
    let answer: Value = serde_json::from_slice(payload)
        .map_err(|error| Fault::Silent(format!("an answer can't be read: {error}")))?;
    let error = &answer["error"];
    if error.is_null() {
        return Ok(answer);
    }
    let code = error["err_code"].as_u64().or_else(|| error["code"].as_u64()).unwrap_or_default();
    let text = error["description"].as_str().unwrap_or("an error without a text").to_owned();
    Err(Fault::Refused { code, text })
}

fn stored(message: Message) -> Option<Found> {
    let headers = message.headers?;
    // The server adds its own behind those of the message, which may have the same names.
    let text = |name: &str| headers.get_last(name).map(|value| value.as_str().to_owned());
    let sequence = text("Nats-Sequence")?.parse().ok()?;
    let subject = text("Nats-Subject")?;
    Some(Found { sequence, subject, headers, payload: message.payload })
}

/// The read of the newest message of a subject.
pub(super) fn newest_of(subject: &str) -> Value {
    json!({ "last_by_subj": subject })
}
