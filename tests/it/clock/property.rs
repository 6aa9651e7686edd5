//! Whatever happens to the clock of a machine: times, ages and what is kept.

use std::collections::HashMap;
use std::time::Duration;

use incident::journal::{ReadLimit, Retention, TimeSource};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{NOON, append_one, in_memory, open, secs};
use crate::harness::{Clocks, Scratch, metrics, resolved, started};

/// Something that happens on a machine.
#[derive(Debug, Clone)]
enum Happening {
    /// Time passes.
    Pass(u64),
    /// The clock is set, by so many seconds.
    Step(i64),
    /// An incident starts.
    Start,
    /// An open incident goes on: one of them, and whether it ends.
    GoOn(usize, bool),
    /// The server is started again.
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    let step = prop_oneof![-120_i64..120, -100_000_i64..100_000, -200_000_000_i64..200_000_000];
    prop_oneof![
        (0_u64..100).prop_map(Happening::Pass),
        (0_u64..4_000).prop_map(Happening::Pass),
        step.prop_map(Happening::Step),
        Just(Happening::Start),
        (any::<usize>(), any::<bool>()).prop_map(|(which, ends)| Happening::GoOn(which, ends)),
        (any::<usize>(), any::<bool>()).prop_map(|(which, ends)| Happening::GoOn(which, ends)),
        Just(Happening::Restart),
    ]
}

const AGE: Duration = secs(1_000);

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

async fn holds(happenings: Vec<Happening>, in_a_file: bool) {
    let (clocks, folder) = (Clocks::at(NOON), Scratch::new());
    let retention = Retention { events: 1_000_000, age: Some(AGE) };
    let new =
        || if in_a_file { open(folder.path(), &clocks, retention) } else { in_memory(&clocks, retention) };
    let mut journal = new();
    let (mut open, mut names): (Vec<(String, u64)>, u64) = (Vec::new(), 0);
    let mut newest: HashMap<String, (Timestamp, Duration)> = HashMap::new();
    // When each event was stored, on the steady clock of the process that runs.
    let (mut stored, mut gone): (Vec<Duration>, usize) = (Vec::new(), 0);
    for happening in happenings {
        let mut add = None;
        match happening {
            Happening::Pass(time) => clocks.pass(secs(time)),
            // Years that a timestamp can't have are no times.
            Happening::Step(by) if clocks.wall().as_second() + by > 0 => {
                clocks.step(SignedDuration::from_secs(by));
            }
            Happening::Restart if in_a_file => {
                drop(journal);
                journal = new();
                stored.fill(clocks.steady());
            }
            Happening::Start => {
                names += 1;
                let name = format!("incident-{names}");
                add = Some(started(&name));
                open.push((name, 1));
            }
            Happening::GoOn(which, ends) if !open.is_empty() => {
                let place = which % open.len();
                let (name, index) = &mut open[place];
                *index += 1;
                add = Some(if ends { resolved(name, *index) } else { metrics(name, *index) });
                if ends {
                    open.remove(place);
                }
            }
            Happening::Step(_) | Happening::Restart | Happening::GoOn(..) => {}
        }
        let Some(record) = add else { continue };
        let (name, is_first) = (record.subject.clone(), record.place == incident::journal::Place::At(1));
        let time = append_one(&journal, record).await;
        stored.push(clocks.steady());
        if is_first {
            let apart = time.duration_since(clocks.wall()).abs();
            assert!(apart <= SignedDuration::from_secs(60), "{name} is dated {apart} from the clock");
        }
        if let Some((before, _)) = newest.insert(name.clone(), (time, clocks.steady())) {
            assert!(time >= before, "the time falls within {name}: from {before} to {time}");
        }
        let oldest = journal.extent().oldest as usize;
        // An event of an earlier process is kept for ten minutes from the start.
        let least = if in_a_file { secs(600) } else { AGE };
        for (place, at) in stored.iter().enumerate().take(oldest - 1).skip(gone) {
            let age = clocks.steady().saturating_sub(*at);
            assert!(age >= least, "event {} is gone after {age:?}", place + 1);
        }
        gone = oldest - 1;
    }
    let events = journal.read(0, ReadLimit::ALL).await.unwrap();
    assert_eq!(events.len() as u64, journal.extent().head + 1 - journal.extent().oldest);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_the_clock_in_memory(happenings in prop::collection::vec(happening(), 1..60)) {
        block_on(holds(happenings, false));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_the_clock_in_a_file(happenings in prop::collection::vec(happening(), 1..40)) {
        block_on(holds(happenings, true));
    }
}
