//! How far retention has gone, written down in the second stream before it goes there. If the stream of events begins behind
//! that position, its events were not dropped by retention: an operator has purged them, or a limit was set.

use async_nats::HeaderMap;
use serde_json::{Value, json};

use super::api::{Api, Fault, Found, Outgoing, newest_of};
use super::names::Names;
use crate::contract::StreamId;

/// The oldest position that retention has left, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// Sequence of its message: the next one is written only over this one.
    revision: u64,
    /// The stream that it is about; empty if the message can't be read.
    stream: String,
    from: u64,
}

impl Kept {
    fn of(found: &Found) -> Self {
        let kept: Value = serde_json::from_slice(&found.payload).unwrap_or_default();
        Self {
            revision: found.sequence,
            stream: kept["stream"].as_str().unwrap_or_default().to_owned(),
            from: kept["from"].as_u64().unwrap_or_default(),
        }
    }

    /// The newest message, from the leader; `None` if there is none.
    ///
    /// A purge follows its message. So what was read after the stream was asked where it begins is not too old to judge that.
    pub(super) async fn read(api: &Api, names: &Names) -> Result<Option<Self>, Fault> {
        let found = api.leader_read(&names.control, &newest_of(&names.kept())).await?;
        Ok(found.as_ref().map(Self::of))
    }

    /// Writes down that retention goes to a position. It never goes back.
    pub(super) async fn write(
        api: &Api,
        names: &Names,
        stream: &StreamId,
        before: Option<&Self>,
        from: u64,
    ) -> Result<Self, Fault> {
        let ours = before.filter(|before| before.is_about(stream));
        if let Some(before) = ours.filter(|before| before.from >= from) {
            return Ok(before.clone());
        }
        let revision = before.map_or(0, |before| before.revision);
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", revision.to_string());
        let payload = json!({ "stream": stream.as_str(), "from": from }).to_string().into();
        let revision = api.publish(Outgoing { subject: names.kept(), headers, payload }).await?;
        Ok(Self { revision, stream: stream.as_str().to_owned(), from })
    }

    /// Whether it says something about this stream. After the stream got another name, it does not any more.
    pub(super) fn is_about(&self, stream: &StreamId) -> bool {
        self.stream == stream.as_str() && self.from > 0
    }

    /// The events that are gone though retention has not dropped them, if the stream begins at `first`.
    pub(super) fn lost(&self, stream: &StreamId, first: u64) -> Option<Lost> {
        (self.is_about(stream) && first > self.from).then(|| Lost { from: self.from, to: first - 1 })
    }
}

/// Events that are gone though no retention has dropped them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    from: u64,
    to: u64,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to } = self;
        write!(f, "events {from} to {to} are gone, and no retention has dropped them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_retention_has_not_dropped_is_lost() {
        let (stream, other) = (StreamId::fresh(), StreamId::fresh());
        let kept = Kept { revision: 9, stream: stream.as_str().to_owned(), from: 20 };
        assert_eq!(kept.lost(&stream, 1), None, "it was written before the purge");
        assert_eq!(kept.lost(&stream, 20), None);
        assert_eq!(kept.lost(&stream, 25), Some(Lost { from: 20, to: 24 }));
        assert_eq!(kept.lost(&other, 25), None, "it is about another history");
        let found = |payload: &'static str| Found {
            sequence: 9,
            subject: String::new(),
            headers: HeaderMap::new(),
            payload: payload.into(),
        };
        let text = json!({ "stream": stream.as_str(), "from": 20 }).to_string();
        assert_eq!(Kept::of(&Found { payload: text.into(), ..found("") }), kept);
        for junk in ["", "junk", "[]", r#"{"from":-1}"#] {
            assert_eq!(Kept::of(&found(junk)).lost(&stream, 25), None, "{junk}");
        }
    }
}
