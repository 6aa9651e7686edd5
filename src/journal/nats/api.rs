//! Requests to JetStream: JSON over plain requests, as its API is documented.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, RequestErrorKind, StatusCode};
use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use super::permissions::{Missing, Permissions};
use super::rotation::Rotation;

/// How long a request may take. One to a server that hangs is repeated, and another server answers.
const REQUEST: Duration = Duration::from_secs(1);

/// How long a read may take: any replica may answer, also one that hangs.
const READ: Duration = Duration::from_millis(500);

/// How often a read is tried that nobody answers.
const READS: usize = 5;

/// How long a follower may not have been heard. After this time, no other leader has been elected yet: that takes the servers
/// at least four seconds.
const HEARD: Duration = Duration::from_secs(2);

/// There is no such message.
const NO_MESSAGE: u64 = 10_037;
/// The stream does not exist.
pub(super) const NO_STREAM: u64 = 10_059;
/// A stream of this name has another configuration.
pub(super) const NAME_IN_USE: u64 = 10_058;
/// The stream has reached the most bytes that it may have, or the disk has.
pub(super) const FULL: [u64; 3] = [10_077, 10_047, 10_023];

/// The header with the sequence of a message that was read.
const SEQUENCE: &str = "Nats-Sequence";

/// Why a request has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    /// No server has answered: it is not known whether it did what was asked.
    #[error("{0}")]
    Silent(String),
    /// The user of this server may not ask it.
    #[error("{0}")]
    Denied(Missing),
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
    permissions: Arc<Permissions>,
    rotation: Arc<Rotation>,
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
    pub(super) fn new(client: Client, permissions: Arc<Permissions>, rotation: Arc<Rotation>) -> Self {
        Self { client, permissions, rotation }
    }

    /// Connects to another nats-server, each time to the next one.
    pub(super) async fn go_elsewhere(&self) {
        self.rotation.begin();
        // It is asked of a task of the client, which runs as long as this one.
        let _ = self.client.force_reconnect().await;
    }

    /// The nats-server that it is connected to works.
    pub(super) fn stay(&self) {
        self.rotation.end();
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

    /// As [`Api::info`], if the leader hears the most of its replicas. One that is cut off goes on answering for a while, and
    /// does not know what the others have stored since.
    pub(super) async fn leader_info(&self, stream: &str) -> Result<Value, Fault> {
        let info = self.info(stream).await?;
        if hears_the_most(&info["cluster"]) {
            return Ok(info);
        }
        Err(Fault::Silent(format!("the leader of the stream {stream} hears too few of its replicas")))
    }

    /// One message, from the leader: it does not lack what was acknowledged, unless it is cut off. `None` if it has no such
    /// message.
    pub(super) async fn leader_read(&self, stream: &str, which: &Value) -> Result<Option<Found>, Fault> {
        match self.ask(&format!("STREAM.MSG.GET.{stream}"), which).await {
            Ok(answer) => {
                let found = read_json(&answer["message"]);
                found.map(Some).ok_or_else(|| Fault::Silent("a message can't be read".to_owned()))
            }
            Err(fault) if fault.is(NO_MESSAGE) => Ok(None),
            Err(fault) => Err(fault),
        }
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
        let (subject, began) = (format!("$JS.API.DIRECT.GET.{stream}"), Instant::now());
        tokio::select! {
            found = self.read_at(subject.clone(), which) => found,
            missing = self.permissions.refusal(&subject, began) => Err(Fault::Denied(missing)),
        }
    }

    async fn read_at(&self, subject: String, which: &Value) -> Result<Vec<Found>, Fault> {
        let silent = |error: String| Fault::Silent(format!("a read was not answered: {error}"));
        // An inbox of its own: the late answer of a server that hung must not come into the next read.
        let inbox = self.client.new_inbox();
        let mut answers =
            self.client.subscribe(inbox.clone()).await.map_err(|error| silent(error.to_string()))?;
        let asked = self.client.publish_with_reply(subject, inbox, which.to_string().into());
        let late = || Fault::Silent(format!("a read was not answered within {} ms", READ.as_millis()));
        timeout(READ, asked).await.map_err(|_| late())?.map_err(|error| silent(error.to_string()))?;
        let mut found = Vec::new();
        let is_one = which["batch"].is_null();
        loop {
            // As long as messages come, the server does not hang.
            let answer = timeout_at(Instant::now() + READ, answers.next()).await.map_err(|_| late())?;
            let answer = answer.ok_or_else(|| silent("the connection was closed".to_owned()))?;
            // A message may have a line of status, too, and only a message has a sequence.
            let is_message = answer.headers.as_ref().is_some_and(|headers| headers.get(SEQUENCE).is_some());
            match answer.status.map(|status| status.as_u16()) {
                _ if is_message => {
                    found.push(stored(answer).ok_or_else(|| silent("it has no sequence".to_owned()))?);
                    if is_one {
                        return Ok(found);
                    }
                }
                None => return Err(silent("it has no sequence".to_owned())),
                Some(204 | 404) => return Ok(found),
                Some(503) => return Err(silent("no server has the stream".to_owned())),
                Some(other) => {
                    return Err(silent(format!("{other} {}", answer.description.unwrap_or_default())));
                }
            }
        }
    }

    /// As [`Api::read`], and asks again if nobody answers: another replica may.
    pub(super) async fn read_again(&self, stream: &str, which: &Value) -> Result<Vec<Found>, Fault> {
        for _ in 1..READS {
            match self.read(stream, which).await {
                Err(fault @ Fault::Silent(_)) => tracing::debug!(%fault, "a read is repeated"),
                found => return found,
            }
        }
        self.read(stream, which).await
    }

    /// Tells other processes something that they could also find out by themselves: it may be lost.
    pub(super) async fn tell(&self, subject: String, what: String) {
        let telling = self.client.publish(subject, what.into());
        let _ = timeout(READ, telling).await;
    }

    /// The message with this sequence, as any replica answers; `None` if that one does not have it.
    pub(super) async fn read_one(&self, stream: &str, sequence: u64) -> Result<Option<Found>, Fault> {
        let which = Bytes::from(json!({ "seq": sequence }).to_string());
        let answer = self.request(format!("$JS.API.DIRECT.GET.{stream}"), HeaderMap::new(), which).await?;
        Ok(stored(answer).filter(|found| found.sequence == sequence))
    }

    async fn request(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<Message, Fault> {
        let request = async_nats::Request::new().headers(headers).payload(payload).timeout(Some(REQUEST));
        let began = Instant::now();
        // The client waits for room before its own timeout begins.
        let answer = tokio::select! {
            answer = timeout(REQUEST * 2, self.client.send_request(subject.clone(), request)) => answer,
            missing = self.permissions.refusal(&subject, began) => return Err(Fault::Denied(missing)),
        };
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
    let sequence = text(SEQUENCE)?.parse().ok()?;
    let subject = text("Nats-Subject")?;
    Some(Found { sequence, subject, headers, payload: message.payload })
}

/// Whether a leader with this view of its replicas is the leader: the others can't have elected another one.
fn hears_the_most(cluster: &Value) -> bool {
    let replicas = cluster["replicas"].as_array().map_or(&[][..], Vec::as_slice);
    let is_heard = |replica: &&Value| {
        let active = replica["active"].as_u64().map_or(Duration::MAX, Duration::from_nanos);
        replica["offline"].as_bool() != Some(true) && active < HEARD
    };
    let heard = 1 + replicas.iter().filter(is_heard).count();
    heard * 2 > 1 + replicas.len()
}

/// A message as the leader answers it, in JSON.
fn read_json(message: &Value) -> Option<Found> {
    let decoded = |name: &str| match message[name].as_str() {
        Some(text) => BASE64.decode(text.as_bytes()).ok(),
        None => Some(Vec::new()),
    };
    let text = String::from_utf8(decoded("hdrs")?).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in text.split("\r\n").skip(1).filter_map(|line| line.split_once(':')) {
        headers.append(name, value.trim());
    }
    Some(Found {
        sequence: message["seq"].as_u64()?,
        subject: message["subject"].as_str()?.to_owned(),
        headers,
        payload: decoded("data")?.into(),
    })
}

/// The read of the newest message of a subject.
pub(super) fn newest_of(subject: &str) -> Value {
    json!({ "last_by_subj": subject })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_hears_too_few_is_not_believed() {
        let replica = |active: u64, offline: bool| json!({ "active": active, "offline": offline });
        let hears = |replicas: Value| hears_the_most(&json!({ "leader": "a", "replicas": replicas }));
        let (soon, late) = (900_000_000, 2_500_000_000);
        assert!(hears_the_most(&Value::Null), "a server by itself");
        assert!(hears(Value::Null), "one replica");
        assert!(hears(json!([replica(soon, false), replica(late, true)])));
        assert!(!hears(json!([replica(late, false), replica(soon, true)])));
        assert!(!hears(json!([{ "name": "b" }])), "it was never heard");
    }

    #[test]
    fn a_message_in_json_is_read() {
        let headers = BASE64.encode(b"NATS/1.0\r\nI-Index: 3\r\nX:y:z\r\n\r\n");
        let message = json!({ "seq": 7, "subject": "a.b", "hdrs": headers, "data": BASE64.encode(b"{}") });
        let Some(found) = read_json(&message) else { panic!("it can't be read") };
        assert_eq!((found.sequence, found.subject.as_str(), &*found.payload), (7, "a.b", &b"{}"[..]));
        let header = |name: &str| found.headers.get(name).map(|value| value.as_str().to_owned());
        assert_eq!((header("I-Index").as_deref(), header("X").as_deref()), (Some("3"), Some("y:z")));
        assert!(read_json(&json!({ "seq": 7, "subject": "a", "data": "%" })).is_none());
    }
}
