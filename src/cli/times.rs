//! What time it is for the incidents of a server, as its list of them tells.

use std::pin::Pin;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::contract::{now, parse_time};

/// The clock of the server, which has dated the events.
pub(super) struct Times {
    pub(super) now: Timestamp,
    /// The times of open incidents that go on by another one, because the clock was set back while they were open.
    pub(super) apart: Map<String, Value>,
}

impl Default for Times {
    fn default() -> Self {
        Self { now: now(), apart: Map::new() }
    }
}

impl Times {
    /// The times in an answer of the server. An older version tells one time alone.
    pub(super) fn told(answer: &Value) -> Self {
        Self {
            now: answer["time"].as_str().and_then(parse_time).unwrap_or_else(now),
            apart: answer["times"].as_object().cloned().unwrap_or_default(),
        }
    }

    /// What time it is for an incident.
    pub(super) fn in_incident(&self, id: &str) -> Timestamp {
        self.apart.get(id).and_then(Value::as_str).and_then(parse_time).unwrap_or(self.now)
    }
}

/// A question to the server, by default for its times, while other things go on.
pub(super) struct Asked<T = Times>(Option<Pin<Box<dyn Future<Output = Option<T>>>>>);

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Asked<T> {
    /// Asks, unless it was just asked.
    pub(super) fn ask(&mut self, question: impl Future<Output = Option<T>> + 'static) {
        self.0.get_or_insert_with(|| Box::pin(question));
    }

    /// Whether there is no answer yet.
    pub(super) fn is_waited_for(&self) -> bool {
        self.0.is_some()
    }

    /// The answer, if there was a question. Otherwise it waits for ever.
    pub(super) async fn answer(&mut self) -> Option<T> {
        let Some(asked) = &mut self.0 else { return std::future::pending().await };
        let told = asked.await;
        self.0 = None;
        told
    }
}
