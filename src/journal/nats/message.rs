//! An event as a message of the stream: its payload is the event's `data`, verbatim, and its headers have the rest.

use std::sync::Arc;

use async_nats::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::super::record::{Key, Stored};
use crate::contract::MessageType;

/// The chain before the first event.
pub(super) const ORIGIN: u64 = 0;

const SUBJECT: &str = "I-Subject";
const INDEX: &str = "I-Index";
const TYPE: &str = "I-Type";
const TIME: &str = "I-Time";
const START: &str = "I-Start";
const CHAIN: &str = "I-Chain";
const WRITER: &str = "I-Writer";
const KEY: &str = "I-Key";
const PLAN: &str = "I-Plan";

/// Which append of which process added an event. A process recognizes its own appends by it, whether they were
/// acknowledged or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriterMark {
    pub(super) node: u64,
    pub(super) append: u64,
}

/// Where an incident's plan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlanMark {
    pub(super) parts: usize,
    /// SHA-256 of the plan, in hexadecimal digits.
    pub(super) digest: String,
}

/// An event of the stream with all that the journal knows of it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) stored: Stored,
    /// Position of its incident's first event.
    pub(super) start: u64,
    pub(super) writer: WriterMark,
    pub(super) key: Option<Key>,
    pub(super) plan: Option<PlanMark>,
}

impl Entry {
    /// The first eight bytes of the SHA-256 digest of the chain before it and of every part with its length.
    pub(super) fn chain(&self, before: u64) -> u64 {
        let Stored { position, time, subject, index, kind, data } = &self.stored;
        let mut hash = Sha256::new();
        for number in [before, *position, time.as_microsecond().cast_unsigned(), *index, self.start] {
            hash.update(number.to_le_bytes());
        }
        let key = self.key.as_ref().map(key_text).unwrap_or_default();
        let plan = self.plan.as_ref().map(plan_text).unwrap_or_default();
        for text in [subject, kind.as_str(), data.get(), &key, &plan] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.finalize()[..8]);
        u64::from_be_bytes(bytes)
    }

    /// The headers of its message. `chain` includes the event.
    pub(super) fn headers(&self, chain: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Stored { time, subject, index, kind, .. } = &self.stored;
        headers.insert(SUBJECT, BASE64URL_NOPAD.encode(subject.as_bytes()));
        headers.insert(INDEX, index.to_string());
        headers.insert(TYPE, kind.as_str());
        headers.insert(TIME, time.as_microsecond().to_string());
        headers.insert(START, self.start.to_string());
        headers.insert(WRITER, format!("{:016x}.{}", self.writer.node, self.writer.append));
        headers.insert(CHAIN, format!("{chain:016x}"));
        if let Some(key) = &self.key {
            headers.insert(KEY, key_text(key));
        }
        if let Some(plan) = &self.plan {
            headers.insert(PLAN, plan_text(plan));
        }
        headers
    }

    /// Reads a message of the stream, with the chain that it claims.
    ///
    /// # Errors
    /// What is wrong with it: another program has published it.
    pub(super) fn read(position: u64, headers: &HeaderMap, payload: &[u8]) -> Result<(Self, u64), String> {
        let header = |name: &str| headers.get(name).map(async_nats::HeaderValue::as_str);
        let wanted = |name: &'static str| header(name).ok_or_else(|| format!("it has no header {name}"));
        let wrong = |name: &'static str| format!("its header {name} can't be read");
        let number = |name: &'static str| wanted(name)?.parse::<u64>().map_err(|_| wrong(name));
        // Positions and indexes count from 1, and something may follow them.
        let place = |name: &'static str| {
            number(name)?
                .checked_sub(1)
                .filter(|less| *less < u64::MAX - 1)
                .map(|less| less + 1)
                .ok_or_else(|| wrong(name))
        };
        let text = |encoded: &str| String::from_utf8(BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?).ok();
        let subject = text(wanted(SUBJECT)?).ok_or_else(|| wrong(SUBJECT))?;
        let time = wanted(TIME)?.parse().ok().and_then(|time| Timestamp::from_microsecond(time).ok());
        let kind = MessageType::from_name(wanted(TYPE)?).filter(|kind| !kind.is_control());
        let data = std::str::from_utf8(payload).ok().map(str::to_owned);
        let data = data.and_then(|data| RawValue::from_string(data).ok());
        let writer = wanted(WRITER)?.split_once('.').and_then(|(node, append)| {
            let node = u64::from_str_radix(node, 16).ok()?;
            Some(WriterMark { node, append: append.parse().ok()? })
        });
        let chain = u64::from_str_radix(wanted(CHAIN)?, 16).map_err(|_| wrong(CHAIN))?;
        let key = header(KEY).map(|key| read_key(key).ok_or_else(|| wrong(KEY))).transpose()?;
        let plan = header(PLAN).map(|plan| read_plan(plan).ok_or_else(|| wrong(PLAN))).transpose()?;
        let stored = Stored {
            position,
            time: time.ok_or_else(|| wrong(TIME))?,
            subject: Arc::from(subject),
            index: place(INDEX)?,
            kind: kind.ok_or_else(|| wrong(TYPE))?,
            data: data.ok_or("its payload is not JSON")?,
        };
        let (start, writer) = (place(START)?, writer.ok_or_else(|| wrong(WRITER))?);
        Ok((Self { stored, start, writer, key, plan }, chain))
    }
}

