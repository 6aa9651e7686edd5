//! Batches that are judged by what is acknowledged get the same places, answers and chains as those that are judged when
//! everything was read back.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::super::super::clock::Found;
use super::super::super::time_source::TimeSource;
use super::*;
use crate::contract::MessageType;

/// Clocks that stand still.
#[derive(Debug)]
struct Still;

impl TimeSource for Still {
    fn wall(&self) -> Timestamp {
        Timestamp::from_microsecond(1_800_000_000_000_000).unwrap()
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// Batches of records: of an incident its number, the index that is asked for (0: the next one, under a key), and whether it ends.
fn batches() -> impl Strategy<Value = Vec<Vec<(u8, u64, u8)>>> {
    let record = (0..3_u8, 0..5_u64, 0..6_u8);
    proptest::collection::vec(proptest::collection::vec(record, 1..5), 1..12)
}

fn batch(records: &[(u8, u64, u8)]) -> Batch {
    let record = |(incident, index, name): &(u8, u64, u8)| Record {
        subject: format!("incident-{incident}"),
        place: match index {
            0 => Place::Next(Key { source: "/a".to_owned(), id: name.to_string(), digest: [0; 32] }),
            index => Place::At(*index),
        },
        kind: match (index, name) {
            (1, _) => MessageType::IncidentStarted,
            (_, 0) => MessageType::IncidentResolved,
            _ => MessageType::AgentAction,
        },
        data: RawValue::from_string("{}".to_owned()).unwrap(),
        plan: None,
    };
    records.iter().map(record).collect::<Vec<_>>().into()
}

/// Judges batches one after the other, each before the fold has read back the `behind` last ones.
fn judged(all: &[Vec<(u8, u64, u8)>], behind: usize) -> Vec<(u64, Vec<String>, Vec<u64>)> {
    let Ok(clock) = Clock::new(Arc::new(Still), |_| Ok::<_, Infallible>(Found::default()));
    let (names, writer) = (Names::of("s"), WriterMark { node: 1, append: 1 });
    let (mut fold, mut ahead) = (Fold::begin_at(1), None);
    let mut unread: Vec<Vec<(Entry, u64)>> = Vec::new();
    let mut drafts = Vec::new();
    for records in all {
        while unread.len() > behind {
            for (entry, chain) in unread.remove(0) {
                fold.push(&entry, chain, 1, clock.steady()).unwrap();
            }
        }
        let judged = judge(&fold, ahead.take(), &clock, &names, writer, Term::default(), &[batch(records)]);
        let is_behind = unread.iter().any(|entries| !entries.is_empty());
        assert_eq!(judged.is_ahead, is_behind, "what the fold has by itself is not carried on");
        let answers = judged.answers.iter().map(|answer| format!("{answer:?}")).collect();
        let chains = judged.entries.iter().map(|(_, chain)| *chain).collect();
        drafts.push((judged.after, answers, chains));
        ahead = judged.ahead;
        unread.push(judged.entries);
    }
    drafts
}

proptest! {
    #[test]
    fn what_is_acknowledged_counts_as_what_was_read(all in batches()) {
        let read = judged(&all, 0);
        prop_assert_eq!(&judged(&all, 1), &read);
        prop_assert_eq!(&judged(&all, 3), &read);
    }
}
