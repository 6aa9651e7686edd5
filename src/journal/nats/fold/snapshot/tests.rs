//! A fold that was written down and read again is the one of a server that has read every event.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::super::super::super::record::{Key, Stored};
use super::super::super::message::{Entry, ORIGIN, WriterMark};
use super::*;
use crate::contract::MessageType;

/// Steps of a history: an incident of a few goes on, begins or ends, with a key or not.
fn histories() -> impl Strategy<Value = Vec<(usize, bool, bool)>> {
    proptest::collection::vec((0..6_usize, proptest::bool::weighted(0.2), any::<bool>()), 1..120)
}

/// The events of a history, each with its chain.
fn entries(history: &[(usize, bool, bool)]) -> Vec<(Entry, u64)> {
    let (mut entries, mut chain) = (Vec::new(), ORIGIN);
    // Of each incident: how often it has begun, its start, and its newest index.
    let mut all = [(0, 0, 0); 6];
    for (position, (number, ends, has_key)) in (1..).zip(history) {
        let (times, start, index) = &mut all[*number];
        if *index == 0 {
            (*times, *start) = (*times + 1, position);
        }
        *index += 1;
        let kind = match *index {
            1 => MessageType::IncidentStarted,
            _ if *ends => MessageType::IncidentResolved,
            _ => MessageType::AgentAction,
        };
        let stored = Stored {
            position,
            time: Timestamp::from_microsecond(1_800_000_000_000_000 + position.cast_signed()).unwrap(),
            subject: Arc::from(format!("incident-{number}-{times}")),
            index: *index,
            kind,
            data: RawValue::from_string("{}".to_owned()).unwrap(),
        };
        let key = || Key { source: "/a".to_owned(), id: position.to_string(), digest: [position as u8; 32] };
        let plan = (*index == 1 && *has_key).then(|| PlanMark { parts: 1, digest: position.to_string() });
        let writer = WriterMark { node: 1, append: position };
        let entry = Entry { stored, start: *start, writer, key: has_key.then(key), plan };
        chain = entry.chain(chain);
        if kind == MessageType::IncidentResolved {
            *index = 0;
        }
        entries.push((entry, chain));
    }
    entries
}

/// Folds events as a server that starts.
fn read(fold: &mut Fold, entries: &[(Entry, u64)]) {
    for (entry, chain) in entries {
        fold.push(entry, *chain, 9, Duration::ZERO).unwrap();
    }
    fold.finished.clear();
}

/// Through the bytes that are stored.
fn again(fold: &Fold) -> Fold {
    let text = serde_json::to_string(&fold.snapshot("s", usize::MAX).unwrap()).unwrap();
    Fold::restore(serde_json::from_str(&text).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn a_start_from_a_snapshot_is_a_start_from_the_events(
        history in histories(), taken in 0.0..1.0, dropped in 0.0..1.0, dropped_before in any::<bool>(),
    ) {
        let entries = entries(&history);
        let at = 1 + ((entries.len() - 1) as f64 * taken) as usize;
        let mut holder = Fold::begin_at(1);
        read(&mut holder, &entries[..at]);
        // Retention keeps every event of an incident that is open, and the newest one.
        let until = holder.first_open().unwrap_or(holder.head).min(holder.head);
        let first = 1 + ((until - 1) as f64 * dropped) as u64;
        let mut gone = Vec::new();
        if dropped_before {
            gone = holder.drop_before(first);
        }
        let mut restored = again(&holder);
        for (subject, end) in &gone {
            restored.forget(Arc::clone(subject), *end);
        }
        gone.extend(restored.drop_before(first));
        read(&mut restored, &entries[at..]);

        let mut whole = Fold::begin_at(first);
        for (subject, end) in gone {
            whole.forget(subject, end);
        }
        read(&mut whole, &entries[first as usize - 1..]);
        prop_assert_eq!(restored, whole);
    }
}

#[test]
fn what_does_not_agree_with_itself_is_not_believed() {
    let mut fold = Fold::begin_at(1);
    read(&mut fold, &entries(&[(0, false, true), (1, false, false), (0, false, true), (0, true, false)]));
    let sound = serde_json::to_value(fold.snapshot("s", 10).unwrap()).unwrap();
    let restored = |value: &serde_json::Value| Fold::restore(serde_json::from_value(value.clone()).ok()?);
    assert_eq!(restored(&sound), Some(again(&fold)));
    for (place, wrong) in [
        ("/format", serde_json::json!(2)),
        ("/oldest", serde_json::json!(0)),
        ("/oldest", serde_json::json!(2)),
        ("/head", serde_json::json!(5)),
        ("/head", serde_json::json!(u64::MAX)),
        ("/runs/0/0", serde_json::json!(7)),
        ("/runs/0/1", serde_json::json!(usize::MAX)),
        ("/runs", serde_json::json!([[0, 4]])),
        ("/runs", serde_json::json!([])),
        ("/incidents/0/first", serde_json::json!(0)),
        ("/incidents/0/start", serde_json::json!(2)),
        ("/incidents/0/end", serde_json::json!(3)),
        ("/incidents/1/subject", serde_json::json!("incident-0-1")),
        ("/keys/0/0", serde_json::json!(9)),
        ("/keys/0/1", serde_json::json!(2)),
        ("/keys/0/4", serde_json::json!("AA==")),
    ] {
        let mut damaged = sound.clone();
        *damaged.pointer_mut(place).unwrap() = wrong;
        assert_eq!(restored(&damaged), None, "{place}");
    }
    assert!(fold.snapshot("s", 1).is_none(), "it has two keys");
}