/// Publishers and names may have any characters, and headers may not.
fn key_text(key: &Key) -> String {
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    format!("{}.{}.{}", encode(key.source.as_bytes()), encode(key.id.as_bytes()), encode(&key.digest))
}

fn read_key(text: &str) -> Option<Key> {
    let mut parts = text.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()));
    let mut next = || parts.next()?.ok();
    let (source, id, digest) = (next()?, next()?, next()?);
    Some(Key {
        source: String::from_utf8(source).ok()?,
        id: String::from_utf8(id).ok()?,
        digest: digest.try_into().ok()?,
    })
}

fn plan_text(plan: &PlanMark) -> String {
    format!("{} {}", plan.parts, plan.digest)
}

fn read_plan(text: &str) -> Option<PlanMark> {
    let (parts, digest) = text.split_once(' ')?;
    Some(PlanMark { parts: parts.parse().ok()?, digest: digest.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            stored: Stored {
                position: 7,
                time: Timestamp::from_microsecond(1_700_000_000_000_001).unwrap_or_default(),
                subject: Arc::from("größer\r\nthan"),
                index: 3,
                kind: MessageType::AgentAction,
                data: RawValue::from_string(r#"{ "a" : "ü" }"#.to_owned()).unwrap_or_default(),
            },
            start: 5,
            writer: WriterMark { node: 1, append: 2 },
            key: Some(Key { source: "/a b".to_owned(), id: "1\n".to_owned(), digest: [9; 32] }),
            plan: Some(PlanMark { parts: 2, digest: "ab".to_owned() }),
        }
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let entry = entry();
        let chain = entry.chain(1);
        let read = Entry::read(7, &entry.headers(chain), entry.stored.data.get().as_bytes());
        let Ok((read, claimed)) = read else { panic!("{read:?}") };
        assert_eq!(format!("{read:?}"), format!("{entry:?}"));
        assert_eq!((claimed, read.chain(1)), (chain, chain));
    }

    #[test]
    fn every_part_and_the_chain_before_are_in_the_chain() {
        let chain = entry().chain(1);
        let mut others = vec![entry().chain(2)];
        let changes: [fn(&mut Entry); 8] = [
            |entry| entry.stored.position = 8,
            |entry| entry.stored.index = 4,
            |entry| entry.stored.subject = Arc::from("x"),
            |entry| entry.stored.time = Timestamp::default(),
            |entry| entry.stored.kind = MessageType::IncidentResolved,
            |entry| entry.start = 6,
            |entry| entry.key = None,
            |entry| entry.plan = None,
        ];
        for change in changes {
            let mut changed = entry();
            change(&mut changed);
            others.push(changed.chain(1));
        }
        assert!(others.iter().all(|other| *other != chain), "{others:?}");
    }

    #[test]
    fn what_another_program_has_published_is_told_by_its_headers() {
        let Err(why) = Entry::read(1, &HeaderMap::new(), b"{}") else { panic!("it was read") };
        assert_eq!(why, "it has no header I-Subject");
        let mut headers = entry().headers(1);
        for wrong in ["x", "0", "18446744073709551615"] {
            headers.insert(INDEX, wrong);
            assert!(matches!(Entry::read(1, &headers, b"{}"), Err(why) if why.contains("I-Index")));
        }
        headers = entry().headers(1);
        headers.insert(START, "0");
        assert!(matches!(Entry::read(1, &headers, b"{}"), Err(why) if why.contains("I-Start")));
        assert!(matches!(Entry::read(1, &entry().headers(1), b"{"), Err(why) if why.contains("JSON")));
    }
}
