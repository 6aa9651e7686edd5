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

    /// Whether its message can still be in the second stream, if that has messages from a sequence to another.
    pub(super) fn is_within(&self, first: u64, last: u64) -> bool {
        (first..=last).contains(&self.revision)
    }

    /// How far retention has gone at most, if the stream begins at `first`. `known` is how far it had gone otherwise: nothing
    /// may be written down, because no server has dropped anything yet, or because the second stream was purged.
    pub(super) fn reach(found: Option<&Self>, stream: &StreamId, first: u64, known: u64) -> u64 {
        match found {
            Some(found) if found.is_about(stream) => found.from.max(known),
            // A server that did not know yet that the stream has got another name.
            Some(found) if found.from >= first => known.max(first),
            _ => known,
        }
    }
}

/// Events that are gone though nothing says that retention has dropped them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    from: u64,
    to: u64,
}

impl Lost {
    /// The events that are gone though retention has not dropped them, if the stream begins at `first` and retention has gone to
    /// `reach`.
    pub(super) fn before(first: u64, reach: u64) -> Option<Self> {
        (first > reach).then(|| Self { from: reach, to: first - 1 })
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to } = self;
        write!(f, "events {from} to {to} are gone, and nothing says that retention has dropped them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_retention_has_not_dropped_is_lost() {
        let (stream, other) = (StreamId::fresh(), StreamId::fresh());
        let kept = Kept { revision: 9, stream: stream.as_str().to_owned(), from: 20 };
        let lost = |found: Option<&Kept>, stream: &StreamId, first, known| {
            Lost::before(first, Kept::reach(found, stream, first, known))
        };
        assert_eq!(lost(Some(&kept), &stream, 1, 1), None, "it was written before the purge");
        assert_eq!(lost(Some(&kept), &stream, 20, 1), None);
        assert_eq!(lost(Some(&kept), &stream, 25, 1), Some(Lost { from: 20, to: 24 }));
        assert_eq!(lost(Some(&kept), &stream, 25, 25), None, "it was restored older");
        assert_eq!(lost(Some(&kept), &other, 20, 10), None, "the stream has just got another name");
        assert_eq!(
            lost(Some(&kept), &other, 25, 10),
            Some(Lost { from: 10, to: 24 }),
            "it is about another history"
        );
        assert_eq!(lost(None, &stream, 1, 1), None, "nothing was dropped yet");
        assert_eq!(lost(None, &stream, 5, 1), Some(Lost { from: 1, to: 4 }), "the second stream was purged");
        assert!(kept.is_within(9, 9) && !kept.is_within(10, 12) && !kept.is_within(1, 3));
        let found = |payload: &'static str| Found {
            sequence: 9,
            subject: String::new(),
            headers: HeaderMap::new(),
            payload: payload.into(),
        };
        let text = json!({ "stream": stream.as_str(), "from": 20 }).to_string();
        assert_eq!(Kept::of(&Found { payload: text.into(), ..found("") }), kept);
        for junk in ["", "junk", "[]", r#"{"from":-1}"#] {
            let junk = Kept::of(&found(junk));
            assert_eq!(lost(Some(&junk), &stream, 25, 10), Some(Lost { from: 10, to: 24 }), "{junk:?}");
        }
    }
}
